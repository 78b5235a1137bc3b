/** Fits the net of PulseNet to rows of evidence by logistic loss, in an order that repeats for a seed. */
import { EVIDENCE_SIZE } from '../series/anomaly-evidence.ts'
import { createTrainer, drawLayers, type Layer, type Layers } from './layers.ts'
import type { Rows } from './pulsenet-rows.ts'
import type { Draw } from './random.ts'

export interface FitSettings {
  hidden: readonly number[]
  epochs: number
  batch: number
  rate: number
  told?: (epoch: number, loss: number) => void
}

/** The net takes evidence as it is: scaling is part of its first layer. */
export function fitPulseNet(people: readonly Rows[], settings: FitSettings, draw: Draw): Layer[] {
  const scale = scaleOf(people)
  const layers = drawLayers([EVIDENCE_SIZE, ...settings.hidden, 1], draw)
  const trainer = createTrainer(layers)
  const order = people.flatMap((person, at) =>
    Array.from({ length: person.count }, (_, t) => [at, t] as const).filter(
      ([, t]) => (person.weight[t] ?? 0) > 0,
    ),
  )
  const input = new Float64Array(EVIDENCE_SIZE)
  const slope = new Float64Array(1)
  for (let epoch = 0; epoch < settings.epochs; epoch += 1) {
    draw.shuffle(order)
    // Down to nothing along half a cosine: the last steps settle.
    const rate = settings.rate * 0.5 * (1 + Math.cos((Math.PI * epoch) / settings.epochs))
    let loss = 0
    order.forEach(([at, t], done) => {
      const person = people[at]
      if (!person) return
      readScaled(person, t, scale, input)
      const logit = trainer.forward(input)[0] ?? 0
      const chance = 1 / (1 + Math.exp(-logit))
      const wanted = person.wanted[t] ?? 0
      const weight = person.weight[t] ?? 0
      loss -= weight * Math.log(Math.max(1e-9, wanted === 1 ? chance : 1 - chance))
      slope[0] = weight * (chance - wanted)
      trainer.backward(slope)
      if ((done + 1) % settings.batch === 0) trainer.step(rate)
    })
    settings.told?.(epoch, loss / order.length)
  }
  return foldScale(layers, scale)
}

interface Scale {
  mean: Float64Array
  sd: Float64Array
}

function scaleOf(people: readonly Rows[]): Scale {
  const mean = new Float64Array(EVIDENCE_SIZE)
  const square = new Float64Array(EVIDENCE_SIZE)
  let rows = 0
  for (const { count, evidence } of people) {
    rows += count
    for (let at = 0; at < evidence.length; at += 1) {
      const value = evidence[at] ?? 0
      const column = at % EVIDENCE_SIZE
      mean[column] = (mean[column] ?? 0) + value
      square[column] = (square[column] ?? 0) + value * value
    }
  }
  for (let i = 0; i < EVIDENCE_SIZE; i += 1) mean[i] = (mean[i] ?? 0) / rows
  const sd = square.map((sum, i) => Math.max(0.05, Math.sqrt(Math.max(0, sum / rows - (mean[i] ?? 0) ** 2))))
  return { mean, sd }
}

function readScaled({ evidence }: Rows, t: number, { mean, sd }: Scale, into: Float64Array): void {
  for (let i = 0; i < EVIDENCE_SIZE; i += 1)
    into[i] = ((evidence[t * EVIDENCE_SIZE + i] ?? 0) - (mean[i] ?? 0)) / (sd[i] ?? 1)
}

/** (x − mean) / sd as part of the first layer's weights. */
function foldScale(layers: Layers, { mean, sd }: Scale): Layer[] {
  const [first, ...rest] = layers
  if (!first) return []
  const weights = first.weights.map((weight, at) => weight / (sd[Math.floor(at / first.outputs)] ?? 1))
  const bias = Float64Array.from(first.bias)
  weights.forEach((weight, at) => {
    const o = at % first.outputs
    bias[o] = (bias[o] ?? 0) - weight * (mean[Math.floor(at / first.outputs)] ?? 0)
  })
  return [{ ...first, weights, bias }, ...rest]
}
