import { type Emit, present, type Reading, unreadable } from './record.ts'
import { createTally } from './tally.ts'
import { createTrack, place, type Track } from './track.ts'
import { numberFrom, parseTold, snake } from './when.ts'
import { createXmlEvents } from './xml-events.ts'

interface Laps {
  startMs: number | null
  endMs: number | null
  seconds: number
  distanceM: number
  kcal: number
  hrMax: number
}

const SPORTS: ReadonlySet<string> = new Set(['Running', 'Biking'])

/** Garmin's TCX: an activity is its laps; their totals win over sums of points, which may be missing. */
export function readTcx(emit: Emit): Reading {
  const tally = createTally()
  let track: Track | null = null
  let type = 'other'
  let laps = noLaps()
  let lapStartMs: number | null = null
  let inPoint = false
  let fields = new Map<string, string>()
  let parent = ''
  let points = 0

  const endLap = () => {
    const seconds = numberFrom(fields.get('TotalTimeSeconds')) ?? 0
    laps.seconds += seconds
    laps.distanceM += numberFrom(fields.get('DistanceMeters')) ?? 0
    laps.kcal += numberFrom(fields.get('Calories')) ?? 0
    laps.hrMax = Math.max(laps.hrMax, numberFrom(fields.get('MaximumHeartRateBpm')) ?? 0)
    if (lapStartMs === null) return
    laps.startMs ??= lapStartMs
    laps.endMs = lapStartMs + seconds * 1000
  }
  const endPoint = () => {
    const told = parseTold(fields.get('Time'))
    const of = (field: string) => numberFrom(fields.get(field))
    if (!told || !track) tally.add('Trackpoint', 'a point without a time')
    else {
      points++
      const measured = present({
        hr: of('HeartRateBpm'),
        cadence: of('Cadence'),
        distanceM: of('DistanceMeters'),
      })
      track.add({ atMs: told.atMs, ...place(of('LatitudeDegrees'), of('LongitudeDegrees')), ...measured })
    }
  }
  const endActivity = () => {
    const totals = present({
      startMs: laps.startMs,
      endMs: laps.endMs,
      durationS: laps.seconds || null,
      distanceM: laps.distanceM || null,
      energyKcal: laps.kcal || null,
      hrMax: laps.hrMax || null,
    })
    const activity = track?.activity({ type, ...totals })
    if (activity) emit(activity)
    else tally.add('Activity', 'no lap with a time')
    track = null
  }
  /** A lap's own fields wait while its points pass. */
  let lapFields = fields
  const xml = createXmlEvents({
    open(name, attributes) {
      parent = name
      if (name === 'Activity') {
        track = createTrack(emit, null)
        type = SPORTS.has(attributes['Sport'] ?? '') ? snake(attributes['Sport'] ?? '') : 'other'
        laps = noLaps()
      } else if (name === 'Lap') {
        fields = new Map()
        lapFields = fields
        lapStartMs = parseTold(attributes['StartTime'])?.atMs ?? null
      } else if (name === 'Trackpoint') {
        inPoint = true
        fields = new Map()
      } else if (name === 'Track') track?.interrupt()
    },
    close(name, text) {
      if (name === 'Trackpoint' && inPoint) {
        endPoint()
        inPoint = false
        fields = lapFields
      } else if (name === 'Lap') endLap()
      else if (name === 'Activity') endActivity()
      // `<HeartRateBpm><Value>120</Value></HeartRateBpm>`
      else if (name === 'Value') fields.set('Value', text)
      else if (name === 'HeartRateBpm' || name === 'MaximumHeartRateBpm' || name === 'AverageHeartRateBpm') {
        fields.set(name, fields.get('Value') ?? '')
      } else if (text !== '' && parent === name) fields.set(name, text)
    },
    onBroken: (where, reason) => emit(unreadable(where, reason)),
  })
  return {
    push: xml.push,
    end() {
      xml.end()
      emit({ kind: 'finding', name: 'points', value: points })
      tally.report(emit)
    },
  }
}

function noLaps(): Laps {
  return { startMs: null, endMs: null, seconds: 0, distanceM: 0, kcal: 0, hrMax: 0 }
}
