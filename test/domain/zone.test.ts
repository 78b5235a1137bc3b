import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { dayBounds, isDay, isZone, localDay, wallTimeToMs } from '../../daemon/domain/zone.ts'

const HOUR = 3_600_000
const at = (iso: string) => Date.parse(iso)

test('a day is 24 hours, 23 when clocks go forward and 25 when they go back', () => {
  const hours = (day: string, zone: string) => {
    const { fromMs, toMs } = dayBounds(day, zone)
    return (toMs - fromMs) / HOUR
  }
  assert.equal(hours('2026-03-14', 'Europe/Berlin'), 24)
  assert.equal(hours('2026-03-29', 'Europe/Berlin'), 23)
  assert.equal(hours('2026-10-25', 'Europe/Berlin'), 25)
  assert.equal(hours('2026-04-05', 'Australia/Lord_Howe'), 24.5)
})

test('the local day turns at local midnight', () => {
  assert.equal(localDay(at('2026-03-14T22:59:59.999Z'), 'Europe/Berlin'), '2026-03-14')
  assert.equal(localDay(at('2026-03-14T23:00:00Z'), 'Europe/Berlin'), '2026-03-15')
  assert.equal(localDay(at('2026-03-14T23:00:00Z'), 'America/Los_Angeles'), '2026-03-14')
  assert.equal(localDay(at('2026-03-14T23:00:00Z'), 'UTC'), '2026-03-14')
})

test('a day whose midnight is skipped starts at the jump', () => {
  const { fromMs } = dayBounds('2018-11-04', 'America/Sao_Paulo')
  assert.equal(new Date(fromMs).toISOString(), '2018-11-04T03:00:00.000Z')
  assert.equal(localDay(fromMs - 1, 'America/Sao_Paulo'), '2018-11-03')
})

test('a day that the zone never had is empty', () => {
  const { fromMs, toMs } = dayBounds('2011-12-30', 'Pacific/Apia')
  assert.equal(fromMs, toMs)
})

test('a clock set back across midnight leaves each day one stretch', () => {
  const zone = 'America/St_Johns'
  const { fromMs } = dayBounds('2010-11-07', zone)
  assert.equal(localDay(fromMs - 1, zone), '2010-11-06')
  for (let minutes = 0; minutes < 180; minutes += 7) {
    assert.equal(localDay(fromMs + minutes * 60_000, zone), '2010-11-07')
  }
})

test('every instant lies within the bounds of its own local day', () => {
  const zone = fc.constantFrom(
    'Europe/Berlin',
    'America/Sao_Paulo',
    'Asia/Kathmandu',
    'Pacific/Apia',
    'America/St_Johns',
  )
  const instant = fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') })
  fc.assert(
    fc.property(instant, zone, (ms, name) => {
      const { fromMs, toMs } = dayBounds(localDay(ms, name), name)
      assert.ok(fromMs <= ms && ms < toMs)
    }),
    { numRuns: 300 },
  )
})

test('a wall time means the instant that the zone had then', () => {
  assert.equal(wallTimeToMs('2026-03-14T07:15:30', 'Europe/Berlin'), at('2026-03-14T06:15:30Z'))
  assert.equal(wallTimeToMs('2026-07-14T07:15:30.250', 'Europe/Berlin'), at('2026-07-14T05:15:30.250Z'))
  assert.equal(wallTimeToMs('2026-07-14 07:15', 'Asia/Kathmandu'), at('2026-07-14T01:30:00Z'))
})

test('a wall time that comes twice means the first, a skipped one is moved on', () => {
  assert.equal(wallTimeToMs('2026-10-25T02:30:00', 'Europe/Berlin'), at('2026-10-25T00:30:00Z'))
  assert.equal(wallTimeToMs('2026-03-29T02:30:00', 'Europe/Berlin'), at('2026-03-29T01:30:00Z'))
})

test('text that is no wall time gives null', () => {
  for (const text of [
    '',
    'noon',
    '2026-02-31T10:00',
    '2026-03-14',
    '2026-03-14T24:00',
    '2026-03-14T07:15:30Z',
    '2026-13-01T00:00',
  ]) {
    assert.equal(wallTimeToMs(text, 'UTC'), null, text)
  }
})

test('only IANA names are zones, only dates are days', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia']) assert.ok(isZone(zone), zone)
  for (const zone of ['', '+01:00', 'Mars/Olympus', 'x'.repeat(100)]) assert.ok(!isZone(zone), zone)
  assert.ok(isDay('2024-02-29'))
  assert.ok(!isDay('2026-02-29'))
})
