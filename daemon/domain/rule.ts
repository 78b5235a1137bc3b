/** Rules of a person: what a value must do before somebody is told. Judged one observation at a time, in constant work. */
import { type Static, Type } from 'typebox'
import { SEVERITIES } from './episode.ts'
import type { Metric } from './metric.ts'
import type { Told } from './unit.ts'

const metric = Type.String({ minLength: 1, maxLength: 64 })
const seconds = (minimum: number, maximum = 7 * 86_400) => Type.Integer({ minimum, maximum })

/** A value beyond a threshold for a time; it is over once the value has been back beyond `clear_at`. */
const Threshold = Type.Object(
  {
    type: Type.Enum(['above', 'below']),
    metric,
    threshold: Type.Number(),
    for_seconds: Type.Optional(seconds(0)),
    clear_at: Type.Optional(Type.Number()),
    clear_for_seconds: Type.Optional(seconds(0)),
  },
  { additionalProperties: false },
)
/** A value that rises or falls by `change` within `within_seconds`. */
const Rate = Type.Object(
  {
    type: Type.Enum(['rises', 'falls']),
    metric,
    change: Type.Number({ exclusiveMinimum: 0 }),
    within_seconds: seconds(1, 86_400),
  },
  { additionalProperties: false },
)
/** `no_data`: nothing arrived for that long. `stale`: what arrives was measured longer ago than that. */
const Silence = Type.Object(
  {
    type: Type.Enum(['no_data', 'stale']),
    metric,
    after_seconds: seconds(60),
    /** What a device that has signed off changes: `wait` says nothing until it is back. */
    when_offline: Type.Optional(Type.Enum(['tell', 'wait'])),
  },
  { additionalProperties: false },
)
const Battery = Type.Object(
  { type: Type.Literal('battery'), below_percent: Type.Number({ minimum: 1, maximum: 99 }) },
  { additionalProperties: false },
)

export const Condition = Type.Union([Threshold, Rate, Silence, Battery])
export type Condition = Static<typeof Condition>

/** What a rule says, apart from whose it is. */
export const RuleDraft = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    condition: Condition,
    severity: Type.Enum([...SEVERITIES], { default: 'warning' }),
    enabled: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
)
export type RuleDraft = Static<typeof RuleDraft>

/** The metric that a condition looks at. */
export function metricOf(condition: Condition): string {
  return condition.type === 'battery' ? 'battery' : condition.metric
}

/** A battery that charges has to rise this far above its threshold before it can be low again. */
const BATTERY_HYSTERESIS = 5
/** A value measured longer ago than this was kept somewhere on its way: it is history, not an alarm. */
export const LATE_MS = 10 * 60_000
const ANCHORS = 16

export interface Point {
  atMs: number
  value: number
}

/** What a rule remembers between two observations; rebuilt from what is stored after a restart. */
export interface RuleState {
  newestMs: number
  /** Since when the value has been beyond the threshold, null while it is not. */
  beyondSinceMs: number | null
  firing: boolean
  /** While firing: since when the value has been back. */
  backSinceMs: number | null
  /** Spread over the window of a rate, oldest first, at most ANCHORS. */
  anchors: Point[]
}

/** What an observation did to a rule. */
export type Verdict = { fired: Point & { sinceMs: number; expected: number } } | { cleared: Point } | null

export function freshState(): RuleState {
  return {
    newestMs: Number.NEGATIVE_INFINITY,
    beyondSinceMs: null,
    firing: false,
    backSinceMs: null,
    anchors: [],
  }
}

/**
 * Takes one observation into `state`, which it changes. Values older than the newest are passed over: what comes late has no
 * say about now. `maxGapMs` is the longest pause of the metric after which a stretch beyond the threshold starts anew.
 */
export function observe(condition: Condition, state: RuleState, point: Point, maxGapMs: number): Verdict {
  if (point.atMs <= state.newestMs) return null
  const isGap = point.atMs - state.newestMs > maxGapMs
  state.newestMs = point.atMs
  switch (condition.type) {
    case 'above':
    case 'below':
      return observeThreshold(condition, state, point, isGap)
    case 'battery':
      return observeThreshold(batteryThreshold(condition.below_percent), state, point, isGap)
    case 'rises':
    case 'falls':
      return observeRate(condition, state, point)
    default:
      return null
  }
}

type ThresholdCondition = Static<typeof Threshold>

