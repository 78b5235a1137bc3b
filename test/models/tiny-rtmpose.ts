import { writeOnnx } from '../../models/convert/onnx-writer.ts'

/** Where the made-up model sees each joint, in pixels of its own picture (192 × 256), and how sure it is. */
export function tinyJoint(joint: number): { x: number; y: number; score: number } {
  return { x: 20 + joint * 5, y: 30 + joint * 7, score: joint === 9 ? 0.1 : 0.8 }
}

/** An ONNX file with the shapes of RTMPose which answers the same joints for every picture; `open` leaves their number open. */
export function tinyRtmPose(joints: 17 | 26, open = false): Uint8Array {
  const rows = (name: string, bins: number, at: (joint: number) => number) => {
    const values = new Float32Array(joints * bins)
    for (let joint = 0; joint < joints; joint++) values[joint * bins + at(joint) * 2] = tinyJoint(joint).score
    return { name, type: 'float32' as const, shape: [1, joints, bins], raw: new Uint8Array(values.buffer) }
  }
  const whole = (name: string, values: number[]) => ({
    name,
    type: 'int64' as const,
    shape: [values.length],
    raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  })
  const nothing = new Uint8Array(new Float32Array([0]).buffer)
  return writeOnnx(
    {
      name: 'tiny',
      nodes: [
        { op: 'Slice', inputs: ['input', 'from', 'to', 'axes'], outputs: ['pixel'] },
        { op: 'Reshape', inputs: ['pixel', 'single'], outputs: ['one'] },
        { op: 'Mul', inputs: ['one', 'nothing'], outputs: ['zero'] },
        { op: 'Add', inputs: ['zero', 'xs'], outputs: ['simcc_x'] },
        { op: 'Add', inputs: ['zero', 'ys'], outputs: ['simcc_y'] },
      ],
      constants: [
        whole('from', [0, 0, 0]),
        whole('to', [1, 1, 1]),
        whole('axes', [1, 2, 3]),
        whole('single', [1, 1, 1]),
        { name: 'nothing', type: 'float32', shape: [1], raw: nothing },
        rows('xs', 384, (joint) => tinyJoint(joint).x),
        rows('ys', 512, (joint) => tinyJoint(joint).y),
      ],
      inputs: [{ name: 'input', shape: [open ? null : 1, 3, 256, 192] }],
      outputs: [
        { name: 'simcc_x', shape: open ? [null, null, 384] : [1, joints, 384] },
        { name: 'simcc_y', shape: open ? [null, null, 512] : [1, joints, 512] },
      ],
    },
    'test',
  )
}
