import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import {
  type InstalledModel,
  modelFolders,
  pickDetector,
  pickLandmarks,
  readCatalogue,
} from '../../models/catalogue.ts'
import { createInference, InferenceBusy } from '../../models/inference.ts'
import type { DetectorFiles, Job } from '../../models/jobs.ts'
import { iou } from '../../models/vision/boxes.ts'
import { UnreadableInput } from '../../models/vision/unreadable.ts'
import { tinyYolox } from './tiny-yolox.ts'
import { missing, samplePath } from './vision/samples.ts'

const SKIER = ['vision', 'images', 'coco', '000000000785.jpg']
const { models } = await readCatalogue(modelFolders('no-data'))
const notBuilt = models.length === 0 ? 'the bundled models are not built' : false

function setup(t: TestContext, options: Parameters<typeof createInference>[0] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-models-'))
  const path = join(folder, 'tiny.onnx')
  const bytes = tinyYolox()
  writeFileSync(path, bytes)
  const inference = createInference(options)
  t.after(async () => {
    await inference.close()
    rmSync(folder, { recursive: true })
  })
  const detector: DetectorFiles = {
    family: 'yolox',
    file: {
      name: 'tiny',
      path,
      bytes: bytes.length,
      input: { name: 'images', shape: [1, 3, 64, 64] },
      outputs: [{ name: 'output', shape: [1, 84, 6] }],
    },
  }
  const frame = { format: 'rgb24' as const, width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) }
  return { folder, inference, detector, job: { kind: 'detect', picture: frame, detector } satisfies Job }
}

test('models run behind the rest, in the session of whoever asks', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const { inference, job } = setup(t)
  const before = children()
  await inference.run(job)
  const [started, ...others] = children().filter((pid) => !before.includes(pid))
  assert.ok(started !== undefined)
  assert.equal(others.length, 0)
  const priorities = readdirSync(`/proc/${started}/task`).map((thread) =>
    Number(statOf(`${started}/task/${thread}`)[NICE]),
  )
  assert.deepEqual([...new Set(priorities)], [Math.min(19, getPriority() + 10)])
  assert.equal(statOf(started)[SESSION], statOf(process.pid)[SESSION])
})

/** Places in proc(5)'s stat after the name of the program. */
const PARENT = 1
const SESSION = 3
const NICE = 16

function children(of = process.pid): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && Number(statOf(pid)[PARENT]) === of)
}

