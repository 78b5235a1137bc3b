import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../alerts/setup.ts'
import { HEART, racing, said, setup, startAgain } from './setup.ts'

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
  const { clock, folder } = first
  const { wear, ...second } = await startAgain(t, folder, clock)
  await second.vitals.calibrate()
  const states = async (path: string) =>
    (await second.data(path)).map(({ state }: { state: string }) => state)
  await wear(first.night.slice(12, 20).map(racing))
  assert.deepEqual(await states('/episodes'), ['escalated'])
  await wear(first.night.slice(20, 70))
  assert.deepEqual(await states('/episodes'), ['resolved'])
  assert.equal((await states('/alerts')).length, 1)
})

test('a watch that repeats itself opens an episode that says so, and its next new value ends it', async (t) => {
  const { vitals, wear, episodes, data, night } = await setup(t)
  await vitals.calibrate()
  await wear(night.slice(0, 5))
  const { hr, hrv } = night[4]!
  await wear(night.slice(5, 40).map((minute) => ({ ...minute, hr, hrv })))
  const [episode, ...more] = await episodes()
  assert.deepEqual(
    [episode!.title, episode!.kind, more.length],
    ['The watch repeats the same heart rate', 'unusual_vitals', 0],
  )
  const { timeline } = await data(`/episodes/${episode!.id}`)
  const notes = timeline.flatMap(({ evidence }: { evidence: { note: string }[] }) =>
    evidence.map(({ note }) => note),
  )
  assert.match(notes.at(-1), /The same value \d+ times in a row/)
  await wear(night.slice(40, 100))
  assert.equal((await episodes())[0]!.state, 'resolved')
})
