/**
 * The cloud service over the Postgres at `argv[2]` until it is killed, or ends itself at the failpoint `argv[3]`; with the built-in shape
 * server when `argv[4]` says so. Prints its address.
 */
import { systemClock } from '../../daemon/kernel/clock.ts'
import { runCloud } from '../../sync/cloud/run.ts'
import { failpointsFrom } from '../../sync/failpoint.ts'

const [, , databaseUrl = '', failpoint, shapes] = process.argv
const { address } = await runCloud({
  databaseUrl,
  listen: '127.0.0.1:0',
  shapes: shapes === 'builtin' ? 'builtin' : null,
  hubPerMinute: 1e9,
  shapesSecret: null,
  shapesListen: '127.0.0.1:0',
  clock: systemClock(),
  log: { info() {}, warn() {}, error() {} },
  failpoints: failpointsFrom(failpoint, () => process.kill(process.pid, 'SIGKILL')),
})
process.stdout.write(`${address}\n`)
