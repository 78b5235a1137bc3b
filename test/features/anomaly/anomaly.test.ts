import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { type AnomalyWatch, createAnomalyWatch } from '../../../daemon/features/anomaly/anomaly.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { loadPulseNet } from '../../../models/pulsenet.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson } from '../../../models/training/vitals-events.ts'
import { type FakeClock, fakeClock } from '../../fakes/clock.ts'
import { family, MINUTE, type Options, open } from '../alerts/setup.ts'

const HEART = 'heart_rate'

function watching(clock: FakeClock, watches: AnomalyWatch[]): NonNullable<Options['beside']> {
  return (store, alarms) => {
    const watch = createAnomalyWatch({
      ...{ store, clock, log: createLog('silent'), model: loadPulseNet(), episodes: alarms.episodes },
      personIds: () => ['mia', 'leo'],
      zoneOf: () => 'Europe/Berlin',
    })
    watches.push(watch)
    return [watch.feature]
  }
}

/** Mia's watch as of a local midnight in Berlin (22:00 UTC in summer), four ordinary days behind her. */
async function setup(t: TestContext, days = 4) {
  const startMs = Date.parse('2026-06-01T22:00:00Z')
  const clock = fakeClock(startMs)
  const watches: AnomalyWatch[] = []
  const home = await family(t, { clock, beside: watching(clock, watches) })
  const vitals = watches[0]!
  await home.wears('watch-mia', 'mia')
  const { minutes } = drawPerson(
    { days: days + 1, quietDays: days + 1, eventsPerDay: 0, isPlain: true },
    createDraw(31_338),
  )
  const history = minutes.slice(0, days * 1440)
  clock.advance(history.length * MINUTE)
  await home.store.observations.append(history.flatMap((one, at) => said(one, startMs + at * MINUTE)))
  /** A minute of wearing it, told when it is over. */
  const wear = async (ones: readonly VitalMinute[]) => {
    for (const one of ones) {
      const atMs = clock.now()
      clock.advance(MINUTE)
      await home.store.observations.append(said(one, atMs))
      await vitals.settled()
    }
    await home.settle()
  }
  const state = async (personId = 'mia') =>
    (await home.call('GET', `/people/${personId}/anomaly`, { token: await home.again() })).body.data
  const episodes = async () => {
    const token = await home.again()
    const { data } = (await home.call('GET', '/episodes', { token })).body
    return data as { id: string; state: string; title: string; kind: string; origin: string }[]
  }
  return { ...home, vitals, wear, state, episodes, night: minutes.slice(days * 1440), startMs }
}

function said(minute: VitalMinute, atMs: number): Observation[] {
  const values = [
    [HEART, minute.hr],
    ['hrv_rmssd', minute.hrv],
    ['steps', minute.steps],
  ] as const
  return values.flatMap(([metric, value]) =>
    value === null
      ? []
      : [
          {
            ...{ personId: 'mia', deviceId: 'watch-mia', metric, atMs, value, source: 'obs' },
            ...{ quality: null, extra: null },
          },
        ],
  )
}

/** Asleep, with a heart that races. */
const racing = (minute: VitalMinute, at: number): VitalMinute => ({
  ...minute,
  hr: 118 + (at % 4),
  hrv: 30,
  steps: 0,
})

