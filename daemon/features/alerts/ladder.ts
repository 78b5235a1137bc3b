/** Raises alerts and moves them up their ladder when their deadline, which lies in the database, has come. */
import { climb, mayTellFromMs } from '../../domain/alert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Audience, Recipient } from './audience.ts'
import { deliveryWrites } from './outbox.ts'
import { type AlertDraft, type AlertTable, alertWrites, type StoredAlert } from './table.ts'

/** What an episode is to be told about its alert. */
export type Followed = 'told' | 'escalated' | 'acknowledged' | 'unheard'
export type Follow = (episodeId: string, what: Followed, by: string, text: string | null) => Plan<null>

export interface LadderDeps {
  store: Pick<Store, 'write'>
  clock: Clock
  log: Log
  newId: () => string
  table: AlertTable
  audience: Audience
  follow: Follow
  nameOf: (by: string) => string | null
  /** Told of every alert that is new or has moved, once it is on disk. */
  onMoved: (alertId: string) => void
}

export interface Ladder {
  plan(draft: AlertDraft): Plan<{ id: string }>
  /** Moves everything that is due; resolves when it is on disk. */
  climbDue(): Promise<void>
}

const HOUSE: Recipient = 'house'

export function createLadder(deps: LadderDeps): Ladder {
  const { store, clock, audience } = deps

  /** Tells `recipients` on every channel each of them has; the house hears every round. */
  function tell(
    alert: Pick<StoredAlert, 'id' | 'kind' | 'personId'>,
    recipients: readonly Recipient[],
    at: { step: number; round: number },
  ): Write[] {
    return recipients
      .flatMap((recipient) => audience.targets(recipient, alert.personId))
      .map((target) => {
        const atMs = mayTellFromMs(alert, audience.hearing(target, alert.personId), clock.now())
        return deliveryWrites.add(alert.id, target, { ...at, atMs })
      })
  }

  function followed(episodeId: string | null, what: Followed, text: string | null): Plan<null>[] {
    return episodeId === null ? [] : [deps.follow(episodeId, what, 'hub', text)]
  }

  function namesOf(recipients: readonly Recipient[]): string | null {
    const names = recipients.map((one) => deps.nameOf(one)).filter((name) => name !== null)
    return names.length > 0 ? names.join(', ') : null
  }

  function plan(draft: AlertDraft): Plan<{ id: string }> {
    const nowMs = clock.now()
    const id = deps.newId()
    const { steps, stepMs } = audience.steps(draft, nowMs)
    // An alert that has nobody to tell still keeps its deadlines: somebody may be added in the meantime.
    const move = climb({ kind: draft.kind, step: 0, round: 0 }, Math.max(steps.length, 1), stepMs, nowMs)
    const isTest = draft.source === 'test'
    const first = isTest ? steps.flat() : (steps[0] ?? [])
    const place = { step: move.step, round: 0, nextStepAtMs: isTest ? null : move.nextAtMs }
    const recipients = draft.kind === 'tip' ? [] : [...first, HOUSE]
    const plans = draft.kind === 'tip' ? [] : toldOf(draft.episodeId ?? null, first)
    return {
      result: { id },
      writes: [
        alertWrites.add(id, draft, place, nowMs),
        ...tell({ id, ...draft }, recipients, { step: move.step, round: 0 }),
        ...plans.flatMap(({ writes }) => writes),
      ],
      committed() {
        for (const one of plans) one.committed()
        deps.onMoved(id)
      },
    }
  }

  function toldOf(episodeId: string | null, recipients: readonly Recipient[]): Plan<null>[] {
    return recipients.length > 0
      ? followed(episodeId, 'told', namesOf(recipients))
      : followed(episodeId, 'unheard', 'Nobody can be told.')
  }

  async function climbOne(alert: StoredAlert): Promise<void> {
    const nowMs = clock.now()
    const { steps, stepMs } = audience.steps(alert, nowMs)
    const move = climb(alert, Math.max(steps.length, 1), stepMs, nowMs)
    const recipients =
      move.tell === 'step' ? (steps[alert.step] ?? []) : move.tell === 'everybody' ? steps.flat() : []
    const plans = move.ends
      ? followed(alert.episodeId, 'unheard', 'A day went by without an answer.')
      : [
          ...(alert.step > 0 && alert.round === 0 ? followed(alert.episodeId, 'escalated', null) : []),
          ...toldOf(alert.episodeId, recipients),
        ]
    const place = { step: move.step, round: move.round, nextStepAtMs: move.nextAtMs }
    await store.write([
      alertWrites.move(alert, { ...place, state: move.ends ? 'expired' : 'open' }, nowMs),
      ...(move.ends ? [deliveryWrites.drop(alert.id)] : tell(alert, [...recipients, HOUSE], roundOf(move))),
      ...plans.flatMap(({ writes }) => writes),
    ])
    for (const one of plans) one.committed()
    if (recipients.length === 0) deps.log.warn({ alertId: alert.id, kind: alert.kind }, 'nobody can be told')
    deps.onMoved(alert.id)
  }

  return {
    plan,
    async climbDue() {
      for (const alert of deps.table.due(clock.now())) {
        try {
          await climbOne(alert)
        } catch (cause) {
          // Somebody answered while this was worked out; the next look sees what they said.
          if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
        }
      }
    },
  }
}

function roundOf({ step, round }: { step: number; round: number }) {
  return { step, round }
}
