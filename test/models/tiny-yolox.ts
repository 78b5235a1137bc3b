import { writeOnnx } from '../../models/convert/onnx-writer.ts'

/** Whole numbers as ONNX keeps them. */
function whole(name: string, values: number[]) {
  return {
    name,
    type: 'int64' as const,
    shape: [values.length],
    raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  }
}

/** An ONNX file with the shapes of a one-class YOLOX for 64 × 64, which answers the first pixels of its input. */
export function tinyYolox(producer = 'test'): Uint8Array {
  return writeOnnx(
    {
      name: 'tiny',
      nodes: [
        { op: 'Reshape', inputs: ['images', 'table'], outputs: ['rows'] },
        { op: 'Slice', inputs: ['rows', 'from', 'to', 'axis'], outputs: ['output'] },
      ],
      constants: [whole('table', [1, 2048, 6]), whole('from', [0]), whole('to', [84]), whole('axis', [1])],
      inputs: [{ name: 'images', shape: [1, 3, 64, 64] }],
      outputs: [{ name: 'output', shape: [1, 84, 6] }],
    },
    producer,
  )
}
