/** Makes the row that leaves of each entry of the feed: the state as it is now, sealed where it is personal. */
import { randomBytes } from 'node:crypto'
import type { Lost } from './hub-plans.ts'
import { DAY_MS, type FeedEntry, type SyncState } from './hub-state.ts'
import type { DataClass, Statement, SyncPorts } from './ports.ts'
import { type Rollup, seriesKey } from './rows.ts'
import { SUBJECT_KEY_BYTES, sealBytes, sealJson } from './seal.ts'
import type { SyncRow } from './wire.ts'

/** A row to send, nothing to send, nothing yet, or never. */
export type Compacted =
  | { to: 'send'; row: SyncRow }
  | { to: 'skip' }
  | { to: 'wait'; dueAtMs: number }
  /** It was let go here before it could leave. */
  | { to: 'lose'; lost: Lost }

export interface Compactor {
  /** Throws when the entry cannot be made into a row, which must not stop its lane. */
  compact(entry: FeedEntry): Compacted
  /** What a day of single values is that will not be sent; null where it may not leave anyway. Throws as `compact` does. */
  lostIn(key: string): Lost | null
  /** Reads again what may leave. */
  reload(): void
  /** What leaves of a person. */
  isShared(personId: string, dataClass: DataClass | 'any'): boolean
  /** Writes that give every person of whom something leaves a key; empty when all have one. */
  planKeys(): Statement[]
}

const HOUR_MS = 3_600_000
/** The longest local day, with a clock put back. */
const LONGEST_DAY_MS = 25 * HOUR_MS
/** Packed days are deflated already. */
const CHUNK_CODEC = 'series-1'
const SKIP: Compacted = { to: 'skip' }

const STATISTICS = `r.n, r.sum, r.sum_sq, r.min, r.min_at, r.max, r.max_at, r.first, r.first_at, r.last, r.last_at,
  r.covered_ms, r.sum_v_dt, r.n_diff, r.sum_sq_diff, r.bins`
const ROLLUP = `SELECT ${STATISTICS} FROM rollup r
  WHERE r.level = :level AND r.person = :person AND r.metric = :metric AND r.start = :start AND r.device = :device`
const NAMES = `SELECT p.id AS subject, d.id AS device FROM person p JOIN device d ON d.key = :device WHERE p.key = :person`
const CHUNK = `SELECT n, chunk FROM sealed_day WHERE person = :person AND metric = :metric AND day = :day AND device = :device`
const CHOICES = `SELECT p.id AS personId, c.class AS dataClass, c.raw FROM sync_choice c
  JOIN person p ON p.key = c.person_key AND p.deleted_at IS NULL`
const EPISODE = `SELECT p.id AS subject, e.kind, e.class, e.severity, e.state, e.title, e.started_at, e.resolved_at
  FROM episode e JOIN person p ON p.key = e.person_key WHERE e.id = :key`
const ALERT = `SELECT p.id AS subject, a.episode_id AS episode, a.kind, a.class, a.state, a.title, a.message, a.created_at, a.acknowledged_at
  FROM alert a JOIN person p ON p.key = a.person_key WHERE a.id = :key`
const SESSION = `SELECT session_type, title, group_id AS "group", started_at, ended_at, key AS sessionKey FROM session WHERE id = :key`
const PLAYERS = `SELECT p.id FROM session_player s JOIN person p ON p.key = s.person_key WHERE s.session_key = :sessionKey`
const KPI = `SELECT s.started_at AS startedAt, sp.duration_minutes AS durationMinutes, sp.rpe, sp.kpis FROM session s
  JOIN session_player sp ON sp.session_key = s.key JOIN person p ON p.key = sp.person_key WHERE s.id = :session AND p.id = :subject`

interface Series {
  person: number
  metric: number
  device: number
  start: number
}

type Sealer = (value: unknown) => { enc: string }

