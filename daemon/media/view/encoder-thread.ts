/** Turns pictures into JPEG beside the main thread. The picture lies in shared memory and is held until the answer. */
import { parentPort } from 'node:worker_threads'
import turbo from '@julusian/jpeg-turbo'
import type { EncodeAnswer, EncodeTask } from './encoder.ts'
import { i420ToRgb } from './rgb.ts'

const QUALITY = 80
let rgb = Buffer.alloc(0)

function encoded({ width, height, data }: EncodeTask): Uint8Array {
  const bytes = width * height * 3
  if (rgb.length !== bytes) rgb = Buffer.alloc(bytes)
  i420ToRgb(data, { width, height }, rgb)
  const jpeg = turbo.compressSync(rgb, {
    ...{ width, height, format: turbo.FORMAT_RGB },
    ...{ subsampling: turbo.SAMP_420, quality: QUALITY },
  })
  return Uint8Array.from(jpeg)
}

parentPort?.on('message', (task: EncodeTask) => {
  let answer: EncodeAnswer
  try {
    answer = { id: task.id, jpeg: encoded(task) }
  } catch (cause) {
    answer = { id: task.id, failure: cause instanceof Error ? cause.message : String(cause) }
  }
  parentPort?.postMessage(answer, 'jpeg' in answer ? [answer.jpeg.buffer as ArrayBuffer] : [])
})
