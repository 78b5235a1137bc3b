import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createGlucose } from '../../../daemon/features/glucose/glucose.ts'
import { createHealthKit } from '../../../daemon/features/imports/health-kit.ts'
import { createImports } from '../../../daemon/features/imports/imports.ts'
import type { ImportPorts } from '../../../daemon/features/imports/storing.ts'
import { createIngest } from '../../../daemon/features/ingest/ingest.ts'
import { createJobs, type Jobs } from '../../../daemon/features/jobs/jobs.ts'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { MANUAL_DEVICE_ID } from '../../../daemon/store/hub.ts'
import { household, MIA, ZONE } from '../glucose/setup.ts'

export interface Shown {
  id: string
  status: string
  error: string | null
  accepted: number
  duplicates: number
  revised: number
  skipped: number
}

export interface Left {
  where: string
  reason: string
  count: number
}

export interface Entered {
  job_id: string
  import_id: string
}

/** A hub that takes files in, with real threads to read them. */
export async function setup(
  t: TestContext,
  options: { freeBytes?: () => Promise<number>; maxBytes?: number } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-imports-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const waiting = new Set<() => void>()
  let made: Jobs | null = null
  const nowMs = Date.UTC(2026, 5, 1)
  const home = await household(
    t,
    (parts) => {
      const { store, now, sources } = parts
      const clock = { now, monotonic: now, after: () => () => {}, every: () => () => {} }
      const jobs = createJobs({
        ...{ store, clock, log: createLog('silent'), zone: () => ZONE, random: () => 0.5 },
        newId: () => newId(now()),
        notify() {
          for (const look of [...waiting]) look()
        },
      })
      made = jobs
      const records = createRecords({ ...parts, newId: () => newId(now()) })
      const glucose = createGlucose(parts)
      const tell: ImportPorts['record'] = async (kind, body, from) =>
        (await records.tell(kind, body, from)).outcome
      const ingest = createIngest({ store, now, manualDevice: async () => MANUAL_DEVICE_ID })
      const imports = createImports({
        ...{ store, now, jobs, folder, zoneOf: () => ZONE, clock },
        newId: () => newId(now()),
        ports: {
          entryFor: sources.entryFor,
          append: store.observations.append,
          record: tell,
          note: ingest.keepNote,
        },
        limits: { reserveBytes: 0, ...(options.maxBytes ? { maxBytes: options.maxBytes } : {}) },
        ...(options.freeBytes ? { freeBytes: options.freeBytes } : {}),
      })
      const kit = createHealthKit({
        now,
        glucose: glucose.take,
        record: tell,
        entryFor: sources.entryFor,
        samples: ingest.take,
      })
      return [jobs.feature, imports, records.feature, glucose.feature, kit]
    },
    nowMs,
  )
  if (!made) throw new Error('no jobs')
  const jobs: Jobs = made
  await jobs.feature.start?.()
  t.after(() => jobs.feature.stop?.())

  function ended(jobId: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!['finished', 'failed', 'cancelled'].includes(jobs.find(jobId)?.status ?? '')) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  }

  async function upload(query: string, file: Uint8Array | string, who: Record<string, string> = MIA) {
    const answer = await home.http.inject({
      method: 'POST',
      url: `/api/v1/imports?person_id=mia&${query}`,
      headers: { ...who, 'content-type': 'application/octet-stream' },
      payload: Buffer.from(file),
    })
    return { status: answer.statusCode, body: answer.json<{ data: Entered; error: { code: string } }>() }
  }

  /** Brings a file in and waits for what comes of it. */
  async function bring(query: string, file: Uint8Array | string) {
    const { status, body } = await upload(query, file)
    if (status !== 202) throw new Error(JSON.stringify(body))
    await ended(body.data.job_id)
    const id = body.data.import_id
    const shown = (await home.call<Shown>('GET', `/imports/${id}`, MIA)).body.data
    const left = (await home.call<Left[]>('GET', `/imports/${id}/skipped?per_page=200`, MIA)).body.data
    return { ...shown, left, jobId: body.data.job_id }
  }
  return { ...home, home, jobs, folder, upload, bring, ended }
}
