/** The owner's routes about the cloud. */
import { Type } from 'typebox'
import { DATA_CLASSES } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { SyncDeps } from './parts.ts'

const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const DAY_MS = 86_400_000
const SHOWN = 50
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const DataClass = Type.Enum([...DATA_CLASSES])

const Lane = Type.Object({
  lane: Type.Enum(['now', 'state', 'bulk']),
  waiting: Type.Integer({ description: 'Entries that the cloud has not acknowledged' }),
  pushed_at: Maybe(Timestamp),
  rows: Type.Integer(),
  bytes: Type.Integer(),
  bytes_today: Type.Integer(),
  problem: Maybe(Type.String()),
  next_try_in_seconds: Maybe(Type.Integer()),
})
const Gap = Type.Object({
  series: Type.String(),
  from: Timestamp,
  to: Timestamp,
  why: Type.String(),
  rows: Type.Integer(),
})
const SetAside = Type.Object({ kind: Type.String(), reason: Type.String(), at: Timestamp })
const ErasedPerson = Type.Object({
  person_id: Type.String(),
  requested_at: Timestamp,
  requested_by: Type.Enum(['hub', 'cloud']),
  hub_purged_at: Maybe(Timestamp),
  cloud_purged_at: Maybe(Timestamp),
})
const EdgeJob = Type.Object({
  kind: Type.String(),
  person_id: Maybe(Type.String()),
  state: Type.Enum(['running', 'done', 'failed']),
  taken_at: Timestamp,
  ended_at: Maybe(Timestamp),
})
const Choice = Type.Object(
  { class: DataClass, raw: Type.Boolean({ default: false, description: 'Single values too' }) },
  { additionalProperties: false },
)
const Standing = Type.Object({
  state: Type.Enum(['off', 'on', 'paused', 'revoked', 'forked']),
  household: Maybe(Type.String()),
  address: Maybe(Type.String()),
  hub_id: Maybe(Type.String()),
  epoch: Maybe(Type.Integer()),
  enrolled_at: Maybe(Timestamp),
  pulled_at: Maybe(Timestamp),
  conflicts: Type.Integer({ description: 'Edits of one thing in both places that were merged' }),
  lanes: Type.Array(Lane),
  bytes_today: Type.Integer(),
  bytes_a_day_limit: Maybe(Type.Integer()),
  bulk_hours: Maybe(Type.String()),
  people: Type.Array(Type.Object({ person_id: Id, leaves: Type.Array(Choice) })),
  gaps: Type.Array(Gap),
  set_aside: Type.Array(SetAside),
  erasures: Type.Array(ErasedPerson),
  jobs: Type.Array(EdgeJob, { description: 'What the cloud asked this hub to do, the newest first' }),
})
const Enrol = Type.Object(
  {
    address: Type.String({ minLength: 8, maxLength: 300, description: 'Of the cloud, https://' }),
    code: Type.String({
      minLength: 8,
      maxLength: 100,
      description: 'As the cloud shows it, with the part behind the dot',
    }),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ personId: Id }, { additionalProperties: false })

export function syncRoutes(http: Http, deps: SyncDeps): void {
  const answer = () => ok(deps.now(), shown(deps))
  const response = { 200: Ok(Standing) }
  const tags = ['sync']
  http.get(
    '/sync',
    {
      config: { policy: OWNER },
      schema: { tags, summary: 'What leaves this house, and how far the cloud is', response },
    },
    async () => answer(),
  )
  http.post(
    '/sync/enrol',
    {
      config: { policy: OWNER },
      schema: { tags, summary: 'Join a household in the cloud', body: Enrol, response },
    },
    async ({ body }) => {
      const enrolled = await deps.enrol(body.address, body.code)
      if ('household' in enrolled) return answer()
      throw new HubError(
        enrolled.fault === 'unreachable'
          ? 'OVERLOADED'
          : enrolled.fault === 'already'
            ? 'CONFLICT'
            : 'VALIDATION_ERROR',
        enrolled.told,
      )
    },
  )
  http.delete(
    '/sync/enrol',
    {
      config: { policy: OWNER },
      schema: { tags, summary: 'Leave the household in the cloud; its copy stays there', response },
    },
    async () => {
      await deps.leave()
      return answer()
    },
  )
  http.put(
    '/sync/pause',
    {
      config: { policy: OWNER },
      schema: {
        tags,
        summary: 'Stop sending and reading for a while, or go on',
        body: Type.Object({ paused: Type.Boolean() }, { additionalProperties: false }),
        response,
      },
    },
    async ({ body }) => {
      await deps.pause(body.paused)
      return answer()
    },
  )
  http.put(
    '/sync/people/:personId',
    {
      config: { policy: OWNER },
      schema: {
        tags,
        summary: 'What of a person leaves this house',
        params: Params,
        body: Type.Object({ leaves: Type.Array(Choice, { maxItems: 4 }) }, { additionalProperties: false }),
        response,
      },
    },
    async ({ params, body }) => {
      if (deps.standing().identity === null)
        throw new HubError('CONFLICT', 'This hub is in no household in the cloud. Join one first.')
      if (!deps.people().includes(params.personId))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const byClass = new Map(body.leaves.map((one) => [one.class, one]))
      await deps.choose(params.personId, [...byClass.values()])
      return answer()
    },
  )
}

