import assert from 'node:assert/strict'
import { test } from 'node:test'
import { family, MINUTE } from '../alerts/setup.ts'

const sighting = (atMs: number, more: object = {}) => ({
  ...{ personId: 'mia', kind: 'heart_rate_above', class: 'wellness' as const, severity: 'warning' as const },
  ...{ title: 'Heart rate high', message: '142 bpm', origin: 'rule' as const, originId: 'r1', by: 'rule:r1' },
  ...{ atMs, evidence: [{ metric: 'heart_rate', value: 142, expected: 120 }], ...more },
})

test('an episode by hand opens an alert, is joined, answered, resolved and opened again, with every step in its timeline', async (t) => {
  const { call, mama, pass, settle } = await family(t)
  const token = mama.access_token
  const started = await call('POST', '/episodes/start', {
    token,
    body: { user_id: 'mia', kind: 'fall', notes: 'stairs' },
  })
  assert.equal(started.status, 201)
  const { id } = started.body.data
  await settle()
  const again = await call('POST', '/episodes/start', { token, body: { person_id: 'mia', kind: 'fall' } })
  assert.deepEqual([again.status, again.body.data.id], [200, id])
  await pass(2 * MINUTE)
  assert.equal((await call('GET', `/episodes/${id}`, { token })).body.data.state, 'escalated')
  await call('POST', `/episodes/${id}/acknowledge`, { token, body: {} })
  const alerts = (await call('GET', '/alerts', { token })).body.data
  assert.deepEqual(
    alerts.map(({ state, episode_id }: Record<string, string>) => [state, episode_id]),
    [['acknowledged', id]],
  )
  await call('POST', `/episodes/${id}/notes`, { token, body: { text: 'only a scratch' } })
  const over = await call('PUT', `/episodes/${id}/resolve`, { token, body: { resolution: 'fine' } })
  assert.equal(over.body.data.status, 'resolved')
  assert.equal((await call('POST', `/episodes/${id}/acknowledge`, { token, body: {} })).status, 409)
  const reopened = await call('POST', `/episodes/${id}/reopen`, { token, body: {} })
  const kinds = reopened.body.data.timeline.map(({ kind }: { kind: string }) => kind)
  assert.deepEqual(
    kinds.filter((kind: string) => kind !== 'told'),
    ['opened', 'escalated', 'acknowledged', 'note', 'resolved', 'reopened'],
  )
  assert.deepEqual([reopened.body.data.state, reopened.body.data.reopened], ['open', 1])
})

test('what belongs together is one episode: it joins, gets worse with a new alert, and reopens soon after it was over', async (t) => {
  const { alarms, clock, settle, call, owner, pass } = await family(t)
  const opened = await alarms.episodes.open(sighting(clock.now()))
  await pass(MINUTE)
  assert.equal((await alarms.episodes.open(sighting(clock.now()))).merge, 'joins')
  const worse = await alarms.episodes.open(sighting(clock.now(), { severity: 'urgent' }))
  assert.deepEqual([worse.merge, worse.episode.id], ['worsens', opened.episode.id])
  await settle()
  const alerts = (await call('GET', '/alerts', { token: owner })).body.data
  assert.deepEqual(
    alerts.map(({ kind, state }: Record<string, string>) => [kind, state]),
    [
      ['urgent', 'open'],
      ['warning', 'resolved'],
    ],
  )
  await alarms.episodes.remark(
    'mia',
    'heart_rate_above',
    { kind: 'cleared', by: 'rule:r1', text: null },
    true,
  )
  assert.equal((await alarms.episodes.open(sighting(clock.now()))).merge, 'reopens')
})

test('two sources that see the same thing at once open one episode', async (t) => {
  const { alarms, clock, store } = await family(t)
  const found = await Promise.all([0, 1, 2].map(() => alarms.episodes.open(sighting(clock.now()))))
  assert.equal(new Set(found.map(({ episode }) => episode.id)).size, 1)
  assert.deepEqual(store.all('SELECT count(*) AS alerts FROM alert'), [{ alerts: 1 }])
})

