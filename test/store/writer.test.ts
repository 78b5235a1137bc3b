import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createWriter } from '../../daemon/store/writer.ts'
import { fakeClock } from '../fakes/clock.ts'
import { fakeWriterThread } from '../fakes/writer-thread.ts'
import { MORNING, person, pulse } from './home.ts'

/** A call waits until the sockets were asked once more, which is two turns. */
async function gathered(): Promise<void> {
  await nextTurn()
  await nextTurn()
}

const LIMITS = { queuedRows: 10, commitCalls: 3, commitRows: 5 }

function setup(limits = LIMITS) {
  const thread = fakeWriterThread()
  const clock = fakeClock()
  const failures: unknown[] = []
  const writer = createWriter({
    thread,
    now: clock.now,
    clock,
    limits,
    onFailure: (cause) => failures.push(cause),
  })
  const append = (...seconds: number[]) =>
    writer.append(seconds.map((second) => pulse(MORNING + second * 1000)))
  const calls = () => thread.batches().map((batch) => [...batch.calls])
  return { thread, clock, failures, writer, append, calls }
}

test('calls that come close together share a commit, and those made during it share the next', async () => {
  const { thread, writer, append, calls } = setup()
  const first = [append(1), append(2, 3)]
  assert.deepEqual(calls(), [], 'nothing is sent at once')
  await gathered()
  const second = [append(4), writer.run({ kind: 'write', writes: [person('lena')] })]
  await gathered()
  assert.deepEqual(calls(), [[1, 2]], 'one commit is under way at a time')
  thread.commit()
  assert.deepEqual(await Promise.all(first), [['accepted'], ['accepted', 'accepted']])
  await gathered()
  assert.deepEqual(calls(), [
    [1, 2],
    [1, -1],
  ])
  thread.commit({ results: [[1, [{ changes: 1, rows: [] }]]] })
  assert.deepEqual(await Promise.all(second), [['accepted'], [{ changes: 1, rows: [] }]])
})

test('a commit takes so many calls and so many rows and leaves the rest to the next', async () => {
  const { thread, append, calls } = setup({ queuedRows: 100, commitCalls: 3, commitRows: 5 })
  const all = [append(1), append(2), append(3), append(4), append(5, 6, 7, 8, 9), append(10)]
  for (let commit = 0; commit < 3; commit += 1) {
    await gathered()
    thread.commit()
  }
  await Promise.all(all)
  assert.deepEqual(calls(), [[1, 1, 1], [1, 5], [1]])
})

test('more than the queue may hold is turned away and counted, a single large call is not', async () => {
  const { thread, writer, append } = setup()
  const large = append(...Array(50).keys())
  await assert.rejects(append(60), { code: 'OVERLOADED', retryAfterS: 1 })
  await gathered()
  await assert.rejects(append(61), { code: 'OVERLOADED' }, 'what is being committed counts too')
  thread.commit()
  assert.equal((await large).length, 50)
  const small = append(62)
  await gathered()
  thread.commit()
  await small
  const { overloaded, queued, rows } = writer.stats()
  assert.deepEqual({ overloaded, queued, rows }, { overloaded: 2, queued: 0, rows: 51 })
})

test('a call that had no effect is rejected with its reason and its rows are not told', async () => {
  const { thread, writer, append } = setup()
  const heard: number[] = []
  writer.onCommitted((committed) => heard.push(...committed.map(({ atMs }) => (atMs - MORNING) / 1000)))
  const calls = Promise.allSettled([append(1), append(2), append(3)])
  await gathered()
  thread.commit({ refused: [[1, 'NOT_FOUND', 'There is no person.']] })
  const codes = (await calls).map((call) => (call.status === 'rejected' ? call.reason.code : call.value))
  assert.deepEqual(codes, [['accepted'], 'NOT_FOUND', ['accepted']])
  assert.deepEqual(heard, [1, 3])
})

test('while the disk is full nobody is answered and the commit is tried again ever less often', async () => {
  const { thread, clock, writer, append } = setup()
  let answered = false
  const waiting = append(1).then(() => {
    answered = true
  })
  await gathered()
  const retries = () => thread.posted.filter((message) => message.kind === 'retry').length
  const waits: number[] = []
  for (let round = 1; round <= 8; round += 1) {
    thread.say({ kind: 'stalled', full: true, message: 'database or disk is full' })
    const since = clock.now()
    while (retries() < round) clock.advance(100)
    waits.push(clock.now() - since)
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
  await gathered()
  assert.equal(answered, false)
  assert.equal(writer.stats().diskFull, true)
  thread.commit()
  await waiting
  const { diskFull, retries: counted } = writer.stats()
  assert.deepEqual({ diskFull, counted }, { diskFull: false, counted: 8 })
})

test('closing while the disk is full tells every caller so', async () => {
  const { thread, writer, append } = setup()
  const calls = Promise.allSettled([append(1), append(2), append(3), append(4)])
  await gathered()
  thread.say({ kind: 'stalled', full: true, message: 'database or disk is full' })
  const closed = writer.close()
  const codes = (await calls).map((call) => call.status === 'rejected' && call.reason.code)
  assert.deepEqual(codes, ['DISK_FULL', 'DISK_FULL', 'DISK_FULL', 'DISK_FULL'])
  assert.equal(thread.posted.at(-1)?.kind, 'close')
  thread.say({ kind: 'closed' })
  await closed
})

test('closing commits what is queued first', async () => {
  const { thread, writer, append } = setup()
  const calls = [append(1), append(2), append(3), append(4)]
  const closed = writer.close()
  await assert.rejects(append(5), { code: 'SHUTTING_DOWN' })
  for (let commit = 0; commit < 2; commit += 1) {
    await gathered()
    thread.commit()
  }
  await Promise.all(calls)
  await gathered()
  assert.deepEqual(
    thread.posted.map(({ kind }) => kind),
    ['commit', 'commit', 'close'],
  )
  thread.say({ kind: 'closed' })
  await closed
})

test('when the thread dies every caller hears it, and so does the hub', async () => {
  const { thread, writer, append, failures } = setup()
  const calls = Promise.allSettled([append(1), append(2), append(3), append(4), writer.open(1, null)])
  await gathered()
  const cause = new Error('out of memory')
  thread.die(cause)
  for (const call of await calls)
    assert.equal(call.status === 'rejected' && call.reason.code, 'SHUTTING_DOWN')
  assert.deepEqual(failures, [cause])
  await assert.rejects(append(5), { code: 'SHUTTING_DOWN' })
  await writer.close()
})

test('a commit that cannot succeed rejects its calls and the next goes on', async () => {
  const { thread, append } = setup()
  const first = append(1)
  await gathered()
  const second = append(2)
  thread.say({ kind: 'failed', message: 'database disk image is malformed' })
  await assert.rejects(first, { code: 'INTERNAL' })
  await gathered()
  thread.commit()
  assert.deepEqual(await second, ['accepted'])
})

test('with nobody calling the thread is still asked to store what is over', async () => {
  const { thread, clock, calls } = setup()
  clock.advance(30_000)
  assert.deepEqual(calls(), [[]])
  thread.commit({ more: true })
  await gathered()
  assert.deepEqual(calls(), [[], []], 'and again while more waits')
  thread.commit()
  await gathered()
  assert.equal(calls().length, 2)
})
