import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { createAudit } from '../../../daemon/features/audit/audit.ts'
import { createOutsideHead } from '../../../daemon/features/audit/outside.ts'
import { verifyChain } from '../../../daemon/features/audit/verify.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { deriveKey } from '../../../daemon/kernel/secrets.ts'
import { createStore } from '../../../daemon/store/open.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../fakes/household.ts'

const KEY = new Uint8Array(32).fill(5)

async function setup(t: TestContext) {
  const folder = temporaryFolder(t)
  const path = join(folder, 'hub.db')
  const clock = fakeClock()
  const onFailure = (cause: unknown) => {
    throw cause
  }
  async function open() {
    const store = await createStore({ path, now: clock.now, onFailure })
    const audit = createAudit({
      ...{ store, clock, log: createLog('silent'), secret: KEY, peopleOf: () => [] },
      notePath: join(folder, 'audit.head'),
    })
    await audit.feature.start?.()
    const close = async () => {
      await audit.feature.stop?.()
      await store.close()
    }
    return { store, audit, close }
  }
  /** Writes `count` entries with a seal after each `every`. */
  async function fill(count: number, every = 5) {
    const { audit, close } = await open()
    for (let from = 1; from <= count; from += every) {
      const ids = Array.from(
        { length: Math.min(every, count - from + 1) },
        (_, index) => `user-${from + index}`,
      )
      await Promise.all(
        ids.map((id) => audit.record({ act: 'grant', who: { kind: 'user', id }, personId: 'mia' })),
      )
      clock.advance(5 * 60_000)
      await audit.sealed()
    }
    await close()
  }
  /** Opens the database as somebody would who found the file. */
  function tamper(sql: string, params: object = {}) {
    const db = new Database(path)
    db.prepare(sql).run(params)
    db.close()
  }
  /** Verifies the file as it lies there, without a hub that starts on it. */
  async function verdict() {
    const db = new Database(path, { readonly: true })
    const store = {
      all: <Row>(sql: string, params: object = {}) => db.prepare(sql).all(params) as Row[],
      get: <Row>(sql: string, params: object = {}) => db.prepare(sql).get(params) as Row | undefined,
    }
    const outside = await createOutsideHead(join(folder, 'audit.head')).read()
    const found = await verifyChain({ store, key: deriveKey(KEY, 'audit seal'), outside })
    db.close()
    return found
  }
  return { clock, folder, path, open, fill, tamper, verdict }
}

test('a log as it was written is whole, over restarts too', async (t) => {
  const { fill, verdict } = await setup(t)
  await fill(12)
  await fill(7)
  const { whole, entries, firstSeq, lastSeq, problem } = await verdict()
  assert.deepEqual(
    { whole, entries, firstSeq, lastSeq, problem },
    { whole: true, entries: 19, firstSeq: 1, lastSeq: 19, problem: null },
  )
})

const CHANGES: [string, string, number | null][] = [
  ['a changed word', `UPDATE audit_entry SET who = 'user-9' WHERE seq = 4`, 4],
  ['a changed time', 'UPDATE audit_entry SET at = at + 1 WHERE seq = 7', 7],
  ['an entry taken out', 'DELETE FROM audit_entry WHERE seq = 6', 6],
  ['the first entry taken out', 'DELETE FROM audit_entry WHERE seq = 1', 1],
  ['the newest entries taken out', 'DELETE FROM audit_entry WHERE seq > 9', 10],
  ['everything taken out', 'DELETE FROM audit_entry', 1],
  [
    'two entries in each other’s place',
    `UPDATE audit_entry SET (act, who, hash, at) = (SELECT act, who, hash, at FROM audit_entry AS other WHERE other.seq = 11 - audit_entry.seq)
     WHERE seq IN (5, 6)`,
    5,
  ],
  [
    'a seal taken from another place',
    'UPDATE audit_anchor SET hash = (SELECT hash FROM audit_entry WHERE seq = 3)',
    5,
  ],
  [
    'a start moved forward',
    `INSERT INTO audit_edge SELECT 'start', seq, at, hash, seal FROM audit_anchor ORDER BY seq LIMIT 1`,
    5,
  ],
  [
    'an entry added at the end',
    `INSERT INTO audit_entry SELECT 13, at, act, who_kind, who, person, class, detail, hash FROM audit_entry WHERE seq = 12`,
    13,
  ],
  ['the seal of the newest entry taken away', `DELETE FROM audit_edge WHERE name = 'head'`, null],
]

