/** The sessions feature behind the household's real server, with an owner, two players and their coach. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FileLimits } from '../../../daemon/features/sessions/files.ts'
import { createSessions, type Sessions } from '../../../daemon/features/sessions/sessions.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openHousehold, temporaryFolder } from '../../fakes/household.ts'

export async function setup(t: TestContext, limits: Partial<FileLimits> = { reserveBytes: 0 }) {
  const clock = fakeClock()
  const folder = temporaryFolder(t)
  const made: Sessions[] = []
  const home = await openHousehold(t, {
    clock,
    folder,
    more(store) {
      let ids = 0
      const sessions = createSessions({
        ...{ store, now: clock.now, newId: () => `id-${++ids}`, log: createLog('silent'), limits },
        folder: join(folder, 'sessions'),
        groupExists: (groupId) => groupId === 'team',
        playersOf: () => ['mia', 'leo'],
      })
      made.push(sessions)
      return [sessions.feature]
    },
  })
  const owner = await home.claimed()
  for (const id of ['mia', 'leo']) await home.people.add({ id, name: id, age: 12 })
  const letIn = async (role: string, person_id: string, classes?: string[]) =>
    (await home.letIn(owner, { role, person_id, ...(classes ? { classes } : {}) })).access_token
  const mia = await letIn('member', 'mia')
  const leo = await letIn('member', 'leo')
  return { ...home, sessions: made[0]!, owner, mia, leo, letIn }
}
