/** The course of episodes: opened or merged, followed, answered. Every change is one unit with the alert that goes with it. */
import type { DataClass } from '../../domain/access.ts'
import type { AlertKind } from '../../domain/alert.ts'
import {
  afterAction,
  type EpisodeAction,
  type Evidence,
  type Merge,
  mergeOf,
  type Origin,
  type RowKind,
  type Severity,
} from '../../domain/episode.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import { type EpisodeTable, episodeWrites, type NewRow, type StoredEpisode } from './table.ts'

/** What somebody or something has noticed about a person. */
export interface Sighting {
  personId: string
  /** What it is, such as `heart_rate_above`; the same person and kind is the same episode. */
  kind: string
  class: DataClass
  severity: Severity
  title: string
  /** What those who are told read. */
  message: string
  origin: Origin
  originId: string | null
  /** `rule:<id>`, `detector:<name>`, `user:<id>` or `device:<id>`. */
  by: string
  /** When it began. */
  atMs: number
  evidence: readonly Evidence[]
  metadata?: Readonly<Record<string, unknown>>
}

/** What episodes ask of alerts; each plan belongs to the unit of the change that calls for it. */
export interface AlertPort {
  plan(draft: {
    personId: string
    kind: AlertKind
    class: DataClass
    title: string
    message: string
    source: string
    episodeId: string
    data: Readonly<Record<string, unknown>>
  }): Plan<unknown>
  planEpisode(
    episodeId: string,
    answer: { kind: 'acknowledge'; by: string } | { kind: 'resolve' } | { kind: 'hurry' },
  ): Plan<unknown>
}

export interface CourseDeps {
  store: Pick<Store, 'write'>
  clock: Clock
  newId: () => string
  table: EpisodeTable
  alerts: AlertPort
  /** Told of every episode that is new or has changed, once it is on disk. */
  onChanged: (episodeId: string) => void
}

export type Followed = 'told' | 'escalated' | 'acknowledged' | 'unheard'

export interface Course {
  /** Opens an episode, or lets the sighting join the one it belongs to. Throws NOT_FOUND for an unknown person. */
  open(sighting: Sighting): Promise<{ episode: StoredEpisode; merge: Merge }>
  /** Adds a row to the unresolved episode of this kind; false when there is none. */
  remark(personId: string, kind: string, row: NewRow, resolves: boolean): Promise<boolean>
  act(id: string, action: EpisodeAction, by: string, text: string | null): Promise<StoredEpisode>
  change(
    id: string,
    by: string,
    changes: { title?: string; severity?: Severity; metadata?: Readonly<Record<string, unknown>> },
  ): Promise<StoredEpisode>
  note(id: string, by: string, text: string): Promise<StoredEpisode>
  planFollow(id: string, what: Followed, by: string, text: string | null): Plan<null>
}

/** Evidence that comes faster than this is the same evidence. */
const EVIDENCE_EVERY_MS = 60_000
const TRIES = 3

const ROW_OF: Readonly<Record<EpisodeAction, RowKind>> = {
  acknowledge: 'acknowledged',
  escalate: 'escalated',
  resolve: 'resolved',
  reopen: 'reopened',
}

