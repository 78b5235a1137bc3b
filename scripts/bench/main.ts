/**
 * `npm run bench`: one table of the hub beside what it is compared with in the same run; `npm run bench -- NAME [COUNT]` runs one
 * part. It judges nothing: a target that is missed is a word in the table, not a failure.
 */
import { loadavg } from 'node:os'
import { alarmRows } from './alarms.ts'
import { cameraRows } from './cameras.ts'
import { unplugRows } from './cameras-unplug.ts'
import { fanOut } from './fan-out.ts'
import { healthRows } from './health.ts'
import { healthImportRows } from './health-import.ts'
import { healthReadRows } from './health-reads.ts'
import { httpBulk } from './http-bulk.ts'
import { removeTemporaryData } from './hub-process.ts'
import { idleRows } from './idle.ts'
import { killRows } from './kill.ts'
import { machineOf } from './machine.ts'
import { createNative } from './native.ts'
import { queries } from './queries.ts'
import { type Row, Skipped } from './row.ts'
import { sessionRows } from './session.ts'
import { slowDisk } from './slow-disk.ts'
import { stepCosts } from './step-costs.ts'
import { steps } from './steps.ts'
import { syncRows } from './sync.ts'
import { tableOf } from './table.ts'
import { openLoop, throughput } from './throughput.ts'
import { visionRows } from './vision.ts'
import { written } from './written.ts'

const native = createNative()
/** In the order of the table; `count` is starts or rounds where a part repeats something. */
const BENCHES: Record<string, (count: number | undefined) => Promise<Row[]>> = {
  throughput: () => throughput(native),
  latency: () => openLoop(native),
  steps: async () => [...(await steps(native)), ...(await stepCosts())],
  'slow-disk': () => slowDisk(native),
  written: () => written(native),
  queries: () => queries(),
  http: () => httpBulk(),
  health: async (megabytes) => [
    ...(await healthRows()),
    ...(await healthImportRows(megabytes)),
    ...(await healthReadRows()),
  ],
  live: () => fanOut(native),
  alarms: () => alarmRows(),
  idle: (count) => idleRows(count),
  vision: (count) => visionRows(count),
  session: (count) => sessionRows(count),
  cameras: (count) => cameraRows(native, count),
  unplug: (count) => unplugRows(count),
  sync: () => syncRows(),
  kill: (count) => killRows(native, count),
}

const [what = '', count] = process.argv.slice(2)
if (what !== '' && !BENCHES[what]) {
  console.error(`There is no bench "${what}", only: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
process.once('exit', removeTemporaryData)
console.log(machineOf(native))
const rows: Row[] = []
for (const [name, bench] of Object.entries(BENCHES)) {
  if (what !== '' && what !== name) continue
  const fromMs = performance.now()
  try {
    rows.push(...(await bench(count === undefined ? undefined : Number(count))))
    const tookS = ((performance.now() - fromMs) / 1000).toFixed(0)
    console.error(`${name}: ${tookS} s, load ${loadavg()[0]?.toFixed(1)}`)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    console.error(cause instanceof Skipped ? `${name} is left out: ${reason}` : `${name} failed: ${reason}`)
    rows.push({ name, hub: '', beside: reason.slice(0, 80), ratio: null, target: '', met: null })
  }
}
console.log(`\n${tableOf(rows)}`)
