/** Apple Health straight from a phone: one JSON body with what was recorded since the last time. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { RecordKindName } from '../../domain/record.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { SOURCE_PATTERN } from '../../domain/source.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'

interface Rejected {
  index: number
  code: string
  message: string
  path: string
}

export interface HealthKitDeps {
  now: () => number
  glucose(
    readings: readonly unknown[],
    sender: { actor: Actor; personId: string | null },
  ): Promise<{ landed: { outcome: string }[]; rejected: Rejected[] }>
  record(
    kind: RecordKindName,
    sent: object,
    from: { personId: string; source: string; deviceId: string },
  ): Promise<'accepted' | 'duplicate' | 'revised'>
  /** The hub's entry of a source. */
  entryFor(source: string): Promise<string>
  samples(
    samples: readonly unknown[],
    upload: { actor: Actor; personId: string; deviceId: null; source: string; whole: false },
  ): Promise<{ accepted: number; duplicates: number; rejected: Rejected[] }>
}

const SOURCE = 'apple_health'
const NAME = new RegExp(SOURCE_PATTERN)
const ITEMS_MAX = 10_000
const BODY_BYTES = 8 * 1_048_576
const RECORDS_AT_ONCE = 50
const WRITE: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member', 'device'],
  person: { in: 'body', name: 'person_id', orSelf: true },
  action: 'write',
  class: 'by-metric',
}
const List = Type.Optional(Type.Array(Type.Unknown(), { maxItems: ITEMS_MAX }))
const Body = Type.Object(
  {
    person_id: Type.Optional(Id),
    glucose_readings: List,
    sleep_sessions: List,
    activities: List,
    samples: List,
  },
  { additionalProperties: false },
)
const Synced = Type.Object({
  status: Type.Literal('success'),
  records_synced: Type.Integer({ description: 'Items that the hub has now, those it had before included' }),
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer(), code: Type.String(), message: Type.String(), path: Type.String() }),
  ),
})

export function createHealthKit(deps: HealthKitDeps): Feature {
  return { name: 'health-kit', routes: (http) => syncRoute(http, deps) }
}

interface Sum {
  accepted: number
  duplicates: number
  rejected: Rejected[]
}

function syncRoute(http: Http, deps: HealthKitDeps): void {
  http.post(
    '/integrations/apple-health',
    {
      config: { policy: WRITE },
      bodyLimit: BODY_BYTES,
      schema: {
        tags: ['imports'],
        summary: 'What HealthKit recorded since the last time; every item is judged by itself',
        body: Body,
        response: { 200: Ok(Synced) },
      },
    },
    async (request) => {
      const { body, actor, personId } = request
      const {
        glucose_readings: readings = [],
        sleep_sessions: nights = [],
        activities = [],
        samples = [],
      } = body
      if (readings.length > 0) request.authorize(personId, 'write', 'glucose')
      if (nights.length + activities.length > 0) request.authorize(personId, 'write', 'wellness')
      const sum: Sum = { accepted: 0, duplicates: 0, rejected: [] }
      await takeReadings(readings, { actor, personId, sum }, deps)
      await takeRecords('sleep', 'sleep_sessions', nights, { actor, personId, sum }, deps)
      await takeRecords('activity', 'activities', activities, { actor, personId, sum }, deps)
      if (samples.length > 0) {
        const upload = { actor, personId, deviceId: null, source: SOURCE, whole: false } as const
        const { accepted, duplicates, rejected } = await deps.samples(samples, upload)
        sum.accepted += accepted
        sum.duplicates += duplicates
        sum.rejected.push(...rejected.map((one) => within('samples', one)))
      }
      const { accepted, duplicates } = sum
      const status = 'success' as const
      return ok(deps.now(), { status, records_synced: accepted + duplicates, ...sum })
    },
  )
}

interface Taking {
  actor: Actor
  personId: string
  sum: Sum
}

async function takeReadings(
  readings: readonly unknown[],
  { actor, personId, sum }: Taking,
  deps: HealthKitDeps,
): Promise<void> {
  if (readings.length === 0) return
  const named = readings.map((one) =>
    isObject(one) && !('source' in one) ? { ...one, source: SOURCE } : one,
  )
  const { landed, rejected } = await deps.glucose(named, { actor, personId })
  for (const { outcome } of landed) sum[outcome === 'duplicate' ? 'duplicates' : 'accepted'] += 1
  sum.rejected.push(...rejected.map((one) => within('glucose_readings', one)))
}

async function takeRecords(
  kind: RecordKindName,
  list: string,
  items: readonly unknown[],
  { actor, personId, sum }: Taking,
  deps: HealthKitDeps,
): Promise<void> {
  const take = async (item: unknown, index: number) => {
    const { source, ...sent } = isObject(item) ? item : { item }
    const name = typeof source === 'string' && NAME.test(source) ? source : SOURCE
    try {
      const deviceId = actor.kind === 'device' ? actor.deviceId : await deps.entryFor(name)
      const outcome = await deps.record(kind, sent, { personId, source: name, deviceId })
      sum[outcome === 'duplicate' ? 'duplicates' : 'accepted'] += 1
    } catch (cause) {
      if (!(cause instanceof HubError) || cause.status >= 500) throw cause
      const path = cause.details[0]?.path ?? ''
      sum.rejected.push(within(list, { index, code: cause.code, message: messageOf(cause), path }))
    }
  }
  for (let at = 0; at < items.length; at += RECORDS_AT_ONCE)
    await Promise.all(items.slice(at, at + RECORDS_AT_ONCE).map((item, index) => take(item, at + index)))
}

function within(list: string, { index, code, message, path }: Rejected): Rejected {
  return { index, code, message, path: `${list}[${index}]${path === '' ? '' : `.${path}`}` }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
