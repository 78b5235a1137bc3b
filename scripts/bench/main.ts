/** `npm run bench -- WHAT`: prints figures with what they were compared to; it judges nothing. */
import { measureIdle } from './idle.ts'
import { killRounds } from './kill.ts'

const BENCHES: Record<string, (count: number) => Promise<unknown>> = {
  kill: (count) => killRounds({ rounds: count || 20, watches: 8, window: 20, seed: 1 }),
  idle: (count) => measureIdle(count || 5),
}

const [what = '', count = '0'] = process.argv.slice(2)
const names = what === '' ? Object.keys(BENCHES) : [what]
for (const name of names) {
  const bench = BENCHES[name]
  if (!bench) {
    console.error(`There is no bench "${name}", only: ${Object.keys(BENCHES).join(', ')}`)
    process.exit(2)
  }
  console.log(name, JSON.stringify(await bench(Number(count)), null, 1))
}
