import { type Emit, present, type Reading, unreadable } from './record.ts'
import { createTally } from './tally.ts'
import { createTrack, place, type Track } from './track.ts'
import { numberFrom, parseTold, snake } from './when.ts'
import { createXmlEvents } from './xml-events.ts'

interface OpenPoint {
  lat: number | null
  lon: number | null
  fields: Map<string, string>
}

/** Fields of a point that count, with those of Garmin's extension. */
const FIELDS: ReadonlySet<string> = new Set(['time', 'hr', 'cad', 'speed'])

/** GPX 1.1: each track is one activity, its length the sum of great-circle steps within its segments. */
export function readGpx(emit: Emit): Reading {
  const tally = createTally()
  let creator: string | null = null
  let track: Track | null = null
  let type: string | null = null
  let point: OpenPoint | null = null
  let points = 0
  const xml = createXmlEvents({
    open(name, attributes) {
      if (name === 'gpx') creator = attributes['creator']?.slice(0, 128) ?? null
      else if (name === 'trk') {
        track = createTrack(emit, creator)
        type = null
      } else if (name === 'trkpt') {
        point = {
          lat: numberFrom(attributes['lat']),
          lon: numberFrom(attributes['lon']),
          fields: new Map(),
        }
      } else if (name === 'rte' || name === 'wpt') tally.add(name, 'a plan, not something that happened')
    },
    close(name, text) {
      if (point && FIELDS.has(name)) point.fields.set(name, text)
      else if (name === 'trkpt' && point && track) {
        const told = parseTold(point.fields.get('time'))
        const of = (field: string) => numberFrom(point?.fields.get(field))
        if (told) {
          points++
          const measured = present({ hr: of('hr'), cadence: of('cad'), speed: of('speed') })
          track.add({ atMs: told.atMs, ...place(point.lat, point.lon), ...measured })
        } else tally.add('trkpt', 'a point without a time')
        point = null
      } else if (name === 'type' && track && !point) type = snake(text)
      else if (name === 'trkseg') track?.interrupt()
      else if (name === 'trk') {
        const activity = track?.activity({ type: type || 'other' })
        if (activity) emit(activity)
        track = null
      }
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
