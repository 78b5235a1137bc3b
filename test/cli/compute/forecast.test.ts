import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { forecast } from '../../../daemon/cli/compute/forecast.ts'
import { pinball } from '../../../models/series/forecast.ts'
import { computed, sample } from './expected.ts'

type Answer = Record<string, Record<string, Record<string, number[][]>>>

const SAMPLE = 'timeseries/committable/forecast/hourly.csv'
/** Weighted quantile loss of the best simple methods on the sample children, as their makers measured it. */
const PLAIN = { stress: 0.112, sleep_min: 0.0774 }

test('on the sample children the forecast beats what plain methods reach', async (t) => {
  const hourly = sample(SAMPLE)
  if (hourly === null) return t.skip(`no ${SAMPLE} here`)
  const folder = dirname(hourly)
  const { origins } = JSON.parse(readFileSync(join(folder, 'baselines.json'), 'utf8')) as {
    origins: string[]
  }
  const asked = origins.filter((_, at) => at % 3 === 0)
  const future = `future=${join(folder, 'future_calendar_tail.csv')}`
  const answer = await computed<Answer>(
    forecast,
    hourly,
    `origins=${asked.join(',')}`,
    future,
    `static=${join(folder, 'static.csv')}`,
  )
  const came = valuesOf(hourly)
  for (const target of ['stress', 'sleep_min'] as const) {
    let [loss, size] = [0, 0]
    for (const [child, ofChild] of Object.entries(answer))
      for (const origin of asked) {
        const rows = ofChild[origin]![target]!
        assert.deepEqual([rows.length, rows[0]!.length], [24, 9])
        const from = Date.parse(`${origin}Z`)
        rows.forEach((row, ahead) => {
          const value = came.get(`${child} ${from + ahead * 3_600_000}`)![target]
          loss += pinball(row, value)
          size += Math.abs(value)
        })
      }
    assert.ok(loss / size < PLAIN[target], `${target}: ${loss / size}`)
  }
})

function valuesOf(path: string): Map<string, { stress: number; sleep_min: number }> {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [child, ts, stress, sleep] = line.split(',')
      const value = { stress: Number(stress), sleep_min: Number(sleep) }
      return [`${child} ${Date.parse(`${ts}Z`)}`, value]
    }),
  )
}

/** Four weeks of one child, calmer on free days; tense where an event is written down. */
function written(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'forecast-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const startMs = Date.parse('2026-03-02T00:00Z')
  const rows = Array.from({ length: 28 * 24 }, (_, at) => {
    const ts = new Date(startMs + at * 3_600_000).toISOString().slice(0, 16)
    const hour = at % 24
    const day = Math.floor(at / 24)
    const isSchool = day % 7 < 5
    const event = day % 9 === 3 && isSchool ? 2 : 0
    const busy = hour >= 8 && hour < 15 ? (isSchool ? 8 : 0) + 7 * event : 0
    return `mia,${ts},${20 + (hour > 6 && hour < 22 ? 15 : 0) + busy + 2 * Math.sin(at)},${isSchool ? 1 : 0},${event}`
  })
  const path = join(folder, 'hourly.csv')
  writeFileSync(path, ['child_id,ts_local,stress,school_day,school_event', ...rows, ''].join('\n'))
  const future = join(folder, 'future.csv')
  const tell = (event: number) =>
    writeFileSync(future, `date,child_id,school_day,school_event\n2026-03-30,mia,1,${event}\n`)
  return { path, future, tell }
}

test('what is known of the day to come moves its forecast; rows after the origin do not', async (t) => {
  const { path, future, tell } = written(t)
  const origin = '2026-03-30T00:00'
  const at10 = async (event: number) => {
    tell(event)
    const answer = await computed<Answer>(forecast, path, `origins=${origin}`, `future=${future}`)
    return answer['mia']![origin]!['stress']![10]![4]!
  }
  const [ordinary, exam] = [await at10(0), await at10(3)]
  assert.ok(ordinary > 35 && ordinary < 50, String(ordinary))
  assert.ok(exam > ordinary + 2, `${exam} with, ${ordinary} without`)

  const early = '2026-03-20T18:00'
  const whole = await computed<Answer>(forecast, path, `origins=${early}`)
  const lines = readFileSync(path, 'utf8').split('\n')
  const changed = lines.map((line) => {
    const [child, ts = '', , ...days] = line.split(',')
    return ts >= early && child === 'mia' ? [child, ts, '99', ...days].join(',') : line
  })
  writeFileSync(path, changed.join('\n'))
  assert.deepEqual(await computed<Answer>(forecast, path, `origins=${early}`), whole)
})

test('an origin that nothing precedes, or that is no hour, is wrong usage', async (t) => {
  const { path } = written(t)
  for (const origins of ['2026-03-01T10:00', 'tomorrow', '2026-03-20T18:30'])
    await assert.rejects(computed(forecast, path, `origins=${origins}`), { code: 'VALIDATION_ERROR' })
  await assert.rejects(computed(forecast, path), { code: 'VALIDATION_ERROR' })
})
