import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { family, MINUTE, open } from '../alerts/setup.ts'

type Home = Awaited<ReturnType<typeof open>>

const FAST = { type: 'above', metric: 'heart_rate', threshold: 130, for_seconds: 60, clear_at: 120 } as const
const value = (atMs: number, beats: number, more: Partial<Observation> = {}): Observation => ({
  ...{ personId: 'mia', deviceId: 'watch-mia', metric: 'heart_rate', atMs, value: beats, source: 'obs' },
  ...{ quality: null, extra: null, ...more },
})

/** One value every ten seconds while the clock runs on. */
async function wear(
  { clock, store, alarms }: Home,
  beats: readonly number[],
  more: Partial<Observation> = {},
) {
  for (const one of beats) {
    clock.advance(10_000)
    await store.observations.append([value(clock.now(), one, more)])
  }
  await alarms.rules.settled()
  await alarms.alerts.settled()
}

async function mia(t: Parameters<typeof family>[0]) {
  const home = await family(t)
  await home.wears('watch-mia', 'mia')
  const keep = async (condition: object, more: object = {}) => {
    const body = { person_id: 'mia', name: 'A rule', condition, ...more }
    return home.call('POST', '/rules', { token: await home.again(), body })
  }
  const episodes = async (by = home) =>
    // biome-ignore lint/suspicious/noExplicitAny: as the API shows them
    ((await by.call('GET', '/episodes', { token: await by.again() })).body.data as any[]).toReversed()
  return { ...home, keep, episodes }
}

const times = (count: number, beats: number) => Array<number>(count).fill(beats)

test('a value beyond its threshold for long enough rings once, and what is over is resolved', async (t) => {
  const home = await mia(t)
  assert.equal((await home.keep(FAST)).status, 201)
  const hers = home.phone(home.mama.user.id)
  await wear(home, [...times(6, 100), 140, 100, ...times(6, 140)])
  assert.deepEqual(hers.rang(), [])
  await wear(home, times(3, 142))
  assert.deepEqual(hers.rang(), ['A rule'])
  await wear(home, times(6, 125))
  assert.deepEqual(
    (await home.episodes()).map(({ state }) => state),
    ['open'],
  )
  await wear(home, [118])
  const [over] = await home.episodes()
  assert.deepEqual([over.state, over.kind, over.origin], ['resolved', 'heart_rate_above', 'rule'])
})

test('an urgent one that is over before anybody answered stays until somebody has looked', async (t) => {
  const home = await mia(t)
  await home.keep(FAST, { severity: 'urgent' })
  await wear(home, [...times(8, 140), ...times(3, 90)])
  const [episode] = await home.episodes()
  assert.equal(episode.state, 'open')
  await home.call('POST', `/episodes/${episode.id}/acknowledge`, { token: await home.again(), body: {} })
  await wear(home, times(8, 140))
  const [again] = await home.episodes()
  assert.deepEqual([again.id, again.state, again.reopened], [episode.id, 'open', 1])
})

test('values that were kept somewhere on their way raise nothing', async (t) => {
  const home = await mia(t)
  await home.keep(FAST)
  const hour = home.clock.now() - 60 * MINUTE
  await home.store.observations.append(times(30, 170).map((one, index) => value(hour + index * 10_000, one)))
  await home.alarms.rules.settled()
  assert.deepEqual(await home.episodes(), [])
  assert.equal(home.alarms.rules.stats().late, 30)
})

test('a second device whose values are fine does not end what another one says', async (t) => {
  const home = await mia(t)
  await home.wears('strap-mia', 'mia')
  await home.keep(FAST)
  await wear(home, times(8, 140))
  await wear(home, [100, 101], { deviceId: 'strap-mia' })
  assert.deepEqual(
    (await home.episodes()).map(({ state }) => state),
    ['open'],
  )
  await wear(home, [100])
  assert.deepEqual(
    (await home.episodes()).map(({ state }) => state),
    ['resolved'],
  )
})

