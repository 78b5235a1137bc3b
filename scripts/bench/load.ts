import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Native } from './native.ts'

/** What the load client counted; latencies in ms, `cpu` in cores of the broker's process. */
export interface LoadResult {
  ackedPerS: number
  acked: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
  cpu: number
  residentMb: number
  unacked: number
  lostConnections: number
  nextFromMs: number
  receivedPerS: number
  deliveredP50Ms: number
  deliveredP99Ms: number
}

export interface LoadOptions {
  port: number
  pid: number
  /** Absent: nobody signs in. */
  credentials?: string
  connections: number
  /** Messages under way per connection; or `rate` per second in all; or one message in all with `lockstep`. */
  window?: number
  rate?: number
  lockstep?: boolean
  /** Values of a message. */
  samples?: number
  /** Time between the samples of a watch; without it each is stamped when it is sent. */
  stepMs?: number
  /** First instant; by default after those of all runs before. */
  fromMs?: number
  seconds: number
  warm?: number
  /** Ends when this many are acknowledged. */
  messages?: number
  subscribers?: number
  qos?: 0 | 1
}

export type Load = (options: LoadOptions) => Promise<LoadResult>

const WARM_S = 1
const SLACK_MS = 60_000
const STEP_MS = 1000

/** Runs the native load client; every run stamps its values after those of all runs before it, so that nothing repeats. */
export function createLoad(native: Native): Load {
  let fromMs = 0
  return async (options) => {
    fromMs = Math.max(fromMs + STEP_MS, Date.now())
    const values = { warm: WARM_S, fromMs, ...options }
    const args = Object.entries(values).flatMap(([name, value]) => argument(name, value))
    const { stdout } = await promisify(execFile)(native.program('mqttload'), args, {
      timeout: (options.seconds + WARM_S) * 1000 + SLACK_MS,
    })
    const result = JSON.parse(stdout) as LoadResult
    fromMs = Math.max(fromMs, result.nextFromMs)
    return result
  }
}

function argument(name: string, value: string | number | boolean): string[] {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (typeof value === 'boolean') return value ? [flag] : []
  return [flag, String(value)]
}