export function createCourse(deps: CourseDeps): Course {
  const { store, clock, table, alerts, onChanged } = deps

  async function commit(
    id: string,
    writes: readonly Write[],
    plans: readonly Plan<unknown>[] = [],
  ): Promise<StoredEpisode> {
    await store.write([...writes, ...plans.flatMap((plan) => plan.writes)])
    for (const plan of plans) plan.committed()
    onChanged(id)
    return existing(id)
  }

  function existing(id: string): StoredEpisode {
    const episode = table.find(id)
    if (!episode) throw noSuchEpisode()
    return episode
  }

  function alertOf(
    episode: StoredEpisode,
    message: string,
    kind: Severity = episode.severity,
  ): Plan<unknown> {
    const { id, personId, title } = episode
    const source = `episode:${episode.origin}`
    return alerts.plan({
      personId,
      kind,
      class: episode.class,
      title,
      message,
      source,
      episodeId: id,
      data: {},
    })
  }

  function draftOf(sighting: Sighting): StoredEpisode {
    const { personId, kind, severity, title, origin, originId, atMs, metadata = {} } = sighting
    const nowMs = clock.now()
    const times = { acknowledgedAtMs: null, escalatedAtMs: null, resolvedAtMs: null }
    return {
      ...{
        id: deps.newId(),
        personId,
        kind,
        class: sighting.class,
        severity,
        title,
        state: 'open',
        origin,
        originId,
      },
      ...{ startedAtMs: atMs, lastEvidenceAtMs: atMs, ...times, reopened: 0, revision: 0 },
      ...{ metadata: JSON.stringify(metadata), createdAtMs: nowMs, updatedAtMs: nowMs },
    }
  }

  async function openOnce(sighting: Sighting): Promise<{ episode: StoredEpisode; merge: Merge }> {
    const nowMs = clock.now()
    const { by, evidence, message, severity } = sighting
    const known = table.newest(sighting.personId, sighting.kind) ?? null
    const merge = mergeOf(known, severity, nowMs)
    if (known === null || merge === 'new') {
      const draft = draftOf(sighting)
      const row: NewRow = { kind: 'opened', by, text: message, evidence }
      const writes = [episodeWrites.add(draft, nowMs), episodeWrites.row(draft.id, row, nowMs)]
      return { merge, episode: await commit(draft.id, writes, [alertOf(draft, message)]) }
    }
    const lastEvidenceAtMs = Math.max(known.lastEvidenceAtMs, sighting.atMs)
    if (merge === 'joins') {
      if (sighting.atMs - known.lastEvidenceAtMs < EVIDENCE_EVERY_MS) return { merge, episode: known }
      const row: NewRow = { kind: 'evidence', by, text: message, evidence }
      const writes = [
        episodeWrites.update({ ...known, lastEvidenceAtMs }, nowMs),
        episodeWrites.row(known.id, row, nowMs),
      ]
      return { merge, episode: await commit(known.id, writes) }
    }
    const next: StoredEpisode = {
      ...{ ...known, severity, title: sighting.title, state: 'open', lastEvidenceAtMs },
      ...{ resolvedAtMs: null, reopened: known.reopened + (merge === 'reopens' ? 1 : 0) },
    }
    const row: NewRow = { kind: merge === 'reopens' ? 'reopened' : 'worsened', by, text: message, evidence }
    const writes = [episodeWrites.update(next, nowMs), episodeWrites.row(known.id, row, nowMs)]
    // The earlier, milder alert is answered by the one that takes its place.
    const milder = alerts.planEpisode(known.id, { kind: 'resolve' })
    return { merge, episode: await commit(known.id, writes, [milder, alertOf(next, message)]) }
  }

  return {
    async open(sighting) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await openOnce(sighting)
        } catch (cause) {
          if (!(cause instanceof HubError) || cause.code !== 'CONFLICT' || tries === TRIES) throw cause
        }
      }
    },
    async remark(personId, kind, row, resolves) {
      const known = table.newest(personId, kind)
      if (!known || known.state === 'resolved') return false
      const nowMs = clock.now()
      const writes = [episodeWrites.row(known.id, row, nowMs)]
      if (!resolves) {
        await commit(known.id, writes)
        return true
      }
      const over: StoredEpisode = { ...known, state: 'resolved', resolvedAtMs: nowMs }
      const resolved: NewRow = { kind: 'resolved', by: row.by, text: null }
      writes.push(episodeWrites.update(over, nowMs), episodeWrites.row(known.id, resolved, nowMs))
      await commit(known.id, writes, [alerts.planEpisode(known.id, { kind: 'resolve' })])
      return true
    },
    async act(id, action, by, text) {
      const known = existing(id)
      const state = afterAction(known.state, action)
      if (state === null) {
        if (stateOf(action) === known.state) return known
        throw new HubError('CONFLICT', `This episode is ${known.state}; it cannot be ${ROW_OF[action]} now.`)
      }
      const nowMs = clock.now()
      const times = {
        acknowledgedAtMs: action === 'acknowledge' ? nowMs : known.acknowledgedAtMs,
        escalatedAtMs: action === 'escalate' ? nowMs : known.escalatedAtMs,
        resolvedAtMs: action === 'resolve' ? nowMs : action === 'reopen' ? null : known.resolvedAtMs,
      }
      const next: StoredEpisode = {
        ...known,
        ...times,
        state,
        reopened: known.reopened + (action === 'reopen' ? 1 : 0),
      }
      const row: NewRow = { kind: ROW_OF[action], by, text }
      const writes = [episodeWrites.update(next, nowMs), episodeWrites.row(id, row, nowMs)]
      return commit(id, writes, alertsFor(action, known, next, by))
    },
    change(id, by, { title, severity, metadata }) {
      const known = existing(id)
      const next: StoredEpisode = {
        ...known,
        title: title ?? known.title,
        severity: severity ?? known.severity,
        metadata: metadata === undefined ? known.metadata : merged(known.metadata, metadata),
      }
      const text = [title && `title: ${title}`, severity && `severity: ${severity}`]
        .filter(Boolean)
        .join(', ')
      const nowMs = clock.now()
      const row: NewRow = { kind: 'changed', by, text: text === '' ? null : text }
      return commit(id, [episodeWrites.update(next, nowMs), episodeWrites.row(id, row, nowMs)])
    },
    note(id, by, text) {
      existing(id)
      return commit(id, [episodeWrites.row(id, { kind: 'note', by, text }, clock.now())])
    },
    planFollow(id, what, by, text) {
      const nowMs = clock.now()
      const moves = {
        told: [],
        unheard: [],
        escalated: [episodeWrites.follow(id, 'escalated', ['open'], nowMs)],
        acknowledged: [episodeWrites.follow(id, 'acknowledged', ['open', 'escalated'], nowMs)],
      }
      return {
        result: null,
        writes: [...moves[what], episodeWrites.row(id, { kind: what, by, text }, nowMs)],
        committed: () => onChanged(id),
      }
    },
  }

  function alertsFor(
    action: EpisodeAction,
    before: StoredEpisode,
    next: StoredEpisode,
    by: string,
  ): Plan<unknown>[] {
    switch (action) {
      case 'acknowledge':
        return [alerts.planEpisode(next.id, { kind: 'acknowledge', by })]
      case 'resolve':
        return [alerts.planEpisode(next.id, { kind: 'resolve' })]
      case 'reopen':
        return [alertOf(next, 'It was opened again.')]
      case 'escalate':
        return before.state === 'open'
          ? [alerts.planEpisode(next.id, { kind: 'hurry' })]
          : [alertOf(next, 'More help is asked for.', 'urgent')]
    }
  }
}

function stateOf(action: EpisodeAction): string {
  return action === 'reopen' ? 'open' : ROW_OF[action]
}

function merged(before: string, changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(before) as object), ...changes })
}

export function noSuchEpisode(): HubError {
  return new HubError('NOT_FOUND', 'There is no episode with this id.')
}
