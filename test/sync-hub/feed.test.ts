/** The feed beside a model of forty lines: whatever happens, it holds each changed key once, in the order of the last changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LANE_OF, LANES, type Lane, type RowKind } from '../../sync/rows.ts'
import { newSigningKey } from '../../sync/signing.ts'
import { HOUR_MS, type SyncedHub, syncedHub } from './setup.ts'

const START = Date.UTC(2026, 2, 13)

type Step =
  | { do: 'hour'; hour: number; n: number }
  | { do: 'event' | 'edit' | 'delete' | 'undone'; event: string }
  | { do: 'acknowledge'; lane: Lane; share: number }

const event = fc.constantFrom('e0', 'e1', 'e2')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('hour' as const), hour: fc.nat(3), n: fc.integer({ min: 1, max: 3600 }) }),
  fc.record({
    do: fc.constantFrom('event' as const, 'edit' as const, 'delete' as const, 'undone' as const),
    event,
  }),
  fc.record({
    do: fc.constant('acknowledge' as const),
    lane: fc.constantFrom(...LANES),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
)

interface Entry {
  seq: number
  lane: Lane
  kind: RowKind
  key: string
}

const feedOf = ({ store }: SyncedHub) =>
  store.all<Entry>('SELECT seq, lane, kind, key FROM sync_feed ORDER BY seq')

async function joined(): Promise<SyncedHub> {
  const hub = await syncedHub()
  await hub.store.write(
    hub.sync.state.planIdentity(
      {
        ...{
          hubId: 'h',
          householdId: 'home',
          householdName: 'Home',
          address: 'http://127.0.0.1:1',
          serverKey: 'k',
        },
        ...{ epoch: 1, enrolledAtMs: 0, paused: false, stopped: null, hlc: null, stampedSeq: 0 },
        ...{ shapeHandle: null, shapeOffset: null, pulledAtMs: null, conflicts: 0 },
      },
      newSigningKey(),
    ),
  )
  await hub.addPerson('mia', 'Mia')
  return hub
}

/** Does the step; answers which key it changed, null when none. */
async function taken(hub: SyncedHub, step: Step, events: Set<string>): Promise<[RowKind, string] | null> {
  if (step.do === 'hour') {
    const start = START + step.hour * HOUR_MS
    await hub.addHour('mia', start, step.n)
    return ['rollup_hour', `1/1/2/${start}`]
  }
  if (step.do === 'acknowledge') return null
  const isThere = events.has(step.event)
  const write = (sql: string, expect = 1) => hub.store.write([{ sql, params: { id: step.event }, expect }])
  if (step.do === 'event' && !isThere) {
    await hub.addEvent(step.event, 'mia', 'Passing')
    events.add(step.event)
  } else if (step.do === 'edit' && isThere)
    await write(`UPDATE calendar_event SET title = 'Match' WHERE id = :id`)
  else if (step.do === 'delete' && isThere) {
    await write('DELETE FROM calendar_event WHERE id = :id')
    events.delete(step.event)
  } else {
    // A unit that fails leaves nothing, in the feed neither.
    await assert.rejects(write(`UPDATE calendar_event SET title = 'Gone' WHERE id = :id`, 99))
    return null
  }
  return ['calendar', step.event]
}

test('the feed holds each changed key once, in the order of the last changes, and sends what is behind the acknowledged', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const hub = await joined()
      try {
        const model = new Map<string, Entry>()
        for (const entry of feedOf(hub)) model.set(`${entry.kind} ${entry.key}`, entry)
        const acked = new Map<Lane, number>(LANES.map((lane) => [lane, 0]))
        const events = new Set<string>()
        for (const one of steps) {
          const most = hub.sync.state.maxSeq()
          const changed = await taken(hub, one, events)
          if (changed) {
            const [kind, given] = changed
            const entry = feedOf(hub).at(-1)
            assert.ok(entry && entry.seq > most, 'a change has a number that was never given')
            const key = kind === 'rollup_hour' ? entry.key : given
            model.delete(`${kind} ${key}`)
            model.set(`${kind} ${key}`, { seq: entry.seq, lane: LANE_OF[kind], kind, key })
          } else assert.equal(hub.sync.state.maxSeq(), most)
          if (one.do === 'acknowledge') {
            const upto = Math.floor(one.share * most)
            acked.set(one.lane, upto)
            await hub.store.write([
              {
                sql: 'UPDATE sync_lane SET acked = :upto WHERE lane = :lane',
                params: { lane: one.lane, upto },
              },
            ])
          }
          assert.deepEqual(feedOf(hub), [...model.values()])
        }
        for (const lane of LANES)
          assert.deepEqual(
            hub.sync.state.waiting(lane, 1000).map(({ seq, key }) => [seq, key]),
            [...model.values()]
              .filter((entry) => entry.lane === lane && entry.seq > (acked.get(lane) ?? 0))
              .map(({ seq, key }) => [seq, key]),
          )
      } finally {
        await hub.stop()
      }
    }),
    { numRuns: 12 },
  )
})
