/** What goes wrong in made-up people, with its place known. */
import type { VitalMinute } from '../series/anomaly-minute.ts'
import type { Draw } from './random.ts'
import { asWorn, type Body, type Course, DAY_MINUTES, drawBody, drawCourse } from './vitals-person.ts'

export const KINDS = [
  'tachy_rest',
  'brady_sleep',
  'hrv_collapse',
  'irregular',
  'fever_drift',
  'sensor_frozen',
  'desaturation',
  'other',
] as const
/** `other` is no illness: any channels, in any direction, for any time. It teaches the net what it has no name for. */
export type Kind = (typeof KINDS)[number]

/** Whole minutes, both ends included. */
export interface VitalEvent {
  kind: Kind
  start: number
  end: number
}

export interface MadePerson {
  minutes: VitalMinute[]
  events: VitalEvent[]
}

export interface Wanted {
  days: number
  /** Days from the start on in which nothing happens. */
  quietDays: number
  /** A day, after the quiet ones. */
  eventsPerDay: number
  kinds?: readonly Kind[]
  /** Bodies like those of the sample people: every channel but oxygen and temperature, one value a minute. */
  isPlain?: boolean
}

const LENGTH: Readonly<Record<Kind, readonly [number, number]>> = {
  tachy_rest: [8, 25],
  brady_sleep: [12, 30],
  hrv_collapse: [25, 60],
  irregular: [10, 30],
  fever_drift: [300, 600],
  sensor_frozen: [20, 45],
  desaturation: [6, 30],
  other: [8, 180],
}
/** Between two events: what follows one is neither well nor ill. */
const APART_MINUTES = 60

export function drawPerson(wanted: Wanted, draw: Draw): MadePerson {
  const drawn = drawBody(draw)
  const body: Body = wanted.isPlain
    ? {
        ...drawn,
        hasHrv: true,
        hasSteps: true,
        everyMinutes: 1,
        hasSpo2: false,
        hasTemp: false,
        excitements: 0,
      }
    : drawn
  const course = drawCourse(body, wanted.days, draw)
  const events = placeEvents(body, course, wanted, draw)
  const frozen = events.filter(({ kind }) => kind === 'sensor_frozen')
  const jumps = new Float64Array(course.hr.length)
  for (const event of events) strike(body, course, jumps, event, draw)
  for (let t = 0; t < jumps.length; t += 1) course.hr[t] = (course.hr[t] ?? 0) + (jumps[t] ?? 0)
  const minutes = asWorn(body, course, draw)
  for (const event of frozen) freeze(minutes, event)
  return { minutes, events: events.toSorted((a, b) => a.start - b.start) }
}

function placeEvents(body: Body, course: Course, wanted: Wanted, draw: Draw): VitalEvent[] {
  const { days, quietDays, eventsPerDay, kinds = KINDS } = wanted
  const possible = kinds.filter(
    (kind) => (kind !== 'desaturation' || body.hasSpo2) && (body.hasHrv || kind !== 'hrv_collapse'),
  )
  const events: VitalEvent[] = []
  if (possible.length === 0) return events
  const count = Math.round((days - quietDays) * eventsPerDay)
  for (let tries = 0; events.length < count && tries < count * 40; tries += 1) {
    const kind = draw.pick(possible)
    const start = draw.whole(quietDays * DAY_MINUTES + 30, days * DAY_MINUTES - 60)
    const end = start + draw.whole(...LENGTH[kind]) - 1
    if (end > days * DAY_MINUTES - 30 || !suits(kind, course, start, end)) continue
    if (events.every((other) => start > other.end + APART_MINUTES || end < other.start - APART_MINUTES))
      events.push({ kind, start, end })
  }
  return events
}

function suits(kind: Kind, { asleep, strained }: Course, start: number, end: number): boolean {
  if (kind === 'brady_sleep') return asleep.subarray(start, end + 1).every((one) => one === 1)
  if (kind === 'fever_drift' || kind === 'sensor_frozen') return true
  return strained.subarray(start, end + 1).every((one) => one === 0)
}

