import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { HOURS_WITH_ROWS, STORED_BUCKETS } from '../../daemon/store/levels.ts'
import { migrate } from '../../daemon/store/migrate.ts'
import { NEWEST_DAY, RAW_OF_HOUR } from '../../daemon/store/observations.ts'
import { MINUTES_OF_HOUR } from '../../daemon/store/raw-values.ts'
import { NEWEST_IN_HOUR } from '../../daemon/store/rollup-tables.ts'
import { SEALED_OF_METRIC, SEALED_ONE } from '../../daemon/store/sealed-days.ts'

const db = new Database(':memory:')
migrate(db, ':memory:')

/** How SQLite walks each table of a statement, without the parts that are lists in memory. */
function plan(sql: string): string[] {
  const params = Object.fromEntries([...sql.matchAll(/:(\w+)/g)].map(([, name]) => [name!, 1]))
  return db
    .prepare<[Record<string, number>], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(params)
    .map(({ detail }) => detail)
    .filter((detail) => /^(SEARCH|SCAN) \w+ USING|^SCAN (o|r|d|s|rollup\w*|observation)\b/.test(detail))
}

test('raw values are found by time and need no sorting', () => {
  assert.match(plan(RAW_OF_HOUR)[0]!, /^SEARCH o USING PRIMARY KEY \(ts>\? AND ts<\?\)/)
})

test('roll-ups are found by series', () => {
  const bySeries = /^SEARCH rollup USING PRIMARY KEY \(level=\? AND person=\? AND metric=\?/
  for (const sql of [STORED_BUCKETS, NEWEST_DAY]) for (const step of plan(sql)) assert.match(step, bySeries)
  assert.match(plan(HOURS_WITH_ROWS)[0]!, bySeries)
})

test('minutes are found one by one, not by reading every series of the hour', () => {
  for (const sql of [MINUTES_OF_HOUR, NEWEST_IN_HOUR]) {
    assert.deepEqual(plan(sql), [
      'SEARCH r USING PRIMARY KEY (start=? AND person=? AND metric=? AND device=?)',
    ])
  }
})

test('packed days are found by series', () => {
  for (const sql of [SEALED_ONE, SEALED_OF_METRIC])
    assert.match(
      plan(sql)[0]!,
      /^SEARCH sealed_day USING INDEX sealed_day_series \(person=\? AND metric=\? AND day=\?/,
    )
})
