import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Actor } from '../../../daemon/domain/access.ts'
import { type Calendar, createCalendar } from '../../../daemon/features/calendar/calendar.ts'
import type { Asked, RatedSession } from '../../../daemon/features/calendar/recommend.ts'
import { ACTORS } from '../../http/setup.ts'
import { GRAN, household, MIA, OWNER } from '../glucose/setup.ts'

type Shown = Record<string, unknown> & { id: string; start_time: string; warnings: Told[] }
interface Told {
  rule: string
  check: string
  figure: number
  limit: number
  source: string
}

/** Reads the training of Mia and coaches the team. */
const COACH = { authorization: 'Bearer coach-token' }
const PRACTICE = { title: 'Practice', start_time: '2026-03-17T17:00:00', end_time: '2026-03-17T18:30:00' }
const SCHOOL = [
  { title: 'Math test', date: '2026-03-16' },
  { name: 'Concert', start_time: '2026-03-18T18:00:00' },
  'Field trip',
]

/** Mia is 12 and plays in the team that Carl coaches; it is Saturday, 14 March 2026. */
async function setup(t: TestContext) {
  const published: { data: { action: string }; personIds: readonly string[] }[] = []
  const team = { known: true }
  const coaches = (actor: Actor) => team.known && actor.kind === 'user' && actor.userId === 'carl'
  const asks: Asked[] = []
  const rated: RatedSession[] = []
  let recommend: Calendar['recommend'] = () => null
  const home = await household(t, ({ store, now }) => {
    let ids = 0
    const mia = { id: 'mia', age: 12, timezone: 'Europe/Berlin', schoolEvents: SCHOOL }
    const leo = { ...mia, id: 'leo', schoolEvents: [] }
    const calendar = createCalendar({
      ...{ store, now, newId: () => `event-${++ids}` },
      person: (id) => [mia, leo].find((one) => one.id === id) ?? null,
      people: () => [mia, leo],
      groups: {
        all: () => [{ id: 'team', timezone: 'Europe/Berlin' }],
        playersOf: (id) => (id === 'team' ? ['mia'] : []),
        coaches: (actor, groupId) => groupId === 'team' && coaches(actor),
      },
      publish: (data, personIds) => void published.push({ data: data as { action: string }, personIds }),
      readerOf: (userId) => (userId === 'carl' && team.known ? (ACTORS['coach-token'] ?? null) : null),
      ask: async (asked) => ({ id: `job-${asks.push(asked)}` }),
      ratedSince: (personId, fromMs) =>
        personId === 'mia' ? rated.filter(({ atMs }) => atMs >= fromMs) : [],
    })
    recommend = calendar.recommend
    return [calendar.feature]
  })
  await home.store.write([
    {
      sql: `INSERT INTO people_group (id, name, kind, timezone, step_minutes, created_at, updated_at)
        VALUES ('team', 'U13', 'team', 'Europe/Berlin', 2, 0, 0)`,
      params: {},
    },
  ])
  const plan = (body: object, headers = MIA) => home.call<Shown>('POST', '/calendar/events', headers, body)
  const list = async (query = '', headers = MIA) =>
    (await home.call<Shown[]>('GET', `/calendar/events?per_page=200&${query}`, headers)).body.data
  return { ...home, plan, list, published, team, asks, rated, recommend: (asked: Asked) => recommend(asked) }
}

test('an event is kept, changed and taken off, and those whom it concerns hear of it', async (t) => {
  const { call, plan, list, published } = await setup(t)
  const drills = [{ name: 'Rondo', minutes: 15 }]
  const { status, body } = await plan({ ...PRACTICE, drills, ai_generated: true })
  assert.deepEqual([status, body.data.start_time], [201, '2026-03-17T16:00:00.000Z'])
  assert.deepEqual(
    [body.data['player_id'], body.data['drills'], body.data['ai_generated']],
    ['mia', drills, true],
  )
  const url = `/calendar/events/${body.data.id}`
  const changed = await call<Shown>('PATCH', url, MIA, { title: 'Final', event_type: 'match' })
  assert.deepEqual([changed.body.data['title'], changed.body.data['event_type']], ['Final', 'match'])
  assert.equal((await list('event_type=match')).length, 1)
  assert.equal((await call('DELETE', url, MIA)).status, 200)
  assert.equal((await call('GET', url, MIA)).status, 404)
  assert.deepEqual(
    published.map(({ data, personIds }) => [data.action, ...personIds]),
    [
      ['created', 'mia'],
      ['updated', 'mia'],
      ['deleted', 'mia'],
    ],
  )
})