interface GapRow {
  series: string
  fromMs: number
  toMs: number
  why: string
  rows: number
}

interface JobRow {
  kind: string
  personId: string | null
  state: 'running' | 'done' | 'failed'
  takenAtMs: number
  endedAtMs: number | null
}

interface ErasureRow {
  personId: string
  erasedAtMs: number
  erasedBy: string
  hubPurgedAtMs: number | null
  cloudPurgedAtMs: number | null
}

function shown({ store, now, standing, people }: SyncDeps) {
  const { state, identity, lanes, choices, limits } = standing()
  const today = Math.floor(now() / DAY_MS)
  const bytesToday = ({ day, dayBytes }: { day: number; dayBytes: number }) => (day === today ? dayBytes : 0)
  const maybe = (atMs: number | null | undefined) => (atMs == null ? null : iso(atMs))
  return {
    state: stateOf(state),
    household: identity?.householdName ?? null,
    address: identity?.address ?? null,
    hub_id: identity?.hubId ?? null,
    epoch: identity?.epoch ?? null,
    enrolled_at: maybe(identity?.enrolledAtMs),
    pulled_at: maybe(identity?.pulledAtMs),
    conflicts: identity?.conflicts ?? 0,
    lanes: lanes.map(({ lane, depth, pushedAtMs, rows, bytes, why, nextTryMs, ...day }) => ({
      ...{ lane: laneOf(lane), waiting: depth, pushed_at: maybe(pushedAtMs), rows, bytes },
      ...{ bytes_today: bytesToday(day), problem: why },
      next_try_in_seconds: nextTryMs === null ? null : Math.ceil(nextTryMs / 1000),
    })),
    bytes_today: lanes.reduce((sum, lane) => sum + bytesToday(lane), 0),
    bytes_a_day_limit: limits.bytesPerDay === 0 ? null : limits.bytesPerDay,
    bulk_hours: limits.bulkHours,
    people: people().map((id) => ({
      person_id: id,
      leaves: choices
        .filter(({ personId }) => personId === id)
        .map(({ class: of, raw }) => ({ class: of, raw })),
    })),
    gaps: store
      .all<GapRow>(
        `SELECT series, from_at AS fromMs, to_at AS toMs, why, rows FROM sync_gap ORDER BY at DESC, id LIMIT ${SHOWN}`,
      )
      .map(({ fromMs, toMs, ...gap }) => ({ ...gap, from: iso(fromMs), to: iso(toMs) })),
    set_aside: store
      .all<{ kind: string; reason: string; atMs: number }>(
        `SELECT kind, reason, at AS atMs FROM sync_aside ORDER BY id DESC LIMIT ${SHOWN}`,
      )
      .map(({ atMs, ...aside }) => ({ ...aside, at: iso(atMs) })),
    jobs: store
      .all<JobRow>(
        `SELECT kind, subject AS personId, state, taken_at AS takenAtMs, ended_at AS endedAtMs FROM sync_job
         ORDER BY taken_at DESC, job_id LIMIT ${SHOWN}`,
      )
      .map(({ kind, personId, state: how, takenAtMs, endedAtMs }) => ({
        ...{ kind, person_id: personId, state: how, taken_at: iso(takenAtMs), ended_at: maybe(endedAtMs) },
      })),
    erasures: store
      .all<ErasureRow>(
        `SELECT subject AS personId, erased_at AS erasedAtMs, erased_by AS erasedBy, hub_purged_at AS hubPurgedAtMs,
            cloud_purged_at AS cloudPurgedAtMs
         FROM sync_subject WHERE erased_at IS NOT NULL ORDER BY erased_at DESC, subject LIMIT ${SHOWN}`,
      )
      .map(({ personId, erasedAtMs, erasedBy, hubPurgedAtMs, cloudPurgedAtMs }) => ({
        ...{ person_id: personId, requested_at: iso(erasedAtMs) },
        requested_by: erasedBy === 'cloud' ? ('cloud' as const) : ('hub' as const),
        ...{ hub_purged_at: maybe(hubPurgedAtMs), cloud_purged_at: maybe(cloudPurgedAtMs) },
      })),
  }
}

function stateOf(text: string): 'off' | 'on' | 'paused' | 'revoked' | 'forked' {
  return text === 'off' || text === 'on' || text === 'paused' || text === 'forked' ? text : 'revoked'
}

function laneOf(text: string): 'now' | 'state' | 'bulk' {
  return text === 'now' || text === 'state' ? text : 'bulk'
}
