import { createHmac, timingSafeEqual } from 'node:crypto'
import { inUnitOf } from '../quantity.ts'
import { type JsonObject, objectOf, pathText, readJsonRecords } from './json-records.ts'
import {
  type Emit,
  type ImportedActivity,
  type ImportedSample,
  type ImportedSleep,
  present,
  type Reading,
  skipped,
} from './record.ts'
import { dayAt, numberFrom, offsetMs, parseTold, snake, text } from './when.ts'

const MAX_LISTED = 1000
const SCORED = 'SCORED'

/** A page of WHOOP's API v2: cycles, recoveries, sleeps or workouts, told apart by their fields. */
export function readWhoop(emit: Emit): Reading {
  const pending: unknown[] = []
  let open = false
  return readJsonRecords({
    emit,
    wanted: [['records', '*'], ['next_token']],
    onPiece(path, value) {
      if (path[0] === 'next_token') return emit({ kind: 'finding', name: 'next', value: text(value, 512) })
      const record = objectOf(value)
      const where = pathText(path)
      if (record['score_state'] !== SCORED) {
        const id = record['cycle_id'] ?? record['id']
        if (pending.length < MAX_LISTED && (typeof id === 'number' || typeof id === 'string'))
          pending.push(id)
        return emit(skipped(where, `not scored: ${text(record['score_state'], 32) ?? 'no score_state'}`))
      }
      const read = whoopRecords(record)
      if (read.length === 0)
        emit(skipped(where, 'neither a cycle, a recovery, a sleep nor a workout with its times'))
      for (const one of read) emit(one)
      if (isCycle(record) && record['end'] == null) open = true
    },
    onEnd() {
      if (pending.length > 0) emit({ kind: 'finding', name: 'pending', value: pending })
      if (open) emit({ kind: 'finding', name: 'open_cycle', value: true })
    },
  })
}

/** The records of one scored object of the API, also as a webhook's fetch brings it; none when it is of no known kind. */
export function whoopRecords(record: JsonObject): (ImportedSample | ImportedSleep | ImportedActivity)[] {
  const score = objectOf(record['score'])
  if ('sleep_id' in record) return recovery(record, score)
  const start = parseTold(record['start'])
  const end = parseTold(record['end'])
  if (!start) return []
  if (isCycle(record)) return cycle(score, start.atMs, end?.atMs)
  if (!end) return []
  return 'nap' in record
    ? sleep(record, score, start.atMs, end.atMs)
    : workout(record, score, start.atMs, end.atMs)
}

function isCycle(record: JsonObject): boolean {
  return !('sleep_id' in record) && !('nap' in record) && !('sport_id' in record) && !('sport_name' in record)
}

function cycle(score: JsonObject, atMs: number, endMs: number | undefined): ImportedSample[] {
  const span = { atMs, ...present({ endMs }) }
  const max = numberFrom(score['max_heart_rate'])
  return [
    ...sample('whoop_strain', '0-21', numberFrom(score['strain']), span),
    ...sample('energy_total', 'kcal', kcal(score['kilojoule']), span),
    ...sample('heart_rate', 'bpm', numberFrom(score['average_heart_rate']), {
      ...span,
      agg: 'avg',
      ...(max === null ? {} : { facts: { max } }),
    }),
  ]
}

function recovery(record: JsonObject, score: JsonObject): ImportedSample[] {
  const told = parseTold(record['created_at'])
  if (!told) return []
  const about = {
    atMs: told.atMs,
    ...(score['user_calibrating'] === true ? { facts: { calibrating: true } } : {}),
  }
  const of = (field: string) => numberFrom(score[field])
  return [
    ...sample('whoop_recovery', '%', of('recovery_score'), about),
    ...sample('resting_heart_rate', 'bpm', of('resting_heart_rate'), about),
    ...sample('hrv_rmssd', 'ms', of('hrv_rmssd_milli'), about),
    ...sample('spo2', '%', of('spo2_percentage'), about),
    ...sample('skin_temp', 'degC', of('skin_temp_celsius'), about),
  ]
}

