import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { stampBeats } from '../../daemon/domain/beats.ts'
import { type IntakeContext, type SampleInput, takeIn } from '../../daemon/domain/intake.ts'
import { METRICS } from '../../daemon/domain/metric.ts'

const NOW = Date.UTC(2026, 2, 14, 8)

function setup(overrides: Partial<IntakeContext> = {}) {
  const context: IntakeContext = {
    deviceId: 'watch-1',
    source: 'obs',
    nowMs: NOW,
    arrivedMs: null,
    deviceZone: 'Europe/Berlin',
    naiveZone: null,
    personAt: (_atMs, named) => (named === null || named === 'leo' ? (named ?? 'mia') : null),
    ...overrides,
  }
  const all = (sample: SampleInput) => takeIn({ ts: NOW, ...sample }, context)
  return {
    all,
    taken(sample: SampleInput) {
      const [first, ...more] = all(sample)
      assert.equal(more.length, 0)
      assert.ok(first && 'observation' in first, JSON.stringify(first))
      return first.observation
    },
    refused(sample: SampleInput) {
      const [first, ...more] = all(sample)
      assert.equal(more.length, 0)
      assert.ok(first && 'rejected' in first, JSON.stringify(first))
      return first.rejected
    },
  }
}

test('a plain sample becomes an observation of whoever wore the device', () => {
  const { taken } = setup()
  assert.deepEqual(taken({ metric: 'heart_rate', value: 72 }), {
    personId: 'mia',
    deviceId: 'watch-1',
    metric: 'heart_rate',
    atMs: NOW,
    value: 72,
    source: 'obs',
    quality: null,
    extra: null,
  })
})

test('aliases mean their canonical metric', () => {
  const { taken } = setup()
  for (const [alias, metric, value] of [
    ['hr', 'heart_rate', 72],
    ['rr', 'rr_interval', 812],
    ['activity_intensity', 'activity', 0.4],
    ['stress_level', 'stress', 0.4],
    ['recovery_score', 'recovery', 66],
    ['mood_rating', 'mood', 7],
    ['whoop_strain', 'strain', 12],
  ] as const) {
    assert.equal(taken({ metric: alias, value }).metric, metric)
  }
})

test('pulse rate is heart rate with the source plx', () => {
  const { metric, source } = setup({ source: 'gatt' }).taken({ metric: 'pulse_rate', value: 72 })
  assert.deepEqual({ metric, source }, { metric: 'heart_rate', source: 'plx' })
})

test('a bare hrv is what its source is known to send, else RMSSD and flagged', () => {
  const known = setup({ hrvKind: 'hrv_sdnn' }).taken({ metric: 'hrv', value: 40 })
  assert.deepEqual([known.metric, known.extra], ['hrv_sdnn', null])
  const assumed = setup().taken({ metric: 'hrv', value: 40 })
  assert.deepEqual([assumed.metric, assumed.extra], ['hrv_rmssd', { kind_assumed: true }])
})

test('units are converted to the metric’s own', () => {
  const { taken } = setup()
  for (const [metric, value, unit, own] of [
    ['glucose', 5.5, 'mmol/L', 99.0858],
    ['glucose', 104, 'mg/dL', 104],
    ['body_temp', 98.6, 'F', 37],
    ['skin_temp', 33.1, '°C', 33.1],
    ['weight', 160, 'lb', 72.574779],
    ['active_energy', 418.4, 'kJ', 100],
    ['distance', 5.2, 'km', 5200],
    ['speed', 18, 'km/h', 5],
    ['height', 152, 'cm', 1.52],
    ['spo2', 0.97, 'fraction', 97],
    ['stress', 40, '%', 0.4],
    ['sleep_duration', 7.5, 'h', 27_000],
    ['respiratory_rate', 16, 'breaths/min', 16],
  ] as const) {
    assert.equal(taken({ metric, value, unit }).value, own, `${metric} in ${unit}`)
  }
})

test('a unit that the metric is not sent in is refused with those that it is', () => {
  const { path, message } = setup().refused({ metric: 'glucose', value: 5, unit: 'furlong' })
  assert.equal(path, 'unit')
  assert.match(message, /mg\/dL, mmol\/l/)
})

test('stress as 0–100 needs its scale, and only shares have one', () => {
  const { taken, refused } = setup()
  assert.equal(taken({ metric: 'stress', value: 40, scale: 100 }).value, 0.4)
  assert.equal(refused({ metric: 'stress', value: 40 }).code, 'OUT_OF_RANGE')
  assert.equal(refused({ metric: 'heart_rate', value: 72, scale: 100 }).path, 'scale')
})

