/** Archives of one person: made as a job, kept for a day, fetched once. */
import { createWriteStream, existsSync } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ensurePrivateFolder, PRIVATE_FILE } from '../../kernel/atomic-file.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { createTickets, type Tickets } from '../../kernel/tickets.ts'
import { packZip } from '../../kernel/zip.ts'
import type { Store } from '../../store/store.ts'
import { type ArchiveDeps, archiveOf } from './archive.ts'
import { type PrivacyQueue, type RecordFact, textIn } from './work.ts'

export interface PersonalExport {
  id: string
  personId: string
  askedBy: string | null
  askedAtMs: number
  readyAtMs: number | null
  bytes: number | null
  expiresAtMs: number | null
  fetchedAtMs: number | null
}

export interface Exporting {
  begin(personId: string, askedBy: string | null): Promise<{ exportId: string; jobId: string }>
  /** Newest first, of everybody or of those that one user asked for. */
  list(askedBy: string | null | 'anybody'): PersonalExport[]
  find(id: string): PersonalExport | undefined
  /** A link's secret; throws GONE for one that was fetched or is over. */
  ticket(id: string): string
  /** The file behind a ticket, once; null when there is none. `done` removes it. */
  fetch(
    id: string,
    ticket: string,
  ): Promise<{ file: string; bytes: number; name: string; done(): Promise<void> } | null>
  /** Removes what is over, and archives of somebody who is erased. */
  sweep(personId?: string): Promise<number>
}

export interface ExportingDeps extends Omit<ArchiveDeps, 'store'> {
  store: Store
  clock: Clock
  folder: string
  jobs: PrivacyQueue
  newId: () => string
  record: RecordFact
}

const KIND = 'personal-export'
const TIMEOUT_MS = 3_600_000
const KEPT_MS = 24 * 3_600_000
const TICKET_MS = 5 * 60_000
const LISTED = 50
const SELECT = `SELECT id, person_id AS personId, asked_by AS askedBy, asked_at AS askedAtMs, ready_at AS readyAtMs,
  bytes, expires_at AS expiresAtMs, fetched_at AS fetchedAtMs FROM personal_export`

export function createExporting(deps: ExportingDeps): Exporting {
  const { store, clock, folder, jobs, newId } = deps
  const tickets: Tickets<string> = createTickets(clock, TICKET_MS)
  const pathOf = (id: string) => join(folder, `${id}.zip`)
  const find = (id: string) => store.get<PersonalExport>(`${SELECT} WHERE id = :id`, { id })

  async function make(id: string, signal: AbortSignal, progress: (at: number, stage?: string) => void) {
    const wanted = find(id)
    if (!wanted) throw new HubError('NOT_FOUND', 'This export is no longer wanted.')
    await ensurePrivateFolder(folder)
    const partial = `${pathOf(id)}.partial`
    try {
      const entries = archiveOf(wanted.personId, deps, progress)
      const file = createWriteStream(partial, { mode: PRIVATE_FILE })
      await pipeline(packZip(entries, clock.now()), file, { signal })
      await rename(partial, pathOf(id))
    } catch (cause) {
      await rm(partial, { force: true })
      throw cause
    }
    const { size: bytes } = await stat(pathOf(id))
    const nowMs = clock.now()
    await store.write([
      {
        sql: 'UPDATE personal_export SET ready_at = :nowMs, bytes = :bytes, expires_at = :expiresAtMs WHERE id = :id',
        params: { id, nowMs, bytes, expiresAtMs: nowMs + KEPT_MS },
        expect: 1,
      },
    ])
    return { export_id: id, bytes }
  }

  jobs.handle(KIND, {
    queue: 'default',
    timeoutMs: TIMEOUT_MS,
    maxAttempts: 2,
    run: async ({ job, signal, progress }) => ({
      result: await make(textIn(job.payload, 'export_id') ?? '', signal, progress),
    }),
  })

  async function sweep(personId?: string): Promise<number> {
    const params = { nowMs: clock.now(), personId: personId ?? null }
    const over = store.all<{ id: string }>(
      `SELECT id FROM personal_export WHERE expires_at <= :nowMs OR person_id = :personId ORDER BY id`,
      params,
    )
    for (const { id } of over) await rm(pathOf(id), { force: true })
    if (over.length > 0)
      await store.write([
        { sql: `DELETE FROM personal_export WHERE expires_at <= :nowMs OR person_id = :personId`, params },
      ])
    for (const name of await readdir(folder).catch(() => []))
      if (!find(name.split('.')[0] ?? '')) await rm(join(folder, name), { force: true })
    return over.length
  }

  return {
    find,
    sweep,
    list: (askedBy) =>
      askedBy === 'anybody'
        ? store.all<PersonalExport>(`${SELECT} ORDER BY asked_at DESC, id DESC LIMIT ${LISTED}`)
        : store.all<PersonalExport>(
            `${SELECT} WHERE asked_by IS :askedBy ORDER BY asked_at DESC, id DESC LIMIT ${LISTED}`,
            { askedBy },
          ),
    async begin(personId, askedBy) {
      await sweep()
      const id = newId()
      const params = { id, personId, askedBy, nowMs: clock.now() }
      await store.write([
        {
          sql: `INSERT INTO personal_export (id, person_id, asked_by, asked_at) VALUES (:id, :personId, :askedBy, :nowMs)`,
          params,
          expect: 1,
        },
      ])
      const who =
        askedBy === null ? ({ kind: 'local', id: null } as const) : ({ kind: 'user', id: askedBy } as const)
      await deps.record({ act: 'export', who, personId, detail: { export_id: id } })
      const job = await jobs.submit(
        KIND,
        { export_id: id },
        { requestedBy: askedBy, uniqueKey: `export ${id}` },
      )
      return { exportId: id, jobId: job.id }
    },
    ticket(id) {
      const found = find(id)
      if (!found?.readyAtMs) throw new HubError('NOT_FOUND', 'There is no finished archive with this id.')
      if (found.fetchedAtMs !== null || clock.now() >= (found.expiresAtMs ?? 0) || !existsSync(pathOf(id)))
        throw new HubError('GONE', 'This archive was fetched already or is too old. Ask for another.')
      return tickets.issue(id)
    },
    async fetch(id, ticket) {
      const found = tickets.take(ticket) === id ? find(id) : undefined
      if (!found || found.fetchedAtMs !== null || found.bytes === null || !existsSync(pathOf(id))) return null
      const day = new Date(found.askedAtMs).toISOString().slice(0, 10)
      return {
        file: pathOf(id),
        bytes: found.bytes,
        name: `${found.personId}-${day}.zip`,
        async done() {
          const params = { id, nowMs: clock.now() }
          await store.write([
            { sql: 'UPDATE personal_export SET fetched_at = :nowMs WHERE id = :id', params },
          ])
          await rm(pathOf(id), { force: true })
        },
      }
    },
  }
}