function batteryThreshold(percent: number): ThresholdCondition {
  return { type: 'below', metric: 'battery', threshold: percent, clear_at: percent + BATTERY_HYSTERESIS }
}

function observeThreshold(
  condition: ThresholdCondition,
  state: RuleState,
  point: Point,
  isGap: boolean,
): Verdict {
  const { threshold, for_seconds: forS = 0, clear_at: clearAt = threshold } = condition
  const sign = condition.type === 'above' ? 1 : -1
  const isBeyond = sign * (point.value - threshold) > 0
  if (isGap) {
    state.beyondSinceMs = null
    state.backSinceMs = null
  }
  if (state.firing) return observeReturn(condition, state, point, sign * (point.value - clearAt) <= 0)
  if (!isBeyond) {
    state.beyondSinceMs = null
    return null
  }
  state.beyondSinceMs ??= point.atMs
  if (point.atMs - state.beyondSinceMs < forS * 1000) return null
  state.firing = true
  state.backSinceMs = null
  return { fired: { ...point, sinceMs: state.beyondSinceMs, expected: threshold } }
}

function observeReturn(
  { clear_for_seconds: clearForS = 0 }: ThresholdCondition,
  state: RuleState,
  point: Point,
  isBack: boolean,
): Verdict {
  if (!isBack) {
    state.backSinceMs = null
    return null
  }
  state.backSinceMs ??= point.atMs
  if (point.atMs - state.backSinceMs < clearForS * 1000) return null
  state.firing = false
  state.beyondSinceMs = null
  state.backSinceMs = null
  return { cleared: point }
}

function observeRate(condition: Static<typeof Rate>, state: RuleState, point: Point): Verdict {
  const windowMs = condition.within_seconds * 1000
  const sign = condition.type === 'rises' ? 1 : -1
  state.anchors = state.anchors.filter(({ atMs }) => point.atMs - atMs <= windowMs)
  const changes = state.anchors.map((anchor) => sign * (point.value - anchor.value))
  const largest = Math.max(0, ...changes)
  const from = state.anchors[changes.indexOf(largest)] ?? point
  keepAnchor(state, point, windowMs, sign)
  const isOver = largest >= condition.change
  if (isOver === state.firing) return null
  state.firing = isOver
  if (!isOver) return { cleared: point }
  return { fired: { ...point, sinceMs: from.atMs, expected: from.value } }
}

/** Neighbours share an anchor, which keeps the value that the largest change would be counted from. */
function keepAnchor(state: RuleState, point: Point, windowMs: number, sign: number): void {
  const last = state.anchors.at(-1)
  if (!last || point.atMs - last.atMs >= windowMs / (ANCHORS - 1)) {
    state.anchors.push(point)
    if (state.anchors.length > ANCHORS) state.anchors.shift()
  } else if (sign * (point.value - last.value) < 0) {
    state.anchors[state.anchors.length - 1] = { atMs: last.atMs, value: point.value }
  }
}

/** What the hub knows of a metric's silence. */
export interface Listening {
  /** Since when the hub has been listening without a break. */
  sinceMs: number
  /** When a value last arrived, null while none has since then. */
  arrivedMs: number | null
  /** When the newest value was measured, null for none at all. */
  measuredMs: number | null
  /** Every device that could send it has signed off. */
  offline: boolean
}

/**
 * Whether a rule about silence holds at `nowMs`. After a start the hub first listens as long as the rule waits: what came
 * while it was off cannot be known.
 */
export function isSilent(
  condition: Extract<Condition, { type: 'no_data' | 'stale' }>,
  listening: Listening,
  nowMs: number,
): boolean {
  const waitMs = condition.after_seconds * 1000
  if (nowMs - listening.sinceMs < waitMs) return false
  if (listening.offline && condition.when_offline === 'wait') return false
  const lastMs = condition.type === 'no_data' ? listening.arrivedMs : listening.measuredMs
  // Nothing ever: there is nothing that could fall silent.
  if (listening.measuredMs === null) return false
  return nowMs - Math.max(lastMs ?? 0, condition.type === 'no_data' ? listening.sinceMs : 0) >= waitMs
}

/** A stretch in which a rule would have held. */
export interface Firing {
  fromMs: number
  firedMs: number
  /** Null: it still held at the end. */
  toMs: number | null
  value: number
}

