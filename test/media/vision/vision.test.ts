import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test, { type TestContext } from 'node:test'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createFrameRing } from '../../../daemon/media/frames.ts'
import type { VisionResult } from '../../../daemon/media/vision/result.ts'
import { createVision } from '../../../daemon/media/vision/vision.ts'
import { type InstalledModel, modelFolders, readCatalogue } from '../../../models/catalogue.ts'
import { decodeJpeg } from '../../../models/detect/jpeg.ts'
import { familyOf } from '../../../models/family.ts'
import { createInference, type Inference } from '../../../models/inference.ts'
import { inspectOnnx } from '../../../models/onnx-inspect.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { missing, samplePath } from '../../models/vision/samples.ts'
import { fakeModels, i420Of, installedModel, numberedRing, poseIn, settled } from './scene.ts'

const MODELS = [
  installedModel('nano', 'yolox'),
  installedModel('lite', 'blazepose-landmarks', 2_000_000),
  installedModel('full', 'blazepose-landmarks', 6_000_000),
]
const FRAME_MS = 66
const walker = (frame: number) => [{ x: 100 + 4 * frame, y: 100, w: 60, h: 160 }]

async function setup(
  t: TestContext,
  run: Inference['run'],
  { models = MODELS, firstTrackId = 1 }: { models?: readonly InstalledModel[]; firstTrackId?: number } = {},
) {
  const clock = fakeClock()
  const results: VisionResult[] = []
  const vision = createVision({
    inference: [{ run }],
    models: async () => models,
    firstTrackId: () => firstTrackId,
    clock,
    log: createLog('silent'),
  })
  vision.onResult((result) => results.push(result))
  await vision.reload()
  t.after(() => vision.stop())
  const play = async (show: (number: number, atMs: number) => void, from: number, to: number) => {
    for (let number = from; number <= to; number++) {
      show(number, clock.now())
      await settled()
      clock.advance(FRAME_MS)
    }
  }
  return { vision, clock, results, play }
}

test('somebody keeps an identity and a skeleton while the detector looks only now and then', async (t) => {
  const { run, asked } = fakeModels(walker)
  const { vision, results, play } = await setup(t, run)
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 12)
  assert.equal(results.length, 12)
  assert.deepEqual([...new Set(results.map(({ people }) => people[0]?.trackId))], [1])
  assert.ok(results.every(({ people }) => people[0]?.keypoints.length === 17 && people[0].landmarks))
  assert.ok(asked.filter((kind) => kind === 'detect').length <= 5)
  const last = results.at(-1)!
  assert.ok(Math.abs(last.people[0]!.box.x - walker(12)[0]!.x) < 8)
  assert.deepEqual(last.models, {
    detector: { name: 'nano', version: '1' },
    pose: { name: 'full', version: '1' },
  })
})

test('two people who pass each other keep their own identities', async (t) => {
  const { run } = fakeModels((frame) => [
    { x: 100 + 10 * frame, y: 100, w: 50, h: 150 },
    { x: 400 - 10 * frame, y: 112, w: 50, h: 150 },
  ])
  const { vision, results, play } = await setup(t, run)
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 28)
  const rightmost = ({ people }: VisionResult) => people.toSorted((a, b) => b.box.x - a.box.x)[0]?.trackId
  assert.equal(results[0]!.people.length, 2)
  assert.notEqual(rightmost(results[0]!), rightmost(results.at(-1)!))
  assert.deepEqual(
    results.at(-1)!.people.map(({ trackId }) => trackId),
    [1, 2],
  )
})

test('pictures that come while the models look are passed over and counted, and every slot is given back', async (t) => {
  const { run } = fakeModels(walker)
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const slow = (async (job: Parameters<Inference['run']>[0]) => held.then(() => run(job))) as Inference['run']
  const { vision, results, play } = await setup(t, slow)
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 9)
  assert.equal(ring.stats().held, 1)
  letGo()
  await settled()
  await settled()
  assert.deepEqual(
    results.map(({ frameSeq }) => frameSeq),
    [1, 9],
  )
  assert.equal(vision.state('pitch')?.skipped, 7)
  assert.equal(ring.stats().held, 0)
})

test('cameras take turns in one process', async (t) => {
  const { run } = fakeModels(walker)
  const { vision, results, clock } = await setup(t, run)
  const cameras = ['a', 'b', 'c'].map((id) => ({ id, ...numberedRing() }))
  for (const camera of cameras) vision.attach(camera)
  for (let number = 1; number <= 6; number++) {
    for (const { show } of cameras) show(number, clock.now())
    await settled()
    clock.advance(FRAME_MS)
  }
  for (const { id } of cameras) assert.equal(results.filter(({ cameraId }) => cameraId === id).length, 6)
})

test('identities go on where the store says they ended, and end with the camera', async (t) => {
  const { run } = fakeModels(walker)
  const { vision, results, play } = await setup(t, run, { firstTrackId: 41 })
  const { ring, show } = numberedRing()
  const detach = vision.attach({ id: 'pitch', ring })
  await play(show, 1, 2)
  assert.equal(results[0]!.people[0]!.trackId, 41)
  detach()
  assert.equal(vision.state('pitch'), null)
  await play(show, 3, 4)
  assert.equal(results.length, 2)
})

test('a model that fails is said to, tried again later, and recovers', async (t) => {
  const { run } = fakeModels(walker)
  let isBroken = true
  const breaking = (async (job: Parameters<Inference['run']>[0]) => {
    if (isBroken) throw new Error('The inference process ended: code 1')
    return run(job)
  }) as Inference['run']
  const { vision, clock, play } = await setup(t, breaking)
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 8)
  const failed = vision.state('pitch')!
  assert.equal(failed.state, 'failed')
  assert.match(failed.note, /inference process ended/)
  assert.equal(failed.failed, 3)
  isBroken = false
  clock.advance(6000)
  await play(show, 9, 10)
  assert.equal(vision.state('pitch')?.state, 'running')
})

