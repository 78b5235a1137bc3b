/** Appends to the store at `argv[2]` until it is killed and prints each row's instant once it is acknowledged. */
import { once } from 'node:events'
import { createStore } from '../../daemon/store/open.ts'
import { HOUSEHOLD, MORNING, pulse } from '../store/home.ts'

const [, , path = '', firstSecond = '0', lastSecond = 'Infinity'] = process.argv
const store = await createStore({
  path,
  now: () => Date.now(),
  onFailure: (cause) => {
    throw cause
  },
})
if (!store.get('SELECT id FROM person')) await store.write(HOUSEHOLD)

let second = Number(firstSecond)
let wasFull = false
const watch = setInterval(() => {
  const { diskFull } = store.stats()
  if (diskFull && !wasFull) process.stdout.write('full\n')
  wasFull = diskFull
}, 20)

/** Several senders at once, so that commits hold several calls. */
async function send(): Promise<void> {
  while (second < Number(lastSecond)) {
    const rows = Array.from({ length: 1 + (second % 7) }, () =>
      pulse(MORNING + second++ * 1000, 60 + (second % 9)),
    )
    await store.observations.append(rows)
    if (!process.stdout.write(rows.map(({ atMs }) => `${atMs}\n`).join('')))
      await once(process.stdout, 'drain')
  }
}
await Promise.all(Array.from({ length: 8 }, send))
clearInterval(watch)
await store.close()
process.stdout.write('closed\n')