/** Runs a condition about values over past ones, ascending, and answers when it would have fired. */
export function replay(condition: Condition, points: Iterable<Point>, maxGapMs: number): Firing[] {
  const state = freshState()
  const firings: Firing[] = []
  for (const point of points) {
    const verdict = observe(condition, state, point, maxGapMs)
    const last = firings.at(-1)
    if (verdict && 'fired' in verdict) {
      const { sinceMs, atMs, value } = verdict.fired
      firings.push({ fromMs: sinceMs, firedMs: atMs, toMs: null, value })
    } else if (verdict && last) last.toMs = point.atMs
  }
  return firings
}

/** When a condition about silence would have held over past values of the window. */
export function replaySilence(
  { after_seconds: afterS }: Extract<Condition, { type: 'no_data' | 'stale' }>,
  times: readonly number[],
  window: { fromMs: number; toMs: number },
): Firing[] {
  const firings: Firing[] = []
  const edges = [window.fromMs, ...times, window.toMs]
  for (const [index, fromMs] of edges.slice(0, -1).entries()) {
    const nextMs = edges[index + 1] ?? window.toMs
    const firedMs = fromMs + afterS * 1000
    if (firedMs > nextMs) continue
    const isLast = index === edges.length - 2
    firings.push({ fromMs, firedMs, toMs: isLast ? null : nextMs, value: (nextMs - fromMs) / 1000 })
  }
  return firings
}

/** How long after its measurement a value may still open something: as long as the metric may pause, at least `LATE_MS`. */
export function lateAfterMs({ maxGapMs }: Pick<Metric, 'maxGapMs'>): number {
  return Math.max(LATE_MS, maxGapMs)
}

/** The kind of episode that a condition opens; rules about the same thing share one. */
export function episodeKind(condition: Condition): string {
  return condition.type === 'battery' ? 'battery_below' : `${condition.metric}_${condition.type}`
}

/** How far back values have a say in what the condition does next. */
export function memoryMs(condition: Condition, { maxGapMs }: Pick<Metric, 'maxGapMs'>): number {
  switch (condition.type) {
    case 'above':
    case 'below':
      return ((condition.for_seconds ?? 0) + (condition.clear_for_seconds ?? 0)) * 1000 + maxGapMs
    case 'rises':
    case 'falls':
      return condition.within_seconds * 1000 + maxGapMs
    default:
      return maxGapMs
  }
}

/** What is wrong with a condition that has the right shape, by field; null when it can be judged. */
export function conditionFault(
  condition: Condition,
  metric: Metric,
): { path: string; message: string; value?: number | string } | null {
  if (condition.type === 'no_data' || condition.type === 'stale') return null
  if (metric.kind !== 'number') return { path: 'metric', message: 'has no numbers', value: metric.name }
  if (condition.type !== 'above' && condition.type !== 'below') return null
  const { threshold, clear_at: clearAt = threshold } = condition
  for (const [path, value] of Object.entries({ threshold, clear_at: clearAt })) {
    if (value < metric.min || value > metric.max)
      return { path, message: `lies outside ${metric.min} to ${metric.max} ${metric.unit}`, value }
  }
  const isBeyond = condition.type === 'above' ? clearAt > threshold : clearAt < threshold
  return isBeyond
    ? { path: 'clear_at', message: 'lies beyond the threshold: it would be over at once', value: clearAt }
    : null
}

/** What a condition says, in words that those who are told read. */
export function inWords(condition: Condition, { unit, number }: Told): string {
  const long = (seconds: number) =>
    seconds >= 7200
      ? `${Math.round(seconds / 3600)} h`
      : seconds >= 120
        ? `${Math.round(seconds / 60)} min`
        : `${seconds} s`
  switch (condition.type) {
    case 'above':
    case 'below': {
      const forS = condition.for_seconds ?? 0
      return `${condition.type} ${number(condition.threshold)} ${unit}${forS > 0 ? ` for ${long(forS)}` : ''}`
    }
    case 'rises':
    case 'falls':
      return `${condition.type} by ${number(condition.change)} ${unit} within ${long(condition.within_seconds)}`
    case 'no_data':
      return `nothing arrived for ${long(condition.after_seconds)}`
    case 'stale':
      return `nothing newer than ${long(condition.after_seconds)}`
    case 'battery':
      return `battery below ${condition.below_percent} %`
  }
}
