/** Turns what importers read into what the hub stores, each item judged as if it had come over HTTP. Pure. */
import { createMemory } from '../../../firmware-bridge/import/memory.ts'
import type {
  ImportedActivity,
  ImportedEvent,
  ImportedSample,
  ImportedSleep,
  ImportRecord,
} from '../../../firmware-bridge/import/record.ts'
import type { DataClass } from '../../domain/access.ts'
import { EARLIEST_MS } from '../../domain/instant.ts'
import { FUTURE_TOLERANCE_MS, type IntakeContext, takeIn } from '../../domain/intake.ts'
import { metricNamed } from '../../domain/metric.ts'
import type { Observation } from '../../domain/observation.ts'
import { STAGES_MAX } from '../../domain/sleep-stages.ts'
import { iso } from '../../kernel/envelope.ts'
import type { LandingNote, LandingRecord, ReadingOrder, Skip } from './batch.ts'
import { createEaten, EATEN } from './eaten.ts'
import { createInstants, type Instants } from './instants.ts'
import { sourceName } from './source-name.ts'

export interface Landed {
  observations: Observation[]
  records: LandingRecord[]
  notes: LandingNote[]
  skipped: Skip[]
}

export interface Landing {
  /** Says what the file turned out to be, where that was not told. */
  settle(kind: string): void
  /** Adds what a record comes to. */
  take(record: ImportRecord, to: Landed): void
  /** Adds what only the end of the file settles: meals out of their amounts, and what was left out beyond the lines told one by one. */
  finish(to: Landed): void
}

/** Instants of one source and metric; a file tells what belongs together close by. */
const REMEMBERED = 20_000
/** Sources and metrics of one file whose instants are remembered; the instants of all others share one memory. */
const SERIES_MAX = 100
const MINUTE_S = 60
/** Lines of one reason that are told one by one; more are counted. */
const LINES = 20
const REASONS_MAX = 500
const AHEAD = 'the time lies in the future'
const TOO_EARLY = 'the time lies before 2000-01-01'
const CLOSED = 'your access to this person does not cover it'
const TOLD_BEFORE = 'this source told another value of the same instant before'
const NO_AMOUNT = 'what was eaten is told with an amount and a time'
const TOO_MUCH_EATEN = 'the file tells of more meals than can be put together at once'
/** Kept in notes and nowhere else; what explains glucose is as private as glucose. */
const OF_GLUCOSE: ReadonlySet<string> = new Set(['insulin', 'basal'])