test('with the bundled detector alone the note says which command brings the better pack', async (t) => {
  const models = [
    installedModel('blaze', 'blazepose-detector'),
    installedModel('full', 'blazepose-landmarks'),
  ]
  const { run } = fakeModels(walker)
  const { vision } = await setup(t, run, { models })
  vision.attach({ id: 'pitch', ring: createFrameRing() })
  assert.match(vision.state('pitch')!.note, /homefield models pull training/)
})

test('without any detector the camera says what is missing', async (t) => {
  const { vision, play } = await setup(t, fakeModels(walker).run, { models: [] })
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 2)
  assert.equal(vision.state('pitch')?.state, 'failed')
  assert.match(vision.state('pitch')!.note, /homefield models list/)
})

const NANO = ['vision', 'models', 'yolox_nano_416x416.onnx']
const PICTURE = ['vision', 'images', 'coco', '000000197388.jpg']

test('real models see the people of a real picture in shared memory', {
  skip: missing(...NANO),
}, async (t) => {
  const { models } = await readCatalogue(modelFolders('no-data'))
  if (models.length === 0) return t.skip('the bundled models are not built')
  const bytes = readFileSync(samplePath(...NANO))
  const shapes = familyOf(inspectOnnx(bytes))
  const nano = { ...installedModel('nano', 'yolox', bytes.length), ...shapes, path: samplePath(...NANO) }
  const inference = createInference()
  t.after(() => inference.close())
  const { vision, results, clock } = await setup(t, inference.run, { models: [...models, nano] })
  const picture = decodeJpeg(readFileSync(samplePath(...PICTURE)))
  const ring = createFrameRing()
  vision.attach({ id: 'pitch', ring })
  for (let number = 0; number < 3; number++) {
    const seen = new Promise<void>((resolve) => {
      const stop = vision.onResult(() => {
        stop()
        resolve()
      })
    })
    const slot = ring.open(picture)!
    slot.data.set(i420Of(picture))
    slot.publish({ capturedAtMs: clock.now(), arrivedAtMs: clock.now() })
    await seen
    clock.advance(FRAME_MS)
    await settled()
  }
  const { people } = results.at(-1)!
  // The fifth is half hidden: too unsure to found a track.
  assert.ok(people.length >= 4 && people.length <= 5, `${people.length} people`)
  assert.equal(new Set(people.map(({ trackId }) => trackId)).size, people.length)
  const sure = people.filter(({ keypoints }) => keypoints.filter(({ score }) => score > 0.5).length >= 8)
  assert.ok(sure.length >= 3, `${sure.length} skeletons`)
})

const BLAZEPOSE = [
  installedModel('blaze', 'blazepose-detector'),
  installedModel('full', 'blazepose-landmarks'),
]

test('the bundled detector searches now and then, and landmarks carry several people in between', async (t) => {
  const { run, asked } = fakeModels((frame) => [
    { x: 100 + 4 * frame, y: 100, w: 60, h: 160 },
    { x: 400 - 2 * frame, y: 120, w: 60, h: 160 },
  ])
  const { vision, results, play } = await setup(t, run, { models: BLAZEPOSE })
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 12)
  for (const { people } of results)
    assert.deepEqual(
      people.map(({ trackId, landmarks }) => [trackId, landmarks?.length]),
      [
        [1, 33],
        [2, 33],
      ],
    )
  assert.equal(asked.filter((kind) => kind === 'search').length, 3)
})

test('whom the search misses is carried for as long as the landmarks are sure, and no longer', async (t) => {
  const sure = fakeModels(walker)
  const missing = (presence: number) =>
    (async (job: Parameters<Inference['run']>[0]) => {
      const frame = job.picture.data[0] ?? 0
      const answer = await sure.run(job)
      if (job.kind === 'search' && frame > 1) return { ...answer, people: [] }
      if (job.kind !== 'pose' || frame < 6 || !('poses' in answer)) return answer
      return { ...answer, poses: answer.poses.map((pose) => ({ ...pose, presence })) }
    }) as Inference['run']
  const seen = async (presence: number) => {
    const { vision, results, play } = await setup(t, missing(presence), { models: BLAZEPOSE })
    const { ring, show } = numberedRing()
    vision.attach({ id: 'pitch', ring })
    await play(show, 1, 24)
    return results.map(({ people }) => people.length)
  }
  const carried = await seen(0.95)
  assert.deepEqual([carried[0], carried[11], carried.at(-1)], [1, 1, 0], 'three searches in a row end it')
  const unsure = await seen(0.6)
  assert.deepEqual([unsure[4], unsure[9]], [1, 0])
})

test('landmarks that jump to somebody else are not followed', async (t) => {
  const near = { x: 100, y: 100, w: 60, h: 160 }
  const other = { x: 190, y: 100, w: 60, h: 160 }
  const honest = fakeModels(() => [near, other])
  const jumping = (async (job: Parameters<Inference['run']>[0]) => {
    const answer = await honest.run(job)
    if (job.kind !== 'pose' || !('poses' in answer)) return answer
    return { ...answer, poses: answer.poses.map(() => poseIn(other)) }
  }) as Inference['run']
  const { vision, results, play } = await setup(t, jumping, { models: BLAZEPOSE })
  const { ring, show } = numberedRing()
  vision.attach({ id: 'pitch', ring })
  await play(show, 1, 12)
  for (const { people } of results)
    for (const { trackId, box } of people) assert.ok(Math.abs(box.x - (trackId === 1 ? 100 : 190)) < 20)
})
