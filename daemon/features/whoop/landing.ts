/** Puts what WHOOP says where it belongs: values as observations, nights and workouts as records. */

import type {
  ImportedActivity,
  ImportedSample,
  ImportedSleep,
} from '../../../firmware-bridge/import/record.ts'
import { whoopRecords } from '../../../firmware-bridge/import/whoop.ts'
import { takeIn } from '../../domain/intake.ts'
import type { Observation } from '../../domain/observation.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

export const SOURCE = 'whoop'

export interface Landed {
  accepted: number
  duplicates: number
  revised: number
  /** Not scored yet, or never: fetched again next time. */
  pending: number
  skipped: { where: string; reason: string }[]
}

/** Nights and workouts of the household. */
export interface Records {
  tell(
    kind: 'sleep' | 'activity',
    sent: object,
    teller: { personId: string; deviceId: string; source: string },
  ): Promise<{ outcome: 'accepted' | 'duplicate' | 'revised' }>
  takeBack(
    kind: 'sleep' | 'activity',
    at: { personId: string; deviceId: string; startMs: number },
  ): Promise<void>
}

export interface LandingDeps {
  store: Pick<Store, 'get' | 'write' | 'observations'>
  records: Records
  /** The hub's entry for WHOOP. */
  entry: () => Promise<string>
  now: () => number
}

const SKIPPED_MAX = 50
const DAY_MS = 86_400_000
const PERSON = '(SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL)'
const PLACE = `SELECT start_at AS startMs FROM whoop_record WHERE person_key = ${PERSON} AND external_id = :externalId`
const PUT = `INSERT INTO whoop_record (person_key, external_id, kind, start_at) VALUES (${PERSON}, :externalId, :kind, :startMs)
  ON CONFLICT (person_key, external_id) DO UPDATE SET start_at = :startMs`

export type Land = (personId: string, documents: readonly unknown[], landed: Landed) => Promise<void>

export function noneLanded(): Landed {
  return { accepted: 0, duplicates: 0, revised: 0, pending: 0, skipped: [] }
}

export function createLanding(deps: LandingDeps): Land {
  const { store, records, entry, now } = deps

  /** A night whose beginning WHOOP corrected leaves its old place first. */
  async function tell(
    personId: string,
    one: ImportedSleep | ImportedActivity,
    landed: Landed,
  ): Promise<void> {
    const deviceId = await entry()
    const { kind, startMs, externalId = `${kind} ${startMs}` } = one
    const before = store.get<{ startMs: number }>(PLACE, { personId, externalId })
    if (before && before.startMs !== startMs)
      await records.takeBack(kind, { personId, deviceId, startMs: before.startMs })
    const { outcome } = await records.tell(kind, kind === 'sleep' ? nightOf(one) : workoutOf(one), {
      ...{ personId, deviceId, source: SOURCE },
    })
    if (before?.startMs !== startMs)
      await store.write([{ sql: PUT, params: { personId, externalId, kind, startMs } }])
    count(landed, outcome)
  }

  async function landOne(
    personId: string,
    document: Readonly<Record<string, unknown>>,
    landed: Landed,
  ): Promise<void> {
    const read = whoopRecords(document)
    if (read.length === 0)
      throw new HubError('VALIDATION_ERROR', 'neither a cycle, a recovery, a sleep nor a workout')
    const deviceId = await entry()
    const samples = read.filter((one) => one.kind === 'sample')
    const observations: Observation[] = []
    for (const sample of timely(samples, document)) {
      const [intake] = takeIn(
        {
          metric: sample.metric,
          value: sample.value,
          ts: iso(sample.atMs),
          ...(sample.facts ? { facts: sample.facts } : {}),
        },
        {
          ...{ deviceId, source: SOURCE, nowMs: now(), arrivedMs: null, deviceZone: 'UTC', naiveZone: null },
          personAt: () => personId,
        },
      )
      if (intake && 'observation' in intake) observations.push(intake.observation)
      else if (intake) skip(landed, sample.metric, intake.rejected.message)
    }
    if (observations.length > 0)
      for (const outcome of await store.observations.append(observations)) count(landed, outcome)
    for (const one of read) if (one.kind !== 'sample') await tell(personId, one, landed)
  }

  return async (personId, documents, landed) => {
    for (const document of documents) {
      if (typeof document !== 'object' || document === null) continue
      const fields: Readonly<Record<string, unknown>> = { ...document }
      const where = String(fields['id'] ?? fields['cycle_id'] ?? 'a record').slice(0, 64)
      if (fields['score_state'] !== 'SCORED') {
        landed.pending += 1
        continue
      }
      try {
        await landOne(personId, fields, landed)
      } catch (cause) {
        // One record that cannot be must not hold up the others; what is wrong with the hub itself does.
        if (!(cause instanceof HubError) || cause.status >= 500 || cause.code === 'NOT_FOUND') throw cause
        skip(landed, where, cause.message)
      }
    }
  }
}

function count(landed: Landed, outcome: 'accepted' | 'duplicate' | 'revised'): void {
  if (outcome === 'accepted') landed.accepted += 1
  else if (outcome === 'revised') landed.revised += 1
  else landed.duplicates += 1
}

function skip({ skipped }: Landed, where: string, reason: string): void {
  if (skipped.length < SKIPPED_MAX) skipped.push({ where, reason })
}

/**
 * A cycle begins with falling asleep, mostly on the evening before, and belongs to the day of waking, when WHOOP makes it.
 * Its average pulse is no reading of any moment, so it stays beside the strain.
 */
function timely(
  samples: readonly ImportedSample[],
  document: Readonly<Record<string, unknown>>,
): ImportedSample[] {
  const strain = samples.find(({ metric }) => metric === 'whoop_strain')
  if (!strain) return [...samples]
  const made = Date.parse(String(document['created_at']))
  const atMs = made >= strain.atMs && made < strain.atMs + DAY_MS ? made : strain.atMs
  const pulse = samples.find(({ metric }) => metric === 'heart_rate')
  const facts = {
    cycle_start: iso(strain.atMs),
    ...(pulse
      ? { heart_rate_avg: pulse.value, ...(pulse.facts ? { heart_rate_max: pulse.facts['max'] } : {}) }
      : {}),
  }
  return samples
    .filter((one) => one !== pulse)
    .map((one) => ({ ...one, atMs, ...(one === strain ? { facts } : {}) }))
}

function nightOf({ startMs, endMs, minutes, nap, facts }: ImportedSleep): object {
  const performance = facts?.['performance_pct']
  return {
    sleep_start: iso(startMs),
    sleep_end: iso(endMs),
    duration_minutes: minutes.asleep ?? null,
    deep_sleep_minutes: minutes.deep ?? null,
    rem_sleep_minutes: minutes.rem ?? null,
    light_sleep_minutes: minutes.light ?? null,
    awake_minutes: minutes.awake ?? null,
    quality_score: typeof performance === 'number' ? performance / 10 : null,
    notes: nap === true ? 'Nap' : null,
  }
}

function workoutOf({
  type,
  startMs,
  durationS,
  distanceM,
  energyKcal,
  hrAvg,
  hrMax,
  facts,
}: ImportedActivity): object {
  const strain = facts?.['strain']
  return {
    timestamp: iso(startMs),
    activity_type: type,
    duration_minutes: durationS / 60,
    calories_burned: energyKcal ?? null,
    heart_rate_avg: hrAvg ?? null,
    heart_rate_max: hrMax ?? null,
    distance_m: distanceM ?? null,
    notes: typeof strain === 'number' ? `WHOOP strain ${strain.toFixed(1)}` : null,
  }
}
