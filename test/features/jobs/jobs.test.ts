import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobContext } from '../../../daemon/features/jobs/handler.ts'
import { backOffMs } from '../../../daemon/features/jobs/runner.ts'
import { nextAfter } from '../../../daemon/features/jobs/schedules.ts'
import { HubError } from '../../../daemon/kernel/errors.ts'
import { GRAN, MIA, OWNER } from '../glucose/setup.ts'
import { setup } from './setup.ts'

interface Shown {
  id: string
  status: string
  progress: number
  stage: string | null
  result: unknown
  error: string | null
  attempts: number
}

/** A handler that waits until the test lets it go on. */
function gate() {
  const calls: JobContext[] = []
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let entered: () => void = () => {}
  const first = new Promise<void>((resolve) => {
    entered = resolve
  })
  return {
    calls,
    open: () => open(),
    first,
    async run(context: JobContext) {
      calls.push(context)
      entered()
      await Promise.race([
        opened,
        new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true })),
      ])
      return { result: { done: true } }
    },
  }
}

test('a job runs, tells its progress, and shows what came of it', async (t) => {
  const { jobs, call, reaches, told } = await setup(t, (queue) =>
    queue.handle('count', {
      queue: 'default',
      async run({ progress, save, job }) {
        progress(0.5, 'halfway')
        await save({ at: 1 })
        return { result: { counted: job.payload } }
      },
    }),
  )
  const { id } = await jobs.submit('count', 3, { personId: 'mia' })
  await reaches(id, 'finished')
  const { body } = await call<Shown>('GET', `/jobs/${id}`, OWNER)
  const { status, progress, stage, result, attempts } = body.data
  assert.deepEqual([status, progress, stage, result, attempts], ['finished', 1, 'halfway', { counted: 3 }, 1])
  assert.deepEqual([...new Set(told.map((one) => one.status))], ['queued', 'started', 'finished'])
  assert.deepEqual([...new Set(told.map(({ personId }) => personId))], ['mia'])
})

test('a failed attempt is repeated later and later, and the third is the last', async (t) => {
  const { jobs, clock, reaches } = await setup(t, (queue) =>
    queue.handle('breaks', {
      queue: 'default',
      run: async () => {
        throw new Error('no luck')
      },
    }),
  )
  const { id } = await jobs.submit('breaks', null)
  const seen: number[] = []
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    await reaches(id, 'queued')
    while (jobs.find(id)?.attempts !== attempt) await new Promise(setImmediate)
    while (jobs.find(id)?.status !== 'queued') await new Promise(setImmediate)
    seen.push((jobs.find(id)?.dueAtMs ?? 0) - clock.now())
    clock.advance(16 * 60_000)
  }
  await reaches(id, 'failed')
  assert.deepEqual(seen, [5000, 20_000])
  const { error, attempts } = jobs.find(id)!
  assert.deepEqual([error, attempts], ['no luck', 3])
  assert.deepEqual([backOffMs(1, 0), backOffMs(1, 1), backOffMs(9, 0.5)], [2500, 7500, 900_000])
})

test('what no repetition mends fails at once', async (t) => {
  const { jobs, reaches } = await setup(t, (queue) =>
    queue.handle('wrong', {
      queue: 'default',
      run: async () => {
        throw new HubError('VALIDATION_ERROR', 'This file is no file.')
      },
    }),
  )
  const { id } = await jobs.submit('wrong', null)
  await reaches(id, 'failed')
  assert.deepEqual([jobs.find(id)?.error, jobs.find(id)?.attempts], ['This file is no file.', 1])
})

