/** What is shown around an episode. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EpisodeDetail } from '../../../daemon/ui/areas/alerts/answers.ts'
import { aroundOf } from '../../../daemon/ui/areas/alerts/around.ts'
import { conditionText } from '../../../daemon/ui/areas/alerts/conditions.ts'
import { words } from '../../../daemon/ui/areas/alerts/words.ts'
import { createFormat } from '../../../daemon/ui/i18n/format.ts'
import { createTranslate, translateFor } from '../../../daemon/ui/i18n/translate.ts'

const { t, locale } = translateFor(['en-GB'])
const format = createFormat(locale, t)
const say = createTranslate(words, locale)

function episode(startedAt: string, metrics: readonly string[]): EpisodeDetail {
  return {
    ...{ id: 'e', person_id: 'mia', kind: 'rule', class: 'wellness', severity: 'warning', title: 'Fast' },
    ...{ state: 'open', status: 'open', origin: 'rule', origin_id: 'r', started_at: startedAt, reopened: 0 },
    ...{ last_evidence_at: startedAt, acknowledged_at: null, escalated_at: null, resolved_at: null },
    ...{ revision: 1, metadata: {}, created_at: startedAt, updated_at: startedAt },
    timeline: [
      {
        ...{ number: 1, ts: startedAt, kind: 'opened', by: 'rule:r', by_name: null, text: null },
        evidence: metrics.map((metric) => ({ metric, value: 1 })),
      },
    ],
  }
}

test('four full hours are shown around the start, what spoke for it first, then the heart', () => {
  const around = aroundOf(episode('2026-11-20T12:20:00.000Z', ['spo2', 'battery', 'spo2']))
  assert.equal(new Date(around.fromMs).toISOString(), '2026-11-20T10:00:00.000Z')
  assert.equal(around.toMs - around.fromMs, 4 * 3_600_000)
  assert.deepEqual(around.metrics, ['spo2', 'heart_rate'])
  assert.deepEqual(around.marksMs, [Date.parse('2026-11-20T12:20:00.000Z')])
})

test('a condition is a sentence with its metric’s own unit', () => {
  const text = (condition: Parameters<typeof conditionText>[0]) => conditionText(condition, format, say)
  assert.equal(
    text({ type: 'above', metric: 'heart_rate', threshold: 150, for_seconds: 900 }),
    'Heart rate above 150 bpm for 15 min',
  )
  assert.equal(text({ type: 'below', metric: 'spo2', threshold: 91 }), 'Oxygen below 91 %')
  assert.equal(
    text({ type: 'falls', metric: 'skin_temp', change: 1.5, within_seconds: 30 }),
    'Skin temp. falls by 1.5 °C within 30 s',
  )
  assert.equal(text({ type: 'battery', below_percent: 15 }), 'Battery below 15 %')
  assert.equal(text({ type: 'no_data', metric: 'heart_rate', after_seconds: 3600 }), 'No Heart rate for 1 h')
})