test('a restart in the middle of a breach neither forgets when it began nor tells it again', async (t) => {
  const home = await mia(t)
  await home.keep(FAST)
  await wear(home, times(4, 140))
  await home.close()
  const second = await open(t, { folder: home.folder, clock: home.clock })
  await wear(second, times(3, 140))
  assert.deepEqual(
    (await home.episodes(second as typeof home)).map(({ state }) => state),
    ['open'],
  )
  await second.close()
  const third = await open(t, { folder: home.folder, clock: home.clock })
  await wear(third, times(3, 140))
  const { timeline } = await detail(third)
  assert.deepEqual(timeline.filter(({ kind }: { kind: string }) => kind === 'opened').length, 1)
  await wear(third, [100])
  assert.equal((await detail(third)).state, 'resolved')
})

async function detail(home: Home) {
  const token = await home.again()
  const [{ id }] = (await home.call('GET', '/episodes', { token })).body.data
  return (await home.call('GET', `/episodes/${id}`, { token })).body.data
}

test('a breach that was on disk when the hub was killed is told at the next start, one resolved by hand is not', async (t) => {
  const home = await mia(t)
  await home.close()
  const off = await open(t, { folder: home.folder, clock: home.clock })
  await off.call('POST', '/rules', {
    token: await off.again(),
    body: { person_id: 'mia', name: 'A rule', condition: FAST },
  })
  void off.alarms.rules.feature.stop?.()
  await wear(off, times(8, 140))
  assert.deepEqual((await off.call('GET', '/episodes', { token: await off.again() })).body.data, [])
  await off.close()
  const next = await open(t, { folder: home.folder, clock: home.clock })
  await next.alarms.rules.settled()
  const { id, state } = await detail(next)
  assert.equal(state, 'open')
  await next.call('PUT', `/episodes/${id}/resolve`, { token: await next.again(), body: {} })
  await next.close()
  const last = await open(t, { folder: home.folder, clock: home.clock })
  await wear(last, times(3, 140))
  assert.equal((await detail(last)).state, 'resolved')
})

test('silence is told after its time, not because the hub itself was off, and ends with the next value', async (t) => {
  const home = await mia(t)
  await wear(home, [80])
  await home.keep({ type: 'no_data', metric: 'heart_rate', after_seconds: 600 })
  await home.close()
  home.clock.advance(60 * MINUTE)
  const later = await open(t, { folder: home.folder, clock: home.clock })
  later.clock.advance(9 * MINUTE)
  await later.alarms.rules.settled()
  const count = async () =>
    (await later.call('GET', '/episodes', { token: await later.again() })).body.data.length
  assert.equal(await count(), 0)
  later.clock.advance(2 * MINUTE)
  await later.alarms.rules.settled()
  assert.equal((await detail(later)).kind, 'heart_rate_no_data')
  await wear(later, [80])
  assert.equal((await detail(later)).state, 'resolved')
})

test('a watch that signed off is waited for where the rule says so', async (t) => {
  const home = await mia(t)
  await home.connect('watch-mia')
  await wear(home, [80])
  const silent = { type: 'no_data', metric: 'heart_rate', after_seconds: 600 }
  await home.keep({ ...silent, when_offline: 'wait' })
  await home.connect('watch-mia', false)
  home.clock.advance(20 * MINUTE)
  await home.alarms.rules.settled()
  assert.deepEqual(await home.episodes(), [])
  await home.connect('watch-mia')
  home.clock.advance(MINUTE)
  await home.alarms.rules.settled()
  assert.equal((await home.episodes()).length, 1)
})

test('batteries are judged each for itself, and charging ends it', async (t) => {
  const home = await mia(t)
  await home.keep({ type: 'battery', below_percent: 20 })
  await wear(home, [90, 50, 19], { metric: 'battery' })
  assert.deepEqual(
    (await home.episodes()).map(({ kind }) => kind),
    ['battery_below'],
  )
  await wear(home, [21, 26], { metric: 'battery' })
  assert.deepEqual(
    (await home.episodes()).map(({ state }) => state),
    ['resolved'],
  )
})

test('a rule keeps its versions, and what it had opened is over when it is switched off', async (t) => {
  const home = await mia(t)
  const { id } = (await home.keep(FAST)).body.data
  await wear(home, times(8, 140))
  const token = await home.again()
  const changed = await home.call('PATCH', `/rules/${id}`, { token, body: { enabled: false } })
  assert.deepEqual([changed.body.data.enabled, changed.body.data.revision], [false, 1])
  const versions = (await home.call('GET', `/rules/${id}/versions`, { token })).body.data
  assert.deepEqual(
    versions.map(({ enabled }: { enabled: boolean }) => enabled),
    [true],
  )
  assert.deepEqual(
    (await home.episodes()).map(({ state }) => state),
    ['resolved'],
  )
  assert.equal((await home.call('DELETE', `/rules/${id}`, { token })).status, 200)
  assert.equal((await home.call('GET', `/rules/${id}`, { token })).status, 404)
})

