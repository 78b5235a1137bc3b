/** Which part of time an address means, over daylight-saving changes too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hourAt, neighbour, stretchOf, viewOf } from '../../daemon/ui/state/stretch.ts'

const BERLIN = 'Europe/Berlin'
const NOW = Date.parse('2026-11-20T14:32:00Z')
const TODAY = '2026-11-20'
const HOUR = 3_600_000
const read = (search: string) => stretchOf(new URLSearchParams(search), BERLIN, NOW, TODAY)

test('an address without a day means today in the zone of the person', () => {
  assert.deepEqual(read(''), {
    day: TODAY,
    span: 'day',
    fromMs: Date.parse('2026-11-19T23:00:00Z'),
    toMs: Date.parse('2026-11-20T23:00:00Z'),
    search: '',
  })
})

test('an hour is found by the wall clock of the person', () => {
  const hour = read('?d=2026-11-20&t=14:20')
  assert.equal(new Date(hour.fromMs).toISOString(), '2026-11-20T13:00:00.000Z')
  assert.equal(hour.search, '?d=2026-11-20&t=14:00')
})

test('days that do not exist or have not come mean today', () => {
  for (const search of ['?d=2026-13-40', '?d=tomorrow', '?d=2027-01-01', '?d=2026-11-20&t=99:00'])
    assert.equal(read(search).search, '', search)
})

test('the day when clocks go back is drawn with its 25 hours', () => {
  const day = read('?d=2026-10-25')
  assert.equal(day.toMs - day.fromMs, 25 * HOUR)
  assert.equal(viewOf(day, BERLIN, null, null).ticks.length, 5)
})

test('going back from a day and forth again leads to the same day', () => {
  for (const start of ['?d=2026-10-26', '?d=2026-10-25', '?d=2026-03-29', '?d=2026-03-30']) {
    const day = read(start)
    const before = neighbour(day, -1, BERLIN, NOW)
    assert.ok(before)
    assert.deepEqual(neighbour(before, 1, BERLIN, NOW), day)
  }
})

test('there is no day after today and no hour after this one', () => {
  assert.equal(neighbour(read(''), 1, BERLIN, NOW), null)
  assert.equal(neighbour(hourAt(NOW, BERLIN), 1, BERLIN, NOW), null)
})

test('a day with twenty minutes of readings is drawn as the hour around them', () => {
  const firstMs = Date.parse('2026-11-20T13:10:00Z')
  const view = viewOf(read(''), BERLIN, firstMs, firstMs + 20 * 60_000)
  assert.equal(new Date(view.fromMs).toISOString(), '2026-11-20T13:00:00.000Z')
  assert.equal(view.toMs - view.fromMs, HOUR)
  assert.equal(view.ticks.length, 5)
})

test('a day with readings from morning to evening is drawn whole', () => {
  const day = read('')
  const view = viewOf(day, BERLIN, day.fromMs + 7 * HOUR, day.fromMs + 15 * HOUR)
  assert.deepEqual([view.fromMs, view.toMs], [day.fromMs, day.toMs])
})
