/** What the System page foretells: days until the disk is full, and only when that can be known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daysLeft } from '../../../daemon/features/system/wear.ts'

const DAY = 86_400_000
const GB = 1e9

test('room that went at one gigabyte a day lasts as many days as gigabytes are left', () => {
  const now = { atMs: 4 * DAY, freeBytes: 20 * GB }
  assert.equal(daysLeft({ atMs: 0, freeBytes: 24 * GB }, now), 20)
  assert.equal(daysLeft({ atMs: 2 * DAY, freeBytes: 24 * GB }, now), 10)
})

test('nothing is foretold before a day has passed, and of a disk that does not fill up', () => {
  const now = { atMs: 2 * DAY, freeBytes: 20 * GB }
  assert.equal(daysLeft(undefined, now), null)
  assert.equal(daysLeft({ atMs: 2 * DAY - 3_600_000, freeBytes: 21 * GB }, now), null)
  assert.equal(daysLeft({ atMs: 0, freeBytes: 20 * GB }, now), null)
  assert.equal(daysLeft({ atMs: 0, freeBytes: 19 * GB }, now), null)
})