test('the check finds every kind of change to the file', async (t) => {
  const { fill, path, verdict } = await setup(t)
  await fill(12)
  const original = readFileSync(path)
  for (const [what, sql, seq] of CHANGES) {
    writeFileSync(path, original)
    const db = new Database(path)
    db.exec(sql)
    db.close()
    const found = await verdict()
    assert.equal(found.whole, false, what)
    assert.ok(found.problem, what)
    if (seq !== null) assert.equal(found.problemSeq, seq, `${what}: ${found.problem}`)
  }
})

test('a chain computed anew without the key does not fit its seals', async (t) => {
  const { fill, path, verdict } = await setup(t)
  await fill(12)
  const { entryHash, NO_HASH } = await import('../../../daemon/features/audit/entry.ts')
  const db = new Database(path)
  db.prepare(`UPDATE audit_entry SET who = 'somebody-else' WHERE seq = 2`).run()
  let before: Uint8Array = NO_HASH
  const rows = db
    .prepare(
      `SELECT seq, at AS atMs, act, who_kind AS whoKind, who, person, class, detail FROM audit_entry ORDER BY seq`,
    )
    .all() as Parameters<typeof entryHash>[1][]
  for (const row of rows) {
    before = entryHash(before, row)
    db.prepare('UPDATE audit_entry SET hash = :hash WHERE seq = :seq').run({ hash: before, seq: row.seq })
  }
  db.close()
  const found = await verdict()
  assert.equal(found.whole, false)
  assert.match(found.problem ?? '', /written anew/)
})

test('a database put back to an earlier day is noticed by the note beside it, and stays noticed', async (t) => {
  const { fill, open, tamper, verdict } = await setup(t)
  await fill(12)
  // As if an old copy had been put back: rows, seals and the sealed end of that day.
  const { audit, store, close } = await open()
  const old = store.get<Record<string, unknown>>(`SELECT * FROM audit_edge WHERE name = 'head'`)
  await audit.record({ act: 'erase', who: { kind: 'local', id: null } })
  await close()
  tamper('DELETE FROM audit_entry WHERE seq > 12')
  tamper('DELETE FROM audit_anchor WHERE seq > 12')
  tamper(`UPDATE audit_edge SET seq = :seq, at = :at, hash = :hash, seal = :seal WHERE name = 'head'`, {
    ...{ seq: old?.['seq'], at: old?.['at'], hash: old?.['hash'], seal: old?.['seal'] },
  })
  const first = await verdict()
  assert.equal(first.whole, false)
  assert.match(first.problem ?? '', /sealed outside/)
  const again = await open()
  await again.close()
  const later = await verdict()
  assert.equal(later.whole, false, 'the hub wrote down what it found when it started')
  assert.match(later.problem ?? '', /were lost/)
})

test('an end noted elsewhere finds what the database alone cannot', async (t) => {
  const { fill, open } = await setup(t)
  await fill(6)
  const { audit, close } = await open()
  const { lastSeq, head } = await audit.verify()
  const noted = (hash: string) => ({ seq: lastSeq ?? 0, hash: Buffer.from(hash, 'hex') })
  assert.equal((await audit.verify(noted(head ?? ''))).whole, true)
  assert.equal((await audit.verify(noted('ab'.repeat(32)))).whole, false)
  await close()
})

test('old entries go in whole stretches, and the rest stays whole', async (t) => {
  const { clock, open, fill, verdict } = await setup(t)
  await fill(12)
  clock.advance(7 * 365 * 86_400_000)
  const { audit, store, close } = await open()
  await audit.record({ act: 'sign-in', who: { kind: 'user', id: 'anna' } })
  clock.advance(24 * 3_600_000)
  await audit.flush()
  await new Promise((resolve) => setImmediate(resolve))
  await close()
  const found = await verdict()
  assert.equal(found.problem, null)
  assert.ok((found.firstSeq ?? 0) > 10, `starts at ${found.firstSeq}`)
  assert.ok(store)
})

test('a flood is counted instead of kept, and the count is an entry', async (t) => {
  const { open } = await setup(t)
  const { audit, store, close } = await open()
  const { append } = { append: audit.witness.read }
  for (let one = 0; one < 10_050; one += 1)
    append(
      { kind: 'user', userId: `u${one}`, signInId: 's', role: 'coach', personId: null, grants: [] },
      'mia',
      'any',
    )
  await audit.flush()
  assert.equal(audit.stats().leftOut, 50)
  const left = store.get<{ detail: string }>(`SELECT detail FROM audit_entry WHERE act = 'left-out'`)
  assert.deepEqual(JSON.parse(left?.detail ?? ''), { entries: 50 })
  await close()
})
