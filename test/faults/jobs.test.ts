import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createStore } from '../../daemon/store/open.ts'
import { scratch, unexpected } from '../store/home.ts'

const CHILD = fileURLToPath(new URL('./jobs-child.js', import.meta.url))
const JOBS = 120
const KILLS = 10

/** Runs the queue until `killAfter` jobs were through their steps; whether all had ended before. */
async function round(t: TestContext, path: string, enter: number, killAfter: number): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, path, String(enter)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let steps = 0
  let all = false
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'all') all = true
    if (line === 'step' && ++steps === killAfter) child.kill('SIGKILL')
  }
  await ended
  return all
}

test('every job has its effect exactly once, however often the hub is killed', async (t) => {
  const path = join(scratch(t), 'hub.db')
  let kills = 0
  // The moments differ from round to round; the machine makes them random within.
  for (; kills < KILLS; kills += 1)
    assert.equal(await round(t, path, kills === 0 ? JOBS : 0, 1 + ((kills * 7) % 13)), false)
  assert.equal(await round(t, path, 0, Number.POSITIVE_INFINITY), true)
  const store = await createStore({ path, now: () => Date.now(), onFailure: unexpected })
  t.after(() => store.close())
  const statuses = store.all('SELECT status, count(*) AS jobs FROM job GROUP BY status ORDER BY status')
  assert.deepEqual(statuses, [{ status: 'finished', jobs: JOBS }])
  const wrong = store.all(
    'SELECT job, step, count(*) AS times FROM effect GROUP BY job, step HAVING times <> 1 ORDER BY job',
  )
  assert.deepEqual(wrong, [])
  const { effects } = store.get<{ effects: number }>('SELECT count(*) AS effects FROM effect')!
  assert.equal(effects, JOBS * 6)
  const lost = store.get<{ lost: number }>('SELECT sum(lost) AS lost FROM job')!
  assert.ok(lost.lost > 0, 'some jobs were killed while they ran')
})