test('a repeated event is listed each time it comes, at the same hour over the change of clocks', async (t) => {
  const { plan, list } = await setup(t)
  await plan({ ...PRACTICE, rrule: 'FREQ=WEEKLY;BYDAY=TU' })
  const found = await list('event_type=training&from=2026-03-20T00:00:00Z&to=2026-04-01T00:00:00Z')
  assert.deepEqual(
    found.map(({ start_time, series_start_time }) => [start_time, series_start_time]),
    [
      ['2026-03-24T16:00:00.000Z', '2026-03-17T16:00:00.000Z'],
      ['2026-03-31T15:00:00.000Z', '2026-03-17T16:00:00.000Z'],
    ],
  )
})

test('what a school announced with a day is in the calendar, to be changed with the child', async (t) => {
  const { list } = await setup(t)
  const found = await list('event_type=school')
  assert.deepEqual(
    found.map(({ title, start_time, read_only }) => [title, start_time, read_only]),
    [
      ['Math test', '2026-03-15T23:00:00.000Z', true],
      ['Concert', '2026-03-18T17:00:00.000Z', true],
    ],
  )
  assert.equal((await list('event_type=school&player_id=mia')).length, 2)
})

test('a week beyond the guidelines for an age is told with rule, figure and source, and kept', async (t) => {
  const { call, plan, list } = await setup(t)
  const long = { title: 'Camp', start_time: '2026-03-16T08:00:00', end_time: '2026-03-16T17:00:00' }
  const first = await plan(long)
  assert.deepEqual(first.body.data.warnings, [])
  const match = { ...PRACTICE, event_type: 'match', end_time: '2026-03-17T21:30:00' }
  const judged = await call<{ ok: boolean; verdicts: Told[] }>('POST', '/calendar/validate', MIA, match)
  assert.equal((await list('event_type=match')).length, 0, 'judging keeps nothing')
  const saved = await plan(match)
  assert.deepEqual(saved.body.data.warnings, judged.body.data.verdicts)
  assert.equal(judged.body.data.ok, false)
  const [hours] = judged.body.data.verdicts
  assert.deepEqual(
    [hours?.rule, hours?.check, hours?.figure, hours?.limit],
    ['validate_training_load', 'hours_over_age', 13.5, 12],
  )
  assert.match(hours?.source ?? '', /Jayanthi 2015/)
})

test('two matches in less than two days are told, also when one is of the team', async (t) => {
  const { plan } = await setup(t)
  const at = (day: number) => ({
    ...{ title: 'Match', event_type: 'match' },
    start_time: `2026-03-${day}T10:00:00Z`,
    end_time: `2026-03-${day}T11:00:00Z`,
  })
  assert.equal((await plan({ ...at(21), group_id: 'team' }, COACH)).status, 201)
  const [verdict, ...more] = (await plan(at(22))).body.data.warnings
  assert.deepEqual([verdict?.rule, verdict?.figure, verdict?.limit], ['check_recovery_time', 24, 48])
  assert.deepEqual(more, [])
  assert.deepEqual((await plan(at(24))).body.data.warnings, [], 'two whole days lie between')
})

test('plans follow the training grant; a group is planned by its coach and the owner', async (t) => {
  const { call, plan, list } = await setup(t)
  const { id } = (await plan(PRACTICE)).body.data
  assert.equal((await plan({ ...PRACTICE, player_id: 'mia' }, COACH)).status, 403)
  assert.equal((await plan({ ...PRACTICE, player_id: 'mia' }, GRAN)).status, 403)
  assert.equal((await plan({ ...PRACTICE, player_id: 'leo' }, COACH)).status, 404)
  assert.equal((await call('GET', `/calendar/events/${id}`, COACH)).status, 200)
  assert.equal((await call('GET', `/calendar/events/${id}`, GRAN)).status, 403)
  assert.equal((await plan({ ...PRACTICE, group_id: 'team' }, MIA)).status, 403)
  assert.equal((await plan({ ...PRACTICE, group_id: 'other' }, COACH)).status, 404)
  const team = (await plan({ ...PRACTICE, group_id: 'team' }, COACH)).body.data
  assert.equal((await call('GET', `/calendar/events/${team.id}`, MIA)).status, 200)
  assert.equal((await call('GET', `/calendar/events/${team.id}`, GRAN)).status, 404)
  assert.equal((await call('DELETE', `/calendar/events/${team.id}`, MIA)).status, 403)
  assert.equal((await call('DELETE', `/calendar/events/${team.id}`, OWNER)).status, 200)
  assert.deepEqual(await list('', GRAN), [])
})