test('a cancelled job is told to end, keeps where it was, and goes on from there', async (t) => {
  const work = gate()
  const { jobs, call, reaches } = await setup(t, (queue) =>
    queue.handle('long', {
      queue: 'default',
      async run(context) {
        await context.save({ at: 7 })
        return work.run(context)
      },
    }),
  )
  const { id } = await jobs.submit('long', null, { personId: 'mia' })
  await work.first
  assert.equal((await call<Shown>('POST', `/jobs/${id}/cancel`, OWNER)).body.data.status, 'cancelled')
  assert.equal(work.calls[0]?.signal.aborted, true)
  assert.equal((await call('POST', `/jobs/${id}/cancel`, OWNER)).body.error.code, 'CONFLICT')
  while (jobs.stats().running > 0) await new Promise(setImmediate)
  work.open()
  assert.equal((await call<Shown>('POST', `/jobs/${id}/retry`, OWNER)).status, 200)
  await reaches(id, 'finished')
  assert.deepEqual(work.calls[1]?.job.checkpoint, { at: 7 })
  assert.equal((await call('POST', `/jobs/${id}/retry`, OWNER)).body.error.code, 'CONFLICT')
})

test('a job that takes too long fails, and what it still writes has no effect', async (t) => {
  const late: unknown[] = []
  const work = gate()
  const { jobs, clock, reaches } = await setup(t, (queue) =>
    queue.handle('slow', {
      queue: 'default',
      timeoutMs: 5000,
      maxAttempts: 1,
      async run(context) {
        await work.run(context)
        await context.save({ at: 1 }).catch((cause: unknown) => late.push(cause))
        return { result: 'too late' }
      },
    }),
  )
  const { id } = await jobs.submit('slow', null)
  await work.first
  clock.advance(5001)
  await reaches(id, 'failed')
  while (jobs.stats().running > 0) await new Promise(setImmediate)
  assert.equal(jobs.find(id)?.error, 'It took longer than 5 s.')
  assert.deepEqual([jobs.find(id)?.result, (late[0] as HubError).code], [null, 'CONFLICT'])
})

test('urgent jobs go first, and a queue runs only so many at a time', async (t) => {
  const order: unknown[] = []
  const work = gate()
  const { jobs, reaches } = await setup(t, (queue) => {
    queue.handle('hold', { queue: 'low', run: work.run })
    queue.handle('note', {
      queue: 'low',
      async run({ job }) {
        order.push(job.payload)
        return undefined
      },
    })
  })
  await jobs.submit('hold', null)
  await work.first
  const plain = await jobs.submit('note', 'plain')
  const urgent = await jobs.submit('note', 'urgent', { priority: 5 })
  assert.deepEqual([jobs.find(plain.id)?.status, jobs.find(urgent.id)?.status], ['queued', 'queued'])
  work.open()
  await reaches(plain.id, 'finished')
  assert.deepEqual(order, ['urgent', 'plain'])
})

test('a job is entered together with what caused it, or not at all', async (t) => {
  const { jobs, store } = await setup(t)
  const plan = jobs.enqueue('aggregate-daily', null)
  const fails = { sql: `UPDATE person SET name = 'x' WHERE id = 'nobody'`, expect: 1 }
  await assert.rejects(store.write([...plan.writes, fails]), { code: 'CONFLICT' })
  assert.equal(jobs.find(plan.result.id), null)
})

test('a job about a person is seen by those who see the person, and stopped by those who may write', async (t) => {
  const work = gate()
  const { jobs, call } = await setup(t, (queue) => queue.handle('long', { queue: 'default', run: work.run }))
  const { id } = await jobs.submit('long', null, { personId: 'mia', class: 'wellness' })
  const own = await jobs.submit('long', null)
  const glucose = await jobs.submit('long', null, { personId: 'mia', class: 'glucose' })
  const listed = async (who: Record<string, string>) =>
    (await call<Shown[]>('GET', '/jobs', who)).body.data.map((one) => one.id).sort()
  assert.deepEqual(await listed(OWNER), [id, own.id, glucose.id].sort())
  assert.deepEqual(await listed(MIA), [id, glucose.id].sort())
  assert.deepEqual(await listed(GRAN), [id])
  assert.equal((await call('GET', `/jobs/${own.id}`, MIA)).status, 404)
  assert.equal((await call('GET', `/jobs/${glucose.id}`, GRAN)).status, 404)
  assert.equal((await call('POST', `/jobs/${id}/cancel`, GRAN)).status, 200)
  work.open()
})

