import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { anomaly } from '../../../daemon/cli/compute/anomaly.ts'
import { addScores, type EventScore, f1, scoreAlarms } from '../../../models/training/event-score.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson, type VitalEvent } from '../../../models/training/vitals-events.ts'
import { computed, sample } from './expected.ts'

interface Answer {
  model: string
  version: string
  alerts: [number, number][]
  score: (number | null)[]
}

const LABELS = 'timeseries/committable/vitals_anomaly/labels.json'

test('the sample people: at least as good as the bar of the best known method, on people the net never saw', async (t) => {
  const labels = sample(LABELS)
  if (labels === null) return t.skip(`no ${LABELS} here`)
  const { persons } = JSON.parse(readFileSync(labels, 'utf8')) as {
    persons: { file: string; events: VitalEvent[] }[]
  }
  const scores: EventScore[] = []
  for (const { file, events } of persons) {
    const answer: Answer = await computed(anomaly, join(dirname(labels), file))
    assert.equal(answer.score.length, 11_520)
    scores.push(scoreAlarms(answer.alerts, events))
  }
  const sum = addScores(scores)
  assert.ok(f1(sum) >= 0.93, `F1 ${f1(sum)}`)
  assert.ok(sum.hit / sum.events >= 0.97, `${sum.hit} of ${sum.events} found`)
  assert.ok(sum.falseAlarms / 15 <= 0.5, `${sum.falseAlarms} false alarms in 15 days`)
})

test('minutes may be missing or empty; alerts name the minutes of the file and none lies in the calibration', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'anomaly-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { minutes, events } = drawPerson(
    { days: 5, quietDays: 3, eventsPerDay: 1.5, isPlain: true },
    createDraw(77),
  )
  const rows = minutes.flatMap(({ hr, hrv, steps }, minute) =>
    minute > 0 && minute % 97 === 0 ? [] : [`${minute + 1440},${hr ?? ''},${hrv ?? ''},${steps}`],
  )
  const path = join(folder, 'vitals.csv')
  writeFileSync(path, ['minute,hr,hrv,steps', ...rows, ''].join('\n'))
  const { alerts, score, model } = await computed<Answer>(anomaly, path)
  assert.equal(model, 'pulsenet')
  assert.equal(score.length, minutes.length)
  assert.ok(alerts.every(([from, to]) => from >= 1440 + 4320 && to >= from))
  const moved = events.map((event) => ({ ...event, start: event.start + 1440, end: event.end + 1440 }))
  assert.equal(scoreAlarms(alerts, moved).hit, moved.length)
})

test('too few minutes to learn from, and minutes out of order, are wrong usage', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'anomaly-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'vitals.csv')
  writeFileSync(path, 'minute,hr,hrv,steps\n0,60,50,0\n1,61,50,0\n')
  await assert.rejects(computed(anomaly, path), { code: 'VALIDATION_ERROR' })
  writeFileSync(path, 'minute,hr,hrv,steps\n5,60,50,0\n4,61,50,0\n')
  await assert.rejects(computed(anomaly, path), { code: 'VALIDATION_ERROR' })
})
