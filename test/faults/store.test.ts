import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createStore } from '../../daemon/store/open.ts'
import { MORNING, scratch, unexpected } from '../store/home.ts'
import { report } from './report.ts'

const CHILD = fileURLToPath(new URL('./store-child.js', import.meta.url))

/** Feeds each line that the child prints to `heard` until it has ended. */
async function follow(t: TestContext, child: ChildProcess, heard: (line: string) => void): Promise<void> {
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout! })) heard(line)
  await ended
}

async function assertStored(t: TestContext, path: string, acknowledged: readonly number[]): Promise<void> {
  const store = await createStore({ path, now: () => MORNING, onFailure: unexpected })
  t.after(() => store.close())
  const stored = store.all<{ ts: number; n: number }>(
    'SELECT ts, count(*) AS n FROM observation GROUP BY ts ORDER BY ts',
  )
  const counts = new Map(stored.map(({ ts, n }) => [ts, n]))
  assert.deepEqual(
    acknowledged.filter((atMs) => counts.get(atMs) !== 1),
    [],
    'every acknowledged row is there exactly once',
  )
  const days = await store.observations.level({
    personId: 'mia',
    metric: 'heart_rate',
    level: '1d',
    fromMs: 0,
    toMs: MORNING + 1e12,
    limit: 10_000,
  })
  assert.equal(
    days.points.reduce((sum, { count }) => sum + count, 0),
    stored.length,
    'the roll-ups count what is stored',
  )
  assert.deepEqual(store.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
  await store.close()
}

test('what was acknowledged before kill -9 is there exactly once, and so are its roll-ups', async (t) => {
  const path = join(scratch(t), 'hub.db')
  const acknowledged: number[] = []
  for (const killAfter of [300, 2000, 5000]) {
    const first = acknowledged.length === 0 ? 0 : (Math.max(...acknowledged) - MORNING) / 1000 + 1000
    const child = spawn(process.execPath, [CHILD, path, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let heard = 0
    await follow(t, child, (line) => {
      acknowledged.push(Number(line))
      heard += 1
      if (heard === killAfter) child.kill('SIGKILL')
    })
    await assertStored(t, path, acknowledged)
  }
  report(t, {
    fault: 'kill -9 of the store',
    rounds: 3,
    acknowledged: acknowledged.length,
    lost: 0,
    doubled: 0,
  })
})

test('on a full disk callers wait, nothing acknowledged is lost, and with room again they are answered', async (t) => {
  const path = join(scratch(t), 'hub.db')
  const limited = ['-c', 'ulimit -S -f 2048; exec "$0" "$@"', process.execPath, CHILD, path, '0', '60000']
  const child = spawn('bash', limited, { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  const events: string[] = []
  await follow(t, child, (line) => {
    if (/^\d+$/.test(line)) {
      acknowledged.push(Number(line))
      return
    }
    events.push(line)
    if (line === 'full') execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
  })
  assert.deepEqual(events, ['full', 'closed'])
  assert.ok(acknowledged.length >= 60_000)
  await assertStored(t, path, acknowledged)
  report(t, {
    fault: 'full disk, callers wait',
    rounds: 1,
    acknowledged: acknowledged.length,
    lost: 0,
    doubled: 0,
  })
})
