/** Fits the forecaster's net by the pinball loss of nine quantiles, as offsets from what the hour usually shows. */
import { type HourlySeries, QUANTILES, type Subject, valueAt } from '../series/forecast-days.ts'
import { FORECAST_EVIDENCE, HORIZON, readEvidence, recentOf } from '../series/forecast-evidence.ts'
import { profileOf } from '../series/forecast-profile.ts'
import type { MadeChild } from './forecast-child.ts'
import { createTrainer, drawLayers, type Layer } from './layers.ts'
import type { Draw } from './random.ts'

export interface ForecastRows {
  count: number
  evidence: Float32Array
  /** In units of the usual deviation: (usual quantile − value), nine of each row. */
  gap: Float32Array
}

const FIRST_DAY = 4

/** One forecast a day and target, at any hour. */
export function forecastRows(
  child: MadeChild,
  draw: Draw,
  hide: (evidence: Float64Array) => void,
): ForecastRows {
  const rows: { evidence: Float32Array; gap: Float32Array }[] = []
  for (const kind of ['level', 'sleep'] as const) {
    const series = kind === 'level' ? child.stress : child.sleep
    const days = series.values.length / HORIZON
    for (let day = FIRST_DAY; day < days - 1; day += 1)
      rows.push(...rowsAt(series, day * HORIZON + draw.whole(0, 23), child.subjectOf(kind), hide))
  }
  const evidence = new Float32Array(rows.length * FORECAST_EVIDENCE)
  const gap = new Float32Array(rows.length * QUANTILES.length)
  rows.forEach((row, at) => {
    evidence.set(row.evidence, at * FORECAST_EVIDENCE)
    gap.set(row.gap, at * QUANTILES.length)
  })
  return { count: rows.length, evidence, gap }
}

function rowsAt(
  series: HourlySeries,
  origin: number,
  subject: Subject,
  hide: (evidence: Float64Array) => void,
) {
  const profile = profileOf(series, origin, subject)
  if (profile === null) return []
  const known = { firstHour: series.firstHour, values: series.values.subarray(0, origin - series.firstHour) }
  const ground = { series: known, origin, subject, profile, recent: recentOf(known, origin, profile) }
  const evidence = new Float64Array(FORECAST_EVIDENCE)
  return Array.from({ length: HORIZON }, (_, ahead) => ahead).flatMap((ahead) => {
    const value = valueAt(series, origin + ahead)
    if (Number.isNaN(value)) return []
    readEvidence(ground, ahead, evidence)
    hide(evidence)
    const gap = Float32Array.from(
      profile.at(origin + ahead).quantiles,
      (usual) => (usual - value) / profile.residualSd,
    )
    return [{ evidence: Float32Array.from(evidence), gap }]
  })
}

export interface ForecastFit {
  hidden: readonly number[]
  epochs: number
  batch: number
  rate: number
  told?: (epoch: number, loss: number) => void
}

export function fitForecaster(children: readonly ForecastRows[], settings: ForecastFit, draw: Draw): Layer[] {
  const layers = drawLayers([FORECAST_EVIDENCE, ...settings.hidden, QUANTILES.length], draw)
  // No offset at all is the plain forecast: a good place to begin.
  layers.at(-1)?.weights.fill(0)
  const trainer = createTrainer(layers, 1e-4)
  const order = children.flatMap((child, at) =>
    Array.from({ length: child.count }, (_, row) => [at, row] as const),
  )
  const input = new Float64Array(FORECAST_EVIDENCE)
  const slopes = new Float64Array(QUANTILES.length)
  for (let epoch = 0; epoch < settings.epochs; epoch += 1) {
    draw.shuffle(order)
    const rate = settings.rate * 0.5 * (1 + Math.cos((Math.PI * epoch) / settings.epochs))
    let loss = 0
    order.forEach(([at, row], done) => {
      const child = children[at]
      if (!child) return
      const start = row * FORECAST_EVIDENCE
      for (let i = 0; i < FORECAST_EVIDENCE; i += 1) input[i] = child.evidence[start + i] ?? 0
      const offsets = trainer.forward(input)
      QUANTILES.forEach((share, k) => {
        const off = -((child.gap[row * QUANTILES.length + k] ?? 0) + (offsets[k] ?? 0))
        slopes[k] = off >= 0 ? -share : 1 - share
        loss += Math.max(share * off, (share - 1) * off)
      })
      trainer.backward(slopes)
      if ((done + 1) % settings.batch === 0) trainer.step(rate)
    })
    settings.told?.(epoch, loss / order.length / QUANTILES.length)
  }
  return layers
}
