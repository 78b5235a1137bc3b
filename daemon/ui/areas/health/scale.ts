/** Turns instants and values into places on a drawing, and places into instants. */
import { localDay, wallTimeToMs } from '../../../domain/zone.ts'

export interface Frame {
  width: number
  height: number
  left: number
  right: number
  top: number
  bottom: number
}

export interface Scale {
  (value: number): number
  invert(at: number): number
}

/** A straight scale; `from` and `to` may run either way. */
export function scaleOf(low: number, high: number, from: number, to: number): Scale {
  const span = high - low || 1
  const scale = (value: number) => from + ((value - low) / span) * (to - from)
  return Object.assign(scale, { invert: (at: number) => low + ((at - from) / (to - from)) * span })
}

export interface Point {
  x: number
  y: number
}

/** `M… L…` through the points; empty without any. */
export function lineThrough(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('')
}

/** The closed shape between two lines over the same places. */
export function bandBetween(upper: readonly Point[], lower: readonly Point[]): string {
  if (upper.length === 0) return ''
  return `${lineThrough([...upper, ...lower.toReversed()])}Z`
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Full hours of the zone's wall clock within a window, every `stepHours`; a clock that jumps keeps its hours. */
export function wallTicks(fromMs: number, toMs: number, zone: string, stepHours: number): number[] {
  const found = new Set<number>()
  let day = localDay(fromMs, zone)
  const last = localDay(toMs, zone)
  for (let days = 0; days < 3; days += 1) {
    for (let hour = 0; hour < 24; hour += stepHours) {
      const atMs = wallTimeToMs(`${day}T${String(hour).padStart(2, '0')}:00`, zone)
      if (atMs !== null && atMs >= fromMs && atMs <= toMs) found.add(atMs)
    }
    if (day >= last) break
    day = dayPlus(day, 1)
  }
  return [...found].sort((a, b) => a - b)
}

export function dayPlus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** The hours between labels that leave room for them: a label is about 44 pixels wide. */
export function hoursApart(spanMs: number, widthPx: number): number {
  const hours = spanMs / 3_600_000
  const fits = Math.max(2, Math.floor(widthPx / 64))
  return [1, 2, 3, 6, 12].find((step) => hours / step <= fits) ?? 24
}
