import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, freemem, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { temporaryData } from './hub-process.ts'
import type { Native } from './native.ts'

const GIB = 1024 ** 3
const SYNC_BYTES = '4096'
const SYNCS = '300'

/** The machine in one line, with how fast its disk syncs: figures of another machine are no comparison. */
export function machineOf(native: Native): string {
  const found = cpus()
  const parts = [
    `${found[0]?.model.trim() ?? 'unknown processor'} x ${found.length}`,
    `${(totalmem() / GIB).toFixed(0)} GiB (${(freemem() / GIB).toFixed(0)} free)`,
    `Linux ${release()}, Node ${process.versions.node}`,
    diskOf(native),
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')} before`,
  ]
  return parts.join(' · ')
}

function diskOf(native: Native): string {
  const folder = temporaryData()
  const type = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, mount]) => mount !== undefined && folder.startsWith(mount))
    .sort(([, a], [, b]) => (b?.length ?? 0) - (a?.length ?? 0))[0]?.[2]
  try {
    const text = execFileSync(native.program('fsyncprobe'), [join(folder, 'probe'), SYNC_BYTES, SYNCS], {
      encoding: 'utf8',
    })
    const { p50Ms, p99Ms } = JSON.parse(text) as { p50Ms: number; p99Ms: number }
    return `${type ?? 'unknown disk'}, fsync p50 ${p50Ms} p99 ${p99Ms} ms`
  } catch {
    return type ?? 'unknown disk'
  }
}
