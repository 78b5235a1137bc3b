/** One day of one watch, as the hub's acceptance figures count it: pulse each second, four series a minute, two each five minutes. */
import type { Observation } from '../../daemon/domain/observation.ts'

const DAY_S = 86_400
const SERIES = [
  { metric: 'heart_rate', everyS: 1, from: 70, step: 1, unit: 1 },
  { metric: 'respiratory_rate', everyS: 60, from: 16, step: 1, unit: 1 },
  { metric: 'steps', everyS: 60, from: 20, step: 9, unit: 1 },
  { metric: 'spo2', everyS: 60, from: 97, step: 1, unit: 1 },
  { metric: 'skin_temp', everyS: 60, from: 36.5, step: 1, unit: 0.01 },
  { metric: 'hrv_rmssd', everyS: 300, from: 45, step: 3, unit: 1 },
  { metric: 'glucose', everyS: 300, from: 110, step: 4, unit: 1 },
] as const

/** Packets come when the radio lets them: so far after their second. */
const LATE_MS = 250

/** Walks with bounds, the same every time; every value moves, and no instant is a round one. */
export function watchDay(personId: string, deviceId: string, startMs: number): Observation[] {
  let state = 7
  const dice = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return SERIES.flatMap(({ metric, everyS, from, step, unit }) => {
    let value: number = from
    return Array.from({ length: DAY_S / everyS }, (_, index) => {
      const moved = value + Math.round((dice() * 2 - 1) * step * 2) * unit
      value = Math.round(Math.min(from * 1.6, Math.max(from * 0.7, moved)) / unit) * unit
      const atMs = startMs + index * everyS * 1000 + Math.floor(dice() * LATE_MS)
      return {
        ...{ personId, deviceId, metric, source: 'gatt', quality: null, extra: null },
        ...{ atMs, value: Number(Math.min(value, metric === 'spo2' ? 100 : value).toFixed(2)) },
      }
    })
  })
}
