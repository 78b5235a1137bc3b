import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub, temporaryData } from './hub-process.ts'

const SETTLE_MS = 5000
const KB_PER_MB = 1024

export interface IdleResult {
  /** A hub that makes its CA and database. */
  firstStartMs: number
  /** The same hub started again, median of `starts`. */
  startMs: number
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
  let last = { residentMb: 0, exitCode: null as number | null }
  for (let index = 0; index < starts; index++) {
    const hub = await startHub(dataDir)
    times.push(hub.readyMs)
    if (index === starts - 1) await sleep(SETTLE_MS)
    const residentMb = residentOf(hub.json.pid)
    last = { residentMb, exitCode: await hub.kill('SIGTERM') }
  }
  times.sort((a, b) => a - b)
  return {
    firstStartMs: Math.round(first.readyMs),
    startMs: Math.round(times[Math.floor(times.length / 2)] ?? Number.NaN),
    residentMb: last.residentMb,
    bareNodeMb: await bareNode(),
    stopExitCode: last.exitCode,
  }
}

function residentOf(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found?.[1] ?? Number.NaN) / KB_PER_MB)
}

async function bareNode(): Promise<number> {
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await sleep(1000)
  const residentMb = residentOf(child.pid ?? 0)
  child.kill()
  return residentMb
}
