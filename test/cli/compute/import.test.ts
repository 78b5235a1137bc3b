import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import Database from 'better-sqlite3'
import { inputFile, settings } from '../../../daemon/cli/compute/computation.ts'
import { importRecords } from '../../../daemon/cli/compute/import.ts'
import type { ImportWords } from '../../../firmware-bridge/import/words.ts'
import { assertHolds } from '../../firmware-bridge/close.ts'
import { fixture, fixturePath } from '../../firmware-bridge/fixtures.ts'
import { zipOf } from '../../firmware-bridge/import/setup.ts'

const compute = async (path: string, ...pairs: string[]) =>
  (await importRecords(inputFile(path), settings(pairs))) as ImportWords

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  /** A Health Connect zip with a database of the given statements. */
  const healthConnect = (statements: string) => {
    const path = join(folder, 'made.db')
    const database = new Database(path)
    database.exec(statements)
    database.close()
    return write('export.zip', zipOf([{ name: 'health_connect_export.db', content: readFileSync(path) }]))
  }
  return { write, healthConnect }
}

test('compute import reads a Health Connect zip and leaves no database behind', async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('homefield-import-')).length
  const before = left()
  const path = fixturePath('healthconnect/Health Connect.zip')
  const {
    tolerance,
    note: _,
    ...wanted
  } = fixture('healthconnect/Health Connect.zip.expected.json') as {
    tolerance: number
    note: string
  }
  for (const kind of ['health-connect', 'auto']) {
    assertHolds(await compute(path, `kind=${kind}`), wanted, tolerance, kind)
  }
  assert.equal(left(), before)
})

test('a Health Connect database that is none, or whose tables are views, gives a reason', async (t) => {
  const { write, healthConnect } = setup(t)
  const garbage = zipOf([{ name: 'health_connect_export.db', content: Buffer.alloc(8192, 7) }])
  const { skipped } = await compute(write('garbage.zip', garbage))
  assert.match(skipped[0]?.reason ?? '', /not a database that can be read/)
  const endless = healthConnect(
    `CREATE VIEW steps_record_table AS WITH RECURSIVE n(start_time) AS (SELECT 1 UNION ALL SELECT start_time + 1 FROM n)
       SELECT start_time, start_time AS end_time, 1 AS count FROM n;`,
  )
  assert.equal((await compute(endless)).skipped[0]?.reason, 'none of the tables of a Health Connect export')
})

test('a Health Connect row without a value costs only itself', async (t) => {
  const path = setup(t).healthConnect(
    `CREATE TABLE weight_record_table (time INTEGER, weight REAL);
     INSERT INTO weight_record_table VALUES (1773468000000, 42000.0), (NULL, 1), (1773468000001, 'heavy');`,
  )
  const { samples, skipped } = await compute(path)
  assert.equal(samples.length, 1)
  assert.deepEqual(skipped, [
    { where: 'weight_record_table', reason: 'a row without time or value', count: 2 },
  ])
})

test('a file is what its name and content say, and settings that are none are refused', async (t) => {
  const { write } = setup(t)
  const steps = write('steps-2026-03-14.json', '[{"dateTime":"03/14/26 07:00:00","value":"12"}]')
  assert.equal((await compute(steps)).samples.length, 1)
  await assert.rejects(compute(steps, 'kind=diary'), /kind must be auto or one of apple-health/)
  await assert.rejects(compute(steps, 'zone=Mars'), /zone must be a time zone/)
  await assert.rejects(compute(steps, 'date_order=YDM'), /date_order must be DMY or MDY/)
  await assert.rejects(compute('nowhere.csv'), /cannot be read/)
  assert.equal(
    (await compute(write('notes.txt', 'hello'))).skipped[0]?.reason,
    'this looks like none of the exports that are read',
  )
})
