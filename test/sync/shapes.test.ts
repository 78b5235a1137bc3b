/** The built-in shape server read by Electric's own client. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Message, ShapeStream } from '@electric-sql/client'
import fc from 'fast-check'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createShapeServer, type ShapeServer } from '../../sync/cloud/shapes/server.ts'
import { ConditionFault, conditionSql, parseCondition } from '../../sync/cloud/shapes/where.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from './postgres.ts'

const SILENT = { info() {}, warn() {}, error() {} }
const COLUMNS = new Set(['id', 'hub', 'text', 'Big Name'])

describe('shapes', { skip: withoutPostgres() }, () => {
  let postgres: TestPostgres
  let server: ShapeServer
  let sql: pg.Pool
  let address: string
  let url: string
  /** Electric's client leaves a timer of a minute behind, which would hold the test's process for as long. */
  const setTimer = globalThis.setTimeout
  before(async () => {
    globalThis.setTimeout = Object.assign(
      (work: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
        const timer = setTimer(work, ms, ...given)
        return (ms ?? 0) >= 30_000 ? timer.unref() : timer
      },
      setTimer,
    )
    postgres = await startPostgres()
    url = await postgres.freshDatabase()
    sql = new pg.Pool({ connectionString: url, max: 3 })
    sql.on('error', () => {})
    sql.on('connect', (client) => client.on('error', () => {}))
    await sql.query('CREATE TABLE thing (id int PRIMARY KEY, hub text NOT NULL, text text, big jsonb)')
    server = await createShapeServer({
      url,
      clock: systemClock(),
      log: SILENT,
      slot: 'shapes',
      publication: 'shapes',
      publishes: true,
      secret: 'hush',
      pollMs: 2000,
      maxShapeBytes: 200_000,
    })
    address = await server.http.listen({ port: 0, host: '127.0.0.1' })
  })
  after(async () => {
    await server.close()
    await sql.end()
    await postgres.stop()
    globalThis.setTimeout = setTimer
  })

  /** A replica of a shape, as a hub keeps one. */
  function replica(params: Record<string, string>, liveSse: boolean) {
    const rows = new Map<string, Record<string, unknown>>()
    const aborter = new AbortController()
    let refetches = 0
    const stream = new ShapeStream({
      url: `${address}/v1/shape`,
      params: { secret: 'hush', ...params },
      liveSse,
      signal: aborter.signal,
      onError: () => ({}),
    })
    const waiters = new Set<() => void>()
    stream.subscribe((messages: Message[]) => {
      for (const message of messages) {
        if ('operation' in message.headers && 'key' in message) {
          const { operation } = message.headers
          if (operation === 'delete') rows.delete(message.key)
          else
            rows.set(message.key, {
              ...(operation === 'update' ? rows.get(message.key) : {}),
              ...message.value,
            })
        } else if (message.headers['control'] === 'must-refetch') {
          refetches += 1
          rows.clear()
        }
      }
      for (const waiter of waiters) waiter()
    })
    return {
      rows,
      refetches: () => refetches,
      stop: () => aborter.abort(),
      /** Resolves once the replica is what Postgres holds; the test's own time limit ends the wait. */
      async is(where: string) {
        for (;;) {
          const wanted = (await sql.query(`SELECT * FROM thing WHERE ${where} ORDER BY id`)).rows
          const held = [...rows.values()].sort((one, other) => Number(one['id']) - Number(other['id']))
          if (JSON.stringify(held.map(sorted)) === JSON.stringify(wanted.map(sorted))) return
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, 100)
            const waiter = () => {
              waiters.delete(waiter)
              clearTimeout(timer)
              resolve()
            }
            waiters.add(waiter)
          })
        }
      },
    }
  }
  const sorted = (row: object) => Object.fromEntries(Object.entries(row).sort())

  for (const [way, liveSse] of [
    ['polling', false],
    ['a stream', true],
  ] as const) {
    test(`Electric's client follows random edits by ${way}, conditions included`, {
      timeout: 30_000,
    }, async () => {
      await sql.query('DELETE FROM thing')
      const hub = replica({ table: 'thing', where: `hub = 'a'` }, liveSse)
      const odd = replica(
        { table: 'thing', where: `id % 2 = 1 AND (text LIKE 'x%' OR text IS NULL)` },
        liveSse,
      )
      const random = fc.sample(
        fc.tuple(
          fc.nat(9),
          fc.constantFrom('a', 'b'),
          fc.option(fc.constantFrom('x1', 'x/2', 'y"\\')),
          fc.nat(3),
        ),
        {
          numRuns: 120,
          seed: 8,
        },
      )
      for (const [id, owner, text, what] of random) {
        if (what === 0) await sql.query('DELETE FROM thing WHERE id = $1', [id])
        else if (what === 1)
          await sql.query(
            'UPDATE thing SET id = id + 100 WHERE id = $1 AND NOT EXISTS (SELECT FROM thing WHERE id = $1 + 100)',
            [id],
          )
        else
          await sql.query(
            'INSERT INTO thing VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET hub = excluded.hub, text = excluded.text',
            [id, owner, text, JSON.stringify({ large: 'z'.repeat(300) })],
          )
      }
      await hub.is(`hub = 'a'`)
      await odd.is(`id % 2 = 1 AND (text LIKE 'x%' OR text IS NULL)`)
      hub.stop()
      odd.stop()
    })
  }

  test('readers converge after every connection to Postgres was cut, without beginning anew', {
    timeout: 30_000,
  }, async () => {
    await sql.query(`INSERT INTO thing VALUES (500, 'a', 'x', '{}') ON CONFLICT DO NOTHING`)
    const hub = replica({ table: 'thing', where: `hub = 'a'` }, true)
    await hub.is(`hub = 'a'`)
    await postgres.killBackends(url)
    for (let tries = 0; ; tries += 1) {
      try {
        await sql.query(`UPDATE thing SET text = 'after' WHERE id = 500`)
        break
      } catch (cause) {
        if (tries > 50) throw cause
      }
    }
    await hub.is(`hub = 'a'`)
    assert.equal(hub.refetches(), 0)
    hub.stop()
  })

  test('a shape that grew beyond its bound begins anew and ends the same', { timeout: 30_000 }, async () => {
    await sql.query(`INSERT INTO thing VALUES (700, 'grown', 'x', '{}')`)
    const hub = replica({ table: 'thing', where: `hub = 'grown'` }, false)
    await hub.is(`hub = 'grown'`)
    for (let round = 0; round < 30; round += 1)
      await sql.query(`UPDATE thing SET text = $1 WHERE id = 700`, [`${round} ${'long '.repeat(3000)}`])
    await sql.query(`UPDATE thing SET text = 'last' WHERE id = 700`)
    await hub.is(`hub = 'grown'`)
    assert.ok(hub.refetches() > 0)
    hub.stop()
  })

  test('nobody reads without the secret, and a second server on the slot is refused', async () => {
    assert.equal((await fetch(`${address}/v1/shape?table=thing&offset=-1`)).status, 401)
    await assert.rejects(
      createShapeServer({
        url,
        clock: systemClock(),
        log: SILENT,
        slot: 'shapes',
        publication: 'shapes',
        publishes: true,
        secret: null,
      }),
      /in use/,
    )
  })

  test('a condition can compare and combine, and nothing else gets through to Postgres', async () => {
    for (const fine of [
      `hub = $1 AND NOT (id > 3 OR "Big Name" IS NOT NULL)`,
      `hub IN ('a', 'b''c') AND id BETWEEN 1 AND 9`,
      `lower(text) ILIKE '%x%' AND id::text <> '7' AND hub NOT IN ('q')`,
      `hub = ANY('{a,b}'::text[]) AND text IS DISTINCT FROM 'y' AND -id < 3`,
    ]) {
      const condition = conditionSql(parseCondition(fine, COLUMNS), { 1: "a' OR true --" })
      await sql.query(
        `SELECT ${condition} FROM (SELECT 1 AS id, 'a'::text AS hub, 'x'::text AS text, 1 AS "Big Name") t`,
      )
    }
    for (const foul of [
      'pg_sleep(10) IS NULL',
      'id = (SELECT 1)',
      'id = 1; DROP TABLE thing',
      `hub = 'a' UNION SELECT 1`,
      `hub = E'\\''`,
      'other.id = 1',
      '(((((',
      `${'('.repeat(200)}id${')'.repeat(200)}`,
      `id = 1 -- comment`,
      `id::regclass = 1`,
      'id = $1 $2',
      '()',
      'id IN ()',
      'id IN (1,)',
      'ANY(id)',
      'id = 1 AND ANY(id)',
      '(id, 1) = (1, 2)',
      'coalesce() = 1',
    ])
      assert.throws(() => parseCondition(foul, COLUMNS), ConditionFault, foul)
    assert.throws(() => conditionSql(parseCondition('hub = $3', COLUMNS), {}), RangeError)
  })

  test('any text is either a condition that Postgres understands or refused with its place', async () => {
    const piece = fc.constantFrom(
      'id',
      'hub',
      '=',
      '<',
      'AND',
      'OR',
      'NOT',
      '(',
      ')',
      `'a'`,
      '1',
      'IN',
      ',',
      'IS NULL',
      '::text',
      'ANY',
      'ARRAY[',
      ']',
      'coalesce',
      'lower',
      ';',
      '"',
      '--',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 9 }), async (pieces) => {
        let condition: string
        try {
          condition = conditionSql(parseCondition(pieces.join(' '), COLUMNS), {})
        } catch (cause) {
          assert.ok(cause instanceof ConditionFault)
          return
        }
        try {
          await sql.query(`SELECT (${condition}) FROM (SELECT 1 AS id, 'a'::text AS hub) t`)
        } catch (cause) {
          // Types that do not fit are Postgres' to refuse; a syntax error would mean that something slipped through.
          assert.notEqual((cause as { code?: string }).code, '42601', condition)
        }
      }),
      { numRuns: 400 },
    )
  })
})
