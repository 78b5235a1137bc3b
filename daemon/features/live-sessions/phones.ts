/** Phones of players and of who looks after them that want to film for a running session: who asks, who was taken, and for how long. */
import type { Actor } from '../../domain/access.ts'
import { can } from '../../domain/access.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Calibrations } from './calibrations.ts'
import type { Lending } from './cameras.ts'
import type { Running } from './running.ts'

/** One phone as those who run the session see it. */
export interface Phone {
  userId: string
  name: string
  state: 'waiting' | 'taken' | 'refused'
  /** The camera that it is once it was taken. */
  cameraId: string | null
}

export interface Phones {
  /**
   * Asks, or goes on asking; `again`: also after a no. Throws FORBIDDEN for whoever may write the training of no player, OVERLOADED
   * when many ask.
   */
  ask(actor: Actor, one: Running, again: boolean): Phone
  /** Makes it one of the session's cameras. Throws NOT_FOUND for a phone that does not ask, CONFLICT when there are too many cameras. */
  take(one: Running, userId: string, addedBy: string | null): Promise<Phone>
  /** Says no, or ends what was taken; `bySelf`: the phone itself does not want to any more. */
  refuse(one: Running, userId: string, bySelf: boolean): Promise<void>
  /** Who asks and who was taken, the latter first. */
  of(one: Running): Phone[]
  /** The session is over. */
  end(sessionId: string): Promise<void>
  /** Ends what was lent to sessions that do not run: the hub went away in between. */
  sweep(isRunning: (sessionId: string) => boolean): Promise<void>
}

export interface PhonesDeps {
  lending: Lending
  calibrations: Pick<Calibrations, 'remove'>
  now: () => number
  nameOf: (userId: string) => string | null
  /** Told when a camera comes to a session or leaves it. */
  join: (one: Running, cameraId: string) => Promise<void>
  leave: (one: Running, cameraId: string) => Promise<void>
}

/** A page that waits says so every few seconds; one that was closed is forgotten. */
const WAITS_MS = 20_000
const MOST_WAITING = 8
const MOST_CAMERAS = 8

interface Asking {
  userId: string
  sessionId: string
  heardMs: number
  state: 'waiting' | 'refused'
}

export function createPhones(deps: PhonesDeps): Phones {
  const { lending, now } = deps
  const asking = new Map<string, Asking>()
  const keyOf = (sessionId: string, userId: string) => `${sessionId}/${userId}`
  const nameOf = (userId: string) => deps.nameOf(userId) ?? '?'
  const lentTo = (sessionId: string) => lending.lent().filter((camera) => camera.lentTo === sessionId)
  const takenOf = (sessionId: string, userId: string) =>
    lentTo(sessionId).find(({ lender }) => lender === userId)

  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other: who takes back a phone that is just being taken gets it back, and a session that ends keeps none. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }

  function forgetSilent(): void {
    for (const [key, { state, heardMs }] of asking)
      if (state === 'waiting' && now() - heardMs > WAITS_MS) asking.delete(key)
  }

  const waitingFor = (sessionId: string) =>
    [...asking.values()].filter((one) => one.sessionId === sessionId && one.state === 'waiting')

  async function take(one: Running, userId: string, addedBy: string | null): Promise<Phone> {
    const taken = takenOf(one.id, userId)
    if (taken) return { userId, name: nameOf(userId), state: 'taken', cameraId: taken.id }
    forgetSilent()
    const key = keyOf(one.id, userId)
    if (asking.get(key)?.state !== 'waiting')
      throw new HubError('NOT_FOUND', 'This phone does not ask to film any more.')
    if (one.asked.cameraIds.length >= MOST_CAMERAS)
      throw new HubError(
        'CONFLICT',
        `A session has at most ${MOST_CAMERAS} cameras. Send a phone away first.`,
      )
    asking.delete(key)
    const name = nameOf(userId)
    const personIds = one.access().playerIds
    const loan = { lender: userId, sessionId: one.id, name, addedBy, personIds }
    const cameraId = await lending.lend(loan)
    // It stands elsewhere than the last time.
    await deps.calibrations.remove(cameraId)
    await deps.join(one, cameraId)
    return { userId, name, state: 'taken', cameraId }
  }

  async function refuse(one: Running, userId: string, bySelf: boolean): Promise<void> {
    const key = keyOf(one.id, userId)
    const taken = takenOf(one.id, userId)
    if (!taken && asking.get(key)?.state !== 'waiting')
      throw new HubError('NOT_FOUND', 'This phone neither films nor asks to.')
    if (bySelf) asking.delete(key)
    else asking.set(key, { userId, sessionId: one.id, heardMs: now(), state: 'refused' })
    if (!taken) return
    await lending.takeBack(taken.id)
    await deps.leave(one, taken.id)
  }

  return {
    ask(actor, one, again) {
      const userId = lenderOf(actor, one, now())
      const name = nameOf(userId)
      const taken = takenOf(one.id, userId)
      if (taken) return { userId, name, state: 'taken', cameraId: taken.id }
      forgetSilent()
      const key = keyOf(one.id, userId)
      const known = asking.get(key)
      if (known?.state === 'refused' && !again) return { userId, name, state: 'refused', cameraId: null }
      if (known?.state !== 'waiting' && waitingFor(one.id).length >= MOST_WAITING)
        throw new HubError('OVERLOADED', `${MOST_WAITING} phones ask already. Try again in a minute.`, {
          retryAfterS: 60,
        })
      asking.set(key, { userId, sessionId: one.id, heardMs: now(), state: 'waiting' })
      return { userId, name, state: 'waiting', cameraId: null }
    },
    take: (one, userId, addedBy) => inTurn(() => take(one, userId, addedBy)),
    refuse: (one, userId, bySelf) => inTurn(() => refuse(one, userId, bySelf)),
    of(one) {
      forgetSilent()
      return [
        ...lentTo(one.id).map(({ id, lender }) => ({
          ...{ userId: lender ?? '', name: nameOf(lender ?? ''), state: 'taken' as const, cameraId: id },
        })),
        ...waitingFor(one.id).map(({ userId, state }) => ({
          ...{ userId, name: nameOf(userId), state, cameraId: null },
        })),
      ]
    },
    end: (sessionId) =>
      inTurn(async () => {
        for (const [key, one] of asking) if (one.sessionId === sessionId) asking.delete(key)
        for (const { id } of lentTo(sessionId)) await lending.takeBack(id)
      }),
    async sweep(isRunning) {
      for (const { id, lentTo: sessionId } of lending.lent())
        if (sessionId == null || !isRunning(sessionId)) await lending.takeBack(id)
    },
  }
}

/** Whose phone it is; throws FORBIDDEN for whoever may write the training of none of its players. */
function lenderOf(actor: Actor, one: Running, nowMs: number): string {
  const { playerIds } = one.access()
  if (actor.kind === 'user' && playerIds.some((id) => can(actor, 'write', id, 'training', nowMs)))
    return actor.userId
  throw new HubError(
    'FORBIDDEN',
    'Players film with their phones, and those who may write the training of one of them.',
  )
}
