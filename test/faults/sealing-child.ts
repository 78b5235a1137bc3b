/** Packs days of the store at `argv[2]` again and again while late values come, until it is killed; prints each acknowledged instant. */
import { once } from 'node:events'
import { createStore } from '../../daemon/store/open.ts'
import { HOUSEHOLD, MORNING, pulse, unexpected } from '../store/home.ts'

const [, , path = '', first = '0'] = process.argv
const store = await createStore({
  path,
  now: () => MORNING + 20 * 86_400_000,
  onFailure: unexpected,
})
if (!store.get('SELECT id FROM person')) await store.write(HOUSEHOLD)

let next = Number(first)

async function send(): Promise<never> {
  for (;;) {
    const rows = Array.from({ length: 100 }, () => {
      const at = next++
      // Back and forth over four days, so that packed days get late values.
      return pulse(MORNING + (at % 4) * 86_400_000 + Math.floor(at / 4) * 1000, 60 + (at % 9))
    })
    await store.observations.append(rows)
    if (!process.stdout.write(rows.map(({ atMs }) => `${atMs}\n`).join('')))
      await once(process.stdout, 'drain')
  }
}

async function pack(): Promise<never> {
  for (;;) {
    await store.upkeep(null)
    process.stdout.write('packed\n')
  }
}

await Promise.all([send(), pack()])
