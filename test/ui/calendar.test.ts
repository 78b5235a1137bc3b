import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../daemon/ui/areas/health/calendar/answers.ts'
import { daysOf, gridOf, plannedOf } from '../../daemon/ui/areas/health/calendar/plan.ts'
import { repeatOf, repeatText, ruleOf } from '../../daemon/ui/areas/health/calendar/repeat.ts'
import { words } from '../../daemon/ui/areas/health/calendar/words.ts'
import { createTranslate } from '../../daemon/ui/i18n/translate.ts'

const say = createTranslate(words, 'en-GB')
const TUESDAY = { weekday: 1, dayOfMonth: 14 }

function entry(title: string, from: string, to: string): Entry {
  return {
    ...{
      id: title,
      player_id: 'mia',
      group_id: null,
      title,
      event_type: 'training',
      start_time: from,
      end_time: to,
    },
    ...{ series_start_time: from, timezone: 'Europe/Berlin', rrule: null, drills: [], ai_generated: false },
    ...{ read_only: false, created_at: null, updated_at: null },
  }
}

test('a rule is told in plain words', () => {
  const told = (rule: string) => repeatText(rule, TUESDAY, say, 'en-GB')
  assert.equal(told('FREQ=DAILY'), 'every day')
  assert.equal(
    told('FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270630'),
    'every week on Tuesday and Thursday, until 30 June 2027',
  )
  assert.equal(told('FREQ=WEEKLY;INTERVAL=2;COUNT=10'), 'every 2 weeks on Tuesday, 10 times')
  assert.equal(told('FREQ=MONTHLY'), 'every month on day 14')
  assert.equal(told('FREQ=YEARLY'), 'repeats')
})

test('the choices of the form say a rule that reads back as the same choices', () => {
  for (const rule of [
    'FREQ=DAILY',
    'FREQ=WEEKLY;BYDAY=TU,TH',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270630',
    'FREQ=MONTHLY',
  ]) {
    const repeat = repeatOf(rule)
    assert.equal(repeat && ruleOf(repeat, 1), rule)
  }
  assert.equal(repeatOf('FREQ=WEEKLY;COUNT=3'), null)
  assert.equal(repeatOf('FREQ=DAILY;INTERVAL=3'), null)
  assert.equal(ruleOf({ every: 'never', days: [2], until: '' }, 1), null)
})

test('what happens at the same time is told with both, and a whole day at school is with neither', () => {
  const planned = plannedOf([
    entry('Practice', '2026-03-17T16:00:00Z', '2026-03-17T17:30:00Z'),
    entry('Piano', '2026-03-17T17:00:00Z', '2026-03-17T18:00:00Z'),
    entry('Bus', '2026-03-17T18:00:00Z', '2026-03-17T18:15:00Z'),
    entry('Trip', '2026-03-16T23:00:00Z', '2026-03-18T23:00:00Z'),
  ])
  const clashes = Object.fromEntries(planned.map((one) => [one.entry.title, one.clashes]))
  assert.deepEqual(clashes, { Practice: ['Piano'], Piano: ['Practice'], Bus: [], Trip: [] })
  const days = daysOf(planned, 'Europe/Berlin', '2026-03-17', '2026-03-18')
  assert.deepEqual(
    days.map(({ day, events }) => [day, events.length]),
    [
      ['2026-03-17', 4],
      ['2026-03-18', 1],
    ],
  )
})

test('a month is whole weeks from Monday on', () => {
  const weeks = gridOf('2026-03')
  assert.deepEqual([weeks[0]?.[0], weeks.at(-1)?.[6], weeks.length], ['2026-02-23', '2026-04-05', 6])
})
