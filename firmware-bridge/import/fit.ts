import { createFitMessages, type FitMessage } from './fit-messages.ts'
import { type Emit, type ImportedActivity, present, type Reading, unreadable } from './record.ts'
import { createTrack, place, type TrackPoint } from './track.ts'
import { round } from './when.ts'

/** FIT counts seconds from 1989-12-31T00:00:00Z. */
const EPOCH_MS = Date.UTC(1989, 11, 31)
const DEGREES_PER_SEMICIRCLE = 180 / 2 ** 31
const [SESSION, RECORD, MONITORING, HRV] = [18, 20, 55, 78]
const SPORTS: Readonly<Record<number, string>> = {
  1: 'running',
  2: 'cycling',
  4: 'fitness_equipment',
  5: 'swimming',
  6: 'basketball',
  7: 'soccer',
  8: 'tennis',
  9: 'american_football',
  10: 'training',
  11: 'walking',
  12: 'cross_country_skiing',
  13: 'alpine_skiing',
  14: 'snowboarding',
  15: 'rowing',
  16: 'mountaineering',
  17: 'hiking',
  18: 'multisport',
  19: 'paddling',
}

/** A FIT file: sessions as activities, records and beat intervals as samples, heart rate of all-day monitoring. */
export function readFit(emit: Emit): Reading {
  const track = createTrack(emit, null)
  let sessions = 0
  let withRate = 0
  let first: TrackPoint | null = null
  let last: TrackPoint | null = null
  let monitoredS: number | null = null
  let broken = false

  const takeRecord = (message: FitMessage) => {
    const point = pointOf(message)
    if (!point) return
    first ??= point
    last = point
    if (point.hr !== undefined) withRate++
    track.add(point)
  }
  const takeMonitoring = (message: FitMessage) => {
    monitoredS = numberIn(message, 253) ?? monitoredTime(monitoredS, numberIn(message, 26))
    const rate = numberIn(message, 27)
    if (monitoredS === null || rate === undefined || rate === 0) return
    emit({ kind: 'sample', metric: 'heart_rate', value: rate, unit: 'bpm', atMs: instant(monitoredS) })
  }
  const takeBeats = (message: FitMessage) => {
    const told = message.fields.get(0)
    const beats = (typeof told === 'number' ? [told] : (told ?? [])).filter((ms) => ms > 0)
    if (beats.length > 0 && last)
      emit({ kind: 'sample', metric: 'rr_intervals', value: beats, unit: 'ms', atMs: last.atMs })
  }
  const messages = createFitMessages({
    onMessage(message) {
      if (message.global === RECORD) takeRecord(message)
      else if (message.global === MONITORING) takeMonitoring(message)
      else if (message.global === HRV) takeBeats(message)
      else if (message.global === SESSION) {
        const activity = sessionOf(message)
        if (!activity) return
        sessions++
        emit(activity)
      }
    },
    onBroken(where, reason) {
      broken = true
      emit(unreadable(where, reason))
    },
  })
  return {
    push: messages.push,
    end() {
      messages.end()
      // A watch that ran out of battery writes records and no session. A file that breaks off may have lost its session
      // on the way here: half an activity would replace the whole one that is stored, or will come.
      const unfinished = sessions === 0 && !broken ? track.activity({ type: 'other' }) : null
      if (unfinished) emit(unfinished)
      emit({ kind: 'finding', name: 'records', value: track.points })
      emit({ kind: 'finding', name: 'records_with_hr', value: withRate })
      if (first) emit({ kind: 'finding', name: 'first', value: shown(first) })
      if (last) emit({ kind: 'finding', name: 'last', value: shown(last) })
    },
  }
}

function pointOf(message: FitMessage): TrackPoint | null {
  const seconds = numberIn(message, 253)
  if (seconds === undefined) return null
  const degrees = (field: number) => {
    const semicircles = numberIn(message, field)
    return semicircles === undefined ? null : round(semicircles * DEGREES_PER_SEMICIRCLE, 7)
  }
  return {
    atMs: instant(seconds),
    ...place(degrees(0), degrees(1)),
    ...present({
      hr: numberIn(message, 3),
      cadence: numberIn(message, 4),
      distanceM: scaled(message, 5, 100),
      speed: scaled(message, 73, 1000) ?? scaled(message, 6, 1000),
    }),
  }
}

function sessionOf(message: FitMessage): ImportedActivity | null {
  const start = numberIn(message, 2)
  const elapsedS = scaled(message, 7, 1000) ?? scaled(message, 8, 1000)
  if (start === undefined || elapsedS === undefined) return null
  const sport = numberIn(message, 5) ?? 0
  return {
    kind: 'activity',
    type: SPORTS[sport] ?? (sport === 0 ? 'other' : `sport_${sport}`),
    startMs: instant(start),
    endMs: Math.round(instant(start) + elapsedS * 1000),
    durationS: scaled(message, 8, 1000) ?? elapsedS,
    ...present({
      distanceM: scaled(message, 9, 100),
      energyKcal: numberIn(message, 11),
      hrAvg: numberIn(message, 16),
      hrMax: numberIn(message, 17),
    }),
  }
}

/** Monitoring messages carry the low sixteen bits of the time. */
function monitoredTime(beforeS: number | null, low: number | undefined): number | null {
  if (beforeS === null || low === undefined) return beforeS
  return beforeS + ((low - (beforeS & 0xffff)) & 0xffff)
}

function numberIn(message: FitMessage, field: number): number | undefined {
  const value = message.fields.get(field)
  return typeof value === 'number' ? value : undefined
}

function scaled(message: FitMessage, field: number, scale: number): number | undefined {
  const value = numberIn(message, field)
  return value === undefined ? undefined : value / scale
}

function instant(seconds: number): number {
  return EPOCH_MS + seconds * 1000
}

function shown(point: TrackPoint): object {
  const { lat, lon } = point
  return {
    t: new Date(point.atMs).toISOString(),
    ...(lat === undefined || lon === undefined ? {} : { lat: round(lat, 6), lon: round(lon, 6) }),
    ...present({ speed: point.speed }),
  }
}
