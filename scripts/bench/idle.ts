import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub, temporaryData } from './hub-process.ts'
import { median, type Row } from './row.ts'

const SETTLE_MS = 5000
const KB_PER_MB = 1024

export interface IdleResult {
  /** A hub that makes its CA and database. */
  firstStartMs: number
  /** The same hub started again, median of `starts`. */
  startMs: number
  /** A Node process that does nothing and ends, started in turn with the hub. */
  bareStartMs: number
  /** Resident memory five seconds after it was ready. */
  residentMb: number
  /** The bare Node process beside it, as the floor. */
  bareNodeMb: number
  stopExitCode: number | null
}

/** Measures start-to-ready time and resident memory of an idle hub, beside a bare Node process. */
export async function measureIdle(starts: number): Promise<IdleResult> {
  const dataDir = temporaryData()
  const first = await startHub(dataDir)
  await first.kill('SIGTERM')
  const times: number[] = []
  const bareTimes: number[] = []
  let last = { residentMb: 0, exitCode: null as number | null }
  for (let index = 0; index < starts; index++) {
    bareTimes.push(bareStart())
    const hub = await startHub(dataDir)
    times.push(hub.readyMs)
    if (index === starts - 1) await sleep(SETTLE_MS)
    const residentMb = residentOf(hub.json.pid)
    last = { residentMb, exitCode: await hub.kill('SIGTERM') }
  }
  return {
    firstStartMs: Math.round(first.readyMs),
    startMs: Math.round(median(times)),
    bareStartMs: Math.round(median(bareTimes)),
    residentMb: last.residentMb,
    bareNodeMb: await bareNode(),
    stopExitCode: last.exitCode,
  }
}

const STARTS = 5
const START_AT_MOST_MS = 1500
const RESIDENT_AT_MOST_MB = 120

/** Start to ready and memory at rest as lines of the table. */
export async function idleRows(starts = STARTS): Promise<Row[]> {
  const { firstStartMs, startMs, bareStartMs, residentMb, bareNodeMb } = await measureIdle(starts)
  return [
    {
      name: 'start to ready',
      hub: `${startMs} ms (first start, keys and database made: ${firstStartMs} ms)`,
      beside: `bare Node: ${bareStartMs} ms`,
      ratio: startMs / bareStartMs,
      target: `<= ${START_AT_MOST_MS} ms`,
      met: startMs <= START_AT_MOST_MS,
    },
    {
      name: 'memory at rest',
      hub: `${residentMb} MB`,
      beside: `bare Node: ${bareNodeMb} MB`,
      ratio: residentMb / bareNodeMb,
      target: `<= ${RESIDENT_AT_MOST_MB} MB`,
      met: residentMb <= RESIDENT_AT_MOST_MB,
    },
  ]
}

function residentOf(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found?.[1] ?? Number.NaN) / KB_PER_MB)
}

function bareStart(): number {
  const fromMs = performance.now()
  spawnSync(process.execPath, ['-e', ''])
  return performance.now() - fromMs
}

async function bareNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await sleep(1000)
  const residentMb = residentOf(child.pid ?? 0)
  child.kill()
  return residentMb
}
