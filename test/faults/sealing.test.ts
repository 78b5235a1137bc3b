import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createStore } from '../../daemon/store/open.ts'
import { MORNING, scratch, unexpected } from '../store/home.ts'
import { report } from './report.ts'

const CHILD = fileURLToPath(new URL('./sealing-child.js', import.meta.url))

test('what was acknowledged before kill -9 while days were packed is there exactly once, in days and in roll-ups', async (t) => {
  const path = join(scratch(t), 'hub.db')
  const acknowledged = new Set<number>()
  let first = 0
  for (const killAfter of [1, 2, 3]) {
    const child = spawn(process.execPath, [CHILD, path, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    let [packed, sent] = [0, 0]
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'packed') packed += 1
      else acknowledged.add(Number(line))
      sent += line === 'packed' ? 0 : 1
      // Some way into the next round.
      if (packed >= killAfter && sent % 700 === 0) child.kill('SIGKILL')
    }
    await ended
    first += sent + 2000
  }
  const store = await createStore({ path, now: () => MORNING, onFailure: unexpected })
  t.after(() => store.close())
  const range = { personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: MORNING + 1e12, limit: 1_000_000 }
  const { points } = await store.observations.range(range)
  const counts = new Map<number, number>()
  for (const { atMs } of points) counts.set(atMs, (counts.get(atMs) ?? 0) + 1)
  assert.ok(acknowledged.size > 2000)
  assert.deepEqual(
    [...acknowledged].filter((atMs) => counts.get(atMs) !== 1),
    [],
  )
  const rounds = { rounds: 3, acknowledged: acknowledged.size, lost: 0, doubled: 0 }
  report(t, { fault: 'kill -9 while days are packed', ...rounds })
  const days = await store.observations.level({ ...range, level: '1d' })
  assert.equal(
    days.points.reduce((sum, { count }) => sum + count, 0),
    points.length,
  )
  assert.ok((store.get<{ n: number }>('SELECT count(*) AS n FROM sealed_day')?.n ?? 0) > 0)
  assert.deepEqual(store.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
})
