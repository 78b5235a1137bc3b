import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Job } from '../../../daemon/domain/job.ts'
import { createVisionFeature, pullModels } from '../../../daemon/features/vision/vision.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createMovementRecorder } from '../../../daemon/store/movement/recorder.ts'
import { modelFolders } from '../../../models/catalogue.ts'
import { createShelf } from '../../../models/shelf.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openStore, setup as setupHttp } from '../../http/setup.ts'

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  const submitted: unknown[] = []
  const shelf = createShelf({
    folders: modelFolders('no-data'),
    ensureFolder: async () => {},
    write: async () => {},
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') })),
    now: clock.now,
  })
  const feature = createVisionFeature({
    store,
    now: clock.now,
    shelf,
    maySeeCamera: (actor, cameraId) =>
      cameraId === 'pitch' && actor.kind === 'user' && actor.role !== 'coach',
    submit: async (kind, payload, options) => {
      submitted.push({ kind, payload, ...options })
      return { id: 'job-1', status: 'queued' } as Job
    },
    start: async () => {},
    stop: async () => {},
  })
  const recorder = createMovementRecorder({ store, clock, log: createLog('silent') })
  const { http } = await setupHttp(t, { features: [feature], store, deps: { clock } })
  const ask = async (method: 'GET' | 'POST', url: string, token = 'owner-token', payload?: object) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await http.inject({ method, url: `/api/v1${url}`, headers, ...(payload && { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { clock, recorder, shelf, submitted, ask }
}

function seen(atMs: number, keypoints = 17) {
  return {
    cameraId: 'pitch',
    capturedAtMs: atMs,
    width: 640,
    height: 480,
    people: [
      {
        trackId: 4,
        box: { x: 10, y: 20, w: 30.125, h: 80 },
        score: 1,
        keypoints: Array.from({ length: keypoints }, () => ({ x: 12, y: 24.5, score: 1 })),
      },
    ],
    ball: { trackId: 1, box: { x: 1, y: 2, w: 3, h: 4 }, score: 1 },
  }
}

test('tracks hold boxes and the ball, poses hold joints', async (t) => {
  const { clock, recorder, ask } = await setup(t)
  for (const ago of [3000, 2000, 1000]) recorder.add(seen(clock.now() - ago, ago === 2000 ? 0 : 17))
  await recorder.flush()
  const { body } = await ask('GET', '/cameras/pitch/tracks')
  assert.deepEqual(
    body.data.tracks.map((track: { kind: string; samples: unknown[] }) => [track.kind, track.samples.length]),
    [
      ['person', 3],
      ['ball', 3],
    ],
  )
  assert.deepEqual(body.data.tracks[0].samples[0], {
    at: '2026-03-14T07:59:57.000Z',
    box: [10, 20, 30.125, 80],
    score: 1,
  })
  const poses = (await ask('GET', '/cameras/pitch/poses?track_id=4&from=2026-03-14T07:59:58Z')).body.data
  assert.equal(poses.tracks.length, 1)
  assert.equal(poses.tracks[0].samples[0].keypoints, null)
  assert.deepEqual(poses.tracks[0].samples[1].keypoints[16], [12, 24.5, 1])
  assert.equal(poses.next_from, null)
})

test('a camera out of sight is answered like one that is not there', async (t) => {
  const { ask } = await setup(t)
  const hidden = await ask('GET', '/cameras/pitch/tracks', 'coach-token')
  const absent = await ask('GET', '/cameras/nowhere/poses')
  assert.deepEqual([hidden.status, absent.status], [404, 404])
  assert.deepEqual(hidden.body.error, absent.body.error)
})

test('a window that makes no sense is refused', async (t) => {
  const { ask } = await setup(t)
  for (const query of [
    'from=yesterday',
    'from=2026-03-14T07:00:00Z&to=2026-03-14T06:00:00Z',
    'limit=0',
    'track_id=x',
  ])
    assert.equal((await ask('GET', `/cameras/pitch/tracks?${query}`)).status, 400, query)
})

test('everybody sees the models, owners have a pack fetched, and a pack that is none is named', async (t) => {
  const { ask, submitted } = await setup(t)
  const { data } = (await ask('GET', '/models', 'coach-token')).body
  assert.ok(data.packs.includes('training'))
  assert.ok(data.models.some(({ state }: { state: string }) => /models pull/.test(state)))
  assert.match(data.hint, /homefield models pull training/)
  assert.equal((await ask('POST', '/models/pull', 'coach-token', { pack: 'training' })).status, 403)
  const wrong = await ask('POST', '/models/pull', 'owner-token', { pack: 'nonsense' })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body.error.message, /only: training/)
  const asked = await ask('POST', '/models/pull', 'owner-token', { pack: 'training' })
  assert.deepEqual([asked.status, asked.body.data], [202, { job_id: 'job-1', status: 'queued' }])
  assert.deepEqual(submitted, [
    {
      kind: 'pull-models',
      payload: { pack: 'training' },
      uniqueKey: 'pull-models training',
      requestedBy: 'olga',
    },
  ])
})

test('a box without internet is told what to do instead of pulling', async (t) => {
  const { shelf } = await setup(t)
  await assert.rejects(
    pullModels(shelf, { pack: 'training' }, () => {}),
    /homefield models import FILE/,
  )
})
