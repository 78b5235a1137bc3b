import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import type { StoredObservation } from '../../daemon/domain/observation.ts'
import { device, HOUSEHOLD, MORNING, person, pulse, setup } from './home.ts'

const UNKNOWN = { code: 'NOT_FOUND' }

test('what was appended is read back in order, with source, device, quality and extra facts', async (t) => {
  const { store } = await setup(t)
  const later = pulse(MORNING + 1000, 75.5, {
    quality: 0.9,
    extra: { local_time: '09:00:01' },
    source: 'gatt',
  })
  assert.deepEqual(await store.observations.append([later, pulse(MORNING)]), ['accepted', 'accepted'])
  const { points, nextFromMs } = await store.observations.range({
    personId: 'mia',
    metric: 'heart_rate',
    fromMs: MORNING,
    toMs: MORNING + 60_000,
    limit: 10,
  })
  assert.deepEqual(points, [
    { ...pulse(MORNING), revision: 0 },
    { ...later, revision: 0 },
  ])
  assert.equal(nextFromMs, null)
})

test('rows are on disk with synchronous FULL, also when the file existed before', async (t) => {
  const { store, path, reopen } = await setup(t)
  await store.close()
  const other = new Database(path)
  assert.equal(
    other.pragma('synchronous', { simple: true }),
    1,
    'SQLite itself would open this file with NORMAL',
  )
  other.close()
  const again = await reopen()
  const [asked] = await again.write([{ sql: 'SELECT synchronous FROM pragma_synchronous' }])
  assert.deepEqual(asked?.rows, [{ synchronous: 2 }])
  const [vacuum] = await again.write([{ sql: 'SELECT auto_vacuum FROM pragma_auto_vacuum' }])
  assert.deepEqual(vacuum?.rows, [{ auto_vacuum: 2 }])
})

test('the same value again is a duplicate, another value a revision with the old one in the history', async (t) => {
  const { store, clock } = await setup(t)
  await store.observations.append([pulse(MORNING, 72, { quality: 0.5 })])
  clock.nowMs += 5000
  assert.deepEqual(await store.observations.append([pulse(MORNING, 72)]), ['duplicate'])
  assert.deepEqual(await store.observations.append([pulse(MORNING, 75), pulse(MORNING, 78)]), [
    'revised',
    'revised',
  ])
  const key = pulse(MORNING)
  assert.deepEqual(await store.observations.history(key), [
    { ...pulse(MORNING, 72, { quality: 0.5 }), revision: 0 },
    { ...pulse(MORNING, 75), revision: 1 },
  ])
  const [latest] = await store.observations.latest('mia')
  assert.deepEqual(latest, { ...pulse(MORNING, 78), revision: 2 })
})

test('a position with another longitude is a correction although its latitude is the same', async (t) => {
  const { store } = await setup(t)
  const at = (lon: number) => pulse(MORNING, 52.5, { metric: 'position', extra: { lon } })
  const outcomes = await store.observations.append([at(13.4), at(13.4), at(13.5)])
  assert.deepEqual(outcomes, ['accepted', 'duplicate', 'revised'])
})

test('a call with an unknown or deleted person or an unknown device has no effect and hurts no other call', async (t) => {
  const { store } = await setup(t)
  await store.write([{ sql: `UPDATE person SET deleted_at = 1 WHERE id = 'tom'` }])
  const append = store.observations.append
  const calls = await Promise.allSettled([
    append([pulse(MORNING)]),
    append([pulse(MORNING + 1), pulse(MORNING + 2, 60, { personId: 'nobody' })]),
    append([pulse(MORNING + 3, 60, { personId: 'tom' })]),
    append([pulse(MORNING + 4, 60, { deviceId: 'nothing' })]),
    append([pulse(MORNING + 5)]),
  ])
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
  )
  await assert.rejects(append([pulse(MORNING, 60, { personId: 'nobody' })]), UNKNOWN)
  assert.deepEqual(store.all('SELECT ts FROM observation ORDER BY ts'), [
    { ts: MORNING },
    { ts: MORNING + 5 },
  ])
})

test('a person deleted in a unit is refused by the appends behind it in the same commit', async (t) => {
  const { store } = await setup(t)
  await store.observations.append([pulse(MORNING)])
  const deletion = store.write([{ sql: `UPDATE person SET deleted_at = 1 WHERE id = 'mia'` }])
  await assert.rejects(store.observations.append([pulse(MORNING + 1)]), UNKNOWN)
  await deletion
})

