import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  leadingMeals,
  leadingReadings,
  leadingStretches,
  RIVAL_MARGIN_MS,
} from '../../daemon/domain/rivals.ts'

const MINUTE_MS = 60_000
const equal = () => 100
const every = (deviceId: string, source: string, minutes: number, count: number, lateMs = 0) =>
  Array.from({ length: count }, (_, index) => ({
    deviceId,
    source,
    atMs: index * minutes * MINUTE_MS + lateMs,
  }))

test('a sensor that two programs report counts once, however late the second one stamps it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -150_000, max: 150_000 }), (lateMs) => {
      const both = [...every('a', 'xdrip', 5, 288), ...every('b', 'apple_health', 5, 288, lateMs)]
      assert.ok(leadingReadings(both, equal).length <= 289)
    }),
    { numRuns: 100 },
  )
})

test('read in pieces or at once, the same readings lead', () => {
  const source = fc.constantFrom('dexcom', 'libre', 'apple_health')
  const reading = fc.record({
    deviceId: fc.constantFrom('a', 'b'),
    source,
    atMs: fc.integer({ min: 0, max: 300 }).map((minutes) => minutes * MINUTE_MS),
  })
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), fc.integer({ min: 0, max: 300 }), (all, cut) => {
      const cutMs = cut * MINUTE_MS
      const series = (rows: typeof all) =>
        rows.map(({ atMs, deviceId, source }) => `${atMs} ${deviceId} ${source}`)
      const whole = series(leadingReadings(all, equal)).sort()
      const margin = RIVAL_MARGIN_MS
      const before = leadingReadings(
        all.filter(({ atMs }) => atMs < cutMs + margin),
        equal,
      ).filter(({ atMs }) => atMs < cutMs)
      const after = leadingReadings(
        all.filter(({ atMs }) => atMs >= cutMs - margin),
        equal,
      ).filter(({ atMs }) => atMs >= cutMs)
      assert.deepEqual([...series(before), ...series(after)].sort(), whole)
    }),
    { numRuns: 200 },
  )
})

test('of nights that overlap the preferred source is believed, of one source the last word', () => {
  const night = (deviceId: string, startMs: number, endMs: number, updatedAtMs: number) => ({
    deviceId,
    source: deviceId,
    startMs,
    endMs,
    updatedAtMs,
  })
  const rank = (id: string) => (id === 'ring' ? 1 : 100)
  const kept = leadingStretches(
    [
      night('watch', 0, 100, 1),
      night('ring', 10, 90, 1),
      night('watch', 200, 300, 1),
      night('watch', 205, 305, 2),
    ],
    rank,
  )
  assert.deepEqual(
    kept.map(({ deviceId, startMs }) => [deviceId, startMs]),
    [
      ['ring', 10],
      ['watch', 205],
    ],
  )
})

test('of equally good sources of one run the fullest is believed, whoever told last', () => {
  const run = (deviceId: string, startMs: number, endMs: number, updatedAtMs: number) => ({
    ...{ deviceId, source: deviceId, startMs, endMs, updatedAtMs },
  })
  const told = [
    run('strap', 0, 60, 1),
    run('cut-off', 0, 1, 9),
    run('watch', 100, 160, 1),
    run('watch', 105, 150, 2),
    run('typed', 200, 290, 3),
    run('ring', 200, 230, 1),
  ]
  const rank = (id: string) => (id === 'ring' ? 1 : 100)
  const names = (kept: typeof told) => kept.map(({ deviceId, endMs }) => [deviceId, endMs])
  const fullest = [
    ['strap', 60],
    ['watch', 150],
    ['ring', 230],
  ]
  assert.deepEqual(names(leadingStretches(told, rank)), fullest)
  assert.deepEqual(names(leadingStretches(told.toReversed(), rank)), fullest)
})

test('a meal that two programs tell counts once, one that a program tells twice counts twice', () => {
  const meal = (source: string, minute: number, carbsG: number | null) => ({
    ...{ deviceId: source, source, atMs: minute * MINUTE_MS, carbsG },
  })
  const told = [
    meal('clarity', 0, 45),
    meal('nightscout', 6, 45.4),
    meal('nightscout', 8, 45),
    meal('manual', 9, 20),
    meal('nightscout', 30, 45),
    meal('manual', 31, null),
    meal('clarity', 41, 45),
  ]
  const kept = (all: typeof told) =>
    leadingMeals(all, () => 100).map(({ source, atMs }) => [source, atMs / MINUTE_MS])
  const once = [
    ['clarity', 0],
    ['nightscout', 8],
    ['manual', 9],
    ['nightscout', 30],
    ['manual', 31],
    ['clarity', 41],
  ]
  assert.deepEqual(kept(told), once)
  assert.deepEqual(kept(told.toReversed()), once)
})
