/** Pictures and models for tests of vision: a made-up scene whose people the fake models know, and real pictures as I420. */
import { createFrameRing, type FrameRing } from '../../../daemon/media/frames.ts'
import type { InstalledModel } from '../../../models/catalogue.ts'
import type { Frame } from '../../../models/detect/frame.ts'
import type { Inference } from '../../../models/inference.ts'
import type { Job, Pose } from '../../../models/jobs.ts'
import { bodyBox } from '../../../models/pose/extent.ts'
import { cocoOf } from '../../../models/pose/skeleton.ts'
import type { Box } from '../../../models/vision/boxes.ts'

export function installedModel(
  name: string,
  family: InstalledModel['family'],
  bytes = 3_000_000,
): InstalledModel {
  const side = family === 'yolox' ? 416 : 256
  return {
    name,
    family,
    path: `${name}.onnx`,
    bytes,
    version: '1',
    licence: null,
    sha256: name,
    origin: 'bundled',
    input: { name: 'image', shape: [1, 3, side, side] },
    outputs: [{ name: 'out', shape: [1, 3549, 85] }],
  }
}

/** A body whose landmarks fill a box: what the landmark model would answer. */
export function poseIn({ x, y, w, h }: Box, presence = 1): Pose {
  const landmarks = Array.from({ length: 33 }, (_, at) => ({
    x: x + w * (0.2 + (0.6 * ((at * 7) % 11)) / 10),
    y: y + h * (0.12 + 0.86 * (at / 32)),
    z: 0,
    score: 0.9,
  }))
  return {
    presence,
    landmarks,
    world: landmarks.map(() => ({ x: 0, y: 0, z: 0 })),
    next: { cx: x + w / 2, cy: y + h / 2, size: Math.max(w, h) * 1.25, rotation: 0 },
    box: bodyBox(landmarks),
    keypoints: cocoOf(landmarks),
  }
}

/** Models that know where everybody is: `people(frame)` for the number of the picture in its first byte. */
export function fakeModels(people: (frame: number) => readonly (Box & { score?: number })[]) {
  const asked: Job['kind'][] = []
  const run = async (job: Job): Promise<unknown> => {
    asked.push(job.kind)
    const frame = job.picture.data[0] ?? 0
    const truth = people(frame)
    const tookMs = { total: 5, model: 4 }
    if (job.kind === 'detect')
      return {
        model: job.detector.file.name,
        width: 640,
        height: 480,
        detections: truth.map((box) => ({ score: 0.9, kind: 'person', ...box })),
        tookMs,
      }
    if (job.kind === 'search')
      return {
        model: job.detector.file.name,
        width: 640,
        height: 480,
        people: truth.map((box) => ({
          score: 0.9,
          kind: 'person',
          ...box,
          region: poseIn(box).next,
          pose: poseIn(box),
        })),
        background: new Float32Array(),
        tookMs,
      }
    const poses = job.people.map((where) => {
      const at = 'box' in where ? centre(where.box) : { x: where.region.cx, y: where.region.cy }
      const near = truth.find((box) => Math.hypot(centre(box).x - at.x, centre(box).y - at.y) < box.h / 3)
      return near ? poseIn(near) : poseIn({ x: at.x, y: at.y, w: 40, h: 80 }, 0)
    })
    return { model: job.landmarks.name, width: 640, height: 480, poses, tookMs }
  }
  // The answer fits the kind of the job, which the compiler cannot follow through `kind`.
  return { run: run as Inference['run'], asked }
}

function centre({ x, y, w, h }: Box) {
  return { x: x + w / 2, y: y + h / 2 }
}

/** A ring, and the way to put a picture with a number in its first byte into it. */
export function numberedRing(): { ring: FrameRing; show: (number: number, capturedAtMs: number) => void } {
  const ring = createFrameRing()
  return {
    ring,
    show(number, capturedAtMs) {
      const slot = ring.open({ width: 640, height: 480 })
      if (slot === null) return
      slot.data[0] = number
      slot.publish({ capturedAtMs, arrivedAtMs: capturedAtMs })
    },
  }
}

/** RGB to I420 with limited range (BT.601), as a video decoder would give it. */
export function i420Of({ width, height, data }: Frame): Uint8Array {
  const half = (length: number) => Math.ceil(length / 2)
  const out = new Uint8Array(width * height + 2 * half(width) * half(height))
  const blueAt = width * height
  const redAt = blueAt + half(width) * half(height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3
      const [r = 0, g = 0, b = 0] = data.subarray(at, at + 3)
      out[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b
      if (x % 2 === 1 || y % 2 === 1) continue
      const place = (y >> 1) * half(width) + (x >> 1)
      out[blueAt + place] = 128 - 0.148 * r - 0.291 * g + 0.439 * b
      out[redAt + place] = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    }
  return out
}

/** Lets everything that is ready run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
