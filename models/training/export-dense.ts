/** Writes trained layers as an ONNX file: Gemm and Tanh, one input row by `input`, one output row by `output`. */
import { type OnnxNode, type OnnxTensor, writeOnnx } from '../convert/onnx-writer.ts'
import type { Layers } from './layers.ts'

export function exportDense(
  layers: Layers,
  { name, rows }: { name: string; rows: number | null },
): Uint8Array {
  const nodes: OnnxNode[] = []
  const constants: OnnxTensor[] = []
  layers.forEach(({ inputs, outputs, weights, bias }, at) => {
    const isLast = at === layers.length - 1
    const from = at === 0 ? 'input' : `bent${at - 1}`
    const to = isLast ? 'output' : `sum${at}`
    constants.push(
      { name: `weights${at}`, type: 'float32', shape: [inputs, outputs], raw: floats(weights) },
      { name: `bias${at}`, type: 'float32', shape: [outputs], raw: floats(bias) },
    )
    nodes.push({ op: 'Gemm', inputs: [from, `weights${at}`, `bias${at}`], outputs: [to] })
    if (!isLast) nodes.push({ op: 'Tanh', inputs: [to], outputs: [`bent${at}`] })
  })
  const inputs = [{ name: 'input', shape: [rows, layers[0]?.inputs ?? 0] }]
  const outputs = [{ name: 'output', shape: [rows, layers.at(-1)?.outputs ?? 0] }]
  return writeOnnx({ name, nodes, constants, inputs, outputs }, 'homefield')
}

function floats(values: Float64Array): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}
