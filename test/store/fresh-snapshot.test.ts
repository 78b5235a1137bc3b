import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { takeFresh } from '../../daemon/store/fresh-snapshot.ts'
import { temporaryFolder } from '../fakes/household.ts'

const NOW = 1_770_000_000_000

test('a copy that was under way is not taken for one of now', async (t) => {
  const folder = temporaryFolder(t)
  const begun = [NOW - 5000, NOW + 1]
  let copies = 0
  const take = async () => {
    writeFileSync(join(folder, `homefield-${begun[copies]}.db`), 'copy')
    copies += 1
    return { newestAtMs: null, bytes: 0, problem: null }
  }
  const fresh = await takeFresh({ take }, folder, () => NOW)
  assert.equal(fresh.takenAtMs, NOW + 1)
  assert.equal(copies, 2)
})

test('without room the reason is told, and no older copy passes for a new one', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, `homefield-${NOW - 1}.db`), 'copy')
  const state = { newestAtMs: null, bytes: 0 }
  const full = takeFresh({ take: async () => ({ ...state, problem: 'no room' }) }, folder, () => NOW)
  await assert.rejects(full, /no room/)
  const stale = takeFresh({ take: async () => ({ ...state, problem: null }) }, folder, () => NOW)
  await assert.rejects(stale, { code: 'DISK_FULL' })
})
