/** A program that dies while it brings the database up to date leaves the old one or the new one, never something between. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { openForWriting } from '../../daemon/store/database.ts'
import { migrate } from '../../daemon/store/migrate.ts'
import { scratch } from '../store/home.ts'
import { report, roundsOr } from './report.ts'

const CHILD = fileURLToPath(new URL('./upgrade-child.js', import.meta.url))
const ROUNDS = roundsOr(6)
const ROWS = 20_000
const OLD = `CREATE TABLE one (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;`
/** Steps that take a while, each of which needs the one before. */
const NEW = [
  'ALTER TABLE one ADD COLUMN twice INTEGER; UPDATE one SET twice = 2 * n;',
  'CREATE TABLE two (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT; INSERT INTO two SELECT id, twice FROM one;',
  'CREATE INDEX two_by_n ON two (n, id); DROP TABLE one;',
]

function setup(t: TestContext) {
  const folder = scratch(t)
  const [old, current] = [join(folder, 'old'), join(folder, 'current')]
  for (const to of [old, current]) {
    mkdirSync(to)
    writeFileSync(join(to, '0001_first.sql'), OLD)
  }
  NEW.forEach((sql, index) => {
    writeFileSync(join(current, `000${index + 2}_later.sql`), sql)
  })
  const before = join(folder, 'before.db')
  const db = openForWriting(before)
  migrate(db, before, old)
  db.prepare(
    `INSERT INTO one WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT ${ROWS}) SELECT n, n FROM c`,
  ).run()
  db.close()
  const path = join(folder, 'hub.db')
  return { before, path, current }
}

/** Milliseconds from opening to its end; `killAfterMs` ends it before. */
async function upgrade(path: string, current: string, killAfterMs: number | null): Promise<number> {
  const child = spawn(process.execPath, [CHILD, path, current], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const fromMs = performance.now()
  if (killAfterMs !== null) {
    await Promise.race([sleep(killAfterMs), exited])
    child.kill('SIGKILL')
  }
  await exited
  return performance.now() - fromMs
}

function rowsOf(path: string, table: string): number {
  const db = new Database(path, { readonly: true })
  try {
    assert.deepEqual(db.pragma('integrity_check'), [{ integrity_check: 'ok' }])
    return db.prepare<[], number>(`SELECT count(*) FROM ${table} WHERE n > 0`).pluck().get() ?? 0
  } finally {
    db.close()
  }
}

function versionOf(path: string): number {
  const db = new Database(path)
  try {
    return Number(db.pragma('user_version', { simple: true }))
  } finally {
    db.close()
  }
}

test('a program killed while it upgrades the database leaves the old one or the new one, and a copy that is whole', async (t) => {
  const { before, path, current } = setup(t)
  copyFileSync(before, path)
  const wholeMs = await upgrade(path, current, null)
  const seen = { old: 0, new: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const suffix of ['', '-wal', '-shm', '.before-1', '.before-1.partial'])
      rmSync(path + suffix, { force: true })
    copyFileSync(before, path)
    await upgrade(path, current, wholeMs * ((round * 0.618 + 0.1) % 1))
    const isOld = versionOf(path) === 1
    if (!isOld) assert.equal(versionOf(path), 1 + NEW.length)
    seen[isOld ? 'old' : 'new'] += 1
    assert.equal(rowsOf(path, isOld ? 'one' : 'two'), ROWS)
    if (existsSync(`${path}.before-1`)) assert.equal(rowsOf(`${path}.before-1`, 'one'), ROWS)
    else assert.ok(isOld, 'upgraded without a copy to go back to')
    await upgrade(path, current, null)
    assert.equal(rowsOf(path, 'two'), ROWS)
  }
  report(t, {
    fault: 'kill -9 while the database is upgraded',
    ...{ rounds: ROUNDS, acknowledged: ROWS, lost: 0, doubled: 0 },
    note: `${seen.old} times the old database was left, ${seen.new} times the new one; the next start went on`,
  })
})
