/** What tracking reaches on TUD-Campus, from given detections and from its pictures, and how fast the tracker is. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFollower } from '../models/follow/follower.ts'
import { type DetectorFiles, work } from '../models/jobs.ts'
import type { Run } from '../models/run.ts'
import type { ModelFile } from '../models/session.ts'
import { motMetrics } from '../models/vision/mot/metrics.ts'
import { formatMot, type MotFrames, parseMot } from '../models/vision/mot/text.ts'
import { createTracker } from '../models/vision/track/tracker.ts'

const RATE_HZ = 25
/** As the reference figures on given detections were taken: 30 frames a second, boxes of people only. */
const REFERENCE_HZ = 30
const SMALLEST_PX = 100
const WIDEST = 1.6

export interface Way {
  name: string
  detector: DetectorFiles
  landmarks: ModelFile | null
  detectEvery: number
}

/** One row of the accuracy table, by the metrics that publications give. */
export function row(truth: MotFrames, result: MotFrames) {
  const { MOTA, IDF1, HOTA, IDSW, FP, FN } = motMetrics(truth, parseMot(formatMot(result)))
  const wanted = truth.flat().length
  const hits = wanted - FN
  const part = (of: number) => (hits / Math.max(1, of)).toFixed(3)
  const percent = (value: number) => value.toFixed(2)
  return {
    MOTA: percent(MOTA),
    IDF1: percent(IDF1),
    HOTA: percent(HOTA),
    precision: part(hits + FP),
    recall: part(wanted),
    IDSW,
    FP,
    FN,
  }
}

export function truthOf(sequence: string): MotFrames {
  return parseMot(readFileSync(join(sequence, 'gt/gt.txt'), 'utf8'))
}

export function fromDetections(sequence: string, file: string): MotFrames {
  const tracker = createTracker({ frameRateHz: REFERENCE_HZ })
  return parseMot(readFileSync(join(sequence, 'det', file), 'utf8')).map((boxes, at) => {
    const seen = boxes.map(({ x, y, w, h, confidence }) => ({ x, y, w, h, score: confidence }))
    const { tracks } = tracker.update(seen, (at * 1000) / REFERENCE_HZ)
    return tracks
      .filter(({ w, h }) => w * h > SMALLEST_PX && w / h <= WIDEST)
      .map(({ trackId, score, x, y, w, h }) => ({ id: trackId, x, y, w, h, confidence: score }))
  })
}

/** Follows people through the pictures as a camera is followed, every picture looked at. */
export async function fromPictures(sequence: string, way: Way, run: Run): Promise<MotFrames> {
  const follower = createFollower({
    // The answer is of the job's kind, which the compiler cannot follow through a function of any job.
    run: async (job) => ({ ...(await work(job, run)), tookMs: { total: 0, model: 0 } }) as never,
    frameRateHz: RATE_HZ,
  })
  const frames: MotFrames = []
  const folder = join(sequence, 'img1')
  for (const [at, name] of readdirSync(folder).toSorted().entries()) {
    const picture = { format: 'jpeg' as const, data: readFileSync(join(folder, name)) }
    const plan = { ...way, looksAgain: way.detector.family === 'yolox' }
    const { people } = await follower.step(picture, (at * 1000) / RATE_HZ, plan)
    frames.push(people.map(({ trackId, box, score }) => ({ id: trackId, ...box, confidence: score })))
  }
  return frames
}

/** Frames a second of the tracker alone: people who walk across a wide picture, some of them missed and some of them unsure. */
export function trackerFps(people: number, frames: number): number {
  let random = 1
  const next = () => {
    random = (random * 16807) % 2147483647
    return random / 2147483647
  }
  const walkers = Array.from({ length: people }, () => ({
    x: next() * 1920,
    y: next() * 800,
    v: next() * 8 - 4,
  }))
  const scenes = Array.from({ length: frames }, (_, frame) =>
    walkers
      .filter(() => next() > 0.05)
      .map(({ x, y, v }) => ({
        x: x + v * frame,
        y: y + next() * 3,
        w: 60 + next() * 3,
        h: 160 + next() * 4,
        score: next(),
      })),
  )
  const tracker = createTracker()
  const began = performance.now()
  scenes.forEach((boxes, at) => {
    tracker.update(boxes, (at * 1000) / REFERENCE_HZ)
  })
  return (frames * 1000) / (performance.now() - began)
}