test('what cannot be planned is refused with the field', async (t) => {
  const { plan, store } = await setup(t)
  const refused: [body: object, status: number, path: string][] = [
    [{ ...PRACTICE, rrule: 'FREQ=YEARLY' }, 422, 'rrule'],
    [{ ...PRACTICE, rrule: 'FREQ=WEEKLY;BYDAY=MO' }, 422, 'rrule'],
    [{ ...PRACTICE, end_time: PRACTICE.start_time }, 422, 'end_time'],
    [{ ...PRACTICE, end_time: '2026-05-17T17:00:00' }, 422, 'end_time'],
    [{ ...PRACTICE, start_time: 'soon' }, 400, 'start_time'],
    [{ ...PRACTICE, timezone: 'Mars/Base' }, 400, 'timezone'],
    [{ ...PRACTICE, event_type: 'party' }, 400, 'event_type'],
    [{ ...PRACTICE, drills: ['x'.repeat(17_000)] }, 413, 'drills'],
    [{ ...PRACTICE, player_id: 'mia', group_id: 'team' }, 400, 'player_id'],
  ]
  for (const [body, status, path] of refused) {
    const answer = await plan(body)
    assert.deepEqual([answer.status, answer.body.error.details[0]?.path], [status, path])
  }
  assert.equal(store.get<{ n: number }>('SELECT count(*) AS n FROM calendar_event')?.n, 0)
})

test('a feed shows a plan to other calendars until it is revoked or its maker may not read any more', async (t) => {
  const { call, plan, http, team } = await setup(t)
  await plan({ ...PRACTICE, title: 'Übung, Pässe; Tore', rrule: 'FREQ=WEEKLY;COUNT=2' })
  assert.equal((await call('POST', '/calendar/feeds', GRAN, { player_id: 'mia' })).status, 403)
  const made = await call<{ id: string; path: string }>('POST', '/calendar/feeds', COACH, {
    player_id: 'mia',
  })
  assert.equal(made.status, 201)
  const { id, path } = made.body.data
  const fetch = () => http.inject({ url: path })
  const feed = await fetch()
  assert.equal(feed.headers['content-type'], 'text/calendar; charset=utf-8')
  assert.match(feed.body, /^BEGIN:VCALENDAR\r\n/)
  assert.match(
    feed.body,
    /DTSTART:20260317T160000Z\r\nDTEND:20260317T173000Z\r\nSUMMARY:Übung\\, Pässe\\; Tore\r\n/,
  )
  assert.equal(feed.body.match(/CATEGORIES:TRAINING/g)?.length, 2)
  assert.ok(feed.body.split('\r\n').every((line) => Buffer.byteLength(line) <= 75))
  team.known = false
  assert.equal((await fetch()).statusCode, 404)
  team.known = true
  assert.equal((await fetch()).statusCode, 200)
  assert.equal((await call('DELETE', `/calendar/feeds/${id}`, MIA)).status, 404)
  assert.equal((await call('DELETE', `/calendar/feeds/${id}`, COACH)).status, 200)
  assert.equal((await fetch()).statusCode, 404)
})

/** Mia's week from Sunday morning on: the clock of these tests shows Saturday, 14 March 2026. */
async function suggested(
  t: TestContext,
  body: object = {},
  given: { sessions?: RatedSession[]; plans?: object[] } = {},
) {
  const home = await setup(t)
  for (const plan of given.plans ?? []) assert.equal((await home.plan({ ...PRACTICE, ...plan })).status, 201)
  home.rated.push(...(given.sessions ?? []))
  const { status } = await home.call('POST', '/calendar/recommend', MIA, { player_id: 'mia', ...body })
  assert.equal(status, 202)
  const [asked] = home.asks
  if (!asked) throw new Error('nothing was asked')
  const found = home.recommend(asked)
  if (!found) throw new Error('Mia is gone')
  return { ...found, times: found.suggestions.map(({ start_time: at }) => at) }
}

