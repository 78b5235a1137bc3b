/** On a disk of 24 MB at `argv[2]`: fills it, and prints what the store did with old values, new ones, an alert and a deletion. */
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createDiskGuard } from '../../daemon/store/disk-guard.ts'
import { createStore } from '../../daemon/store/open.ts'
import { HOUSEHOLD, pulse, unexpected } from '../store/home.ts'

const folder = process.argv[2] ?? ''
const MIB = 1024 ** 2
const freeBytes = () => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
const opened = await createStore({ path: join(folder, 'hub.db'), now: Date.now, onFailure: unexpected })
const reserve = join(folder, 'reserve')
writeFileSync(reserve, Buffer.alloc(4 * MIB, 1))
const guard = createDiskGuard({
  folder,
  clock: systemClock(),
  log: createLog('silent'),
  freeBytes,
  stalled: () => opened.stats().diskFull,
  sizes: { reserveBytes: 4 * MIB, floorBytes: 4 * MIB, hardBytes: 0 },
})
const store = guard.guarded(opened)
const said: Record<string, unknown> = {}
const codeOf = (cause: unknown) => (cause as { code?: string }).code

await store.write(HOUSEHOLD)
const old = Date.now() - 40 * 86_400_000
let kept = 0
await store.observations.append(Array.from({ length: 5000 }, (_, at) => pulse(old + at * 1000)))
kept += 5000
/** Somebody else fills the disk to the last page. */
const video = join(folder, 'video')
writeFileSync(video, Buffer.alloc(Math.max(0, freeBytes() - 8192), 1))
guard.look()
said['bulk'] = await store.observations.append([pulse(old - 1000)]).then(() => 'stored', codeOf)
const looking = setInterval(guard.look, 20)
for (let second = 0; second < 300; second += 1) {
  await store.observations.append([pulse(Date.now() - 1000 + second)])
  kept += 1
}
said['newest'] = 'stored'
said['released'] = guard.report().released
said['state'] = guard.report().state
await store.write([{ sql: 'DELETE FROM observation WHERE ts < :ts', params: { ts: old + 1_000_000 } }])
kept -= 1000
said['deleted'] = true
rmSync(video)
while (guard.report().state !== 'roomy') await new Promise((done) => setImmediate(done))
said['afterwards'] = await store.observations.append([pulse(old + 9_000_000)]).then(() => 'stored', codeOf)
kept += 1
clearInterval(looking)
said['lost'] = kept - (store.get<{ n: number }>('SELECT count(*) AS n FROM observation')?.n ?? 0)
said['integrity'] = store.all('PRAGMA integrity_check')
guard.stop()
await store.close()
process.stdout.write(JSON.stringify(said))
