/** Prints what the models reach on annotated material and what each stage costs: node dist/scripts/vision-figures.js FOLDER [ONNX …] */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { modelFolders, readCatalogue } from '../models/catalogue.ts'
import { createYoloxDetector, type Detection, type Detector } from '../models/detect/detector.ts'
import type { Frame } from '../models/detect/frame.ts'
import { decodeJpeg } from '../models/detect/jpeg.ts'
import { createPeopleDetector } from '../models/detect/people.ts'
import { familyOf } from '../models/family.ts'
import { inspectOnnx } from '../models/onnx-inspect.ts'
import { estimateLandmarks } from '../models/pose/estimator.ts'
import { oks } from '../models/pose/oks.ts'
import { regionOfBox } from '../models/pose/region.ts'
import { cocoOf } from '../models/pose/skeleton.ts'
import type { Run } from '../models/run.ts'
import { createSessions, type ModelFile } from '../models/session.ts'
import { type Box, iou } from '../models/vision/boxes.ts'
import type { MotFrames } from '../models/vision/mot/text.ts'
import {
  fromDetections,
  fromPictures,
  row,
  trackerFps,
  truthOf,
  type Way,
} from './vision-figures-tracking.ts'

const MATCH = 0.5
/** As the reference figures of YOLOX on this sequence were taken. */
const YOLOX_SCORE = 0.5

const [folder, ...further] = process.argv.slice(2)
if (folder === undefined) throw new Error('Say where the annotated pictures are.')

const clock = { monotonic: () => performance.now(), every: () => () => undefined }
const sessions = createSessions({ clock })
const runs = { count: 0, ms: 0 }
const run: Run = async (file, input) => {
  const began = performance.now()
  const outputs = await sessions.run(file, input)
  runs.ms += performance.now() - began
  runs.count++
  return outputs
}
const { models } = await readCatalogue(modelFolders('no-data'))
const bundled = (name: string) => {
  const found = models.find((model) => model.name === name)
  if (found === undefined) throw new Error(`${name} is not built.`)
  return found
}

const campus = join(folder, 'mot/TUD-Campus')
await reportPose(join(folder, 'images/coco'))
const detectors = [
  {
    least: 0,
    ...named(
      createPeopleDetector({
        detector: bundled('blazepose-detector'),
        landmarks: bundled('blazepose-full'),
        run,
      }),
    ),
  },
  ...further.map((path) => ({
    least: YOLOX_SCORE,
    ...named(createYoloxDetector({ file: onnxFile(path), run })),
  })),
]
for (const { detector, least } of detectors) await reportDetection(detector, least, campus)
for (const file of ['det-frcnn-sort.txt', 'det-yolox-nano416.txt'])
  print({ what: 'tracks from detections', file, ...row(truthOf(campus), fromDetections(campus, file)) })
for (const way of waysToLook()) {
  const result: MotFrames[] = []
  const cost = await measured(truthOf(campus).length, async () => {
    result.push(await fromPictures(campus, way, run))
  })
  const { name, detectEvery } = way
  print({
    what: 'tracks from pictures',
    name,
    detectEvery,
    ...row(truthOf(campus), result[0] ?? []),
    ...cost,
  })
}
print({ what: 'tracker alone', boxes: 39, fps: Math.round(trackerFps(39, 2000)) })
await sessions.close()

/** Each detector on every picture, and BlazePose also as often as a live camera has it at best. */
function waysToLook(): Way[] {
  const full = bundled('blazepose-full')
  const file = bundled('blazepose-detector')
  const blazePose = { family: 'blazepose-detector' as const, file, landmarks: full }
  const yolox = further.map((path) => ({ family: 'yolox' as const, file: onnxFile(path) }))
  return [
    ...yolox.map((detector) => ({ name: detector.file.name, detector, landmarks: null, detectEvery: 1 })),
    ...[1, 4].map((detectEvery) => ({ name: file.name, detector: blazePose, landmarks: full, detectEvery })),
  ]
}

function named(detector: Detector) {
  return { detector }
}