test('the day is added up when somebody asks, once at a time', async (t) => {
  const { call, reaches } = await setup(t)
  const { status, body } = await call<{ task_id: string }>('POST', '/tasks/aggregate-daily', OWNER)
  assert.equal(status, 202)
  await reaches(body.data.task_id, 'finished')
  const task = await call<Shown>('GET', `/tasks/status/${body.data.task_id}`, OWNER)
  assert.deepEqual([task.body.data.status, task.body.data.result], ['finished', { people: 2 }])
  assert.equal((await call('POST', '/tasks/aggregate-daily', MIA)).status, 403)
  assert.equal((await call('POST', '/tasks/aggregate-daily', OWNER, {})).status, 202)
  const stranger = await call('POST', '/tasks/aggregate-daily', OWNER, { days: 7 })
  assert.deepEqual([stranger.status, stranger.body.error.details[0]?.path], [400, 'days'])
})

test('a recurring job is entered at its hour, and once after the hub slept through several', async (t) => {
  const { jobs, clock, told, store } = await setup(t, (queue) =>
    queue.schedule({ kind: 'aggregate-daily', cron: '0 3 * * *' }),
  )
  const finished = () => told.filter(({ status }) => status === 'finished').length
  /** Writes are done in order, so whatever was set off before is done after a few of them. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 6; turn += 1)
      await store.write([{ sql: 'UPDATE job SET stage = stage WHERE id IS NULL' }])
  }
  await pass(0)
  // 08:00 UTC is 09:00 in Berlin; the next 03:00 is 18 hours away.
  for (let hour = 0; hour < 17; hour += 1) await pass(3_600_000)
  assert.equal(finished(), 0)
  await pass(3_700_000)
  await pass(60_000)
  assert.equal(finished(), 1)
  await jobs.feature.stop?.()
  clock.advance(5 * 86_400_000)
  await jobs.feature.start?.()
  await pass(60_000)
  await pass(60_000)
  assert.equal(finished(), 1, 'a queue that was stopped runs nothing')
  assert.equal(jobs.stats().queued, 1, 'five missed nights are caught up once')
})

test('an hour that the clock skips moves on, and one that comes twice is one', () => {
  const at = (iso: string) =>
    new Date(nextAfter({ cron: '0 2 * * *' }, Date.parse(iso), 'Europe/Berlin') ?? 0).toISOString()
  assert.equal(at('2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z')
  assert.equal(at('2026-03-29T01:00:00Z'), '2026-03-30T00:00:00.000Z')
  assert.equal(at('2026-10-24T12:00:00Z'), '2026-10-25T00:00:00.000Z')
  assert.equal(at('2026-10-25T00:00:00Z'), '2026-10-26T01:00:00.000Z')
})

test('a job that runs while the hub stops waits for the next start, and does not count as an attempt', async (t) => {
  const work = gate()
  const { jobs, store } = await setup(t, (queue) => queue.handle('long', { queue: 'default', run: work.run }))
  const { id } = await jobs.submit('long', null)
  await work.first
  await jobs.feature.stop?.()
  assert.equal(work.calls[0]?.signal.aborted, true)
  const { status, attempts } = jobs.find(id)!
  assert.deepEqual([status, attempts], ['queued', 0])
  await store.close()
  // What the handler still answers finds a closed store, and that must not bring the hub down.
  work.open()
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
})

test('old jobs are forgotten after a month', async (t) => {
  const { jobs, clock, reaches } = await setup(t)
  const { id } = await jobs.submit('aggregate-daily', null)
  await reaches(id, 'finished')
  clock.advance(31 * 86_400_000)
  while (jobs.find(id)) await new Promise(setImmediate)
  assert.equal(jobs.find(id), null)
})
