import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLog } from '../../../daemon/kernel/log.ts'
import {
  forgetMovement,
  type MovementWindow,
  planForgetCamera,
  readMovement,
} from '../../../daemon/store/movement/reading.ts'
import { createMovementRecorder, type SeenMoment } from '../../../daemon/store/movement/recorder.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openStore } from '../../http/setup.ts'

const STEP_MS = 100

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  const logged: string[] = []
  const log = createLog('info', { write: (line: string) => void logged.push(line) })
  const recorderOf = () => createMovementRecorder({ store, clock, log })
  const fromMs = clock.now()
  const read = (window: Partial<MovementWindow> = {}) =>
    readMovement(store, {
      cameraId: 'pitch',
      fromMs,
      toMs: fromMs + 3_600_000,
      joints: true,
      chunks: 200,
      ...window,
    })
  const count = () => store.get<{ chunks: number }>('SELECT count(*) AS chunks FROM track_chunk')!.chunks
  return { clock, store, logged, recorder: recorderOf(), recorderOf, fromMs, read, count }
}

function moment(atMs: number, tracks: readonly number[], cameraId = 'pitch'): SeenMoment {
  const seconds = (atMs % 100_000) / 1000
  return {
    cameraId,
    capturedAtMs: atMs,
    width: 1280,
    height: 720,
    people: tracks.map((trackId) => ({
      trackId,
      box: { x: 40 * seconds + 100 * trackId, y: 200, w: 60, h: 170 },
      score: 0.9,
      keypoints: Array.from({ length: 17 }, (_, joint) => ({
        x: 40 * seconds + 100 * trackId + joint,
        y: 200 + 10 * joint,
        score: 0.8,
      })),
    })),
    ball: null,
  }
}

test('what a camera saw is read back by track, in order, joints included', async (t) => {
  const { recorder, fromMs, read, count } = await setup(t)
  for (let step = 0; step < 250; step++)
    recorder.add(moment(fromMs + step * STEP_MS, step < 30 ? [1] : [1, 2]))
  await recorder.flush()
  const { tracks, nextFromMs } = read()
  assert.equal(nextFromMs, null)
  assert.deepEqual(
    tracks.map(({ trackId, samples }) => [trackId, samples.length]),
    [
      [1, 250],
      [2, 220],
    ],
  )
  const times = tracks[0]!.samples.map(({ atMs }) => atMs)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  assert.equal(tracks[1]!.samples[5]!.joints!.length, 17)
  assert.equal(count(), 6)
  assert.equal(recorder.firstTrackId('pitch'), 3)
})

test('a track that a session knows of is nobody else after a hub that lost its first seconds', async (t) => {
  const { store, recorder, recorderOf } = await setup(t)
  await store.write([
    {
      sql: "INSERT INTO session (id, session_type, started_at, created_at, updated_at) VALUES ('game', 'live', 1, 1, 1)",
    },
    {
      sql: `INSERT INTO session_track (session_key, camera, track, first_at, last_at, gait)
            SELECT key, 'pitch', 7, 1, 2, '{}' FROM session`,
    },
  ])
  assert.equal(recorderOf().firstTrackId('pitch'), 8)
  assert.equal(recorder.firstTrackId('yard'), 1)
})

test('a camera that is removed takes what it saw along, except what belongs to a session', async (t) => {
  const { store, recorder, fromMs, count } = await setup(t)
  for (const atMs of [fromMs, fromMs + 3_600_000])
    for (let step = 0; step < 20; step++) recorder.add(moment(atMs + step * STEP_MS, [1]))
  await recorder.flush()
  assert.equal(count(), 2)
  await store.write([
    {
      sql: "INSERT INTO session (id, session_type, started_at, created_at, updated_at) VALUES ('game', 'live', 1, 1, 1)",
    },
    {
      sql: `INSERT INTO session_track (session_key, camera, track, first_at, last_at, gait)
            SELECT key, 'pitch', 1, :fromMs, :fromMs + 5000, '{}' FROM session`,
      params: { fromMs },
    },
    ...planForgetCamera('pitch'),
  ])
  assert.deepEqual(store.all('SELECT from_at AS fromMs FROM track_chunk'), [{ fromMs }])
})

