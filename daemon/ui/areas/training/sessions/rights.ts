/** What the signed-in person may do with sessions, so that only that is offered; the hub decides anew each time. */
import { type App, hasRole } from '../../../app.ts'
import type { TrainingSession } from './answers.ts'

/** Whether they work with cameras, and begin and run sessions. */
export function isTrainer(app: App): boolean {
  return hasRole(app, ['owner', 'coach'])
}

/** Whether they say how a session goes on, who is who, and mark its moments; others look at the players open to them. */
export function steers(app: App, { created_by: createdBy }: Pick<TrainingSession, 'created_by'>): boolean {
  return isTrainer(app) || createdBy === me(app)?.id
}

/** Whether they may add files to a session and remove it. */
export function changes(app: App, { created_by: createdBy }: Pick<TrainingSession, 'created_by'>): boolean {
  return hasRole(app, ['owner']) || createdBy === me(app)?.id
}

/** For whom they may say how hard it was, as the hub told. */
export function rated({ participants }: Pick<TrainingSession, 'participants'>): string[] {
  return participants.filter(({ may_rate: mayRate }) => mayRate).map(({ player_id: id }) => id)
}

function me({ session }: App) {
  const state = session.state.value
  return state.kind === 'signed-in' ? state.user : null
}