test('times are suggested on different days that leave room around what is planned, with what each reason is from', async (t) => {
  const { suggestions, times, left_out: left } = await suggested(t, { count: 5 }, { plans: [{}] })
  assert.equal(suggestions.length, 5)
  assert.equal(new Set(times.map((at) => at.slice(0, 10))).size, 5)
  const tuesday = times.find((at) => at.startsWith('2026-03-17'))
  if (tuesday) assert.ok(tuesday < '2026-03-17T14:31' || tuesday >= '2026-03-17T18:00', tuesday)
  assert.ok((left.find(({ reason }) => reason === 'planned')?.times ?? 0) > 0)
  const rest = suggestions.flatMap(({ reasons }) => reasons).filter(({ code }) => code === 'rest_to_nearest')
  assert.ok(rest.every(({ from }) => from[0]?.kind === 'event' && from[0].id === 'event-1'))
})

test('a hard session is not suggested within two days of another, planned or rated', async (t) => {
  const cup = { event_type: 'match', start_time: '2026-03-18T17:00:00', end_time: '2026-03-18T18:00:00' }
  const friday = { sessionId: 's-1', atMs: Date.UTC(2026, 2, 13, 17), rpe: 9, load: 810 }
  const body = { event_type: 'match', count: 5, to: '2026-03-21T00:00:00+01:00' }
  const { times, left_out: left } = await suggested(t, body, { plans: [cup], sessions: [friday] })
  for (const at of times) {
    assert.ok(Math.abs(Date.parse(at) - Date.UTC(2026, 2, 18, 16)) >= 48 * 3_600_000, at)
    assert.ok(Date.parse(at) - friday.atMs >= 48 * 3_600_000, at)
  }
  assert.ok(left.some(({ reason }) => reason === 'under_48h_between_high'))
})

test('load that rises fast is said with its figure and its sessions, and moves the suggestion back', async (t) => {
  const day = (back: number, load: number): RatedSession => ({
    ...{ sessionId: `s-${back}`, atMs: Date.UTC(2026, 2, 14, 8) - back * 86_400_000, rpe: 5, load },
  })
  const quiet = Array.from({ length: 28 }, (_, index) => day(7 + index, 100))
  const steep = Array.from({ length: 6 }, (_, index) => day(1 + index, 600))
  const calm = await suggested(
    t,
    { count: 1 },
    { sessions: [...quiet, ...quiet.slice(0, 6).map((_, i) => day(1 + i, 100))] },
  )
  const rising = await suggested(t, { count: 1 }, { sessions: [...quiet, ...steep] })
  assert.deepEqual([calm.load.rising_fast, rising.load.rising_fast], [false, true])
  const told = rising.suggestions[0]?.reasons.find(({ code }) => code === 'load_rising')
  assert.equal(told?.figure, rising.load.ratio)
  assert.deepEqual(
    told?.from.map(({ id }) => id),
    rising.load.session_ids,
  )
  assert.ok((rising.times[0] ?? '') > (calm.times[0] ?? ''))
})

test('nothing is said of load before four weeks are known, and hours that make no sense are refused', async (t) => {
  const { load } = await suggested(
    t,
    {},
    { sessions: [{ sessionId: 's-1', atMs: Date.UTC(2026, 2, 12, 17), rpe: 4, load: 240 }] },
  )
  assert.deepEqual([load.ratio, load.rising_fast, load.days_known], [null, null, 3])
  const { call } = await setup(t)
  const ask = (body: object, headers = MIA) =>
    call('POST', '/calendar/recommend', headers, { player_id: 'mia', ...body })
  assert.equal((await ask({ earliest: '18:00', latest: '18:30', duration_minutes: 90 })).status, 422)
  assert.equal((await ask({ from: '2026-03-15T00:00:00Z', to: '2026-06-15T00:00:00Z' })).status, 422)
  assert.equal((await ask({}, GRAN)).status, 403)
})
