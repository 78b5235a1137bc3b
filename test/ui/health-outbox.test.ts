/** What is written down without a hub is kept and sent once, whatever happens in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signal } from '@preact/signals'
import { ApiError, type RequestOptions } from '../../daemon/ui/net/api.ts'
import { createOutbox, openOutbox } from '../../daemon/ui/offline/outbox.ts'

interface Sent {
  path: string
  body: unknown
  key: string | undefined
}

function setup({ keeps = true } = {}) {
  const kept = new Map<string, string>()
  const sent: Sent[] = []
  const timers: { run: () => void; ms: number }[] = []
  let ids = 0
  const hub = { answer: (_sent: Sent): void => undefined }
  const deps = {
    vault: {
      read: async <Value>(name: string) => JSON.parse(kept.get(name) ?? 'null') as Value | null,
      async write(name: string, value: unknown) {
        if (keeps) kept.set(name, JSON.stringify(value))
      },
    },
    api: {
      async post<Data>(path: string, body?: unknown, { idempotencyKey }: RequestOptions = {}) {
        const one = { path, body, key: idempotencyKey }
        sent.push(one)
        hub.answer(one)
        return {} as Data
      },
    },
    newId: () => `id-${++ids}`,
    nowMs: () => 1_000,
    later: (run: () => void, ms: number) => void timers.push({ run, ms }),
    exclusively: <Result>(run: () => Promise<Result>) => run(),
  }
  return { deps, hub, sent, timers, kept, outbox: createOutbox(deps) }
}

const offline = () => {
  throw new ApiError('OFFLINE', 'no answer')
}
const mood = (rating: number) => ({ kind: 'mood', personId: 'mia', path: '/mood', body: { rating } })

test('with the hub in reach a note is sent at once and nothing stays behind', async () => {
  const { outbox, sent, kept } = setup()
  assert.equal(await outbox.add(mood(8)), 'sent')
  assert.deepEqual(sent, [{ path: '/mood', body: { rating: 8 }, key: 'id-1' }])
  assert.deepEqual(outbox.letters.value, [])
  assert.equal(kept.get('outbox'), '[]')
})

test('without the hub a note waits, and is sent later under the same key', async () => {
  const { outbox, hub, sent } = setup()
  hub.answer = offline
  assert.equal(await outbox.add(mood(4)), 'waiting')
  assert.equal(outbox.letters.value.length, 1)
  hub.answer = () => undefined
  await outbox.flush()
  assert.deepEqual(
    sent.map(({ key }) => key),
    ['id-1', 'id-1'],
  )
  assert.deepEqual(outbox.letters.value, [])
  assert.equal(outbox.sent.value, 1)
})

test('what waits survives closing the page, in the order it was written', async () => {
  const { outbox, deps, hub, sent } = setup()
  hub.answer = offline
  await outbox.add(mood(2))
  await outbox.add(mood(6))
  const reopened = createOutbox(deps)
  await reopened.load()
  hub.answer = () => undefined
  sent.length = 0
  await reopened.flush()
  assert.deepEqual(
    sent.map(({ body }) => body),
    [{ rating: 2 }, { rating: 6 }],
  )
})

test('a note that the hub refuses stays with its reason and holds nobody up', async () => {
  const { outbox, hub } = setup()
  hub.answer = ({ body }) => {
    const { rating } = body as { rating: number }
    if (rating === 99)
      throw new ApiError('OUT_OF_RANGE', 'This was not kept.', 400, [
        { path: 'rating', message: 'is 1 to 10' },
      ])
  }
  assert.equal(await outbox.add(mood(99)), 'refused')
  assert.equal(await outbox.add(mood(5)), 'sent')
  assert.deepEqual(outbox.letters.value[0]?.refused, {
    code: 'OUT_OF_RANGE',
    message: 'This was not kept. is 1 to 10',
  })
  await outbox.discard(outbox.letters.value[0]!.id)
  assert.deepEqual(outbox.letters.value, [])
})

test('a hub that does not answer is asked again after longer and longer, one timer at a time', async () => {
  const { outbox, hub, timers } = setup()
  hub.answer = offline
  await outbox.add(mood(5))
  await outbox.add(mood(6))
  assert.equal(timers.length, 1)
  for (let round = 0; round < 8; round += 1) {
    timers.at(-1)!.run()
    await new Promise(setImmediate)
  }
  const waits = timers.map(({ ms }) => ms)
  assert.deepEqual(waits.slice(0, 3), [20_000, 40_000, 80_000])
  assert.equal(Math.max(...waits), 600_000)
})

test('after a hundred notes nothing more is taken, and nothing is lost', async () => {
  const { outbox, hub } = setup()
  hub.answer = offline
  for (let index = 0; index < 100; index += 1) await outbox.add(mood(5))
  assert.equal(await outbox.add(mood(5)), 'full')
  assert.equal(outbox.letters.value.length, 100)
})

test('where the browser keeps nothing, the note lasts as long as the page and this is known', async () => {
  const { outbox, hub } = setup({ keeps: false })
  hub.answer = offline
  assert.equal(await outbox.add(mood(5)), 'waiting')
  assert.equal(outbox.durable.value, false)
  hub.answer = () => undefined
  await outbox.flush()
  assert.deepEqual(outbox.letters.value, [])
})

test('it follows who is signed in and whether the hub is in touch', async () => {
  const { deps, hub, sent } = setup()
  hub.answer = offline
  const who = signal('signed-in')
  const touch = signal('lost')
  const outbox = openOutbox({ ...deps, who: () => who.value, touch: () => touch.value })
  await outbox.add(mood(5))
  await outbox.add(mood(7))
  hub.answer = ({ body }) => {
    if ((body as { rating: number }).rating === 7) offline()
  }
  touch.value = 'live'
  await new Promise(setImmediate)
  assert.equal(outbox.letters.value.length, 1, 'sent as soon as the hub is there')
  who.value = 'signed-out'
  assert.deepEqual(outbox.letters.value, [], 'signing out leaves nothing of it in the page')
  assert.equal(sent.filter(({ key }) => key === 'id-1').length, 3)
})
