/** Makes one day's answers into lanes on a common time axis: spans, marks and lines. */
import type { LevelPoint, RawPoint } from '../../../net/answers.ts'
import type { Activity, Episode, Lane, Meal, Mood, Night, Session, Timeline } from '../answers.ts'
import type { Entry } from '../calendar/answers.ts'
import type { StageSpan } from '../sleep/nights.ts'

/** What lies behind something that is drawn, for those who want to know more. */
export interface Behind {
  /** A page that has all of it. */
  to?: string
  meal?: Meal
}

export interface Span extends Behind {
  fromMs: number
  toMs: number
  text: string
  detail: string
  stages?: readonly StageSpan[]
}

export interface Mark extends Behind {
  atMs: number
  text: string
  detail: string
}

export interface Values {
  metric: string
  points: { atMs: number; mean: number; min: number; max: number; sum: number }[]
}

/** What of a person's day is known; null where it is not shared with the reader. */
export interface DayAnswers {
  timeline: Timeline
  nights: Night[] | null
  meals: Meal[] | null
  activities: Activity[] | null
  moods: Mood[] | null
  plans: Entry[] | null
  sessions: Session[] | null
  episodes: Episode[] | null
  /** States of sleep as they were measured, for nights that bring no stages of their own. */
  stages: RawPoint[]
}

export type SpanKind = 'sleep' | 'activity' | 'session' | 'plan' | 'episode'
export type MarkKind = 'meal' | 'mood' | 'school' | 'note'

/** One thing of the day, whatever lane it lies in. */
export interface Thing extends Behind {
  kind: SpanKind | MarkKind
  fromMs: number
  toMs: number
  text: string
  detail: string
}

/** Of stretches that overlap the longest stands for all, with how many told it: a watch and a strap slept one night. Ascending. */
export function toldOnce(items: readonly Span[]): { span: Span; tellers: number }[] {
  const kept: { span: Span; tellers: number }[] = []
  for (const span of items.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))) {
    const same = kept.find((one) => one.span.fromMs < span.toMs && span.fromMs < one.span.toMs)
    if (same) same.tellers += 1
    else kept.push({ span, tellers: 1 })
  }
  return kept.sort((a, b) => a.span.fromMs - b.span.fromMs)
}

/** A finger is not exact to the minute. */
const NEAR_MS = 20 * 60_000

/** Everything of the day, or what lies about one instant where there is something; ascending. */
export function thingsOf(
  {
    spans,
    marks,
  }: {
    spans: readonly { kind: SpanKind; items: readonly Span[] }[]
    marks: readonly { kind: MarkKind; items: readonly Mark[] }[]
  },
  aboutMs: number | null,
): { things: Thing[]; isAll: boolean } {
  const all: Thing[] = [
    ...spans.flatMap(({ kind, items }) => items.map((item) => ({ ...item, kind }))),
    ...marks.flatMap(({ kind, items }) =>
      items.map((item) => ({ ...item, kind, fromMs: item.atMs, toMs: item.atMs })),
    ),
  ].sort((a, b) => a.fromMs - b.fromMs)
  const near =
    aboutMs === null
      ? []
      : all.filter(({ fromMs, toMs }) => fromMs - NEAR_MS <= aboutMs && aboutMs <= toMs + NEAR_MS)
  return near.length > 0 ? { things: near, isAll: near.length === all.length } : { things: all, isAll: true }
}

/** Metrics that get a lane, most asked for first. */
const DRAWN = [
  'heart_rate',
  'glucose',
  'stress',
  'spo2',
  'respiratory_rate',
  'skin_temp',
  'body_temp',
] as const
const LINES_MAX = 4
const BUCKET_MS = 15 * 60_000

/** The lines that there is something for. */
export function linesOf({ lanes }: Timeline): Values[] {
  const known = DRAWN.flatMap((name) => lanes.find(({ metric }) => metric === name) ?? [])
  return known
    .slice(0, LINES_MAX)
    .map(valuesOf)
    .filter(({ points }) => points.length > 0)
}

/** What is counted up over the day, such as steps. */
export function countsOf({ lanes }: Timeline, metric: string): Values | null {
  const lane = lanes.find((one) => one.metric === metric)
  const values = lane ? valuesOf(lane) : null
  return values && values.points.length > 0 ? values : null
}

function valuesOf({ metric, points }: Lane): Values {
  const buckets = points.filter((point): point is LevelPoint => 'mean' in point)
  return {
    metric,
    points: buckets.map(({ ts, mean, min, max, count }) => ({
      ...{ atMs: Date.parse(ts) + BUCKET_MS / 2, mean, min, max },
      sum: mean * count,
    })),
  }
}

/** Two quarters of an hour without a value in between are a hole, which stays open. */
export function unbroken<Value extends { atMs: number }>(points: readonly Value[]): Value[][] {
  const found: Value[][] = []
  let before: Value | null = null
  for (const point of points) {
    if (!before || point.atMs - before.atMs > 2 * BUCKET_MS) found.push([])
    found.at(-1)?.push(point)
    before = point
  }
  return found
}

/** What lies at least partly within the day, cut to it. */
export function within(spans: readonly Span[], fromMs: number, toMs: number): Span[] {
  return spans
    .filter((span) => span.toMs > fromMs && span.fromMs < toMs)
    .map((span) => ({
      ...span,
      fromMs: Math.max(span.fromMs, fromMs),
      toMs: Math.min(span.toMs, toMs),
      ...(span.stages && { stages: cut(span.stages, fromMs, toMs) }),
    }))
}

function cut(stages: readonly StageSpan[], fromMs: number, toMs: number): StageSpan[] {
  return stages
    .filter((one) => one.toMs > fromMs && one.fromMs < toMs)
    .map((one) => ({ ...one, fromMs: Math.max(one.fromMs, fromMs), toMs: Math.min(one.toMs, toMs) }))
}

/** The value at an instant: of the quarter of an hour that it lies in. */
export function valueAt({ points }: Values, atMs: number): number | null {
  return points.find((point) => Math.abs(point.atMs - atMs) <= BUCKET_MS / 2)?.mean ?? null
}

const NAMES = ['title', 'name', 'event', 'label', 'type', 'description'] as const
const TIMES = ['start', 'starts_at', 'ts', 'timestamp', 'time', 'date', 'day'] as const

/** School events are of the family's own making: whatever names itself and a time of this day is shown. */
export function schoolMarks(events: readonly unknown[], day: string, noonMs: number): Mark[] {
  return events.flatMap((event) => {
    if (typeof event !== 'object' || event === null) return []
    const fields = event as Record<string, unknown>
    const said = (names: readonly string[]) =>
      names.map((name) => fields[name]).find((value) => typeof value === 'string' && value !== '')
    const when = said(TIMES)
    const text = said(NAMES)
    if (typeof when !== 'string' || typeof text !== 'string' || !when.startsWith(day)) return []
    const atMs = when.length > 10 ? Date.parse(when) : Number.NaN
    return [{ atMs: Number.isFinite(atMs) ? atMs : noonMs, text, detail: '' }]
  })
}