test('a window cuts exactly, a step thins, one track can be asked for alone', async (t) => {
  const { recorder, fromMs, read } = await setup(t)
  for (let step = 0; step < 300; step++) recorder.add(moment(fromMs + step * STEP_MS, [1, 2]))
  await recorder.flush()
  const cut = read({ fromMs: fromMs + 9950, toMs: fromMs + 10_250, trackId: 2 })
  assert.deepEqual(
    cut.tracks.map(({ trackId, samples }) => [trackId, samples.map(({ atMs }) => atMs - fromMs)]),
    [[2, [10_000, 10_100, 10_200]]],
  )
  assert.equal(read({ stepMs: 1000, trackId: 1 }).tracks[0]!.samples.length, 30)
})

test('pages together give every sample once', async (t) => {
  const { recorder, fromMs, read } = await setup(t)
  for (let step = 0; step < 700; step++)
    recorder.add(moment(fromMs + step * STEP_MS, step % 100 < 50 ? [1, 2, 3] : [2, 3]))
  await recorder.flush()
  const seen: string[] = []
  let from: number | null = fromMs
  let pages = 0
  while (from !== null) {
    const page = read({ fromMs: from, chunks: 4 })
    for (const { trackId, samples } of page.tracks)
      seen.push(...samples.map(({ atMs }) => `${trackId}@${atMs}`))
    from = page.nextFromMs
    pages++
  }
  assert.ok(pages > 3)
  assert.equal(seen.length, 700 * 2 + 350)
  assert.equal(new Set(seen).size, seen.length)
})

test('a camera clock that steps back begins another stretch and loses nothing', async (t) => {
  const { recorder, fromMs, read } = await setup(t)
  for (const atMs of [fromMs + 1000, fromMs + 1100, fromMs + 300, fromMs + 400])
    recorder.add(moment(atMs, [1]))
  await recorder.flush()
  assert.equal(read().tracks[0]!.samples.length, 4)
})

test('a hub that was cut off says which camera lost its last seconds, once', async (t) => {
  const { recorder, recorderOf, fromMs, logged, read, store } = await setup(t)
  for (let step = 0; step < 150; step++) recorder.add(moment(fromMs + step * STEP_MS, [1]))
  // Everything on its way is on disk once this is; what is open is not.
  await store.write([])
  await recorderOf().start()
  assert.equal(read().tracks[0]!.samples.length, 100)
  assert.equal(logged.filter((line) => line.includes('last seconds of movement are lost')).length, 1)
  await recorderOf().start()
  assert.equal(logged.length, 1)
})

test('a flushed camera leaves no trace of being open', async (t) => {
  const { recorder, recorderOf, fromMs, logged } = await setup(t)
  recorder.add(moment(fromMs, [1]))
  recorder.add(moment(fromMs, [1], 'gate'))
  await recorder.flush('pitch')
  await recorder.flush('gate')
  await recorderOf().start()
  assert.deepEqual(logged, [])
})

test('old movement goes in small steps, and a removed camera takes its own along', async (t) => {
  const { recorder, store, fromMs, count } = await setup(t)
  for (let step = 0; step < 500; step++) {
    recorder.add(moment(fromMs + step * 5000, [1]))
    recorder.add(moment(fromMs + step * 5000, [1], 'gate'))
    if (step % 100 === 0) await recorder.flush()
  }
  await recorder.flush()
  assert.equal(count(), 1000)
  assert.equal(await forgetMovement(store, fromMs + 250 * 5000), 500)
  assert.equal(count(), 500)
  await store.write(planForgetCamera('gate'))
  assert.equal(count(), 250)
})
