import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { household, MIA } from '../glucose/setup.ts'

type Shown = Record<string, unknown> & { id: string; revision: number }

/** 23:00 to 7:00 in UTC. */
const NIGHT = { sleep_start: '2026-03-12T23:00:00Z', sleep_end: '2026-03-13T07:00:00Z' }
const at = (time: string) => `2026-03-13T${time}:00.000Z`
const stage = (name: string, start: string, end: string) => ({ stage: name, start: at(start), end: at(end) })
const STAGES = [
  stage('light', '00:00', '01:00'),
  stage('deep', '01:00', '02:30'),
  stage('awake', '02:30', '02:40'),
  stage('rem', '02:40', '03:10'),
]

async function setup(t: TestContext) {
  const home = await household(t, (parts) => [
    createRecords({ ...parts, newId: () => newId(parts.now()) }).feature,
  ])
  const states = async () => {
    const range = { personId: 'mia', metric: 'sleep_state', fromMs: 0, toMs: home.now(), limit: 100 }
    return (await home.store.observations.range(range)).points.map(({ atMs, value, extra }) => [
      new Date(atMs).toISOString(),
      value,
      extra?.['t_end'],
    ])
  }
  return { ...home, states }
}

test('the stages of a night are read back in order, counted, and states of the timeline too', async (t) => {
  const { call, states } = await setup(t)
  const { status, body } = await call<Shown>('POST', '/sleep', MIA, { ...NIGHT, stages: STAGES.toReversed() })
  assert.equal(status, 201)
  const night = body.data
  assert.deepEqual(night['stages'], STAGES)
  assert.deepEqual(
    ['light', 'deep', 'rem'].map((name) => night[`${name}_sleep_minutes`]),
    [60, 90, 30],
  )
  assert.deepEqual(
    [night['awake_minutes'], night['duration_minutes'], night['duration_from']],
    [10, 180, 'stages'],
  )
  assert.deepEqual(await states(), [
    [at('00:00'), 1, at('01:00')],
    [at('01:00'), 2, at('02:30')],
    [at('02:30'), 0, at('02:40')],
    [at('02:40'), 3, at('03:10')],
  ])
  const again = await call<Shown>('POST', '/sleep', MIA, { ...NIGHT, stages: STAGES })
  assert.deepEqual([again.status, again.body.data.revision], [200, 0])
})

test('correcting the stages of a night takes the old states back', async (t) => {
  const { call, states } = await setup(t)
  const { body } = await call<Shown>('POST', '/sleep', MIA, { ...NIGHT, stages: STAGES })
  const stages = [stage('light', '00:00', '01:30'), stage('rem', '03:00', '03:10')]
  await call('PATCH', `/sleep/${body.data.id}`, MIA, { stages })
  assert.deepEqual(await states(), [
    [at('00:00'), 1, at('01:30')],
    [at('03:00'), 3, at('03:10')],
  ])
  await call('DELETE', `/sleep/${body.data.id}`, MIA)
  assert.deepEqual(await states(), [])
})

test('a summary of the same night told later leaves the stages that were told before', async (t) => {
  const { call, states } = await setup(t)
  const { body } = await call<Shown>('POST', '/sleep', MIA, { ...NIGHT, stages: STAGES })
  const kept = await states()
  const plain = await call<Shown>('POST', '/sleep', MIA, NIGHT)
  assert.deepEqual([plain.status, plain.body.data.revision], [200, 0])
  const rated = await call<Shown>('POST', '/sleep', MIA, { ...NIGHT, quality_score: 7 })
  const { id, revision, stages, quality_score: quality } = rated.body.data
  assert.deepEqual([id, revision, stages, quality], [body.data.id, 1, STAGES, 7])
  assert.deepEqual(await states(), kept)
  const shorter = { ...NIGHT, sleep_end: '2026-03-13T03:00:00Z' }
  const moved = await call<Shown>('POST', '/sleep', MIA, shorter)
  assert.deepEqual(moved.body.data['stages'], [], 'another night is no summary of this one')
})

test('stages that overlap, end before they begin or leave the night are refused', async (t) => {
  const { call } = await setup(t)
  const refused = async (...stages: object[]) => {
    const { status, body } = await call('POST', '/sleep', MIA, { ...NIGHT, stages })
    return [status, body.error.details[0]?.path]
  }
  assert.deepEqual(await refused(stage('deep', '01:00', '02:00'), stage('rem', '01:59', '03:00')), [
    422,
    'stages',
  ])
  assert.deepEqual(await refused(stage('deep', '01:00', '01:00')), [422, 'stages.0.end'])
  assert.deepEqual(await refused(stage('deep', '06:00', '07:30')), [422, 'stages.0'])
  assert.equal((await refused(stage('dreaming', '01:00', '02:00')))[0], 400)
})