test('both ends of every plausible range are taken, what lies beyond is not', () => {
  const { taken, refused } = setup()
  for (const { name, kind, min, max } of METRICS) {
    if (kind !== 'number') continue
    assert.equal(taken({ metric: name, value: min }).value, min)
    assert.equal(taken({ metric: name, value: max }).value, max)
    assert.equal(refused({ metric: name, value: max + 0.001 }).code, 'OUT_OF_RANGE', name)
    assert.equal(refused({ metric: name, value: min - 0.001 }).code, 'OUT_OF_RANGE', name)
  }
})

test('a number is a number: text, booleans, null and NaN are refused', () => {
  const { refused } = setup()
  for (const value of ['72', true, null, Number.NaN, undefined, {}]) {
    assert.equal(refused({ metric: 'heart_rate', value }).code, 'VALIDATION_ERROR')
  }
  assert.equal(refused({ metric: 'heart_rate', value: [72] }).message, 'heart_rate is one value, not a list')
})

test('state words become their index, also a word said of activity', () => {
  const { taken, refused } = setup()
  assert.equal(taken({ metric: 'sleep_state', value: 'deep' }).value, 2)
  const running = taken({ metric: 'activity', value: 'running', unit: 'state' })
  assert.deepEqual([running.metric, running.value], ['activity_state', 2])
  assert.match(refused({ metric: 'sleep_state', value: 'unknown' }).message, /awake, light, deep/)
})

test('a position keeps latitude as value and the rest beside it', () => {
  const { taken, refused } = setup()
  const place = taken({ metric: 'position', value: { lat: 52.5, lon: 13.4, accuracy: 8 } })
  assert.deepEqual([place.value, place.extra], [52.5, { lon: 13.4, accuracy_m: 8 }])
  assert.equal(refused({ metric: 'position', value: { lat: 91, lon: 0 } }).code, 'OUT_OF_RANGE')
  assert.equal(refused({ metric: 'position', value: { lat: 1, lon: 2, floor: 3 } }).path, 'value.floor')
})

test('an unknown metric is refused by its name', () => {
  assert.deepEqual(setup().refused({ metric: 'aura', value: 1 }), {
    code: 'UNKNOWN_METRIC',
    path: 'metric',
    message: 'there is no metric "aura"',
  })
  assert.equal(setup().refused({ metric: '__proto__', value: 1 }).code, 'UNKNOWN_METRIC')
})

test('times are RFC 3339, epoch seconds below 1e11 and milliseconds from there on', () => {
  const { taken } = setup()
  for (const ts of [
    NOW,
    NOW / 1000,
    String(NOW),
    '2026-03-14T08:00:00Z',
    '2026-03-14T09:00:00+01:00',
    '2026-03-14t08:00:00.000z',
  ]) {
    assert.equal(taken({ metric: 'hr', value: 72, ts }).atMs, NOW, String(ts))
  }
  assert.equal(taken({ metric: 'hr', value: 72, ts: 1e12 }).atMs, 1e12)
  assert.equal(taken({ metric: 'hr', value: 72, ts: 1_773_475_200.25 }).atMs, NOW + 250)
})

test('a time that is none is refused with what one looks like', () => {
  const { refused } = setup()
  for (const ts of [
    'noon',
    '2026-02-30T10:00:00Z',
    '2026-03-14',
    -5,
    null,
    {},
    '2026-03-14T08:00:00+99:00',
    '2026-03-14T08:00:00',
  ]) {
    const { code, path } = refused({ metric: 'hr', value: 72, ts })
    assert.deepEqual({ code, path }, { code: 'VALIDATION_ERROR', path: 'ts' }, String(ts))
  }
})

test('a time without offset is the wall clock of the zone where one is given', () => {
  const { taken } = setup({ naiveZone: 'America/New_York' })
  assert.equal(taken({ metric: 'hr', value: 72, ts: '2026-03-14T03:00:00' }).atMs, Date.UTC(2026, 2, 14, 7))
})

test('a time before 2000 is a clock that was never set, and OUT_OF_RANGE', () => {
  const { taken, refused } = setup()
  for (const ts of ['1899-12-31T00:00:00Z', '1970-01-01T00:02:03Z', 123, '1999-12-31T23:59:59Z'])
    assert.equal(refused({ metric: 'hr', value: 72, ts }).code, 'OUT_OF_RANGE', String(ts))
  assert.equal(taken({ metric: 'hr', value: 72, ts: '2000-01-01T00:00:00Z' }).atMs, Date.UTC(2000, 0, 1))
})

test('more than ten minutes ahead is FUTURE_TIMESTAMP, ten minutes are not', () => {
  const { taken, refused } = setup()
  assert.equal(taken({ metric: 'hr', value: 72, ts: NOW + 600_000 }).atMs, NOW + 600_000)
  assert.equal(refused({ metric: 'hr', value: 72, ts: NOW + 600_001 }).code, 'FUTURE_TIMESTAMP')
  assert.equal(refused({ metric: 'hr', value: 72, ts: 99_999_999_999 }).code, 'FUTURE_TIMESTAMP')
})