function statOf(path: string | number): string[] {
  try {
    const stat = readFileSync(`/proc/${path}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

test('a job is done in its own process and says what it took', async (t) => {
  const { inference, job } = setup(t)
  const { model, width, height, detections, tookMs } = await inference.run(job)
  assert.deepEqual(
    { model, width, height, detections },
    { model: 'tiny', width: 64, height: 64, detections: [] },
  )
  assert.ok(tookMs.total >= tookMs.model && tookMs.model > 0)
  assert.deepEqual(tookMs.runs, { tiny: 1 })
  assert.deepEqual(
    inference.state().loaded.map(({ name }) => name),
    ['tiny'],
  )
})

test('a frame in shared memory is seen as it was when it was handed over', async (t) => {
  const { inference, job } = setup(t)
  const data = new Uint8Array(new SharedArrayBuffer(64 * 64 * 3))
  // BGR goes in first-plane-first, so the first row of blue makes the first anchors: (0, 0, 0, 0, 1, 1) each.
  for (let pixel = 0; pixel < 64; pixel++) data[pixel * 3 + 2] = pixel % 6 >= 4 ? 1 : 0
  const running = inference.run({ ...job, picture: { ...job.picture, data } })
  data.fill(0)
  const { detections } = await running
  assert.ok(detections.length > 0)
  assert.equal(detections[0]!.kind, 'person')
})

test('a bad picture fails its own job only', async (t) => {
  const { inference, job } = setup(t)
  const text = { format: 'jpeg' as const, data: Buffer.from('a text file named .jpg') }
  const short = { ...job.picture, data: new Uint8Array(5) }
  await assert.rejects(inference.run({ ...job, picture: text }), UnreadableInput)
  await assert.rejects(inference.run({ ...job, picture: short }), /has 5 bytes instead of 12288/)
  assert.equal((await inference.run(job)).model, 'tiny')
  assert.equal(inference.state().deaths, 0)
})

test('a model file that vanished fails the job with its name, and the next job runs', async (t) => {
  const { inference, job, detector } = setup(t)
  const gone = { ...detector, file: { ...detector.file, path: 'nowhere.onnx' } } as DetectorFiles
  await assert.rejects(inference.run({ ...job, detector: gone }), /nowhere\.onnx/)
  assert.equal((await inference.run(job)).model, 'tiny')
})

test('more jobs than may wait are refused at once and counted', async (t) => {
  const { inference, job } = setup(t, { mostWaiting: 2 })
  const accepted = [inference.run(job), inference.run(job)]
  await assert.rejects(inference.run(job), InferenceBusy)
  await Promise.all(accepted)
  await inference.run(job)
  const { done, refused, waiting } = inference.state()
  assert.deepEqual({ done, refused, waiting }, { done: 3, refused: 1, waiting: 0 })
})

test('pictures that wait together are each seen as they are', async (t) => {
  const { inference, job, detector } = setup(t)
  const sides = [64, 32, 96, 64, 16]
  const running = sides.map((side) => {
    const picture = { ...job.picture, width: side, height: side, data: new Uint8Array(side * side * 3) }
    return inference.run({ kind: 'detect', picture, detector })
  })
  const seen = await Promise.all(running)
  assert.deepEqual(
    seen.map(({ width }) => width),
    sides,
  )
})

test('a process that dies fails the jobs that waited, and the next job gets a new one', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'homefield-models-')), 'dies.mjs')
  t.after(() => rmSync(dirname(path), { recursive: true }))
  writeFileSync(path, 'process.on("message", () => process.exit(3))')
  const { inference, job } = setup(t, { entry: pathToFileURL(path) })
  const waiting = [inference.run(job), inference.run(job)]
  for (const result of await Promise.allSettled(waiting)) assert.equal(result.status, 'rejected')
  assert.equal(inference.state().deaths, 1)
  await assert.rejects(inference.run(job), /process ended/)
  assert.equal(inference.state().deaths, 2)
})

test('the process ends with whoever started it', { skip: process.platform !== 'linux' }, async (t) => {
  const { job, folder } = setup(t)
  const path = join(folder, 'parent.mjs')
  const { picture, ...rest } = job
  writeFileSync(
    path,
    `import { createInference } from ${JSON.stringify(new URL('../../models/inference.js', import.meta.url).href)}
    const picture = { ...${JSON.stringify({ ...picture, data: null })}, data: new Uint8Array(${picture.data.length}) }
    await createInference().run({ ...${JSON.stringify(rest)}, picture })
    process.stdout.write('looked')
    setInterval(() => {}, 1000)`,
  )
  const parent = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => parent.kill('SIGKILL'))
  await once(parent.stdout, 'data')
  const [started] = children(parent.pid ?? 0)
  assert.ok(started !== undefined)
  parent.kill('SIGKILL')
  while (existsSync(`/proc/${started}`) && statOf(started)[0] !== 'Z') await sleep(20)
})

test('the best installed models are picked, or the one that is named', () => {
  const model = (
    name: string,
    family: InstalledModel['family'],
    bytes: number,
    values = 85,
  ): InstalledModel => ({
    name,
    family,
    bytes,
    path: `${name}.onnx`,
    input: { name: 'x', shape: [1] },
    outputs: [{ name: 'y', shape: [1, 10, values] }],
    version: null,
    licence: null,
    sha256: '',
    origin: 'imported',
  })
  const bundled = [
    model('blazepose-detector', 'blazepose-detector', 6),
    model('blazepose-lite', 'blazepose-landmarks', 2),
    model('blazepose-full', 'blazepose-landmarks', 4),
  ]
  const all = [
    ...bundled,
    model('tiny', 'yolox', 20),
    model('nano', 'yolox', 4),
    model('person', 'yolox', 3, 6),
  ]
  assert.equal(pickDetector(bundled)?.file.name, 'blazepose-detector')
  assert.equal(pickDetector(all)?.file.name, 'nano')
  assert.equal(pickDetector(all, 'person')?.file.name, 'person')
  assert.equal(pickDetector(all, 'blazepose-lite'), null, 'a landmark model detects nobody')
  assert.equal(pickDetector(bundled.slice(0, 1)), null, 'BlazePose needs its landmark model')
  assert.equal(pickLandmarks(all)?.name, 'blazepose-full')
  assert.equal(pickLandmarks(all, 'blazepose-lite')?.name, 'blazepose-lite')
})

test('the bundled models find the skier and her joints', {
  skip: notBuilt || missing(...SKIER),
}, async (t) => {
  const { inference } = setup(t)
  const data = readFileSync(samplePath(...SKIER))
  const picture = { format: 'jpeg' as const, data }
  const { detections } = await inference.run({ kind: 'detect', picture, detector: pickDetector(models)! })
  assert.equal(detections.length, 1)
  const annotated = { x: 280.79, y: 44.73, w: 218.7, h: 346.68 }
  assert.ok(iou(detections[0]!, annotated) > 0.7)
  const { poses } = await inference.run({
    kind: 'pose',
    picture,
    landmarks: pickLandmarks(models)!,
    people: [{ box: annotated }, { region: { cx: 20, cy: 380, size: 60, rotation: 0 } }],
  })
  assert.ok(poses[0]!.presence > 0.9 && poses[1]!.presence < 0.5, 'snow is nobody')
  const [nose] = poses[0]!.keypoints
  assert.ok(Math.hypot(nose!.x - 367, nose!.y - 81) < 12, `nose at ${nose!.x}, ${nose!.y}`)
})