test('a condition that cannot be judged is refused with the field that is wrong', async (t) => {
  const home = await mia(t)
  const refused = async (condition: object) => {
    const { status, body } = await home.keep(condition)
    return [status, body.error.code, body.error.details?.[0]?.path]
  }
  assert.deepEqual(await refused({ ...FAST, threshold: 900 }), [422, 'OUT_OF_RANGE', 'condition.threshold'])
  assert.deepEqual(await refused({ ...FAST, clear_at: 140 }), [422, 'OUT_OF_RANGE', 'condition.clear_at'])
  assert.deepEqual(await refused({ ...FAST, metric: 'luck' }), [400, 'UNKNOWN_METRIC', 'condition.metric'])
  assert.deepEqual(await refused({ ...FAST, metric: 'sleep_state' }), [
    422,
    'OUT_OF_RANGE',
    'condition.metric',
  ])
})

test('rules are set by those who may write about the person, and not by a child about itself', async (t) => {
  const home = await mia(t)
  const child = await home.letIn(home.owner, { role: 'member', person_id: 'mia' })
  const stranger = await home.letIn(home.owner, { role: 'caregiver', person_id: 'leo' })
  const ask = async (token: string, metric: string, threshold: number) => {
    const condition = { type: 'above', metric, threshold }
    return (await home.call('POST', '/rules', { token, body: { person_id: 'mia', name: 'x', condition } }))
      .status
  }
  const { access_token: hers } = home.mama
  assert.deepEqual(
    [
      await ask(hers, 'hr', 150),
      await ask(hers, 'glucose', 200),
      await ask(child.access_token, 'hr', 150),
      await ask(stranger.access_token, 'hr', 150),
    ],
    [201, 403, 403, 404],
  )
})

test('a draft is tried on the past and says when it would have fired', async (t) => {
  const home = await mia(t)
  const fromMs = home.clock.now() - 3 * 60 * MINUTE
  const past = Array.from({ length: 180 }, (_, minute) =>
    value(fromMs + minute * MINUTE, minute >= 60 && minute < 70 ? 150 : 90),
  )
  await home.store.observations.append(past)
  const tried = async (from: number) => {
    const body = { person_id: 'mia', condition: FAST, from }
    return (await home.call('POST', '/rules/test', { token: await home.again(), body })).body.data
  }
  for (const [days, level] of [
    [1, 'raw'],
    [7, '1m'],
  ] as const) {
    const { firings, total, ...found } = await tried(home.clock.now() - days * 86_400_000)
    assert.deepEqual([found.level, total, found.values], [level, 1, 180])
    assert.equal(firings[0].started_at, new Date(fromMs + 60 * MINUTE).toISOString())
    assert.equal(firings[0].ended_at, new Date(fromMs + 70 * MINUTE).toISOString())
  }
})

test('suggestions come from own days, would seldom have fired, and none is in force by itself', async (t) => {
  const home = await mia(t)
  const days = 6
  const startMs = home.clock.now() - days * 86_400_000
  const beats = (quarter: number) => 75 + 25 * Math.sin((quarter / 96) * 2 * Math.PI) + (quarter % 5)
  const past = Array.from({ length: days * 96 }, (_, quarter) =>
    value(startMs + quarter * 15 * MINUTE, beats(quarter)),
  )
  await home.store.observations.append(past)
  const token = await home.again()
  const { presets } = (await home.call('GET', '/rules/presets?person_id=mia', { token })).body.data
  assert.deepEqual(
    presets.map(({ id }: { id: string }) => id),
    ['heart_rate_above', 'heart_rate_below', 'heart_rate_no_data', 'battery_below'],
  )
  const [above] = presets
  assert.ok(above.rule.condition.threshold > 95 && above.rule.condition.threshold < 110)
  assert.ok(above.basis.would_have_fired <= 2)
  assert.deepEqual((await home.call('GET', '/rules', { token })).body.data, [])
  const kept = await home.call('POST', '/rules', { token, body: { person_id: 'mia', ...above.rule } })
  assert.equal(kept.status, 201)
})
