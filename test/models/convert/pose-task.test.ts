import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { rootTable } from '../../../models/convert/flatbuffer.ts'
import { poseTask, withNormalisation } from '../../../models/convert/pose-task.ts'
import { readTflite } from '../../../models/convert/tflite.ts'
import { fileInZip } from '../../../models/unzip.ts'

const FILES = ['pose_solution_packed_assets.data', 'pose_landmark_lite.tflite'] as const

function weights(): Buffer[] | null {
  const require = createRequire(import.meta.url)
  const folder = dirname(require.resolve('@mediapipe/pose/package.json'))
  const paths = FILES.map((file) => join(folder, file))
  return paths.every((path) => existsSync(path)) ? paths.map((path) => readFileSync(path)) : null
}

const found = weights()
const skip = found === null && 'the package @mediapipe/pose is not installed'

test('a described model is the same graph, with mean and deviation of its input', { skip }, () => {
  const [, landmarks] = found ?? []
  const described = withNormalisation(landmarks ?? new Uint8Array(), { mean: 0, deviation: 255 })
  const [before, after] = [readTflite(landmarks ?? new Uint8Array()), readTflite(described)]
  assert.deepEqual(
    after.tensors.map(({ name, type, shape }) => [name, type, shape]),
    before.tensors.map(({ name, type, shape }) => [name, type, shape]),
  )
  assert.deepEqual(
    after.operators.map(({ kind, inputs, outputs }) => [kind, inputs, outputs]),
    before.operators.map(({ kind, inputs, outputs }) => [kind, inputs, outputs]),
  )
  const last = before.tensors.findLastIndex(({ stored }) => stored.length > 0)
  assert.deepEqual(after.tensors[last]?.stored, before.tensors[last]?.stored)
  const model = rootTable(described)
  const [metadata] = model.tables(6)
  assert.equal(metadata?.text(0), 'TFLITE_METADATA')
  const bytes = model.tables(4)[metadata?.uint(1) ?? 0]?.bytes(0) ?? new Uint8Array()
  assert.equal(Buffer.from(bytes.subarray(4, 8)).toString(), 'M001')
  const [step] = rootTable(bytes).tables(3)[0]?.tables(2)[0]?.tables(4) ?? []
  const options = step?.table(1)
  assert.equal(step?.byte(0), 1)
  const float = (field: number) => {
    const at = options?.placeOf(field) ?? 0
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat32(at + 4, true)
  }
  assert.deepEqual([float(0), float(1)], [0, 255])
})

test('the bundle holds both models unpacked and aligned, and is the same whenever it is made', {
  skip,
}, () => {
  const [detector = new Uint8Array(), landmarks = new Uint8Array()] = found ?? []
  const bundle = poseTask(detector, landmarks)
  assert.deepEqual(poseTask(detector, landmarks), bundle)
  for (const name of ['pose_detector.tflite', 'pose_landmarks_detector.tflite']) {
    const model = fileInZip(bundle, name, bundle.length)
    assert.equal(model.byteOffset % 64, bundle.byteOffset % 64, `${name} is aligned`)
    assert.equal(readTflite(model).inputs.length, 1)
  }
})
