/** A small feed-forward net with tanh between its layers, trained by Adam (Kingma & Ba 2015). */
import type { Draw } from './random.ts'

export interface Layer {
  inputs: number
  outputs: number
  /** Row-major, one row for each input. */
  weights: Float64Array
  bias: Float64Array
}

export type Layers = readonly Layer[]

export function drawLayers(sizes: readonly number[], draw: Draw): Layer[] {
  return sizes.slice(1).map((outputs, at) => {
    const inputs = sizes[at] ?? 0
    const scale = Math.sqrt(2 / (inputs + outputs))
    const weights = Float64Array.from({ length: inputs * outputs }, () => draw.normal(0, scale))
    return { inputs, outputs, weights, bias: new Float64Array(outputs) }
  })
}

export interface Trainer {
  /** Values of the last layer for one input; they stay until the next call. */
  forward(input: Float64Array): Float64Array
  /** Adds the slopes of the loss with respect to the outputs of the last forward call. */
  backward(slopes: Float64Array): void
  /** One step down the slopes that were added since the last one. */
  step(rate: number): void
}

const BETA1 = 0.9
const BETA2 = 0.999
const TINY = 1e-8

export function createTrainer(layers: Layers, decay = 1e-5): Trainer {
  const values = layers.map(({ outputs }) => new Float64Array(outputs))
  const slopesOf = layers.map(({ inputs }) => new Float64Array(inputs))
  const learners = layers.flatMap(({ weights, bias }) => [weights, bias].map(learnerOf))
  let input: Float64Array = new Float64Array(0)
  let steps = 0
  let added = 0
  return {
    forward(given) {
      input = given
      layers.forEach((layer, at) => {
        const from = at === 0 ? input : values[at - 1]
        const to = values[at]
        if (from && to) multiply(layer, from, to, at < layers.length - 1)
      })
      return values.at(-1) ?? input
    },
    backward(slopes) {
      added += 1
      let from = slopes
      for (let at = layers.length - 1; at >= 0; at -= 1) {
        const layer = layers[at]
        const to = slopesOf[at]
        const [weights, bias] = [learners[2 * at], learners[2 * at + 1]]
        if (!layer || !to || !weights || !bias) continue
        pushBack(layer, at === 0 ? input : (values[at - 1] ?? input), from, to, weights.slopes, bias.slopes)
        const below = values[at - 1]
        if (below) for (let i = 0; i < to.length; i += 1) to[i] = (to[i] ?? 0) * (1 - (below[i] ?? 0) ** 2)
        from = to
      }
    },
    step(rate) {
      steps += 1
      const slow = (rate * Math.sqrt(1 - BETA2 ** steps)) / (1 - BETA1 ** steps)
      for (const learner of learners) learn(learner, slow, added, rate * decay)
      added = 0
    },
  }
}

function multiply(
  { inputs, outputs, weights, bias }: Layer,
  from: Float64Array,
  to: Float64Array,
  bend: boolean,
) {
  to.set(bias)
  for (let i = 0; i < inputs; i += 1) {
    const value = from[i] ?? 0
    if (value === 0) continue
    const start = i * outputs
    for (let o = 0; o < outputs; o += 1) to[o] = (to[o] ?? 0) + value * (weights[start + o] ?? 0)
  }
  if (bend) for (let o = 0; o < outputs; o += 1) to[o] = Math.tanh(to[o] ?? 0)
}

function pushBack(
  { inputs, outputs, weights }: Layer,
  input: Float64Array,
  from: Float64Array,
  to: Float64Array,
  weightSlopes: Float64Array,
  biasSlopes: Float64Array,
): void {
  for (let o = 0; o < outputs; o += 1) biasSlopes[o] = (biasSlopes[o] ?? 0) + (from[o] ?? 0)
  for (let i = 0; i < inputs; i += 1) {
    const value = input[i] ?? 0
    const start = i * outputs
    let sum = 0
    for (let o = 0; o < outputs; o += 1) {
      const slope = from[o] ?? 0
      sum += slope * (weights[start + o] ?? 0)
      weightSlopes[start + o] = (weightSlopes[start + o] ?? 0) + slope * value
    }
    to[i] = sum
  }
}

interface Learner {
  values: Float64Array
  slopes: Float64Array
  mean: Float64Array
  square: Float64Array
}

function learnerOf(values: Float64Array): Learner {
  const empty = () => new Float64Array(values.length)
  return { values, slopes: empty(), mean: empty(), square: empty() }
}

function learn({ values, slopes, mean, square }: Learner, rate: number, added: number, shrink: number): void {
  for (let i = 0; i < values.length; i += 1) {
    const slope = (slopes[i] ?? 0) / added
    slopes[i] = 0
    const m = BETA1 * (mean[i] ?? 0) + (1 - BETA1) * slope
    const s = BETA2 * (square[i] ?? 0) + (1 - BETA2) * slope * slope
    mean[i] = m
    square[i] = s
    values[i] = (values[i] ?? 0) * (1 - shrink) - (rate * m) / (Math.sqrt(s) + TINY)
  }
}
