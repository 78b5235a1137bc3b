import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type OnnxGraph, writeOnnx } from '../../models/convert/onnx-writer.ts'
import { familyOf } from '../../models/family.ts'
import { inspectOnnx } from '../../models/onnx-inspect.ts'
import { UnreadableInput } from '../../models/vision/unreadable.ts'

function file(input: number[], outputs: number[][]): Uint8Array {
  const graph: OnnxGraph = {
    name: 'test',
    nodes: [{ op: 'Identity', inputs: ['in'], outputs: ['out0'] }],
    constants: [{ name: 'w', type: 'float32', shape: [1], raw: new Uint8Array(4) }],
    inputs: [{ name: 'in', shape: input }],
    outputs: outputs.map((shape, index) => ({ name: `out${index}`, shape })),
  }
  return writeOnnx(graph, 'test')
}

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => familyOf(inspectOnnx(bytes)),
    (cause) => cause instanceof UnreadableInput && message.test(cause.message),
  )
}

test('a file says which inputs and outputs it has, and so how to feed and read it', () => {
  assert.deepEqual(inspectOnnx(file([1, 3, 64, 64], [[1, 84, 6]])), {
    producer: 'test',
    inputs: [{ name: 'in', isFloat: true, shape: [1, 3, 64, 64] }],
    outputs: [{ name: 'out0', isFloat: true, shape: [1, 84, 6] }],
  })
  assert.equal(familyOf(inspectOnnx(file([1, 3, 416, 416], [[1, 3549, 85]]))).family, 'yolox')
  const landmarks = file(
    [1, 3, 256, 256],
    [
      [1, 195],
      [1, 1],
      [1, 117],
    ],
  )
  assert.equal(familyOf(inspectOnnx(landmarks)).family, 'blazepose-landmarks')
})

test('a model of another kind is refused with its shapes and the known ones', () => {
  refused(file([1, 3, 416, 416], [[1, 8400, 85]]), /cannot read a model with in:1×3×416×416 → out0:1×8400×85/)
  refused(file([1, 3, 4096, 4096], [[1, 344064, 85]]), /cannot read/)
  refused(file([1, 3, 64, 32], [[1, 84, 6]]), /cannot read/)
})

test('what is no ONNX file is refused, whatever its bytes', () => {
  refused(Buffer.from('a text file named .onnx'), /Not an ONNX model/)
  refused(new Uint8Array(), /Not an ONNX model/)
  const whole = file([1, 3, 64, 64], [[1, 84, 6]])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      try {
        familyOf(inspectOnnx(bytes))
      } catch (cause) {
        assert.ok(cause instanceof UnreadableInput, String(cause))
      }
    }),
    { numRuns: 300 },
  )
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => familyOf(inspectOnnx(whole.subarray(0, length))), UnreadableInput)
})

test('a model whose weights lie in other files is refused', () => {
  const bytes = Buffer.from(file([1, 3, 64, 64], [[1, 84, 6]]))
  // The tensor's data type (field 2, value 1) becomes its location (field 14): elsewhere.
  const at = bytes.indexOf(Buffer.from([0x08, 0x01, 0x10, 0x01, 0x42]))
  assert.ok(at > 0)
  bytes[at + 2] = 14 * 8
  refused(bytes, /weights in other files/)
})
