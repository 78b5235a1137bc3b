/**
 * The tablet on the wall, with a key of its own and nobody signed in: first names and how their alerts stand, nothing that was
 * measured and nothing of people whom the owner did not choose for it. It asks, and is answered as soon as something has changed.
 */
import { Type } from 'typebox'
import { type Actor, DATA_CLASSES } from '../../domain/access.ts'
import { ALERT_KINDS } from '../../domain/alert.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Answers } from './answers.ts'
import type { Outbox } from './outbox.ts'
import type { AlertTable, StoredAlert } from './table.ts'

const DEVICES: Policy = { access: 'signed-in', roles: ['device'] }
const STATES = ['calm', 'looked_after', 'warning', 'urgent'] as const
const Board = Type.Object(
  {
    /** To be sent with the next question. */
    revision: Type.String(),
    people: Type.Array(
      Type.Object({ name: Type.String(), state: Type.Enum([...STATES]) }, { additionalProperties: false }),
    ),
    alerts: Type.Array(
      Type.Object(
        {
          id: Id,
          name: Type.String(),
          kind: Type.Enum([...ALERT_KINDS]),
          state: Type.Enum(['open', 'acknowledged']),
          /** Rings again when these grow. */
          step: Type.Integer(),
          round: Type.Integer(),
          since: Timestamp,
          /** First name of who takes care of it. */
          answered_by: Type.Union([Type.String(), Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
const Asked = Type.Object(
  {
    revision: Type.Optional(Type.String({ maxLength: 64 })),
    /** Seconds that the answer may wait for something new. */
    wait: Type.Integer({ minimum: 0, maximum: 25, default: 0 }),
  },
  { additionalProperties: false },
)
const Shown = Type.Object({ alerts: Type.Array(Id, { maxItems: 20 }) }, { additionalProperties: false })

/** A tablet that asked this recently is there: it waits 25 s for an answer and asks again. */
const THERE_MS = 40_000
const ALERTS_MOST = 20
/** That somebody took care of it is said for so long. */
const HELD_MS = 6 * 3_600_000

export interface WallDeps {
  clock: Clock
  table: AlertTable
  outbox: Outbox
  answers: Answers
  nameOf: (by: string) => string | null
  /** Whom the tablet was given by now; null once its key was taken away. */
  servesOf: (deviceId: string) => readonly string[] | null
  /** A tablet is there after it was away: what waits for it goes now. */
  onBack: (deviceId: string) => Promise<void>
}

export interface Walls {
  routes(http: Http): void
  /** Whether a tablet with its own key is looking now. */
  isThere(deviceId: string): boolean
  /** Something has changed: whoever waits is answered. */
  tell(): void
  stop(): void
}

interface Waiting {
  answer(): void
}

export function createWalls(deps: WallDeps): Walls {
  const { clock, table, outbox, answers, nameOf, onBack } = deps
  // Grows with every change and begins anew with the hub, so that what an earlier run said is never taken for current.
  let revision = 0
  const run = clock.now().toString(36)
  /** One question a tablet: a newer one takes the place of the older, which is answered at once. */
  const waiting = new Map<string, Waiting>()
  /** Bounded by the devices that there are. */
  const askedAtMs = new Map<string, number>()

  const now = () => `${run}-${revision}`
  const isThere = (deviceId: string) =>
    clock.now() - (askedAtMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) < THERE_MS

  function tell(): void {
    revision += 1
    for (const one of [...waiting.values()]) one.answer()
  }

  function untilChanged(deviceId: string, waitMs: number, closed: AbortSignal): Promise<void> {
    waiting.get(deviceId)?.answer()
    return new Promise((resolve) => {
      const one: Waiting = {
        answer() {
          cancel()
          closed.removeEventListener('abort', one.answer)
          if (waiting.get(deviceId) === one) waiting.delete(deviceId)
          resolve()
        },
      }
      const cancel = clock.after(waitMs, one.answer)
      closed.addEventListener('abort', one.answer)
      waiting.set(deviceId, one)
    })
  }

  function boardOf(serves: readonly string[]) {
    const visible = serves.flatMap((personId) => DATA_CLASSES.map((one) => `${personId} ${one}`))
    const listed = (state: 'open' | 'acknowledged') =>
      table
        .page({ visible, state, sinceSeq: null, sinceMs: null }, 0, ALERTS_MOST)
        .alerts.filter(({ kind }) => kind !== 'tip')
    const open = listed('open')
    const held = listed('acknowledged').filter(({ updatedAtMs }) => clock.now() - updatedAtMs < HELD_MS)
    const about = (personId: string) => (one: StoredAlert) => one.personId === personId
    return {
      revision: now(),
      people: serves
        .map((personId) => ({
          name: firstOf(nameOf(`person:${personId}`)),
          state: stateOf(open.filter(about(personId)), held.some(about(personId))),
        }))
        .filter(({ name }) => name !== ''),
      alerts: [...open, ...held].slice(0, ALERTS_MOST).map((one) => ({
        ...{ id: one.id, name: firstOf(nameOf(`person:${one.personId}`)), kind: one.kind },
        state: one.state === 'open' ? ('open' as const) : ('acknowledged' as const),
        ...{ step: one.step, round: one.round, since: iso(one.createdAtMs) },
        answered_by: one.acknowledgedBy === null ? null : firstOf(nameOf(one.acknowledgedBy)),
      })),
    }
  }

  return {
    isThere,
    tell,
    stop: tell,
    routes(http) {
      http.addHook('preClose', async () => tell())
      http.get(
        '/wall',
        {
          config: { policy: DEVICES },
          schema: {
            tags: ['alerts'],
            summary:
              'What a wall tablet shows with its own key; with revision and wait as soon as it has changed',
            querystring: Asked,
            response: { 200: Ok(Board) },
          },
        },
        async ({ actor, query }, reply) => {
          const { deviceId } = wallIn(actor)
          const wasThere = isThere(deviceId)
          askedAtMs.set(deviceId, clock.now())
          if (!wasThere) await onBack(deviceId)
          if (query.wait > 0 && query.revision === now()) {
            const closed = new AbortController()
            reply.raw.once('close', () => closed.abort())
            await untilChanged(deviceId, query.wait * 1000, closed.signal)
            askedAtMs.set(deviceId, clock.now())
          }
          reply.header('cache-control', 'no-store')
          const serves = deps.servesOf(deviceId)
          if (serves === null) throw new HubError('UNAUTHENTICATED', 'This key was taken away.')
          return ok(clock.now(), boardOf(serves))
        },
      )
      http.post(
        '/wall/shown',
        {
          config: { policy: DEVICES },
          schema: {
            tags: ['alerts'],
            summary: 'These alerts stand on the wall now',
            body: Shown,
            response: { 200: Ok(Type.Object({}, { additionalProperties: false })) },
          },
        },
        async ({ actor, body }) => {
          const { deviceId } = wallIn(actor)
          for (const id of body.alerts) {
            const alert = table.find(id)
            const rang = alert && outbox.ofAlert(alert.seq).some(({ address }) => address === deviceId)
            if (rang) await answers.seen(id, 'house', 'wall')
          }
          return ok(clock.now(), {})
        },
      )
    },
  }
}

function wallIn(actor: Actor): { deviceId: string } {
  if (actor.kind === 'device' && actor.type === 'wall') return actor
  throw new HubError('FORBIDDEN', 'Only a wall tablet sees this. Pair one under Devices.')
}

function firstOf(name: string | null): string {
  return name?.trim().split(/\s+/)[0] ?? ''
}

function stateOf(open: readonly StoredAlert[], isHeld: boolean): (typeof STATES)[number] {
  if (open.some(({ kind }) => kind === 'urgent')) return 'urgent'
  if (open.length > 0) return 'warning'
  return isHeld ? 'looked_after' : 'calm'
}
