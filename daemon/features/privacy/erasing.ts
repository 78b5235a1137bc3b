/** Erasing a person for good: asked twice, done as a job that can be begun anew, and remembered as a fact without data. */
import type { Erasure } from '../../domain/erasure.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { createTickets } from '../../kernel/tickets.ts'
import type { Store } from '../../store/store.ts'
import { type PrivacyQueue, type RecordFact, textIn } from './work.ts'

export interface Erasing {
  /** The first step: what would go, and the secret of the second. Throws NOT_FOUND. */
  ask(personId: string): {
    token: string
    expiresAtMs: number
    holds: { values: number; records: number; sessions: number }
  }
  /** The second: throws GONE for a token that is used, unknown or older than five minutes. */
  confirm(token: string, by: string | null): Promise<{ jobId: string; personId: string }>
  /** Everybody who was erased, newest first. */
  list(): { personId: string; atMs: number; by: string | null }[]
}

export interface ErasingDeps {
  store: Store
  clock: Clock
  jobs: PrivacyQueue
  record: RecordFact
  erasures: () => readonly Erasure[]
  /** Takes away copies of the database that still hold the person, and makes fresh ones. */
  forgetCopies: () => Promise<void>
}

const KIND = 'erase-person'
const TOKEN_MS = 5 * 60_000
const TIMEOUT_MS = 4 * 3_600_000
const HUB = { kind: 'hub', id: null } as const
const HOLDS = {
  records: `SELECT COUNT(*) AS n FROM record WHERE person_key = (SELECT key FROM person WHERE id = :personId)`,
  sessions: `SELECT COUNT(*) AS n FROM session_player WHERE person_key = (SELECT key FROM person WHERE id = :personId)`,
  values: `SELECT coalesce(SUM(n), 0) AS n FROM rollup WHERE level = 1440
    AND person = (SELECT key FROM person WHERE id = :personId)`,
} as const

export function createErasing(deps: ErasingDeps): Erasing {
  const { store, clock, jobs, record } = deps
  const tokens = createTickets<string>(clock, TOKEN_MS)

  async function erase(
    personId: string,
    signal: AbortSignal,
    progress: (at: number, stage?: string) => void,
  ): Promise<{ rows: number; files: number }> {
    const parts = deps.erasures()
    const sum = { rows: 0, files: 0 }
    // Pages that are given up are overwritten while somebody is erased: what was on them is not left for whoever finds the file.
    await store.write([{ sql: 'PRAGMA secure_delete = ON' }])
    try {
      for (const [index, part] of parts.entries()) {
        if (signal.aborted)
          throw new HubError('SHUTTING_DOWN', 'The hub stops; the rest goes when it starts again.')
        progress((0.8 * index) / parts.length, part.name)
        const { rows, files } = await part.erase(personId)
        sum.rows += rows
        sum.files += files
      }
    } finally {
      await store.write([{ sql: 'PRAGMA secure_delete = FAST' }])
    }
    progress(0.85, 'copies')
    await store.write([{ sql: 'UPDATE backup SET erased_since = erased_since + 1' }])
    await store.upkeep(null)
    await deps.forgetCopies()
    return sum
  }

  jobs.handle(KIND, {
    queue: 'default',
    timeoutMs: TIMEOUT_MS,
    maxAttempts: 5,
    async run({ job, signal, progress }) {
      const personId = textIn(job.payload, 'person_id') ?? ''
      const sum = await erase(personId, signal, progress)
      await record({ act: 'erased', who: HUB, personId, detail: sum })
      return { result: sum }
    },
  })

  return {
    ask(personId) {
      if (!store.get('SELECT 1 FROM person WHERE id = :personId', { personId }))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const count = (sql: string) => store.get<{ n: number }>(sql, { personId })?.n ?? 0
      return {
        token: tokens.issue(personId),
        expiresAtMs: clock.now() + TOKEN_MS,
        holds: {
          values: count(HOLDS.values),
          records: count(HOLDS.records),
          sessions: count(HOLDS.sessions),
        },
      }
    },
    async confirm(token, by) {
      const personId = tokens.take(token)
      if (personId === null)
        throw new HubError('GONE', 'This was asked too long ago, or done already. Begin again.')
      const who = by === null ? ({ kind: 'local', id: null } as const) : ({ kind: 'user', id: by } as const)
      await record({ act: 'erase', who, personId })
      await store.write([
        {
          sql: `INSERT INTO erasures (person_id, at, by) VALUES (:personId, :nowMs, :by) ON CONFLICT (person_id) DO NOTHING`,
          params: { personId, nowMs: clock.now(), by },
        },
      ])
      const job = await jobs.submit(
        KIND,
        { person_id: personId },
        { requestedBy: by, uniqueKey: `erase ${personId}` },
      )
      return { jobId: job.id, personId }
    },
    list: () =>
      store.all<{ personId: string; atMs: number; by: string | null }>(
        'SELECT person_id AS personId, at AS atMs, by FROM erasures ORDER BY at DESC, person_id',
      ),
  }
}
