import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRecurrence, type Recurrence, startsWithin } from '../../daemon/domain/recurrence.ts'

const ZONE = 'Europe/Berlin'
const EVER = { fromMs: 0, toMs: Date.UTC(2100, 0, 1) }

function rule(text: string): Recurrence {
  const parsed = parseRecurrence(text)
  assert.ok(!('wrong' in parsed), JSON.stringify(parsed))
  return parsed
}

function starts(text: string, start: string, { window = EVER, limit = 50, zone = ZONE } = {}): string[] {
  const series = { startMs: Date.parse(start), zone, rule: rule(text) }
  return startsWithin(series, window, limit).map((atMs) => new Date(atMs).toISOString().slice(0, 16))
}

test('a weekly training keeps its hour on the wall over both changes of the clocks', () => {
  assert.deepEqual(starts('FREQ=WEEKLY;COUNT=3', '2026-03-22T17:00:00+01:00'), [
    '2026-03-22T16:00',
    '2026-03-29T15:00',
    '2026-04-05T15:00',
  ])
  assert.deepEqual(starts('FREQ=WEEKLY;COUNT=2', '2026-10-18T17:00:00+02:00'), [
    '2026-10-18T15:00',
    '2026-10-25T16:00',
  ])
})

test('a time that the clock jumps over moves on by the jump', () => {
  assert.deepEqual(starts('FREQ=DAILY;COUNT=3', '2026-03-28T02:30:00+01:00'), [
    '2026-03-28T01:30',
    '2026-03-29T01:30',
    '2026-03-30T00:30',
  ])
})

test('days of the week, intervals and ends are counted as RFC 5545 says', () => {
  assert.deepEqual(starts('FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=4', '2026-06-04T16:00:00Z'), [
    '2026-06-04T16:00',
    '2026-06-16T16:00',
    '2026-06-18T16:00',
    '2026-06-30T16:00',
  ])
  assert.deepEqual(starts('FREQ=MONTHLY;COUNT=3', '2026-01-31T12:00:00Z', { zone: 'UTC' }), [
    '2026-01-31T12:00',
    '2026-03-31T12:00',
    '2026-05-31T12:00',
  ])
  assert.equal(starts('FREQ=DAILY;UNTIL=20260605', '2026-06-01T16:00:00Z').length, 5)
  assert.equal(starts('FREQ=DAILY;UNTIL=20260605T160000Z', '2026-06-01T16:00:00Z').length, 5)
  assert.equal(starts('FREQ=DAILY;UNTIL=20260605T155959Z', '2026-06-01T16:00:00Z').length, 4)
})

test('only what lies in the window is told, however long ago it began, and at most as many as asked for', () => {
  const window = { fromMs: Date.UTC(2026, 5, 1), toMs: Date.UTC(2026, 5, 4) }
  assert.deepEqual(starts('FREQ=DAILY', '2001-01-01T12:00:00Z', { window }), [
    '2026-06-01T11:00',
    '2026-06-02T11:00',
    '2026-06-03T11:00',
  ])
  assert.equal(starts('FREQ=DAILY', '2026-01-01T12:00:00Z', { limit: 7 }).length, 7)
  assert.deepEqual(starts('FREQ=DAILY;COUNT=10', '2001-01-01T12:00:00Z', { window }), [])
})

test('what lies outside of the subset is refused with the reason', () => {
  const refused: [text: string, words: RegExp][] = [
    ['FREQ=YEARLY', /FREQ/],
    ['FREQ=HOURLY', /FREQ/],
    ['INTERVAL=2', /FREQ/],
    ['FREQ=DAILY;INTERVAL=0', /INTERVAL/],
    ['FREQ=DAILY;COUNT=5000', /COUNT/],
    ['FREQ=DAILY;COUNT=3;UNTIL=20260101', /exclude/],
    ['FREQ=MONTHLY;BYDAY=1MO', /BYDAY/],
    ['FREQ=WEEKLY;BYDAY=XX', /BYDAY/],
    ['FREQ=WEEKLY;BYSETPOS=1', /BYSETPOS/],
    ['FREQ=WEEKLY;UNTIL=20260231', /UNTIL/],
    ['FREQ=WEEKLY;WKST=SU', /Monday/],
    ['FREQ=DAILY;FREQ=DAILY', /FREQ/],
    ['every Tuesday', /FREQ/],
    ['', /FREQ/],
    [`FREQ=DAILY;${'X'.repeat(300)}`, /longer/],
  ]
  for (const [text, words] of refused) {
    const parsed = parseRecurrence(text)
    assert.ok('wrong' in parsed, text)
    assert.match(parsed.wrong, words, text)
  }
})