export function createLanding(order: ReadingOrder): Landing {
  const classes = new Set<DataClass>(order.classes)
  const told = createTold()
  const nameOf = memoisedName()
  const eaten = createEaten()
  let kind: string = order.kind
  const further = new Map<string, Skip & { lines: number }>()

  /** Lists what was left out; a million of the same become some lines and a number. */
  function leaveOut(what: string, where: () => string, reason: string, to: Landed): void {
    const full = further.size >= REASONS_MAX
    const key = full && !further.has(`${what}\n${reason}`) ? 'others' : `${what}\n${reason}`
    const known = further.get(key) ?? {
      where: what,
      reason: full ? 'other reasons' : reason,
      count: 0,
      lines: 0,
    }
    further.set(key, known)
    if (known.lines < LINES) {
      known.lines += 1
      to.skipped.push({ where: where(), reason, count: 1 })
    } else known.count += 1
  }

  /** Adds the observations of one sample, or why there are none. */
  function observe(sample: Parameters<typeof takeIn>[0], source: string, to: Landed): void {
    for (const intake of takeIn(sample, contextFor(order, source))) {
      const reason = 'rejected' in intake ? reasonOf(intake.rejected) : faultOf(intake.observation)
      if (reason !== null) leaveOut(sample.metric, () => placeOf(sample), reason, to)
      else if ('observation' in intake) to.observations.push(intake.observation)
    }
  }

  function faultOf({ metric, atMs, source }: Observation): string | null {
    if (!classes.has(metricNamed(metric)?.class ?? 'wellness')) return CLOSED
    return told(source, metric, atMs) ? TOLD_BEFORE : null
  }

  function addSleep(sleep: ImportedSleep, source: string, to: Landed): void {
    addRecord(
      { kind: 'sleep', source, body: sleepBody(sleep), where: `sleep from ${iso(sleep.startMs)}` },
      to,
    )
    if (isHypnogram(sleep)) return
    for (const { stage, startMs, endMs } of sleep.stages)
      observe({ metric: 'sleep_state', value: stage, ts: startMs, tEnd: endMs }, source, to)
  }

  function addRecord(record: LandingRecord, to: Landed): void {
    const needed: DataClass = record.kind === 'meal' ? 'glucose' : 'wellness'
    if (classes.has(needed)) to.records.push(record)
    else leaveOut(record.kind, () => record.where, CLOSED, to)
  }

  function addEaten(sample: ImportedSample, source: string, to: Landed): void {
    const { metric, value, atMs } = sample
    const isAmount = typeof value === 'number' && value >= 0 && Number.isFinite(atMs)
    if (isAmount && eaten.amount(source, metric, value, atMs)) return
    leaveOut(metric, () => placeOf(inputOf(sample)), isAmount ? TOO_MUCH_EATEN : NO_AMOUNT, to)
  }

  function addEvent(event: ImportedEvent, source: string, to: Landed): void {
    const where = `${event.event} at ${iso(event.atMs)}`
    const { facts = {} } = event
    if (event.event === 'meal') {
      eaten.meal(event.atMs, { carbs: facts['carbs_g'], energy: facts['energy_kcal'] })
      addRecord({ kind: 'meal', source, body: mealBody(event), where }, to)
    } else if (event.event === 'exercise' && typeof facts['duration_min'] === 'number')
      addRecord({ kind: 'activity', source, body: exerciseBody(event), where }, to)
    else if (!classes.has(OF_GLUCOSE.has(event.event) ? 'glucose' : 'wellness'))
      leaveOut(event.event, () => where, CLOSED, to)
    else if (event.atMs > order.nowMs + FUTURE_TOLERANCE_MS) leaveOut(event.event, () => where, AHEAD, to)
    else if (event.atMs < EARLIEST_MS) leaveOut(event.event, () => where, TOO_EARLY, to)
    else to.notes.push({ source, atMs: event.atMs, context: { event: event.event, ...facts } })
  }

  return {
    settle(found) {
      kind = found
    },
    take(record, to) {
      if (record.kind === 'finding') return
      if (record.kind === 'skipped') {
        to.skipped.push({ where: record.where, reason: record.reason, count: record.count ?? 1 })
        return
      }
      const source = nameOf(record.sourceName, kind)
      if (record.kind === 'sample' && EATEN.has(record.metric)) addEaten(record, source, to)
      else if (record.kind === 'sample') observe(inputOf(record), source, to)
      else if (record.kind === 'sleep') addSleep(record, source, to)
      else if (record.kind === 'activity')
        addRecord(
          {
            kind: 'activity',
            source,
            body: activityBody(record),
            where: `activity at ${iso(record.startMs)}`,
          },
          to,
        )
      else addEvent(record, source, to)
    },
    finish(to) {
      for (const meal of eaten.meals()) addRecord(meal, to)
      for (const { where, reason, count } of further.values())
        if (count > 0) to.skipped.push({ where: `further ${where}`, reason, count })
    },
  }
}

function placeOf({ metric, ts }: Parameters<typeof takeIn>[0]): string {
  return `${metric} at ${typeof ts === 'number' ? iso(ts) : 'no time'}`
}

/** Whether a source told of this instant before; each series has a memory of its own, so that no key has to be put together. */
function createTold(): (source: string, metric: string, atMs: number) => boolean {
  const bySource = new Map<string, Map<string, Instants>>()
  const others = createMemory(REMEMBERED)
  let series = 0
  const memoryOf = (source: string, metric: string) => {
    const own = bySource.get(source)?.get(metric)
    if (own || series >= SERIES_MAX) return own
    series += 1
    const made = createInstants(REMEMBERED)
    const metrics = bySource.get(source) ?? new Map<string, Instants>()
    bySource.set(source, metrics.set(metric, made))
    return made
  }
  return (source, metric, atMs) =>
    memoryOf(source, metric)?.knows(atMs) ?? others.knows(`${source}\n${metric}\n${atMs}`)
}

/** Neighbouring records mostly come from the same app. */
function memoisedName(): typeof sourceName {
  let last = { told: undefined as string | undefined, kind: '', name: '' }
  return (told, kind) => {
    if (last.name === '' || last.told !== told || last.kind !== kind)
      last = { told, kind, name: sourceName(told, kind) }
    return last.name
  }
}