test('values that could never be stored are refused before they reach a commit', async (t) => {
  const { store } = await setup(t)
  const { append } = store.observations
  await assert.rejects(append([pulse(MORNING, Number.NaN)]), { code: 'VALIDATION_ERROR' })
  await assert.rejects(append([pulse(MORNING + 0.5)]), { code: 'VALIDATION_ERROR' })
  await assert.rejects(append([pulse(MORNING, 1, { metric: 'luck' })]), { code: 'UNKNOWN_METRIC' })
})

test('a unit that fails undoes itself and leaves the others of its commit alone', async (t) => {
  const { store } = await setup(t)
  const rename = (expect: number, id: string) => ({
    sql: 'UPDATE person SET name = :name WHERE id = :id',
    params: { name: 'renamed', id },
    expect,
  })
  const calls = await Promise.allSettled([
    store.write([person('lena')]),
    store.write([person('ole'), rename(1, 'nobody')]),
    store.write([person('ben'), person('lena')]),
    store.write([person('eva'), { sql: 'INSERT INTO no_such_table VALUES (1)' }]),
    store.observations.append([pulse(MORNING)]),
    store.write([rename(1, 'mia')]),
  ])
  const codes = calls.map((call) => (call.status === 'rejected' ? call.reason.code : 'ok'))
  assert.deepEqual(codes, ['ok', 'CONFLICT', 'CONFLICT', 'INTERNAL', 'ok', 'ok'])
  assert.deepEqual(
    store.all('SELECT id, name FROM person ORDER BY id').map((row) => Object.values(row as object)),
    [
      ['lena', 'lena'],
      ['mia', 'renamed'],
      ['tom', 'tom'],
    ],
  )
})

test('a unit returns the rows of its statements', async (t) => {
  const { store } = await setup(t)
  const results = await store.write([
    { sql: `INSERT INTO source (name) VALUES (:name) RETURNING name`, params: { name: 'gatt' }, expect: 1 },
    { sql: 'SELECT count(*) AS n FROM source' },
    { sql: 'UPDATE device SET online = 1' },
  ])
  assert.deepEqual(results, [
    { changes: 1, rows: [{ name: 'gatt' }] },
    { changes: 0, rows: [{ n: 1 }] },
    { changes: 2, rows: [] },
  ])
})

test('listeners hear what reached the disk in commit order before the senders do, without duplicates', async (t) => {
  const { store } = await setup(t)
  const heard: StoredObservation[] = []
  store.onCommitted(() => {
    throw new Error('a listener that fails')
  })
  const stop = store.onCommitted((committed) => {
    for (const { atMs, value } of committed)
      assert.equal(
        store.get<{ value: number }>('SELECT value FROM observation WHERE ts = :atMs', { atMs })?.value,
        value,
      )
    heard.push(...committed)
  })
  await store.observations.append([pulse(MORNING), pulse(MORNING)])
  assert.equal(heard.length, 1)
  await store.observations.append([pulse(MORNING, 80), pulse(MORNING + 1)])
  stop()
  await store.observations.append([pulse(MORNING + 2)])
  assert.deepEqual(
    heard.map(({ value, revision }) => [value, revision]),
    [
      [72, 0],
      [80, 1],
      [72, 0],
    ],
  )
  assert.equal(store.stats().listenerFailures, 3)
})

test('a page of raw values never ends between two values of one instant', async (t) => {
  const { store } = await setup(t)
  const at = (second: number) => [
    pulse(MORNING + second * 1000),
    pulse(MORNING + second * 1000, 70, { deviceId: 'band-2' }),
  ]
  await store.observations.append([...at(0), ...at(1), ...at(2), ...at(7200)])
  const all = { personId: 'mia', metric: 'heart_rate', toMs: MORNING + 86_400_000 }
  const seen: number[] = []
  let fromMs: number | null = MORNING
  while (fromMs !== null) {
    const page = await store.observations.range({ ...all, fromMs, limit: 3 })
    seen.push(page.points.length)
    fromMs = page.nextFromMs
  }
  assert.deepEqual(seen, [4, 4])
})

test('a raw window takes its start and leaves out its end', async (t) => {
  const { store } = await setup(t)
  await store.observations.append([0, 1, 2, 3].map((second) => pulse(MORNING + second * 1000)))
  const { points } = await store.observations.range({
    personId: 'mia',
    metric: 'heart_rate',
    fromMs: MORNING + 1000,
    toMs: MORNING + 3000,
    limit: 10,
  })
  assert.deepEqual(
    points.map(({ atMs }) => atMs - MORNING),
    [1000, 2000],
  )
})