/** Up within `rise` minutes, and down in as many. */
function hill(t: number, start: number, end: number, rise: number): number {
  return Math.max(0, Math.min(1, (t - start + 1) / rise, (end - t + 1) / rise))
}

function strike(
  body: Body,
  course: Course,
  jumps: Float64Array,
  { kind, start, end }: VitalEvent,
  draw: Draw,
) {
  const isOther = kind === 'other'
  const beats = BEATS[kind](draw)
  const lnHrv = isOther && beats === 0 ? either(draw, 0.45, 1.3) : LN_HRV[kind](draw)
  const rise = kind === 'fever_drift' ? draw.uniform(60, 240) : draw.uniform(1, 4)
  const swing = kind === 'irregular' ? draw.uniform(8, 18) : 0
  const oxygen =
    kind === 'desaturation' ? draw.uniform(5, 15) : isOther && draw.chance(0.2) ? draw.uniform(3, 12) : 0
  const warmth =
    kind === 'fever_drift' ? draw.uniform(0.6, 2.4) : isOther && draw.chance(0.2) ? either(draw, 0.5, 2) : 0
  for (let t = start; t <= end; t += 1) {
    const share = hill(t, start, end, rise)
    jumps[t] = share * (beats + swing * (t % 2 === 0 ? 1 : -1) + (swing > 0 ? draw.normal(0, swing / 3) : 0))
    course.lnHrv[t] = (course.lnHrv[t] ?? 0) + share * lnHrv
    course.spo2[t] = (course.spo2[t] ?? 0) - share * oxygen
    course.temp[t] = (course.temp[t] ?? 0) + share * warmth
    if (kind === 'tachy_rest' || kind === 'brady_sleep')
      jumps[t] = (jumps[t] ?? 0) + share * draw.normal(0, body.noiseSd)
  }
}

/** Up or down by so much. */
function either(draw: Draw, low: number, high: number): number {
  return (draw.chance(0.5) ? 1 : -1) * draw.uniform(low, high)
}

const none = () => 0
/** How far the heart rate goes at most, in beats per minute. */
const BEATS: Readonly<Record<Kind, (draw: Draw) => number>> = {
  tachy_rest: ({ uniform }) => uniform(15, 45),
  brady_sleep: ({ uniform }) => -uniform(10, 26),
  hrv_collapse: ({ uniform }) => uniform(2, 10),
  irregular: ({ uniform }) => uniform(-5, 5),
  fever_drift: ({ uniform }) => uniform(7, 20),
  sensor_frozen: none,
  desaturation: ({ uniform }) => uniform(0, 12),
  other: (draw) => (draw.chance(0.75) ? either(draw, 10, 35) : 0),
}
/** And the logarithm of HRV. */
const LN_HRV: Readonly<Record<Kind, (draw: Draw) => number>> = {
  tachy_rest: ({ uniform }) => -uniform(0.25, 0.8),
  brady_sleep: none,
  hrv_collapse: ({ uniform }) => -uniform(0.7, 1.4),
  irregular: ({ uniform }) => uniform(0.5, 1.1),
  fever_drift: ({ uniform }) => -uniform(0, 0.3),
  sensor_frozen: none,
  desaturation: none,
  other: (draw) => (draw.chance(0.5) ? either(draw, 0.2, 1.2) : 0),
}

/** The watch repeats its last word. */
function freeze(minutes: VitalMinute[], { start, end }: VitalEvent): void {
  const last = minutes.slice(0, start).findLast(({ hr }) => hr !== null)
  for (let t = start; t <= end; t += 1) {
    const minute = minutes[t]
    if (!minute || !last || minute.hr === null) continue
    minutes[t] = { ...minute, hr: last.hr, hrv: minute.hrv === null ? null : last.hrv }
  }
}
