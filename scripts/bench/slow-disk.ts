import { watchedDisk } from './disk.ts'
import { temporaryData } from './hub-process.ts'
import { createLoad } from './load.ts'
import type { Native } from './native.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const DELAY_MS = 20
const ROUNDS = 3
const SECONDS = 2
const RATE_PER_S = 200
const COMMITS_AT_MOST = 2.5
const ACKED_AT_LEAST = 8000

/** What a commit that takes 20 ms longer does to latency and rate: it stands in for an SD card. */
export async function slowDisk(native: Native): Promise<Row[]> {
  const dataDir = temporaryData()
  const disk = watchedDisk(native, dataDir)
  const load = createLoad(native)
  const site = await openSite({ persons: 50, watches: 500 }, disk.env, dataDir)
  const { mqttPort: port, pid } = site.hub.json
  const { credentials } = site.household
  const run =
    (delayMs: number, cell: { connections: number; rate?: number; window?: number }) => async () => {
      disk.delay(delayMs)
      const before = disk.written().syncs
      const result = await load({ ...cell, port, pid, credentials, seconds: SECONDS })
      const syncs = disk.written().syncs - before
      disk.delay(0)
      return { ...result, syncs }
    }
  try {
    const steady = { connections: 50, rate: RATE_PER_S }
    const calm = await interleaved(ROUNDS, { slow: run(DELAY_MS, steady), fast: run(0, steady) })
    const flood = { connections: 500, window: 1 }
    const full = await interleaved(ROUNDS, { slow: run(DELAY_MS, flood), fast: run(0, flood) })
    const p99 = median(calm.slow.map((one) => one.p99Ms))
    // The delay stands for the commit: what the commit itself takes is the machine's noise.
    const commits = p99 / DELAY_MS
    const slowPerS = median(full.slow.map((one) => one.ackedPerS))
    return [
      {
        name: `${DELAY_MS} ms more a commit, ${RATE_PER_S}/s, 50 conns`,
        hub: `p50 ${shortNumber(median(calm.slow.map((one) => one.p50Ms)))} ms, p99 ${shortNumber(p99)} ms`,
        beside: `no delay: p99 ${shortNumber(median(calm.fast.map((one) => one.p99Ms)))} ms; ratio is p99 in delays`,
        ratio: commits,
        target: `<= ${COMMITS_AT_MOST}`,
        met: commits <= COMMITS_AT_MOST,
      },
      {
        name: `${DELAY_MS} ms more a commit, 500 conns, window 1`,
        hub: `${shortNumber(slowPerS)}/s`,
        beside: `no delay: ${shortNumber(median(full.fast.map((one) => one.ackedPerS)))}/s`,
        ratio: pairedRatio(
          full.slow.map((one) => one.ackedPerS),
          full.fast.map((one) => one.ackedPerS),
        ),
        target: `>= ${ACKED_AT_LEAST}/s`,
        met: slowPerS >= ACKED_AT_LEAST,
      },
    ]
  } finally {
    await site.stop()
  }
}