function inputOf(sample: ImportedSample): Parameters<typeof takeIn>[0] {
  const { metric, value, unit, atMs, endMs, censored, agg, facts } = sample
  const kept = agg === undefined ? facts : { ...facts, agg }
  return {
    metric,
    value,
    unit: unit === '' || typeof value !== 'number' ? undefined : unit,
    ts: atMs,
    ...(endMs === undefined ? {} : { tEnd: endMs }),
    ...(censored === undefined ? {} : { censored }),
    ...(kept === undefined ? {} : { facts: kept }),
  }
}

function contextFor({ personId, nowMs, zone }: ReadingOrder, source: string): IntakeContext {
  return {
    deviceId: '',
    source,
    nowMs,
    arrivedMs: null,
    deviceZone: zone,
    naiveZone: zone,
    personAt: () => personId,
  }
}

function reasonOf({ code, path, message }: { code: string; path: string; message: string }): string {
  return code === 'FUTURE_TIMESTAMP' ? AHEAD : `${path}: ${message}`
}

/** Stretches that a night takes as its own; some programs write ones that overlap or lie outside of it. */
function isHypnogram({ startMs, endMs, stages }: ImportedSleep): boolean {
  const ascending = stages.toSorted((a, b) => a.startMs - b.startMs)
  return (
    stages.length <= STAGES_MAX &&
    ascending.every((one, index) => {
      const fromMs = ascending[index - 1]?.endMs ?? startMs
      return one.startMs >= fromMs && one.endMs > one.startMs && one.endMs <= endMs
    })
  )
}

function sleepBody(sleep: ImportedSleep): Record<string, unknown> {
  const { startMs, endMs, nightOf, minutes } = sleep
  const { light, deep, rem, asleep, awake } = minutes
  const stages = [light, deep, rem].reduce<number>((sum, one) => sum + (one ?? 0), 0)
  // Time asleep holds the stages, and stretches without one.
  const slept = Math.max(asleep ?? 0, stages)
  return {
    date: nightOf,
    sleep_start: startMs,
    sleep_end: endMs,
    ...(sleep.stages.length > 0 && isHypnogram(sleep) ? { stages: sleep.stages.map(stageBody) } : {}),
    ...(slept > 0 ? { duration_minutes: slept } : {}),
    ...(light === undefined ? {} : { light_sleep_minutes: light }),
    ...(deep === undefined ? {} : { deep_sleep_minutes: deep }),
    ...(rem === undefined ? {} : { rem_sleep_minutes: rem }),
    ...(awake === undefined ? {} : { awake_minutes: awake }),
  }
}

function stageBody({ stage, startMs, endMs }: ImportedSleep['stages'][number]) {
  return { stage, start: startMs, end: endMs }
}

function activityBody(activity: ImportedActivity): Record<string, unknown> {
  const { type, startMs, durationS, distanceM, energyKcal, hrAvg, hrMax } = activity
  return {
    timestamp: startMs,
    activity_type: (type || 'other').slice(0, 50),
    duration_minutes: durationS / MINUTE_S,
    calories_burned: energyKcal ?? null,
    heart_rate_avg: hrAvg ?? null,
    heart_rate_max: hrMax ?? null,
    distance_m: distanceM ?? null,
  }
}

function mealBody({ atMs, facts = {} }: ImportedEvent): Record<string, unknown> {
  const number = (name: string) => (typeof facts[name] === 'number' ? facts[name] : null)
  const words = [facts['name'], facts['text']].find((one) => typeof one === 'string' && one !== '')
  return {
    timestamp: atMs,
    carbs_grams: number('carbs_g'),
    protein_grams: number('protein_g'),
    fat_grams: number('fat_g'),
    calories: number('energy_kcal'),
    description: typeof words === 'string' ? words.slice(0, 4000) : null,
  }
}

const INTENSITIES: ReadonlySet<unknown> = new Set(['light', 'moderate', 'vigorous'])

function exerciseBody({ atMs, facts = {} }: ImportedEvent): Record<string, unknown> {
  const { duration_min: minutes, intensity } = facts
  return {
    timestamp: atMs,
    activity_type: 'exercise',
    duration_minutes: minutes,
    intensity: INTENSITIES.has(intensity) ? intensity : null,
  }
}