test('the latest value of each metric is the newest of all devices, also after a restart', async (t) => {
  const { store, reopen } = await setup(t)
  await store.observations.append([
    pulse(MORNING, 70),
    pulse(MORNING + 90_000_000, 71, { deviceId: 'band-2' }),
    pulse(MORNING + 5, 5.5, { metric: 'ketone' }),
    pulse(MORNING + 9, 60, { personId: 'tom' }),
    pulse(MORNING - 1000, 55),
  ])
  const expected = [
    [71, 'band-2'],
    [5.5, 'watch-1'],
  ]
  const latest = async (from: typeof store) =>
    (await from.observations.latest('mia')).map(({ value, deviceId }) => [value, deviceId])
  assert.deepEqual(await latest(store), expected)
  await store.close()
  assert.deepEqual(await latest(await reopen()), expected)
})

test('levels include the minute that is still open and survive a restart', async (t) => {
  const { store, reopen } = await setup(t)
  await store.observations.append([pulse(MORNING, 60), pulse(MORNING + 1000, 63), pulse(MORNING + 2000, 72)])
  const day = {
    personId: 'mia',
    metric: 'heart_rate',
    fromMs: MORNING - 86_400_000,
    toMs: MORNING + 86_400_000,
    limit: 10,
  }
  const point = { atMs: MORNING, count: 3, min: 60, max: 72, mean: 65, p50: 63 }
  const read = async (from: typeof store, level: '1m' | '1d') =>
    (await from.observations.level({ ...day, level })).points
  assert.deepEqual(await read(store, '1m'), [point])
  await store.close()
  const again = await reopen()
  assert.deepEqual(await read(again, '1m'), [point])
  await again.observations.append([pulse(MORNING + 3000, 65)])
  assert.deepEqual(await read(again, '1d'), [
    { ...point, atMs: Date.UTC(2026, 2, 13, 23), count: 4, p50: 64 },
  ])
})

test('a person or device that nobody knows has no values', async (t) => {
  const { store } = await setup(t)
  const nobody = { personId: 'nobody', metric: 'heart_rate', fromMs: 0, toMs: MORNING, limit: 10 }
  const empty = { points: [], nextFromMs: null }
  assert.deepEqual(await store.observations.range(nobody), empty)
  assert.deepEqual(await store.observations.level({ ...nobody, level: '1h' }), empty)
  assert.deepEqual(await store.observations.latest('nobody'), [])
  assert.deepEqual(await store.observations.history(pulse(MORNING, 1, { deviceId: 'nothing' })), [])
})

test('closing commits what was called before and refuses what comes after', async (t) => {
  const { store, path } = await setup(t)
  const appended = store.observations.append([pulse(MORNING)])
  const closed = store.close()
  await assert.rejects(store.observations.append([pulse(MORNING + 1)]), { code: 'SHUTTING_DOWN' })
  assert.deepEqual(await appended, ['accepted'])
  await closed
  await store.close()
  await assert.rejects(store.write([device('late')]), { code: 'SHUTTING_DOWN' })
  await assert.rejects(store.observations.latest('mia'), { code: 'SHUTTING_DOWN' })
  const db = new Database(path, { readonly: true })
  t.after(() => db.close())
  assert.deepEqual(db.prepare('SELECT ts FROM observation').all(), [{ ts: MORNING }])
  assert.deepEqual(db.prepare('SELECT count(*) AS n FROM rollup').all(), [{ n: 3 }])
})

test('the counters tell what happened', async (t) => {
  const { store } = await setup(t)
  await store.observations.append([pulse(MORNING), pulse(MORNING), pulse(MORNING, 80)])
  await assert.rejects(store.write([...HOUSEHOLD]))
  const stats = store.stats()
  const { rows, duplicates, revised, refused, queued, diskFull, openSeries } = stats
  assert.deepEqual(
    { rows, duplicates, revised, refused, queued, diskFull, openSeries },
    { rows: 2, duplicates: 1, revised: 1, refused: 1, queued: 0, diskFull: false, openSeries: 1 },
  )
  assert.equal(stats.acknowledgeLatency.count, 3)
  assert.equal(
    stats.commitLatency.counts.reduce((sum, count) => sum + count, 0),
    stats.commits,
  )
})
