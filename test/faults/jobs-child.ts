/** Runs the jobs of the store at `argv[2]`, entering `argv[3]` of them first, until it is killed or all have ended. */
import { createJobs } from '../../daemon/features/jobs/jobs.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { newId } from '../../daemon/kernel/ids.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createStore } from '../../daemon/store/open.ts'

const [, , path = '', wanted = '0'] = process.argv
const clock = systemClock()
const store = await createStore({
  path,
  now: clock.now,
  onFailure: (cause) => {
    throw cause
  },
})
await store.write([
  { sql: 'CREATE TABLE IF NOT EXISTS effect (job TEXT NOT NULL, step INTEGER NOT NULL) STRICT' },
])
const jobs = createJobs({
  ...{ store, clock, log: createLog('silent'), zone: () => 'UTC', random: Math.random, notify: () => {} },
  newId: () => newId(clock.now()),
  limits: { default: 4 },
})
const STEPS = 5
const effect = (job: string, step: number) => ({
  sql: 'INSERT INTO effect (job, step) VALUES (:job, :step)',
  params: { job, step },
})
jobs.handle('steps', {
  queue: 'default',
  async run({ job, save }) {
    let step = typeof job.checkpoint === 'number' ? job.checkpoint : 0
    for (; step < STEPS; step += 1) {
      // A turn of the loop, so that several jobs are on their way at once.
      await new Promise(setImmediate)
      await save(step + 1, [effect(job.id, step)])
    }
    process.stdout.write('step\n')
    return { writes: [effect(job.id, STEPS)] }
  },
})
for (let entered = 0; entered < Number(wanted); entered += 1) {
  const plan = jobs.enqueue('steps', null)
  await store.write(plan.writes)
}
await jobs.feature.start?.()
process.stdout.write('running\n')
const look = setInterval(() => {
  const { queued, running } = jobs.stats()
  if (queued + running > 0) return
  clearInterval(look)
  void (async () => {
    await jobs.feature.stop?.()
    await store.close()
    process.stdout.write('all\n')
  })()
}, 10)