export function createCompactor(
  state: SyncState,
  { store, clock, metric }: Pick<SyncPorts, 'store' | 'clock' | 'metric'>,
): Compactor {
  let choices = new Map<string, boolean>()
  const keys = new Map<string, Buffer>()
  const names = new Map<string, { subject: string; device: string }>()

  const shares = (personId: string, dataClass: DataClass | 'any') =>
    dataClass === 'any'
      ? [...choices.keys()].some((one) => one.startsWith(`${personId} `))
      : choices.has(`${personId} ${dataClass}`)
  const keyOf = (subject: string): Buffer => {
    const key = keys.get(subject) ?? state.subjectKey(subject)
    if (!key) throw new Error('there is no key for this person')
    keys.set(subject, key)
    return key
  }
  const sealer =
    (subject: string): Sealer =>
    (value) =>
      sealJson(keyOf(subject), subject, value)

  function seriesOf(key: string): Series & { subject: string; deviceId: string } {
    const [person = 0, metricKey = 0, device = 0, start = 0] = key.split('/').map(Number)
    const place = `${person} ${device}`
    const named =
      names.get(place) ?? store.get<{ subject: string; device: string }>(NAMES, { person, device })
    if (!named) throw new Error('the person or the device is gone')
    names.set(place, named)
    return { person, metric: metricKey, device, start, subject: named.subject, deviceId: named.device }
  }

  function rollup({ seq, kind, key }: FeedEntry): Compacted {
    const { subject, deviceId, ...series } = seriesOf(key)
    const { name, scale, class: dataClass } = metric(series.metric)
    if (!shares(subject, dataClass)) return SKIP
    const isHour = kind === 'rollup_hour'
    const endMs = series.start + (isHour ? HOUR_MS : LONGEST_DAY_MS)
    if (endMs > clock.now()) return { to: 'wait', dueAtMs: endMs }
    const found = store.get<Omit<Rollup, 'bins'> & { bins: Uint8Array }>(ROLLUP, {
      ...series,
      level: isHour ? 60 : 1440,
    })
    const body = {
      ...{ subject, device: deviceId, metric: name, scale, start: series.start },
      ...(found && { ...found, bins: Buffer.from(found.bins).toString('base64') }),
    }
    return { to: 'send', row: { seq, kind, v: 1, key: seriesKey(body), body: found ? body : null } }
  }

  function lostIn(key: string): Lost | null {
    const { subject, deviceId, metric: metricKey, start: day } = seriesOf(key)
    const { name, class: dataClass } = metric(metricKey)
    if (choices.get(`${subject} ${dataClass}`) !== true) return null
    return { subject, series: `${subject}/${name}/${deviceId}`, fromMs: day, toMs: day + DAY_MS }
  }

  function rawChunk({ seq, kind, key }: FeedEntry): Compacted {
    const { subject, deviceId, person, metric: metricKey, device, start: day } = seriesOf(key)
    const { name, class: dataClass } = metric(metricKey)
    if (choices.get(`${subject} ${dataClass}`) !== true) return SKIP
    const found = store.get<{ n: number; chunk: Uint8Array | null }>(CHUNK, {
      person,
      metric: metricKey,
      device,
      day,
    })
    if (!found?.chunk) {
      const lost = lostIn(key)
      return lost && found ? { to: 'lose', lost } : SKIP
    }
    const place = { subject, device: deviceId, metric: name, start: day }
    const enc = sealBytes(keyOf(subject), subject, found.chunk).toString('base64')
    const body = { ...place, end: day + DAY_MS, n: found.n, codec: CHUNK_CODEC, enc }
    return { to: 'send', row: { seq, kind, v: 1, key: seriesKey(place), body } }
  }

  function happening({ seq, kind, key }: FeedEntry): Compacted {
    const found = store.get<Record<string, unknown> & { subject: string; class: DataClass }>(
      kind === 'episode' ? EPISODE : ALERT,
      { key },
    )
    if (!found) return { to: 'send', row: { seq, kind, v: 1, key, body: null } }
    if (!shares(found.subject, found.class)) return SKIP
    const { title, message, ...body } = found
    const enc = sealer(found.subject)(kind === 'episode' ? { title } : { title, message }).enc
    return { to: 'send', row: { seq, kind, v: 1, key, body: { ...body, enc } } }
  }

  function session({ seq, kind, key }: FeedEntry): Compacted {
    const found = store.get<Record<string, unknown> & { sessionKey: number }>(SESSION, { key })
    if (!found) return { to: 'send', row: { seq, kind, v: 1, key, body: null } }
    const { sessionKey, ...body } = found
    const players = store.all<{ id: string }>(PLAYERS, { sessionKey })
    if (!players.some(({ id }) => shares(id, 'training'))) return SKIP
    return { to: 'send', row: { seq, kind, v: 1, key, body } }
  }

  function sessionKpi({ seq, kind, key }: FeedEntry): Compacted {
    const [sessionId = '', subject = ''] = key.split(':')
    if (!shares(subject, 'training')) return SKIP
    const found = store.get<{
      startedAt: number
      durationMinutes: number | null
      rpe: number | null
      kpis: string | null
    }>(KPI, { session: sessionId, subject })
    if (!found) return { to: 'send', row: { seq, kind, v: 1, key, body: null } }
    const { startedAt, durationMinutes, rpe, kpis } = found
    const told = {
      duration_minutes: durationMinutes,
      rpe,
      kpis: kpis === null ? null : (JSON.parse(kpis) as unknown),
    }
    const body = { subject, session: sessionId, started_at: startedAt, enc: sealer(subject)(told).enc }
    return { to: 'send', row: { seq, kind, v: 1, key, body } }
  }

  /** As the last stamping left it: what both sides edit is compared field by field there. */
  function entity({ seq, kind, key }: FeedEntry): Compacted {
    const found = store.get<{ subject: string | null; body: string }>(
      'SELECT subject, body FROM sync_entity WHERE kind = :kind AND id = :key',
      { kind, key },
    )
    if (!found) return SKIP
    if (found.subject !== null && !shares(found.subject, kind === 'calendar' ? 'training' : 'any'))
      return SKIP
    return {
      to: 'send',
      row: { seq, kind, v: 1, key, body: JSON.parse(found.body) as Record<string, unknown> },
    }
  }

  function subjectRow({ seq, kind, key }: FeedEntry): Compacted {
    if (kind === 'subject_key') {
      const [first, ...others] = state.subjectKeys(key).map((held) => held.toString('base64'))
      if (!first) return SKIP
      const body = { subject: key, key: first, ...(others.length > 0 ? { others } : {}) }
      return { to: 'send', row: { seq, kind, v: 1, key, body } }
    }
    const found = store.get<{ at: number | null; hubId: string }>(
      kind === 'erasure'
        ? 'SELECT e.at, h.hub_id AS hubId FROM sync_hub h JOIN erasures e ON e.person_id = :key'
        : 'SELECT s.hub_purged_at AS at, h.hub_id AS hubId FROM sync_hub h JOIN sync_subject s ON s.subject = :key',
      { key },
    )
    if (!found || found.at === null) return SKIP
    const body =
      kind === 'erasure'
        ? { subject: key, requested_at: found.at, requested_by: `hub:${found.hubId}` }
        : { subject: key, purged_at: found.at }
    return { to: 'send', row: { seq, kind, v: 1, key, body } }
  }

  function gap({ seq, kind, key }: FeedEntry): Compacted {
    const body = store.get<Record<string, unknown>>(
      'SELECT subject, series, from_at AS "from", to_at AS "to", why, rows FROM sync_gap WHERE id = :key',
      { key },
    )
    return body ? { to: 'send', row: { seq, kind, v: 1, key, body } } : SKIP
  }

  const BY_KIND: Readonly<Record<string, (entry: FeedEntry) => Compacted>> = {
    rollup_hour: rollup,
    rollup_day: rollup,
    raw_chunk: rawChunk,
    episode: happening,
    alert: happening,
    session,
    session_kpi: sessionKpi,
    calendar: entity,
    person: entity,
    group: entity,
    consent: entity,
    subject_key: subjectRow,
    erasure: subjectRow,
    erasure_done: subjectRow,
    gap,
  }

  function reload(): void {
    choices = new Map(
      store
        .all<{ personId: string; dataClass: string; raw: number }>(CHOICES)
        .map(({ personId, dataClass, raw }) => [`${personId} ${dataClass}`, raw === 1]),
    )
    keys.clear()
    names.clear()
  }

  reload()
  return {
    lostIn,
    reload,
    isShared: shares,
    compact: (entry) => BY_KIND[entry.kind]?.(entry) ?? SKIP,
    planKeys() {
      const subjects = new Set([...choices.keys()].map((choice) => choice.split(' ')[0] ?? ''))
      const without = [...subjects].filter((subject) => state.subjectKey(subject) === null)
      return without.map((subject) => state.planSubjectKeys(subject, [randomBytes(SUBJECT_KEY_BYTES)]))
    },
  }
}
