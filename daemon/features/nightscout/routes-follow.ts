/** What watches, widgets and followers read beside API v1: the pebble page, the properties of v2, a token for v3. */
import { Type } from 'typebox'
import type { StoredObservation } from '../../domain/observation.ts'
import type { Http } from '../../domain/route.ts'
import { entryShown } from './entries.ts'
import { CONFIG, described, findIn, Loose, type NightscoutRoutesDeps } from './routes-v1.ts'
import type { Tokens } from './tokens.ts'
import { type Document, uploaderOf } from './uploader.ts'

export interface FollowRoutesDeps extends NightscoutRoutesDeps {
  tokens: Pick<Tokens, 'issue'>
}

const MINUTE_MS = 60_000
const RECENT_MS = 25 * MINUTE_MS
const STALE_MS = 4 * 86_400_000
const MG_PER_MMOL = 18.0156
/** Nightscout's numbers for its words, and the arrows that faces show. */
const DIRECTIONS: Readonly<Record<string, readonly [trend: number, arrow: string]>> = {
  NONE: [0, '⇼'],
  DoubleUp: [1, '⇈'],
  SingleUp: [2, '↑'],
  FortyFiveUp: [3, '↗'],
  Flat: [4, '→'],
  FortyFiveDown: [5, '↘'],
  SingleDown: [6, '↓'],
  DoubleDown: [7, '⇊'],
  'NOT COMPUTABLE': [8, '-'],
  'RATE OUT OF RANGE': [9, '⇕'],
}

export function followRoutes(http: Http, deps: FollowRoutesDeps): void {
  pebbleRoute(http, deps)
  propertiesRoute(http, deps)
  http.get(
    '/api/v2/authorization/request/:token',
    {
      config: CONFIG,
      schema: {
        tags: ['nightscout'],
        summary: 'A token of an hour for a key',
        params: Type.Object({ token: Type.String({ maxLength: 256 }) }),
        response: { 200: Loose },
      },
    },
    async ({ actor }) => {
      const { deviceId } = uploaderOf(actor)
      const { token, issuedS, expiresS } = deps.tokens.issue(deviceId)
      const permissionGroups = [['api:*:read', 'api:*:create', 'api:*:update', 'api:*:delete']]
      return { token, sub: deviceId, permissionGroups, iat: issuedS, exp: expiresS }
    },
  )
}

function pebbleRoute(http: Http, { entries, lastWords, now }: FollowRoutesDeps): void {
  http.get(
    '/pebble',
    { config: CONFIG, schema: described('The newest readings as watch faces read them') },
    async ({ query, actor }) => {
      const { personId } = uploaderOf(actor)
      const { count } = findIn(query, now(), 1)
      const window = { fromMs: now() - STALE_MS, toMs: now() + STALE_MS, count: count + 1 }
      const readings = await entries.newest(personId, window)
      const units: unknown = Object(query)['units']
      const isMmol = units === 'mmol'
      const [status] = lastWords.list('devicestatus', personId)
      const bgs = readings.slice(0, count).map((reading, index) => ({
        ...faceOf(reading, isMmol),
        ...(index === 0
          ? { bgdelta: deltaOf(reading, readings[1], isMmol), battery: batteryOf(status) }
          : {}),
      }))
      return { status: [{ now: now() }], bgs, cals: [] }
    },
  )
}

function faceOf(reading: StoredObservation, isMmol: boolean): Document {
  const { sgv: _sgv, direction, noise, date } = entryShown(reading)
  const word = typeof direction === 'string' ? direction : 'NONE'
  return {
    sgv: scaled(reading.value, isMmol),
    trend: DIRECTIONS[word]?.[0] ?? 0,
    direction: word,
    datetime: date,
    ...(noise === undefined ? {} : { noise }),
  }
}

function scaled(value: number, isMmol: boolean): string {
  return isMmol ? (value / MG_PER_MMOL).toFixed(1) : String(Math.round(value))
}

/** Change in the last five minutes; after a hole it is what five minutes of it would have been. */
function deltaOf(now: StoredObservation, before: StoredObservation | undefined, isMmol: boolean): string {
  return before ? scaled(perFiveMinutes(now, before), isMmol) : '0'
}

function perFiveMinutes(now: StoredObservation, before: StoredObservation): number {
  const minutes = (now.atMs - before.atMs) / MINUTE_MS
  const change = now.value - before.value
  return minutes > 9 ? (change / minutes) * 5 : change
}

function batteryOf(status: Document | undefined): string | undefined {
  const battery = status?.['uploaderBattery'] ?? Object(status?.['uploader'])['battery']
  return typeof battery === 'number' ? String(battery) : undefined
}

function propertiesRoute(http: Http, { entries, lastWords, now }: FollowRoutesDeps): void {
  const answer = async (personId: string): Promise<Document> => {
    const window = { fromMs: now() - RECENT_MS, toMs: now() + RECENT_MS, count: 2 }
    const [latest, before] = await entries.newest(personId, window)
    if (!latest) return {}
    const face = faceOf(latest, false)
    const arrow = DIRECTIONS[String(face['direction'])]?.[1] ?? '-'
    const sgvs = [{ ...entryShown(latest), mgdl: latest.value, scaled: latest.value }]
    const battery = batteryOf(lastWords.list('devicestatus', personId)[0])
    return {
      bgnow: { mean: latest.value, last: latest.value, mills: latest.atMs, sgvs },
      ...(before ? { delta: deltaShown(latest, before) } : {}),
      direction: {
        display: arrow,
        value: face['direction'],
        label: arrow,
        entity: `&#${arrow.charCodeAt(0)};`,
      },
      ...(battery === undefined ? {} : { upbat: { level: Number(battery), display: `${battery}%` } }),
    }
  }
  const config = { config: CONFIG, schema: described('Where glucose stands and where it goes') }
  http.get('/api/v2/properties', config, async ({ actor }) => answer(uploaderOf(actor).personId))
  http.get(
    '/api/v2/properties/:names',
    {
      config: CONFIG,
      schema: {
        ...described('Some of the properties, by name'),
        params: Type.Object({ names: Type.String({ maxLength: 200 }) }),
      },
    },
    async ({ params, actor }) => {
      const wanted = new Set(params.names.split(','))
      const all = await answer(uploaderOf(actor).personId)
      return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)))
    },
  )
}

function deltaShown(latest: StoredObservation, before: StoredObservation): Document {
  const mgdl = Math.round(perFiveMinutes(latest, before))
  const elapsedMins = (latest.atMs - before.atMs) / MINUTE_MS
  return {
    absolute: latest.value - before.value,
    elapsedMins,
    interpolated: elapsedMins > 9,
    mean5MinsAgo: latest.value - mgdl,
    mgdl,
    scaled: mgdl,
    display: mgdl >= 0 ? `+${mgdl}` : String(mgdl),
    times: { recent: latest.atMs, previous: before.atMs },
  }
}
