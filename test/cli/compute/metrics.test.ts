import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inputFile, settings } from '../../../daemon/cli/compute/computation.ts'
import { METRICS } from '../../../daemon/cli/compute/metrics.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'
import { readExpected, sample } from './expected.ts'

type Name = keyof typeof METRICS
type Tolerance = readonly [absolute: number, relative: number]

async function compute(name: Name, path: string, ...set: string[]): Promise<unknown> {
  const answer: unknown = JSON.parse(JSON.stringify(await METRICS[name](inputFile(path), settings(set))))
  return answer
}

/** A file of the test's own making. */
async function computeText(name: Name, file: string, text: string, ...set: string[]): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'metrics-'))
  try {
    writeFileSync(join(folder, file), text)
    return await compute(name, join(folder, file), ...set)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Every key of the reference, with its numbers; answers how many values were compared. */
function assertLike(actual: unknown, expected: unknown, tolerance: Tolerance, where = ''): number {
  if (Array.isArray(expected)) {
    assert.ok(
      Array.isArray(actual) && actual.length === expected.length,
      `${where} has ${expected.length} entries`,
    )
    return expected.reduce(
      (n: number, item, at) => n + assertLike(actual[at], item, tolerance, `${where}[${at}]`),
      0,
    )
  }
  if (typeof expected === 'object' && expected !== null) {
    const keys = Object.keys(expected).sort()
    assert.deepEqual(Object.keys(actual as object).sort(), keys, `keys of ${where}`)
    return keys.reduce(
      (n, key) =>
        n +
        assertLike(
          (actual as Record<string, unknown>)[key],
          (expected as Record<string, unknown>)[key],
          tolerance,
          `${where}.${key}`,
        ),
      0,
    )
  }
  if (typeof expected !== 'number') {
    assert.equal(actual, expected, where)
    return 1
  }
  assert.equal(typeof actual, 'number', `${where} is a number`)
  const limit = tolerance[0] + tolerance[1] * Math.abs(expected)
  assert.ok(
    Math.abs((actual as number) - expected) <= limit,
    `${where}: ${String(actual)}, expected ${expected}`,
  )
  return 1
}

const ON_THE_GRID = /^(?:conga|modd|mag_|auc|gvp|sd_measures|sd_roc|cv_measures|active|episodes|cogi)/

function glucoseTolerance(metric: string): Tolerance {
  if (metric.startsWith('mage')) return [0.01, 1e-3]
  return ON_THE_GRID.test(metric) ? [1e-4, 1e-4] : [1e-6, 1e-6]
}

async function assertGlucose(path: string): Promise<number> {
  const { metrics } = (await compute('cgm', path)) as { metrics: Record<string, unknown> }
  const expected = readExpected<unknown>(path.replace('.csv', '.expected.json')) as {
    metrics: Record<string, unknown>
  }
  assert.deepEqual(Object.keys(metrics).sort(), Object.keys(expected.metrics).sort())
  return Object.entries(expected.metrics).reduce(
    (n, [metric, rows]) => n + assertLike(metrics[metric], rows, glucoseTolerance(metric), metric),
    0,
  )
}

async function assertVariability(path: string): Promise<number> {
  const { full, windows_5min } = readExpected<unknown>(path.replace('.csv', '.expected.json')) as Record<
    string,
    unknown
  >
  return assertLike(await compute('hrv', path), { full, windows_5min }, [1e-6, 1e-8])
}

function skippedWithout(path: string, t: TestContext): string | null {
  const found = sample(`timeseries/local-only/${path}`)
  if (found === null) t.skip(`no sample ${path}: set HOMEFIELD_SAMPLES to the folder that holds it`)
  return found
}

test('glucose metrics of two simulated people equal those of iglu', async () => {
  assert.ok((await assertGlucose(fixturePath('cgm/sim_2_subjects.csv'))) > 250)
})

for (const name of ['cgm/hall_3_subjects.csv', 'cgm/cgmquantify.csv']) {
  test(`glucose metrics of ${name} equal those of iglu`, async (t) => {
    const path = skippedWithout(name, t)
    if (path !== null) assert.ok((await assertGlucose(path)) > 100)
  })
}

test('heart rate variability equals the reference, whole and in complete windows of five minutes', async (t) => {
  assert.equal(await assertVariability(fixturePath('series/synthetic_nn_900.csv')), 23 + 2 * 25)
  const path = skippedWithout('hrv/nni_short_pyhrv.csv', t)
  if (path !== null) assert.equal(await assertVariability(path), 23)
})

test('days hold every reading of a 25-hour day, and a night counts on the day of waking', async () => {
  const expected = readExpected<unknown>(fixturePath('daily/expected.json')) as Record<string, unknown>
  const answer = await compute('daily', fixturePath('daily'), 'zone=Europe/Berlin')
  const compared = assertLike(
    answer,
    { timezone: expected['timezone'], rows: expected['rows'] },
    [1e-6, 1e-9],
  )
  assert.equal(compared, 1 + 8 * 15)
})

const RULES: readonly [Name, string][] = [
  ['cgm', 'cgm-day'],
  ['hrv', 'hrv-rr'],
  ['load-rules', 'load'],
  ['youth-rules', 'youth-week'],
  ['youth-rules', 'sleep-need'],
  ['gps-kpis', 'gps-10hz'],
]
for (const [name, file] of RULES) {
  test(`${name} gives the keys and numbers expected for ${file}.json`, async () => {
    const { tolerance = 0, ...expected } = readExpected<unknown>(
      fixturePath(`rules/${file}.json.expected.json`),
    ) as {
      tolerance?: number
    }
    assert.ok(
      assertLike(await compute(name, fixturePath(`rules/${file}.json`)), expected, [tolerance, 0]) > 6,
    )
  })
}

test('naive times are wall times of the zone, so a reading after midnight there belongs to the new day', async () => {
  const csv = 'id,time,gl\nmia,2025-10-26 00:10:00,100\nmia,2025-10-26 23:50:00,300\n'
  const answer = async (zone: string) =>
    (await computeText('cgm', 'a.csv', csv, `zone=${zone}`)) as {
      metrics: Record<string, Record<string, unknown>[]>
    }
  const berlin = (await answer('Europe/Berlin')).metrics
  assert.equal(berlin['active_percent']?.[0]?.['start_date'], '2025-10-26 00:10:00')
  assert.equal(berlin['active_percent']?.[0]?.['ndays'], 1, 'this day has 25 hours')
  assert.deepEqual(berlin['adrr'], (await answer('UTC')).metrics['adrr'])
})

test('glucose numbers that two readings cannot give are null and say what they need', async () => {
  const answer = (await computeText(
    'cgm',
    'a.csv',
    'id,time,gl\nmia,2025-03-03 08:00:00,101\nmia,2025-03-03 08:05:00,NA\n',
  )) as {
    metrics: Record<string, Record<string, unknown>[]>
    reasons: { id: string; metric: string; needs: string }[]
  }
  assert.deepEqual(answer.metrics['mean'], [{ id: 'mia', mean: 101 }])
  assert.deepEqual(answer.metrics['modd_lag1'], [{ id: 'mia', MODD: null }])
  assert.deepEqual(answer.metrics['sd'], [{ id: 'mia', SD: null }])
  const needs = new Map(answer.reasons.map((reason) => [reason.metric, reason.needs]))
  assert.equal(needs.get('modd_lag1'), 'two readings a day apart')
  assert.equal(needs.get('sd'), 'two readings')
  assert.ok(!needs.has('mean'))
})

test('one beat has no variability, and the answer says so in every column', async () => {
  const gap = (await computeText('hrv', 'a.csv', 'rr_ms\n800\n\n900\n')) as { full: Record<string, unknown> }
  assert.equal(gap.full['reason'], 'no_neighbouring_beats', 'an empty line is a beat that is missing')
  const answer = (await computeText('hrv', 'a.csv', 'rr_ms\n812\n')) as { full: Record<string, unknown> }
  assert.equal(answer.full['n'], 1)
  assert.equal(answer.full['rmssd'], null)
  assert.equal(answer.full['reason'], 'no_neighbouring_beats')
})

test('with the filter on, artefacts no longer change RMSSD, and the answer counts what was taken out', async () => {
  const beats = Array.from({ length: 400 }, (_, k) => 850 + 30 * Math.sin(k / 3))
  const spoilt = beats.map((ms, k) => (k % 80 === 40 ? 2 * ms : ms))
  const csv = (values: number[]) => `rr_ms\n${values.join('\n')}\n`
  type Answer = { full: { rmssd: number }; filter?: { dropped: number; given: number } }
  const clean = (await computeText('hrv', 'a.csv', csv(beats))) as Answer
  const raw = (await computeText('hrv', 'a.csv', csv(spoilt))) as Answer
  const filtered = (await computeText('hrv', 'a.csv', csv(spoilt), 'filter=on')) as Answer
  assert.ok(raw.full.rmssd > 5 * clean.full.rmssd)
  assert.ok(Math.abs(filtered.full.rmssd - clean.full.rmssd) < 0.05 * clean.full.rmssd)
  assert.deepEqual(filtered.filter, { dropped: 5, given: 400 })
})

test('a day without records of a kind has null there, not zero', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'daily-'))
  writeFileSync(join(folder, 'meals.csv'), 'timestamp,carbs_grams,calories\n2025-03-03T12:00:00Z,40,\n')
  try {
    const { rows } = (await compute('daily', folder)) as { rows: Record<string, unknown>[] }
    assert.equal(rows.length, 1)
    const { date, n_readings, avg_glucose, total_sleep_minutes, total_carbs_grams, total_calories } = rows[0]!
    assert.deepEqual(
      { date, n_readings, avg_glucose, total_sleep_minutes, total_carbs_grams, total_calories },
      {
        date: '2025-03-03',
        n_readings: 0,
        avg_glucose: null,
        total_sleep_minutes: null,
        total_carbs_grams: 40,
        total_calories: null,
      },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('files and settings that make no sense are refused with what is wrong', async () => {
  await assert.rejects(computeText('cgm', 'a.csv', 'time,gl\n2025-03-03,1\n'), /id,time,gl/)
  await assert.rejects(
    computeText('cgm', 'a.csv', 'id,time,gl\nmia,yesterday,1\n'),
    /row 1 is not a time: yesterday/,
  )
  await assert.rejects(
    computeText('cgm', 'a.csv', 'id,time,gl\nmia,2025-03-03 08:00:00,high\n'),
    /gl in row 1/,
  )
  await assert.rejects(computeText('cgm', 'a.csv', 'id,time,gl\n', 'zone=Mars'), /IANA time zone/)
  await assert.rejects(computeText('cgm', 'a.json', '{"interval_min":0,"mgdl":[]}'), /interval_min/)
  await assert.rejects(computeText('hrv', 'a.csv', 'beat\n1\n'), /rr_ms/)
  await assert.rejects(computeText('hrv', 'a.csv', 'rr_ms\n1\n', 'filter=maybe'), /on or off/)
  await assert.rejects(computeText('load-rules', 'a.json', '{"daily_load":[100,null]}'), /a rest day is 0/)
  await assert.rejects(computeText('youth-rules', 'a.json', '{"cases":[{"sessions":[]}]}'), /cases\[0\]\.age/)
  await assert.rejects(computeText('gps-kpis', 'a.json', '{"hz":0,"speed_mps":[]}'), /hz must be/)
  await assert.rejects(compute('daily', fixturePath('ble')), /glucose\.csv/)
})
