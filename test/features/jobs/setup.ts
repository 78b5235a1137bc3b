import type { TestContext } from 'node:test'
import { createJobs, type Jobs } from '../../../daemon/features/jobs/jobs.ts'
import { createTasks } from '../../../daemon/features/tasks/tasks.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { household, ZONE } from '../glucose/setup.ts'

export interface Told {
  id: string
  status: string
  progress: number
}

/** A hub with a queue; `prepare` says what it can run before it starts. */
export async function setup(t: TestContext, prepare: (jobs: Jobs) => void = () => {}) {
  const clock = fakeClock()
  const told: (Told & { personId: string | null })[] = []
  const waiting = new Set<() => void>()
  let made: Jobs | null = null
  const home = await household(t, ({ store }) => {
    const jobs = createJobs({
      ...{ store, clock, log: createLog('silent'), zone: () => ZONE, random: () => 0.5 },
      newId: () => newId(clock.now()),
      notify(data, { personId }) {
        told.push({ ...(data as Told), personId })
        for (const look of [...waiting]) look()
      },
    })
    made = jobs
    jobs.handle('aggregate-daily', { queue: 'low', run: async () => ({ result: { people: 2 } }) })
    prepare(jobs)
    const kinds = [{ path: 'aggregate-daily', kind: 'aggregate-daily', summary: 'Days anew' }]
    return [jobs.feature, createTasks({ jobs, now: clock.now, kinds })]
  })
  if (!made) throw new Error('no jobs')
  const jobs: Jobs = made
  await jobs.feature.start?.()
  t.after(() => jobs.feature.stop?.())

  /** Resolves once the job's row is in one of these states and nothing runs of it any more. */
  function reaches(id: string, ...statuses: string[]): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!statuses.includes(jobs.find(id)?.status ?? '')) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  }
  return { ...home, clock, jobs, told, reaches }
}
