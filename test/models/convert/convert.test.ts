import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { convertTflite } from '../../../models/convert/convert.ts'
import { densePositions } from '../../../models/convert/sparse.ts'
import { knownModels, sha256Of } from '../../../models/manifest.ts'
import { interpret } from './interpreter.ts'

const converted = knownModels().flatMap((model) =>
  model.converted ? [{ ...model, converted: model.converted }] : [],
)

/** What the interpreter and the converted model may differ by, in the units of each output: pixels of the crop, metres, logits. */
const TOLERANCE: Readonly<Record<string, number>> = {
  boxes: 1e-2,
  scores: 1e-2,
  landmarks: 1e-2,
  presence: 1e-4,
  world: 1e-4,
}

/** A picture of waves that differ in each colour, so that a swapped channel or axis shows. */
function waves(size: number): { last: Float32Array; first: Float32Array } {
  const last = new Float32Array(size * size * 3)
  const first = new Float32Array(size * size * 3)
  for (let at = 0; at < size * size; at++)
    for (let channel = 0; channel < 3; channel++) {
      const x = at % size
      const y = Math.floor(at / size)
      const value = 0.5 + 0.5 * Math.sin(x * 0.05 * (channel + 1) + y * 0.03 + Math.sin(y * 0.2) * 2)
      last[at * 3 + channel] = value
      first[channel * size * size + at] = value
    }
  return { last, first }
}

function weightsOf(packageName: string, file: string): Buffer | null {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`))
    return existsSync(join(folder, file)) ? readFileSync(join(folder, file)) : null
  } catch {
    return null
  }
}

for (const { name, file, sha256, input, converted: from } of converted) {
  test(`${name} answers as the original does, and converts to the same bytes every time`, async (t) => {
    const weights = weightsOf(from.package, from.file)
    if (weights === null) return t.skip(`${from.package} is not installed`)
    const model = convertTflite(weights, { name, input: input.name, outputs: from.outputs })
    assert.equal(sha256Of(model), sha256, file)
    const { last, first } = waves(input.shape[2]!)
    const session = await InferenceSession.create(model, { intraOpNumThreads: 1 })
    const got = await session.run({ [input.name]: new Tensor('float32', first, [...input.shape]) })
    const wanted = interpret(weights, last)
    for (const [original, renamed] of Object.entries(from.outputs)) {
      const reference = wanted.get(original)!
      const values = got[renamed]!.data as Float32Array
      assert.equal(values.length, reference.length)
      const farthest = reference.reduce((most, value, at) => Math.max(most, Math.abs(value - values[at]!)), 0)
      t.diagnostic(`${renamed}: at most ${farthest.toExponential(1)} apart`)
      assert.ok(farthest <= TOLERANCE[renamed]!, `${renamed} differs by ${farthest}`)
    }
    await session.release()
  })
}

test('values of a block-sparse tensor land where its blocks and segments say', () => {
  // The 4x4 example of the TFLite schema: 2x2 blocks, of which the first and the last are stored.
  const sparsity = {
    traversalOrder: [0, 1, 2, 3],
    blockMap: [0, 1],
    levels: [
      { kind: 'dense' as const, size: 2 },
      { kind: 'sparse' as const, segments: [0, 1, 2], indices: [0, 1] },
      { kind: 'dense' as const, size: 2 },
      { kind: 'dense' as const, size: 2 },
    ],
  }
  assert.deepEqual(densePositions([4, 4], sparsity), [0, 1, 4, 5, 10, 11, 14, 15])
})

test('a file that is no TFLite model is refused with what it should be', () => {
  const conversion = { name: 'x', input: 'image', outputs: { Identity: 'boxes' } }
  assert.throws(
    () => convertTflite(Buffer.from('a text file named .tflite'), conversion),
    /Not a TFLite file/,
  )
  assert.throws(() => convertTflite(new Uint8Array(), conversion), /Not a TFLite file/)
})
