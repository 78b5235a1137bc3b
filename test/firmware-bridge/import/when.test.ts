import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { numberInAnyLocale, parseTold, snake } from '../../../firmware-bridge/import/when.ts'

test('an instant written with any offset reads back as itself, with the day of its wall clock', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(1990, 0, 1) / 1000, max: Date.UTC(2090, 0, 1) / 1000 }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      fc.constantFrom('apple', 'rfc'),
      (seconds, offset, form) => {
        const wall = new Date(seconds * 1000 + offset * 60_000).toISOString()
        const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0')
        const sign = offset < 0 ? '-' : '+'
        const [hours, minutes] = [two(offset / 60), two(offset % 60)]
        const written =
          form === 'apple'
            ? `${wall.slice(0, 10)} ${wall.slice(11, 19)} ${sign}${hours}${minutes}`
            : `${wall.slice(0, 23)}${sign}${hours}:${minutes}`
        assert.deepEqual(parseTold(written), { atMs: seconds * 1000, day: wall.slice(0, 10) })
      },
    ),
    { numRuns: 300 },
  )
})

test('dates and times that no calendar has are no times', () => {
  for (const none of [
    '2026-02-29 08:00:00 +0100',
    '2026-13-01 08:00:00 +0100',
    '2026-03-14 24:00:61 +0100',
    '2026-03-14 08:00:00 +9900',
    '2026-03-14 08:00:00',
    '2026-03-14 0x:00:00 +0100',
    20260314,
    null,
  ])
    assert.equal(parseTold(none), null, String(none))
  assert.equal(parseTold('2028-02-29 08:00:00 +0100')?.day, '2028-02-29')
  assert.equal(parseTold('2026-03-14T08:00Z')?.atMs, Date.UTC(2026, 2, 14, 8))
})

test('a number with three digits behind a comma means two things and is none', () => {
  assert.deepEqual(['5,6', '5.6', '1,234', '-0,5', '1.234,5', ''].map(numberInAnyLocale), [
    5.6,
    5.6,
    null,
    -0.5,
    null,
    null,
  ])
})

test('names of sports become words with underscores', () => {
  assert.deepEqual(['TableTennis', 'Outdoor Run', 'soccer', ' a--b '].map(snake), [
    'table_tennis',
    'outdoor_run',
    'soccer',
    'a_b',
  ])
})