function onnxFile(path: string): ModelFile {
  const { input, outputs } = familyOf(inspectOnnx(readFileSync(path)))
  return { name: basename(path, '.onnx'), path, bytes: statSync(path).size, input, outputs }
}

/** Mean OKS with annotated boxes as upright regions, for one look and for a second one where the first believes the body to be. */
async function reportPose(images: string): Promise<void> {
  const { annotations } = JSON.parse(readFileSync(join(images, 'keypoints.json'), 'utf8')) as {
    annotations: { image_id: number; bbox: number[]; area: number; keypoints: number[] }[]
  }
  for (const name of ['blazepose-lite', 'blazepose-full'])
    for (const looks of [1, 2] as const) {
      const scores: number[] = []
      const cost = await measured(annotations.length, async () => {
        for (const { image_id: id, bbox, area, keypoints } of annotations) {
          const frame = decodeJpeg(readFileSync(join(images, `${String(id).padStart(12, '0')}.jpg`)))
          const [x = 0, y = 0, w = 0, h = 0] = bbox
          const found = await estimateLandmarks(
            { file: bundled(name), run },
            frame,
            regionOfBox({ x, y, w, h }),
            looks,
          )
          const points = Array.from({ length: 17 }, (_, at) => ({
            x: keypoints[at * 3] ?? 0,
            y: keypoints[at * 3 + 1] ?? 0,
            labelled: (keypoints[at * 3 + 2] ?? 0) > 0,
          }))
          scores.push(oks(cocoOf(found.landmarks), { keypoints: points, areaPx: area }) ?? 0)
        }
      })
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
      print({ what: 'OKS', model: name, looks, people: scores.length, mean: mean.toFixed(3), ...cost })
    }
}

/** Precision and recall over every frame, matching greedily by score at IoU 0.5 as the published figures do. */
async function reportDetection(detector: Detector, least: number, sequence: string): Promise<void> {
  const truth = readTruth(join(sequence, 'gt/gt.txt'))
  const names = readdirSync(join(sequence, 'img1')).toSorted()
  const frames = names.map((name): Frame => decodeJpeg(readFileSync(join(sequence, 'img1', name))))
  const sum = { hits: 0, found: 0, truth: 0 }
  const cost = await measured(frames.length, async () => {
    for (const [index, frame] of frames.entries()) {
      const all = await detector.detect(frame)
      const people = all.filter(({ kind, score }) => kind === 'person' && score >= least)
      const wanted = truth.get(index + 1) ?? []
      sum.hits += hits(people, wanted)
      sum.found += people.length
      sum.truth += wanted.length
    }
  })
  const precision = (sum.hits / sum.found).toFixed(3)
  const recall = (sum.hits / sum.truth).toFixed(3)
  print({ what: 'TUD-Campus', model: detector.name, precision, recall, ...sum, ...cost })
}

function hits(found: readonly Detection[], truth: readonly Box[]): number {
  const open = new Set(truth)
  let count = 0
  for (const box of found.toSorted((a, b) => b.score - a.score)) {
    const [best] = [...open].toSorted((a, b) => iou(b, box) - iou(a, box))
    if (best === undefined || iou(best, box) < MATCH) continue
    open.delete(best)
    count++
  }
  return count
}

function readTruth(path: string): Map<number, Box[]> {
  const frames = new Map<number, Box[]>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [frame = 0, , x = 0, y = 0, w = 0, h = 0, counts = 0] = line.split(',').map(Number)
    if (counts !== 0) frames.set(frame, [...(frames.get(frame) ?? []), { x, y, w, h }])
  }
  return frames
}

/** Processor and wall time of each of `times` pieces of the work, and what of the wall time the bare models took. */
async function measured(times: number, body: () => Promise<void>) {
  const before = { ...runs, cpu: process.cpuUsage(), at: performance.now() }
  await body()
  const { user, system } = process.cpuUsage(before.cpu)
  const each = (total: number) => Number((total / times).toFixed(1))
  return {
    cpu_ms: each((user + system) / 1000),
    wall_ms: each(performance.now() - before.at),
    model_ms: each(runs.ms - before.ms),
    model_runs: each(runs.count - before.count),
  }
}

function print(row: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(row)}\n`)
}
