/** What people answer to an alert: seen, acknowledged, not now. The same for the app, the wrist and the house. */
import type { Channel } from '../../domain/alert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Follow } from './ladder.ts'
import { deliveryWrites } from './outbox.ts'
import { type AlertTable, alertWrites, type StoredAlert } from './table.ts'

export interface AnswersDeps {
  store: Pick<Store, 'write'>
  clock: Clock
  table: AlertTable
  follow: Follow
  onMoved: (alertId: string) => void
}

export interface Answers {
  /** Ends the climb. Once more is nothing; throws CONFLICT for an alert that is over. `recipient` is null for nobody told. */
  acknowledge(alertId: string, by: string, recipient: string): Promise<StoredAlert>
  /** Holds it and warnings about the same person back from this recipient; the ladder goes on for the others. */
  snooze(alertId: string, recipient: string, minutes: number): Promise<StoredAlert>
  seen(alertId: string, recipient: string, channel: Channel | null): Promise<StoredAlert>
  /** The same for several that were shown in the app; one that is not there is passed over. */
  shown(alertIds: readonly string[], recipient: string): Promise<void>
  received(alertIds: readonly string[], recipient: string, channel: Channel): Promise<void>
  /** For an episode that was answered: its alerts follow in the same unit. */
  planEpisode(episodeId: string, answer: EpisodeAnswer): Plan<null>
}

export type EpisodeAnswer = { kind: 'acknowledge'; by: string } | { kind: 'resolve' } | { kind: 'hurry' }

const SNOOZE = `INSERT INTO alert_snooze (person_key, recipient, alert_id, until_at)
  SELECT person_key, :recipient, id, :untilMs FROM alert WHERE id = :alertId
  ON CONFLICT (person_key, recipient) DO UPDATE SET alert_id = excluded.alert_id, until_at = excluded.until_at`

export function createAnswers({ store, clock, table, follow, onMoved }: AnswersDeps): Answers {
  function existing(id: string): StoredAlert {
    const alert = table.find(id)
    if (!alert) throw noSuchAlert()
    return alert
  }

  async function commit(alertId: string, writes: readonly Write[], plans: readonly Plan<null>[] = []) {
    await store.write([...writes, ...plans.flatMap((plan) => plan.writes)])
    for (const plan of plans) plan.committed()
    onMoved(alertId)
    return existing(alertId)
  }

  /** Only what is new is told on: a screen that says "seen" to all it is told would else be told of its own word for ever. */
  async function see(ids: readonly string[], recipient: string, channel: Channel | null): Promise<void> {
    const done = await store.write(ids.map((id) => deliveryWrites.seen(id, recipient, channel, clock.now())))
    for (const [at, id] of ids.entries()) if (done[at]?.changes !== 0) onMoved(id)
  }

  return {
    async acknowledge(id, by, recipient) {
      const alert = existing(id)
      if (alert.state === 'acknowledged') return alert
      if (alert.state !== 'open') throw new HubError('CONFLICT', `This alert is ${alert.state} already.`)
      const nowMs = clock.now()
      const plans = alert.episodeId === null ? [] : [follow(alert.episodeId, 'acknowledged', by, null)]
      const writes = [
        deliveryWrites.answered(id, recipient, nowMs),
        deliveryWrites.drop(id),
        { ...alertWrites.acknowledge(id, by, nowMs), expect: 1 },
      ]
      try {
        return await commit(id, writes, plans)
      } catch (cause) {
        const after = existing(id)
        if (after.state === 'acknowledged') return after
        throw cause
      }
    },
    snooze(id, recipient, minutes) {
      const alert = existing(id)
      if (alert.state !== 'open') throw new HubError('CONFLICT', `This alert is ${alert.state} already.`)
      const untilMs = clock.now() + minutes * 60_000
      return commit(id, [
        { sql: SNOOZE, params: { alertId: id, recipient, untilMs }, expect: 1 },
        deliveryWrites.seen(id, recipient, null, clock.now()),
        ...deliveryWrites.snooze(id, recipient, untilMs),
      ])
    },
    async seen(id, recipient, channel) {
      existing(id)
      await see([id], recipient, channel)
      return existing(id)
    },
    async shown(ids, recipient) {
      if (ids.length > 0) await see(ids, recipient, 'app')
    },
    async received(ids, recipient, channel) {
      if (ids.length === 0) return
      await store.write(ids.map((id) => deliveryWrites.delivered(id, recipient, channel, clock.now())))
    },
    planEpisode(episodeId, answer) {
      const alerts = table
        .ofEpisode(episodeId)
        .filter(({ state }) => state === 'open' || state === 'acknowledged')
      return {
        result: null,
        writes: alerts.flatMap(({ id }) => writesFor(id, answer, clock.now())),
        committed() {
          for (const { id } of alerts) onMoved(id)
        },
      }
    },
  }
}

function writesFor(id: string, answer: EpisodeAnswer, nowMs: number): Write[] {
  switch (answer.kind) {
    case 'acknowledge':
      return [alertWrites.acknowledge(id, answer.by, nowMs), deliveryWrites.drop(id)]
    case 'resolve':
      return [alertWrites.resolve(id, nowMs), deliveryWrites.drop(id)]
    case 'hurry':
      return [alertWrites.hurry(id, nowMs)]
  }
}

export function noSuchAlert(): HubError {
  return new HubError('NOT_FOUND', 'There is no alert with this id.')
}