test('a person out of sight has no episodes, and glucose stays with those who may see glucose', async (t) => {
  const { call, alarms, clock, mama, letIn, owner, published } = await family(t)
  const stranger = await letIn(owner, { role: 'caregiver', person_id: 'leo' })
  const low = { kind: 'glucose_below', class: 'glucose', evidence: [] }
  const { episode } = await alarms.episodes.open(sighting(clock.now(), low))
  const status = async (token: string, path: string) => (await call('GET', path, { token })).status
  assert.equal(await status(stranger.access_token, `/episodes/${episode.id}`), 404)
  assert.equal(await status(stranger.access_token, '/episodes/user/mia'), 404)
  assert.equal(await status(mama.access_token, `/episodes/${episode.id}`), 403)
  const hers = await call('GET', '/episodes/user/mia', { token: mama.access_token })
  assert.equal(hers.body.pagination.total, 0)
  assert.equal(published.filter(({ topic }) => topic === 'hf/out/episode')[0]?.message.person_id, 'mia')
})

test('an episode begins neither before 2000 nor in the future', async (t) => {
  const { call, owner, clock } = await family(t)
  const start = async (timestamp: number | string) => {
    const body = { person_id: 'mia', kind: 'worry', timestamp }
    return (await call('POST', '/episodes/start', { token: owner, body })).body.error?.code ?? null
  }
  assert.deepEqual(
    [await start(1), await start('1999-12-31T23:59:59Z'), await start(clock.now() + 3_600_000)],
    ['OUT_OF_RANGE', 'OUT_OF_RANGE', 'FUTURE_TIMESTAMP'],
  )
  assert.equal(await start(clock.now() - MINUTE), null)
})

test('episodes of a window are those that lasted into it or began in it', async (t) => {
  const { alarms, clock, call, owner } = await family(t)
  const beganMs = clock.now()
  const { episode } = await alarms.episodes.open(sighting(beganMs))
  const found = async (fromMs: number, toMs: number) => {
    const window = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`
    return (await call('GET', `/episodes?person_id=mia&${window}`, { token: owner })).body.data.length
  }
  assert.deepEqual([await found(beganMs - 10 * MINUTE, beganMs), await found(beganMs, beganMs + 1)], [0, 1])
  assert.equal(await found(beganMs + 60 * MINUTE, beganMs + 90 * MINUTE), 1, 'an open one lasts')
  clock.advance(5 * MINUTE)
  await call('PUT', `/episodes/${episode.id}/resolve`, { token: owner, body: {} })
  assert.equal(await found(beganMs + 60 * MINUTE, beganMs + 90 * MINUTE), 0)
  assert.equal((await call('GET', '/episodes?from=yesterday', { token: owner })).status, 400)
})

test('why it is there is told from evidence, the hours before and earlier ones, to whoever may read it', async (t) => {
  const { alarms, clock, store, call, mama, wears, pass } = await family(t)
  await wears('watch-mia', 'mia')
  const measured = (metric: string, value: number, minutesAgo: number) => ({
    ...{ personId: 'mia', deviceId: 'watch-mia', metric, value, atMs: clock.now() - minutesAgo * MINUTE },
    ...{ source: 'obs', quality: null, extra: null },
  })
  await alarms.episodes.open(sighting(clock.now()))
  const over = { kind: 'cleared' as const, by: 'rule:r1', text: null }
  await pass(5 * MINUTE)
  await alarms.episodes.remark('mia', 'heart_rate_above', over, true)
  await pass(3 * 60 * MINUTE)
  await store.observations.append([
    ...[70, 95, 82].map((value, index) => measured('heart_rate', value, 30 - index)),
    measured('steps', 40, 10),
    measured('steps', 2000, 100),
  ])
  const { episode } = await alarms.episodes.open(sighting(clock.now()))
  const token = (await call('POST', '/auth/refresh', { body: { refresh_token: mama.refresh_token } })).body
    .data.access_token
  const { status, body } = await call('POST', `/episodes/${episode.id}/analyze`, { token, body: {} })
  assert.equal(status, 200)
  const { text, facts, narrator } = body.data
  assert.match(text, /mia’s heart rate was 142 bpm, above the limit of 120 bpm\./)
  assert.match(text, /between 70 and 95 bpm; with 40 steps in the half hour before/)
  assert.match(text, /noticed once in the 30 days before, last on \d{4}-\d\d-\d\d, and over after 5 min\./)
  assert.deepEqual(
    facts.map(({ value, source }: { value: number; source: string }) => [value, source]),
    [
      [142, 'evidence'],
      [120, 'evidence'],
      ...[70, 95, 40].map((value) => [value, 'observations']),
      ...[1, 5].map((value) => [value, 'episodes']),
    ],
  )
  assert.equal(narrator.language_model, false)
  const before = (await call('GET', `/episodes/${episode.id}`, { token })).body.data.revision
  assert.equal(before, episode.revision, 'asking changes nothing')
  assert.equal((await call('POST', '/episodes/nothing/analyze', { token, body: {} })).status, 404)
})