test('a heart that leaves its own pattern at night opens an episode with what was expected and seen, and its end ends it', async (t) => {
  const { vitals, wear, state, episodes, night, again, call } = await setup(t)
  assert.deepEqual(await vitals.calibrate(), { judged: 1, waiting: 1 })
  await wear(night.slice(0, 5))
  const before = await state()
  assert.equal(before.status, 'usual')
  assert.equal(before.model.name, 'pulsenet')
  assert.ok(before.learnt.minutes > 5000)
  assert.deepEqual(await episodes(), [])

  await wear(night.slice(5, 20).map(racing))
  const during = await state()
  assert.deepEqual([during.status, during.channel], ['unusual', HEART])
  const [heart] = during.channels
  assert.ok(heart.seen > 115 && heart.expected < 100, JSON.stringify(heart))
  const [episode] = await episodes()
  assert.deepEqual(
    [episode!.state, episode!.kind, episode!.origin, episode!.title],
    ['escalated', 'unusual_vitals', 'detector', 'Heart rate above the usual'],
  )
  const detail = (await call('GET', `/episodes/${episode!.id}`, { token: await again() })).body.data
  assert.equal(detail.metadata.model, 'pulsenet')
  assert.equal(detail.metadata.version, during.model.version)
  assert.ok(detail.metadata.confidence > 0.99)
  const [evidence] = detail.timeline[0].evidence
  assert.deepEqual([evidence.metric, evidence.unit], [HEART, 'bpm'])
  assert.ok(evidence.value - evidence.expected > 15)

  await wear(night.slice(20, 70))
  assert.deepEqual(
    (await episodes()).map((one) => one.state),
    ['resolved'],
  )
  assert.equal((await state()).status, 'usual')
})

test('what is learnt anew in the middle of it does not make it ordinary', async (t) => {
  const { vitals, wear, episodes, state, night } = await setup(t)
  await vitals.calibrate()
  await wear(night.slice(0, 12).map(racing))
  assert.equal((await episodes()).length, 1)
  await vitals.calibrate()
  await wear(night.slice(12, 40).map(racing))
  const [episode, ...more] = await episodes()
  assert.deepEqual([episode!.state, more], ['escalated', []])
  assert.equal((await state()).status, 'unusual')
})

test('minutes that a watch kept for later raise nothing, and a silent one is not judged', async (t) => {
  const { vitals, clock, store, night, episodes, state } = await setup(t)
  await vitals.calibrate()
  const atMs = clock.now()
  clock.advance(60 * MINUTE)
  const late = night.slice(0, 20).flatMap((minute, at) => said(racing(minute, at), atMs + at * MINUTE))
  await store.observations.append(late)
  await vitals.settled()
  assert.deepEqual(await episodes(), [])
  clock.advance(30 * MINUTE)
  await vitals.settled()
  assert.equal((await state()).status, 'silent')
})

test('with less than three days nothing is judged, and how much is there is said', async (t) => {
  const { vitals, wear, night, state, episodes } = await setup(t, 2)
  assert.deepEqual(await vitals.calibrate(), { judged: 0, waiting: 2 })
  await wear(night.slice(0, 3).map(racing))
  const shown = await state()
  assert.equal(shown.status, 'learning')
  assert.deepEqual([shown.learnt.needed, shown.learnt.minutes], [4320, 2 * 1440 + 3])
  assert.equal((await state('leo')).learnt.minutes, 0)
  assert.deepEqual(await episodes(), [])
})

test('a hub that starts again in the middle of it neither tells it twice nor forgets that it ends', async (t) => {
  const first = await setup(t)
  await first.vitals.calibrate()
  await first.wear(first.night.slice(0, 12).map(racing))
  assert.equal((await first.episodes()).length, 1)
  await first.close()
  const watches: AnomalyWatch[] = []
  const { clock, folder } = first
  const second = await open(t, { folder, clock, beside: watching(clock, watches) })
  await watches[0]!.calibrate()
  const wear = async (ones: readonly VitalMinute[]) => {
    for (const one of ones) {
      const atMs = clock.now()
      clock.advance(MINUTE)
      await second.store.observations.append(said(one, atMs))
      await watches[0]!.settled()
    }
    await second.settle()
  }
  await wear(first.night.slice(12, 20).map(racing))
  const shown = async (path: string) =>
    (await second.call('GET', path, { token: await second.again() })).body.data as { state: string }[]
  assert.deepEqual(
    (await shown('/episodes')).map(({ state }) => state),
    ['escalated'],
  )
  await wear(first.night.slice(20, 70))
  assert.deepEqual(
    (await shown('/episodes')).map(({ state }) => state),
    ['resolved'],
  )
  assert.equal((await shown('/alerts')).length, 1)
})
