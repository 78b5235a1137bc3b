/** Brings in what other apps exported: the file is kept, a job reads it, and every item lands as if it had come over HTTP. */
import type { Job } from '../../domain/job.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import { type ReadFile, readFile } from './reader.ts'
import { importRoutes } from './routes.ts'
import { type ImportCheckpoint, type ImportPayload, type ImportPorts, storeFile } from './storing.ts'
import { createImportTable } from './table.ts'
import { createUploads } from './uploads.ts'

/** What the queue of jobs lends. */
export interface ImportJobs {
  handle(
    kind: string,
    handler: {
      queue: 'default'
      timeoutMs: number
      run(context: {
        job: Readonly<Job>
        signal: AbortSignal
        progress(fraction: number, stage?: string): void
        save(checkpoint: unknown, writes?: readonly Write[]): Promise<void>
      }): Promise<{ result: unknown }>
    },
  ): void
  enqueue(
    kind: string,
    payload: unknown,
    options: { personId: string; requestedBy: string | null },
  ): Plan<{ id: string }>
  find(id: string): Job | null
}

export interface ImportsDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
  newId: () => string
  clock: Pick<Clock, 'after'>
  zoneOf: (personId: string) => string
  jobs: ImportJobs
  ports: ImportPorts
  /** Where files lie until they are read; of this feature alone. */
  folder: string
  limits?: { maxBytes?: number; reserveBytes?: number }
  /** Bytes that are free on the disk, and how files are read; the machine's own unless a test brings others. */
  freeBytes?: () => Promise<number>
  read?: ReadFile
}

const KIND = 'import'
const TIMEOUT_MS = 4 * 3_600_000
const MAX_BYTES = 4 * 1024 ** 3
const RESERVE_BYTES = 512 * 1024 ** 2
/** A failed or cancelled import can be taken up again for as long. */
const KEPT_MS = 24 * 3_600_000

export function createImports(deps: ImportsDeps): Feature {
  const { store, now, jobs, ports } = deps
  const table = createImportTable({ store, now })
  const uploads = createUploads({
    folder: deps.folder,
    maxBytes: deps.limits?.maxBytes ?? MAX_BYTES,
    reserveBytes: deps.limits?.reserveBytes ?? RESERVE_BYTES,
    ...(deps.freeBytes ? { freeBytes: deps.freeBytes } : {}),
  })
  const read = deps.read ?? readFile
  const arriving = new Set<string>()

  jobs.handle(KIND, {
    queue: 'default',
    timeoutMs: TIMEOUT_MS,
    async run({ job, signal, progress, save }) {
      // Written by the route below and by the save before.
      const payload = job.payload as ImportPayload
      const checkpoint = job.checkpoint as ImportCheckpoint | null
      const running = { payload, checkpoint, signal, progress, save }
      const result = await storeFile(running, { ports, table, read, pathOf: uploads.pathOf })
      await uploads.remove(payload.importId)
      return { result }
    },
  })

  /** Files of jobs that wait, run, or may be taken up again. */
  const sweep = () =>
    uploads.sweep((id) => {
      if (arriving.has(id)) return true
      const job = jobs.find(table.find(id)?.jobId ?? '')
      if (!job || job.status === 'finished') return false
      return job.endedAtMs === null || job.endedAtMs > now() - KEPT_MS
    })

  return {
    name: 'imports',
    routes(http) {
      importRoutes(http, { ...deps, table, uploads, kind: KIND, sweep, arriving })
    },
    start: sweep,
  }
}
