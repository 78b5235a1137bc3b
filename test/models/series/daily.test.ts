import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DailyRecords, dailyRows } from '../../../models/series/daily.ts'
import { activeMinutes } from '../../../models/series/daily-activity.ts'

const HOUR_MS = 3_600_000
const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10)
const nothing: DailyRecords = { glucose: [], sleep: [], activities: [], meals: [] }

test('every reading is counted on exactly one day, in whatever order they come', () => {
  const glucose = fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 200 * HOUR_MS }),
      mgPerDl: fc.integer({ min: 40, max: 400 }),
    }),
    { maxLength: 100 },
  )
  fc.assert(
    fc.property(glucose, (readings) => {
      const rows = dailyRows({ ...nothing, glucose: readings }, dayOf)
      assert.equal(
        rows.reduce((sum, row) => sum + row.readings, 0),
        readings.length,
      )
      const back = dailyRows({ ...nothing, glucose: [...readings].reverse() }, dayOf)
      assert.deepEqual(
        back.map(({ date, readings: n, glucoseMax }) => [date, n, glucoseMax]),
        rows.map(({ date, readings: n, glucoseMax }) => [date, n, glucoseMax]),
      )
    }),
    { numRuns: 100 },
  )
})

test('a night and a nap count on the day of waking, quality as their mean', () => {
  const [row, ...more] = dailyRows(
    {
      ...nothing,
      sleep: [
        { wokeMs: 30 * HOUR_MS, minutes: 420, quality: 8 },
        { wokeMs: 38 * HOUR_MS, minutes: 30, quality: 6 },
      ],
    },
    dayOf,
  )
  assert.equal(more.length, 0)
  assert.equal(row?.date, '1970-01-02')
  assert.equal(row?.sleepMinutes, 450)
  assert.equal(row?.sleepQuality, 7)
  assert.equal(row?.exerciseMinutes, null)
})

test('active minutes are counted among known minutes only', () => {
  assert.deepEqual(activeMinutes(Float64Array.from([0, 99, 100, 129, 130, Number.NaN])), {
    moderate: 2,
    vigorous: 1,
    knownMinutes: 5,
  })
  assert.equal(activeMinutes(Float64Array.from([Number.NaN])), null)
})