test('without a time the arrival stamps it, or it is refused where a time is required', () => {
  assert.equal(setup({ arrivedMs: NOW - 5 }).taken({ metric: 'hr', value: 72, ts: undefined }).atMs, NOW - 5)
  assert.equal(setup().refused({ metric: 'hr', value: 72, ts: undefined }).message, 'ts is missing')
})

test('a device’s wall clock is read in its own zone and kept', () => {
  const { atMs, extra } = setup().taken({
    metric: 'spo2',
    value: 96,
    ts: undefined,
    localTime: '2026-03-14T07:15:30',
  })
  assert.equal(atMs, Date.UTC(2026, 2, 14, 6, 15, 30))
  assert.deepEqual(extra, { local_time: '2026-03-14T07:15:30' })
})

test('quality, censoring, end and the format’s facts are kept', () => {
  const { taken, refused } = setup()
  const sample = taken({
    metric: 'glucose',
    value: 39,
    censored: 'low',
    tEnd: '2026-03-14T08:05:00Z',
    facts: { session_minute: 5, quality_pct: 99.7 },
  })
  assert.equal(sample.quality, 0.997)
  assert.deepEqual(sample.extra, {
    session_minute: 5,
    quality_pct: 99.7,
    censored: 'low',
    t_end: '2026-03-14T08:05:00.000Z',
  })
  assert.equal(taken({ metric: 'hr', value: 72, quality: 0.5 }).quality, 0.5)
  assert.equal(refused({ metric: 'hr', value: 72, quality: 50 }).path, 'quality')
  assert.equal(refused({ metric: 'glucose', value: 39, censored: 'LO' }).path, 'censored')
  assert.equal(refused({ metric: 'steps', value: 39, tEnd: NOW - 1 }).path, 'tEnd')
})

test('the sample’s own instant decides who wore the device, and a named person must be served', () => {
  const { taken, refused } = setup({ personAt: (atMs, named) => named ?? (atMs < NOW ? 'mia' : null) })
  assert.equal(taken({ metric: 'hr', value: 72, ts: NOW - 1 }).personId, 'mia')
  assert.match(
    refused({ metric: 'hr', value: 72 }).message,
    /nobody wore the device at 2026-03-14T08:00:00.000Z/,
  )
  assert.equal(setup().taken({ metric: 'hr', value: 72, person: 'leo' }).personId, 'leo')
  const stranger = setup().refused({ metric: 'hr', value: 72, person: 'eve' })
  assert.deepEqual([stranger.code, stranger.path], ['NOT_FOUND', 'person'])
})

test('each beat of a packet is stamped from the packet’s end backwards', () => {
  const beats = setup().all({ metric: 'rr_intervals', value: [813.48, 799.8, 790.2], unit: 'ms' })
  assert.deepEqual(
    beats.map((beat) => 'observation' in beat && [beat.observation.atMs - NOW, beat.observation.value]),
    [
      [-1590, 813.48],
      [-790, 799.8],
      [0, 790.2],
    ],
  )
})

test('implausible beats are refused one by one, the others keep their stamps', () => {
  const beats = setup().all({ metric: 'rr_intervals', value: [0.98, 800, 63_999.02] })
  assert.deepEqual(
    beats.map((beat) =>
      'observation' in beat ? beat.observation.atMs - NOW : [beat.rejected.path, beat.rejected.code],
    ),
    [['value[0]', 'OUT_OF_RANGE'], -63_999, ['value[2]', 'OUT_OF_RANGE']],
  )
})

test('beats that round to the same millisecond are told apart by one', () => {
  assert.deepEqual(
    stampBeats([800, 0.2, 0.2], NOW).map((beat) => beat.atMs - NOW),
    [0, 1, 2],
  )
})

test('a replay of a packet gives the same stamps, all of them different', () => {
  const { all } = setup()
  const packet = fc.array(fc.double({ min: 0, max: 3100, noNaN: true }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(packet, (value) => {
      const first = all({ metric: 'rr_intervals', value })
      assert.deepEqual(all({ metric: 'rr_intervals', value }), first)
      const stamps = first.flatMap((beat) => ('observation' in beat ? [beat.observation.atMs] : []))
      assert.equal(new Set(stamps).size, stamps.length)
    }),
    { numRuns: 200, seed: 20260314 },
  )
})

test('no sample makes the intake throw', () => {
  const { all } = setup()
  const metric = fc.oneof(
    fc.constantFrom(...METRICS.map((entry) => entry.name), 'hrv', 'rr_intervals'),
    fc.string(),
  )
  fc.assert(
    fc.property(metric, fc.anything(), fc.anything(), fc.anything(), (name, value, ts, unit) => {
      assert.ok(all({ metric: name, value, ts, unit }).length > 0)
    }),
    { numRuns: 400, seed: 20260314 },
  )
})