function sleep(
  record: JsonObject,
  score: JsonObject,
  startMs: number,
  endMs: number,
): (ImportedSleep | ImportedSample)[] {
  const stages = objectOf(score['stage_summary'])
  const minutesOf = (field: string) => (numberFrom(stages[field]) ?? 0) / 60_000
  const light = minutesOf('total_light_sleep_time_milli')
  const deep = minutesOf('total_slow_wave_sleep_time_milli')
  const rem = minutesOf('total_rem_sleep_time_milli')
  const need = Object.values(objectOf(score['sleep_needed'])).map(numberFrom)
  const needMs =
    need.length > 0 && !need.includes(null) ? need.reduce<number>((sum, part) => sum + (part ?? 0), 0) : null
  return [
    {
      kind: 'sleep',
      startMs,
      endMs,
      nightOf: dayAt(endMs, offsetMs(record['timezone_offset'])),
      nap: record['nap'] === true,
      minutes: {
        asleep: light + deep + rem,
        light,
        deep,
        rem,
        awake: minutesOf('total_awake_time_milli'),
        in_bed: minutesOf('total_in_bed_time_milli'),
      },
      stages: [],
      ...present({ externalId: text(record['id'], 64) }),
      facts: present({
        need_min: needMs === null ? null : needMs / 60_000,
        performance_pct: numberFrom(score['sleep_performance_percentage']),
        efficiency_pct: numberFrom(score['sleep_efficiency_percentage']),
      }),
    },
    ...sample('respiratory_rate', '1/min', numberFrom(score['respiratory_rate']), { atMs: startMs, endMs }),
  ]
}

function workout(record: JsonObject, score: JsonObject, startMs: number, endMs: number): ImportedActivity[] {
  const zones = Object.values(objectOf(score['zone_durations'] ?? score['zone_duration'])).map(numberFrom)
  return [
    {
      kind: 'activity',
      type: snake(text(record['sport_name']) ?? `sport ${String(record['sport_id'])}`),
      startMs,
      endMs,
      durationS: (endMs - startMs) / 1000,
      ...present({
        distanceM: numberFrom(score['distance_meter']),
        energyKcal: kcal(score['kilojoule']),
        hrAvg: numberFrom(score['average_heart_rate']),
        hrMax: numberFrom(score['max_heart_rate']),
        externalId: text(record['id'], 64),
      }),
      facts: present({
        strain: numberFrom(score['strain']),
        zone_s: zones.length > 0 ? zones.map((ms) => (ms ?? 0) / 1000) : null,
      }),
    },
  ]
}

type About = Omit<ImportedSample, 'kind' | 'metric' | 'unit' | 'value'>

function sample(metric: string, unit: string, value: number | null, about: About): ImportedSample[] {
  return value === null ? [] : [{ kind: 'sample', metric, value, unit, ...about }]
}

function kcal(kilojoule: unknown): number | null {
  const kj = numberFrom(kilojoule)
  return kj === null ? null : inUnitOf('energy_total', kj, 'kJ')
}

/** What the token route answers. The refresh token that was sent is dead from then on. */
export interface WhoopTokens {
  accessToken: string
  refreshToken: string | null
  expiresInS: number
}

export function readWhoopTokens(answer: unknown): WhoopTokens | null {
  const fields = objectOf(answer)
  const accessToken = text(fields['access_token'], 4096)
  const expiresInS = numberFrom(fields['expires_in'])
  if (accessToken === null || expiresInS === null) return null
  return { accessToken, refreshToken: text(fields['refresh_token'], 4096), expiresInS }
}

/** Whether a webhook is WHOOP's: base64 of HMAC-SHA256 over timestamp and raw body, with the client's secret. */
export function isWhoopWebhook(
  { signature, timestamp, body }: { signature: string; timestamp: string; body: string | Uint8Array },
  clientSecret: string,
): boolean {
  const expected = createHmac('sha256', clientSecret).update(timestamp).update(body).digest()
  const given = Buffer.from(signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
