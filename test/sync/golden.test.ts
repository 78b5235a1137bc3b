/** The exchanges recorded from the real Electric service, one after another, against the built-in shape server. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createShapeServer } from '../../sync/cloud/shapes/server.ts'
import { startPostgres, withoutPostgres } from './postgres.ts'

const RECORDED = join(process.env['HOMEFIELD_SAMPLES'] ?? '../shared/data', 'electric/golden.json')
const TABLE = 'golden_things'
const id = (last: number) => `'00000000-0000-0000-0000-00000000000${last}'`
const SILENT = { info() {}, warn() {}, error() {} }

interface Exchange {
  name: string
  query: Record<string, string>
  method: string
  reqHeaders?: Record<string, string>
  status: number
  headers: Record<string, string>
  body: unknown
}

/** What somebody wrote into the table while the recording was made, by the exchange that was waiting or came next. */
const WRITTEN: Record<string, string> = {
  'live insert': `BEGIN; INSERT INTO ${TABLE} (id, hub, txt) VALUES (${id(3)}, 1, 'new'); UPDATE ${TABLE} SET txt = 'upd' WHERE id = ${id(1)}; COMMIT`,
  'live update': `UPDATE ${TABLE} SET f = 2.5, txt = 'z' WHERE hub = 1`,
  'live pk update + delete': `BEGIN; UPDATE ${TABLE} SET id = ${id(9)} WHERE id = ${id(3)}; DELETE FROM ${TABLE} WHERE id = ${id(2)}; COMMIT`,
  'where: row leaves and enters': `UPDATE ${TABLE} SET hub = 7 WHERE id = ${id(9)}`,
  'replica full update': `UPDATE ${TABLE} SET txt = 'full' WHERE id = ${id(9)}`,
  'replica full delete': `DELETE FROM ${TABLE} WHERE id = ${id(9)}`,
  'live then TRUNCATE': `TRUNCATE ${TABLE}`,
  'live then ALTER TABLE + insert': `ALTER TABLE ${TABLE} ADD COLUMN extra text; INSERT INTO ${TABLE} (id, hub) VALUES (${id(5)}, 1)`,
}

const why = withoutPostgres() || (existsSync(RECORDED) ? false : `no recording at ${RECORDED}`)

test('the built-in shape server answers every recorded exchange as the real one did', {
  skip: why,
}, async (t) => {
  const postgres = await startPostgres()
  const url = await postgres.freshDatabase()
  const sql = new pg.Pool({ connectionString: url, max: 2 })
  sql.on('error', () => {})
  await sql.query(`CREATE TYPE mood_${TABLE} AS ENUM ('ok', 'bad');
    CREATE TABLE ${TABLE} (id uuid PRIMARY KEY, hub int4 NOT NULL, a int4[], b bool, bt bytea, f float8, j jsonb,
      m mood_${TABLE}, num numeric(10, 2), ts timestamptz, txt text);
    INSERT INTO ${TABLE} VALUES
      (${id(1)}, 1, '{1,2}', true, '\\x00ff', 1.5, '{"a": [1, 2]}', 'ok', 12.3, '2026-01-02 03:04:05.678+00', 'a,"b" c'),
      (${id(2)}, 2, NULL, false, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL)`)
  const server = await createShapeServer({
    url,
    clock: systemClock(),
    log: SILENT,
    slot: 'golden',
    publication: 'golden',
    publishes: true,
    secret: null,
    pollMs: 1000,
    beyondMs: 200,
    deletes: true,
  })
  t.after(async () => {
    await server.close()
    await sql.end()
    await postgres.stop()
  })
  const handles = new Map<string, string>()
  const offsets = new Map<string, string>()
  const exchanges = JSON.parse(readFileSync(RECORDED, 'utf8')) as Exchange[]
  const wrong: string[] = []
  for (const exchange of exchanges) {
    const query = Object.fromEntries(
      Object.entries(exchange.query).map(([name, value]) => [
        name,
        (handles.get(value) ?? value)
          .replace('TBL', TABLE)
          .replace(/^LSN_\d$/, offsets.get(exchange.query['handle'] ?? '') ?? ''),
      ]),
    )
    const asking = server.http.inject({
      method: exchange.method as 'GET',
      url: `/v1/shape?${new URLSearchParams(query)}`,
      headers: exchange.reqHeaders
        ? { ...exchange.reqHeaders, ...revalidating(exchange.reqHeaders, handles) }
        : {},
      ...(exchange.method === 'POST'
        ? { payload: JSON.stringify({ where: 'hub = 1', order_by: 'id', limit: 1 }) }
        : {}),
    })
    const written = WRITTEN[exchange.name]
    const answering = asking.then((answer) => answer)
    if (written) {
      const shape = server.shapes.byHandle(query['handle'] ?? '')
      while (shape && shape.watchers() === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      await sql.query(written)
    }
    const answer = await answering
    if (written) await server.shapes.caughtUp()
    const handle = String(answer.headers['electric-handle'] ?? '')
    const shown = exchange.headers['electric-handle']
    if (shown && !handles.has(shown)) handles.set(shown, handle)
    const offset = String(answer.headers['electric-offset'] ?? '')
    if (shown && /^\d{3,}_/.test(offset)) offsets.set(shown, offset)
    const heard = {
      status: answer.statusCode,
      headers: normalHeaders(answer.headers, handles),
      body: normalBody(answer.body),
    }
    const wanted = {
      status: exchange.status,
      headers: normalHeaders(exchange.headers, new Map()),
      body: normalBody(typeof exchange.body === 'string' ? exchange.body : JSON.stringify(exchange.body)),
    }
    try {
      assert.deepEqual(heard, wanted)
    } catch (cause) {
      wrong.push(`${exchange.name}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  assert.equal(exchanges.length, 37)
  assert.deepEqual(wrong, [], wrong.join('\n\n'))
})

function revalidating(headers: Record<string, string>, handles: Map<string, string>): Record<string, string> {
  const etag = headers['if-none-match']
  return etag ? { 'if-none-match': etag.replace(/HANDLE\d/, (name) => handles.get(name) ?? name) } : {}
}

/** Headers of the protocol, with what differs from run to run replaced: handles, positions, cursors, marks of idle answers. */
function normalHeaders(
  headers: Record<string, unknown>,
  handles: Map<string, string>,
): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => !['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'].includes(name),
  )
  return Object.fromEntries(
    kept.map(([name, value]) => {
      let text = String(value).replaceAll(TABLE, 'TBL')
      for (const [shown, real] of handles) if (real) text = text.replaceAll(real, shown)
      if (name === 'electric-cursor') text = text.replace(/^\d+$/, 'CURSOR')
      if (name === 'electric-offset' || name === 'etag') text = text.replaceAll(/\b\d{3,}_(\d)/g, 'LSN_$1')
      if (name === 'etag') text = text.replace(/(:\w+:\w+):-?\d+"$/, '$1:MARK"')
      return [name, text]
    }),
  )
}

function normalBody(text: string): unknown {
  if (text === '') return ''
  return JSON.parse(text.replaceAll(TABLE, 'TBL'), (name, value: unknown) => {
    if (name === 'lsn' || name === 'global_last_seen_lsn') return 'LSN'
    if (name === 'txids') return ['XID']
    if (name === 'xmin' || name === 'xmax' || name === 'snapshot_mark') return 'X'
    return name === 'database_lsn' && /^\d+$/.test(String(value)) ? 'LSN' : value
  })
}
