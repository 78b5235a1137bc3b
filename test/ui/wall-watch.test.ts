/** A wall tablet asks with its key, rings for what is new, and knows since when nobody answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Board, startWatch, type WallAlert, type WatchDeps } from '../../daemon/ui/areas/wall/watch.ts'

const ALERT: WallAlert = {
  ...{ id: 'a1', name: 'Mia', kind: 'urgent', state: 'open', step: 1, round: 0 },
  ...{ since: '2026-11-20T03:12:00.000Z', answered_by: null },
}

/** Answers one after the other; when they are used up nothing comes any more, as from a hub that waits. */
function setup(answers: (Board | number | Error)[]) {
  const asked: { path: string; key: string | null; body: unknown }[] = []
  const rang: string[] = []
  let nowMs = 0
  let used: () => void = () => {}
  const done = new Promise<void>((resolve) => {
    used = resolve
  })
  const deps: WatchDeps = {
    async fetch(url, { headers, body }) {
      const path = url.replace('/api/v1', '')
      asked.push({
        ...{ path, key: new Headers(headers).get('x-api-key') },
        body: typeof body === 'string' ? JSON.parse(body) : null,
      })
      if (path === '/wall/shown') return Response.json({ data: {} })
      const answer = answers.shift()
      if (answer === undefined) {
        used()
        return new Promise(() => {})
      }
      if (answer instanceof Error) throw answer
      return typeof answer === 'number'
        ? new Response('', { status: answer })
        : Response.json({ data: answer })
    },
    key: 'hf_wall_key',
    nowMs: () => nowMs,
    async pause(ms) {
      nowMs += ms
    },
    timeout: () => new AbortController().signal,
    onRing: ({ id, step, round }) => rang.push(`${id} ${step} ${round}`),
  }
  const watch = startWatch(deps)
  return { watch, asked, rang, done }
}

const board = (revision: string, alerts: WallAlert[] = []): Board => ({
  ...{ revision, alerts },
  people: [{ name: 'Mia', state: alerts.length > 0 ? 'urgent' : 'calm' }],
})

test('it asks with its own key, and then for what is newer than what it shows', async () => {
  const { asked, done, watch } = setup([board('r1'), board('r2')])
  await done
  assert.deepEqual(
    asked.map(({ path, key }) => [path, key]),
    ['/wall', '/wall?wait=15&revision=r1', '/wall?wait=15&revision=r2'].map((path) => [path, 'hf_wall_key']),
  )
  assert.equal(watch.state.value.board?.revision, 'r2')
  watch.stop()
})

test('an alert rings once for each step and round, and what was shown is said', async () => {
  const next = { ...ALERT, step: 2 }
  const { asked, rang, done, watch } = setup([
    board('r1', [ALERT]),
    board('r2', [ALERT]),
    board('r3', [next]),
    board('r4', [{ ...next, state: 'acknowledged' }]),
  ])
  await done
  assert.deepEqual(rang, ['a1 1 0', 'a1 2 0'])
  assert.deepEqual(
    asked.filter(({ path }) => path === '/wall/shown').map(({ body }) => body),
    [{ alerts: ['a1'] }, { alerts: ['a1'] }],
  )
  watch.stop()
})

test('a hub that does not answer is lost since the first time, until it does', async () => {
  const { watch, done } = setup([board('r1'), new Error('no network'), 503, new Error('no network')])
  await done
  assert.equal(watch.state.value.lostSinceMs, 0)
  assert.equal(watch.state.value.board?.revision, 'r1', 'what was known stays on the screen')
  watch.stop()
  const back = setup([new Error('no network'), board('r1')])
  await back.done
  assert.equal(back.watch.state.value.lostSinceMs, null)
  back.watch.stop()
})

test('a key that was taken away ends the asking', async () => {
  const { watch, asked } = setup([board('r1'), 401, board('r2')])
  await new Promise<void>((resolve) => {
    watch.state.subscribe(({ isRevoked }) => isRevoked && resolve())
  })
  await new Promise(setImmediate)
  assert.equal(asked.length, 2)
})
