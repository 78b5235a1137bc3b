import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { openForWriting } from '../../daemon/store/database.ts'
import { MIGRATIONS, migrate } from '../../daemon/store/migrate.ts'
import { createStore } from '../../daemon/store/open.ts'
import { scratch, unexpected } from './home.ts'

function setup(t: TestContext) {
  const folder = join(scratch(t), 'migrations')
  mkdirSync(folder)
  const path = join(folder, '..', 'hub.db')
  const db = openForWriting(path)
  t.after(() => db.close())
  return {
    db,
    path,
    add: (name: string, sql: string) => writeFileSync(join(folder, name), sql),
    run: () => migrate(db, path, folder),
    version: () => db.pragma('user_version', { simple: true }),
  }
}

test('a fresh database gets every step of the schema and no copy aside', async (t) => {
  const path = join(scratch(t), 'hub.db')
  const store = await createStore({ path, now: () => 0, onFailure: unexpected })
  t.after(() => store.close())
  const tables = store.all<{ name: string; strict: number }>(
    `SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
  )
  for (const name of [
    'observation',
    'observation_revision',
    'person',
    'rollup',
    'rollup_minute',
    'rollup_pending',
  ])
    assert.ok(tables.some((table) => table.name === name && table.strict === 1))
  assert.equal(existsSync(`${path}.before-0`), false)
})

test('an older database is copied aside, then brought up to date', (t) => {
  const { db, path, add, run, version } = setup(t)
  add('0001_first.sql', 'CREATE TABLE first (a INTEGER) STRICT; INSERT INTO first VALUES (7);')
  run()
  add('0002_second.sql', 'ALTER TABLE first ADD COLUMN b INTEGER;')
  add('0005_later.sql', 'CREATE TABLE fifth (a INTEGER) STRICT;')
  run()
  assert.equal(version(), 5)
  assert.deepEqual(db.prepare('SELECT a, b FROM first').all(), [{ a: 7, b: null }])
  const copy = new Database(`${path}.before-1`, { readonly: true })
  t.after(() => copy.close())
  assert.deepEqual(copy.prepare('SELECT * FROM first').all(), [{ a: 7 }])
})

test('a step that fails leaves the database as it was before the first step', (t) => {
  const { db, add, run, version } = setup(t)
  add('0001_first.sql', 'CREATE TABLE first (a INTEGER) STRICT;')
  run()
  add('0002_second.sql', 'ALTER TABLE first ADD COLUMN b INTEGER;')
  add('0003_broken.sql', 'CREATE TABLE third (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);')
  assert.throws(run, /0003_broken/)
  assert.equal(
    db.prepare('SELECT count(*) AS n FROM pragma_table_info(:table)').pluck().get({ table: 'first' }),
    1,
  )
  assert.equal(version(), 1)
  assert.deepEqual(db.prepare(`SELECT name FROM sqlite_schema ORDER BY name`).all(), [{ name: 'first' }])
})

test('a database of a newer program is refused with what to do', async (t) => {
  const path = join(scratch(t), 'hub.db')
  const db = openForWriting(path)
  migrate(db, path, MIGRATIONS)
  db.pragma('user_version = 9000')
  db.close()
  await assert.rejects(createStore({ path, now: () => 0, onFailure: unexpected }), {
    name: 'HubError',
    code: 'CONFLICT',
    message: /schema 9000.*newer program/,
  })
})

test('a file that is no database is refused', async (t) => {
  const path = join(scratch(t), 'hub.db')
  writeFileSync(
    path,
    'this is a shopping list, not a database, and long enough to be read as one '.repeat(20),
  )
  await assert.rejects(createStore({ path, now: () => 0, onFailure: unexpected }), {
    name: 'HubError',
    code: 'INTERNAL',
  })
})
