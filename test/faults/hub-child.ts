/**
 * A hub's way to the cloud as a program of its own, so that it can be killed like one: its database in `argv[2]`, its secret `argv[3]`
 * in hexadecimal, ending itself at the failpoint `argv[4]`. Does what it is told by messages and answers when that is on disk.
 */
import { failpointsFrom } from '../../sync/failpoint.ts'
import type { SqlParams } from '../../sync/ports.ts'
import { syncedHub } from '../sync-hub/setup.ts'

export interface Order {
  id: number
  what: 'enrol' | 'addPerson' | 'addEvent' | 'addHour' | 'choose' | 'write' | 'all' | 'kick' | 'depth' | 'why'
  given: readonly unknown[]
}

const [, , folder = '', secret = '', failpoint] = process.argv
const hub = await syncedHub(
  {
    failpoints: failpointsFrom(failpoint, () => process.kill(process.pid, 'SIGKILL')),
    // Little patience, so that a round is short.
    random: () => 0.02,
    silentMs: 4000,
  },
  folder,
  Buffer.from(secret, 'hex'),
)
const { sync, store } = hub
const WORK: Record<Order['what'], (...given: never[]) => unknown> = {
  enrol: (address: string, code: string) => sync.enrol(address, code),
  addPerson: hub.addPerson,
  addEvent: hub.addEvent,
  addHour: hub.addHour,
  choose: (personId: string) =>
    sync.choose(personId, [
      { class: 'wellness', raw: false },
      { class: 'training', raw: false },
    ]),
  write: (sql: string, params: SqlParams) => store.write([{ sql, params }]).then(() => null),
  all: (sql: string) => store.all(sql),
  kick: () => sync.kick(),
  depth: () => sync.state.depth('now') + sync.state.depth('state') + sync.state.depth('bulk'),
  why: () => (['now', 'state'] as const).map((lane) => sync.lanes.last(lane).why),
}

process.on('message', ({ id, what, given }: Order) => {
  Promise.resolve()
    .then(() => WORK[what](...(given as never[])))
    .then(
      (result) => process.send?.({ id, result: result ?? null }),
      (cause: unknown) => process.send?.({ id, fault: String(cause) }),
    )
})
// Whoever started it is gone.
process.once('disconnect', () => process.exit(1))
process.send?.({ id: 0, result: 'ready' })
