import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HubError } from '../../../daemon/kernel/errors.ts'
import type { Luma } from '../../../models/vision/kpi/moved.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { PITCH, POINTS, pictureOf, setup } from './setup.ts'

type Hub = Awaited<ReturnType<typeof setup>>

const start = (hub: Hub, body: object = {}, token = hub.owner) =>
  hub.call('POST', '/live/start', {
    token,
    body: { session_id: 'game', camera_ids: ['yard'], player_ids: ['mia'], ...body },
  })
const calibrate = (hub: Hub, cameraId = 'yard') =>
  hub.call('PUT', `/cameras/${cameraId}/calibration`, {
    token: hub.owner,
    body: { points: POINTS, ...PITCH },
  })
const assign = (hub: Hub, body: object) =>
  hub.call('POST', '/live/game/assign', { token: hub.owner, body: { camera_id: 'yard', ...body } })

/** Ten pictures a second of somebody who runs along the pitch. */
function run(hub: Hub, seconds: number, { mps = 4, trackId = 1, from = 3, cameraId = 'yard' } = {}) {
  for (let at = 0; at < seconds * 10; at++) {
    hub.clock.advance(100)
    hub.show(pictureOf(cameraId, hub.clock.now(), [{ trackId, x: from + (at * mps) / 10, y: 10 }]))
  }
}

const playerIn = (hub: Hub) => hub.told.findLast(({ to }) => to === 'session:game')?.data.players[0]

test('a player who was assigned has their speed told as it happens, with the thresholds of their age', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  assert.equal((await start(hub)).status, 201)
  run(hub, 3)
  assert.equal(playerIn(hub).kpis.speed.reason, 'not_assigned')
  assert.equal((await assign(hub, { track_id: 1, player_id: 'mia' })).status, 200)
  run(hub, 5, { from: 15 })
  const { kpis, tracks } = playerIn(hub)
  assert.deepEqual(tracks, [{ camera_id: 'yard', track_id: 1 }])
  assert.ok(Math.abs(kpis.speed.current_speed - 4) < 0.05, `${kpis.speed.current_speed}`)
  assert.ok(Math.abs(kpis.distance.total - 32) < 1.5, `${kpis.distance.total} m`)
  assert.deepEqual(kpis.speed.thresholds, {
    ...{ basis: 'age_group', age: 11, high_speed: 4.13, sprint: 5.25, acceleration: 2 },
  })
  assert.ok(hub.poses.length >= 79 && hub.poses.every((id) => id === 'game'))
  const updates = hub.told.filter(({ to }) => to === 'session:game').length
  assert.ok(updates >= 14 && updates <= 17, `${updates} updates in 8 s`)
  const own = hub.told.findLast(({ to }) => to === 'person:mia')?.data
  assert.deepEqual([own.players.length, own.tracks], [1, []])
})

test('what was stopped is kept: the KPIs on disk are those told last, and the plots know the way', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  run(hub, 1)
  await assign(hub, { track_id: 1, player_id: 'mia' })
  run(hub, 25, { from: 3.4, mps: 1.2 })
  const before = (await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data.metrics
    .players[0].kpis
  assert.equal(
    (await hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })).status,
    200,
  )
  const session = (await hub.call('GET', '/sessions/game', { token: hub.owner })).body.data
  const after = session.participants[0].kpis
  for (const part of ['distance', 'physical']) assert.deepEqual(after[part], before[part])
  assert.equal(after.speed.max_speed, before.speed.max_speed)
  assert.deepEqual([session.live, session.session_type, session.duration_minutes], [false, 'live', 0.4])
  const { tracks } = (await hub.call('GET', '/sessions/game/tracks', { token: hub.owner })).body.data
  assert.deepEqual([tracks.length, tracks[0].player_id], [1, 'mia'])
  const status = await hub.call('GET', '/live/game/status', { token: hub.owner })
  assert.equal(status.body.data.state, 'stopped')
  assert.equal(
    (await hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })).status,
    404,
  )
})

test('without calibration there are no metres and the reason is told', async (t) => {
  const hub = await setup(t)
  await start(hub)
  run(hub, 3)
  await assign(hub, { track_id: 1, player_id: 'mia' })
  run(hub, 3)
  const { kpis } = playerIn(hub)
  assert.deepEqual(
    [kpis.speed.reason, kpis.distance.total, kpis.speed.max_speed],
    ['uncalibrated', null, null],
  )
  assert.equal(hub.told.at(-2)?.data.tracks[0].reason, 'uncalibrated')
})

test('a session goes on after a restart of the hub, and the gap is noted', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  run(hub, 1)
  await assign(hub, { track_id: 1, player_id: 'mia' })
  run(hub, 5, { from: 7 })
  await hub.close()
  hub.clock.advance(60_000)
  const again = await setup(t, { folder: hub.folder, clock: hub.clock })
  const { access_token: owner } = (
    await again.call('POST', '/auth/login', { body: { name: 'Anna', password: 'four walls and a garden' } })
  ).body.data
  const status = await again.call('GET', '/live/game/status', { token: owner })
  const { kpis } = status.body.data.metrics.players[0]
  assert.ok(Math.abs(kpis.distance.total - 24) < 1.5, `${kpis.distance.total} m`)
  const next = { ...again, owner }
  run(next, 2, { trackId: 2, from: 3 })
  await assign(next, { track_id: 2, player_id: 'mia' })
  const now = (await again.call('GET', '/live/game/status', { token: owner })).body.data.metrics.players[0]
    .kpis
  assert.ok(now.distance.total > kpis.distance.total + 6, `${now.distance.total} m`)
  assert.ok(now.physical.missed_s >= 59)
  const { gaps } = (await again.call('GET', '/sessions/game/timeline', { token: owner })).body.data
  assert.deepEqual(
    gaps.map(({ reason }: { reason: string }) => reason),
    ['hub_off'],
  )
})

test('a box whose clock starts in the past after a power cut goes on with the session until the clock is right again', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  run(hub, 11)
  await hub.close()
  const base = fakeClock(hub.clock.now() - 1_800_000)
  let rightMs = 0
  const clock = { ...base, now: () => base.now() + rightMs }
  const again = await setup(t, { folder: hub.folder, clock })
  const signIn = async () =>
    (await again.call('POST', '/auth/login', { body: { name: 'Anna', password: 'four walls and a garden' } }))
      .body.data.access_token
  const next = { ...again, owner: await signIn() }
  run(next, 10, { trackId: 2 })
  const { metrics } = (await again.call('GET', '/live/game/status', { token: next.owner })).body.data
  assert.ok(metrics.pictures >= 99, `${metrics.pictures} pictures`)
  assert.ok(Math.abs(metrics.elapsed_s - 21) <= 1, `${metrics.elapsed_s} s`)
  assert.equal((await assign(next, { track_id: 2, player_id: 'mia' })).status, 200)
  rightMs = 1_860_000
  const token = await signIn()
  assert.equal((await again.call('POST', '/live/stop', { token, body: { session_id: 'game' } })).status, 200)
  const { data } = (await again.call('GET', '/sessions/game', { token })).body
  assert.ok(Math.abs(data.duration_minutes - 1.35) <= 0.1, `${data.duration_minutes} minutes`)
  assert.ok(data.participants[0].kpis.distance.total > 30)
})

/** Patches that a camera sees, shifted by some pixels. */
function view(dx = 0): Luma {
  const [width, height] = [160, 90]
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const cell = Math.floor(((at % width) + dx) / 6) * 131 + Math.floor(at / width / 5) * 977
    return 60 + ((cell * cell * 31 + cell * 17) % 120)
  })
  return { width, height, data }
}

test('a camera that is moved in the middle is told of within half a minute and gives no metres from then on', async (t) => {
  const hub = await setup(t)
  hub.views.set('yard', view())
  await calibrate(hub)
  await start(hub)
  run(hub, 1)
  await assign(hub, { track_id: 1, player_id: 'mia' })
  run(hub, 10, { from: 3.4, mps: 1 })
  const before = playerIn(hub).kpis.distance.total
  hub.views.set('yard', view(4))
  const movedMs = hub.clock.now()
  const isTold = () => hub.told.findLast(({ to }) => to === 'session:game')?.data.cameras[0].moved
  while (!isTold() && hub.clock.now() - movedMs < 40_000) {
    run(hub, 1, { from: 13.4, mps: 0 })
    await hub.call('GET', '/live/game/status', { token: hub.owner })
  }
  const tookMs = hub.clock.now() - movedMs
  t.diagnostic(`told after ${tookMs / 1000} s`)
  assert.ok(tookMs <= 30_000, `${tookMs} ms`)
  run(hub, 10, { from: 3, mps: 3 })
  const { kpis } = playerIn(hub)
  assert.ok(kpis.distance.total <= before + 1, `${before} m before, ${kpis.distance.total} m after`)
  // Noted once it is on the disk that the camera has moved.
  const noted = () => hub.store.get<{ reason: string }>('SELECT reason, camera FROM session_gap')
  while (!noted()) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(noted(), { reason: 'camera_moved', camera: 'yard' })
})

test('a camera that drops leaves the others, and its absence is noted', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await calibrate(hub, 'side')
  await start(hub, { camera_ids: ['yard', 'side'] })
  run(hub, 1, { cameraId: 'side', trackId: 7 })
  hub.cameras.set('side', { ...hub.cameras.get('side')!, online: false })
  run(hub, 4)
  const { cameras, tracks } = hub.told.findLast(({ to }) => to === 'session:game')!.data
  assert.deepEqual(
    cameras.map(({ camera_id, status }: Record<string, string>) => [camera_id, status]),
    [
      ['yard', 'online'],
      ['side', 'offline'],
    ],
  )
  assert.deepEqual(
    tracks.map(({ camera_id }: { camera_id: string }) => camera_id),
    ['yard'],
  )
  await hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })
  const { gaps } = (await hub.call('GET', '/sessions/game/timeline', { token: hub.owner })).body.data
  assert.deepEqual(
    gaps.map(({ reason, camera_id }: Record<string, string>) => [reason, camera_id]),
    [['camera_away', 'side']],
  )
})

test('a phone that disappears is told, though it was the only one that sent anything', async (t) => {
  const hub = await setup(t)
  await start(hub)
  run(hub, 1)
  hub.cameras.set('yard', { ...hub.cameras.get('yard')!, online: false })
  hub.clock.advance(600)
  const { cameras } = hub.told.findLast(({ to }) => to === 'session:game')!.data
  assert.equal(cameras[0].status, 'offline')
  hub.cameras.set('yard', { ...hub.cameras.get('yard')!, online: true })
  run(hub, 1)
  assert.equal(hub.told.findLast(({ to }) => to === 'session:game')!.data.cameras[0].status, 'online')
})

test('a player who is erased leaves a running session; the last one takes it along', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub, { player_ids: ['mia', 'leo'] })
  run(hub, 1)
  await assign(hub, { track_id: 1, player_id: 'leo' })
  run(hub, 3, { from: 6 })
  await hub.live.erasure.erase('leo')
  run(hub, 3, { from: 18 })
  const { players, tracks } = hub.told.findLast(({ to }) => to === 'session:game')!.data
  assert.deepEqual(
    [players.map((player: { player_id: string }) => player.player_id), tracks[0].player_id],
    [['mia'], null],
  )
  await hub.live.erasure.erase('mia')
  const status = await hub.call('GET', '/live/game/status', { token: hub.owner })
  assert.equal(status.body.data.state, 'stopped')
})

test('moments are tagged within the session, for its players', async (t) => {
  const hub = await setup(t)
  await start(hub)
  hub.clock.advance(10_000)
  const tag = (body: object) => hub.call('POST', '/live/game/tags', { token: hub.owner, body })
  assert.equal((await tag({ label: 'goal', player_id: 'mia', ts: hub.clock.now() - 4000 })).status, 201)
  assert.equal((await tag({ label: 'water' })).status, 201)
  assert.equal((await tag({ label: 'late', ts: hub.clock.now() + 60_000 })).status, 400)
  assert.equal((await tag({ label: 'whose', player_id: 'leo' })).status, 404)
  const { tags } = (await hub.call('GET', '/sessions/game/timeline', { token: hub.owner })).body.data
  assert.deepEqual(
    tags.map(({ label }: { label: string }) => label),
    ['goal', 'water'],
  )
})

test('pictures of a session come in order, from its own cameras, to a session that runs', async (t) => {
  const hub = await setup(t)
  await start(hub)
  const owner = { kind: 'local', role: 'owner' } as const
  const frame = (capturedAtMs: number | null, cameraId: string | null = null, sessionId = 'game') =>
    hub.live.admit({ actor: owner, sessionId, cameraId, capturedAtMs })
  assert.deepEqual(frame(1000), { cameraId: 'yard', isNext: true })
  assert.deepEqual([frame(900).isNext, frame(1000).isNext, frame(1100).isNext], [false, false, true])
  const { metrics } = (await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data
  assert.equal(metrics.cameras[0].frames_out_of_order, 2)
  hub.live.refused('yard', 3)
  hub.live.refused('side', 3)
  const { cameras } = (await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data.metrics
  assert.equal(cameras[0].frames_out_of_order, 5)
  assert.throws(() => frame(1200, 'side'), { code: 'CONFLICT' })
  assert.throws(() => frame(1200, null, 'other'), { code: 'NOT_FOUND' })
  run(hub, 1)
  hub.show(pictureOf('yard', hub.clock.now() - 500, [{ trackId: 1, x: 3, y: 10 }]))
  const after = (await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data.metrics
  assert.deepEqual([after.pictures, after.out_of_order], [10, 1])
})

test('who may not send a camera’s pictures, or sends them from the future, makes no later one late', async (t) => {
  const hub = await setup(t)
  await start(hub, { player_ids: ['mia', 'leo'] })
  const owner = { kind: 'local', role: 'owner' } as const
  const nobody = { kind: 'user', userId: 'u', sessionId: 's', role: 'member', personId: 'mia', grants: [] }
  const frame = (actor: object, capturedAtMs: number, cameraId: string | null = 'yard') =>
    hub.live.admit({ actor: actor as typeof owner, sessionId: 'game', cameraId, capturedAtMs })
  const nowMs = hub.clock.now()
  assert.equal(frame(owner, nowMs).isNext, true)
  for (const cameraId of ['yard', 'side', null])
    assert.throws(() => frame(nobody, nowMs + 1000, cameraId), { code: 'NOT_FOUND', message: /No session/ })
  assert.throws(() => frame(owner, nowMs + 3_600_000), { code: 'FUTURE_TIMESTAMP' })
  assert.equal(frame(owner, nowMs + 100).isNext, true)
})

test('a player who is the only one looks on, and does not stop, name or record what a coach began', async (t) => {
  const hub = await setup(t)
  await start(hub)
  run(hub, 1)
  const mia = (await hub.letIn(hub.owner, { role: 'member', person_id: 'mia' })).access_token
  const ask = (path: string, body: object) => hub.call('POST', path, { token: mia, body })
  assert.equal((await hub.call('GET', '/live/game/status', { token: mia })).status, 200)
  for (const answer of [
    await ask('/live/stop', { session_id: 'game' }),
    await ask('/live/game/assign', { camera_id: 'yard', track_id: 1, player_id: 'mia' }),
    await ask('/live/game/recording', { record: false }),
  ])
    assert.deepEqual([answer.status, answer.body.error?.code], [403, 'FORBIDDEN'])
  assert.equal((await hub.call('GET', '/live/game/status', { token: mia })).body.data.state, 'running')
})

test('a player among others sees their own numbers of a running session, and nothing of the others', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub, { player_ids: ['mia', 'leo'] })
  run(hub, 2)
  await assign(hub, { track_id: 1, player_id: 'leo' })
  const { letIn, owner } = hub
  const lookers = [
    await letIn(owner, { role: 'member', person_id: 'mia' }),
    await letIn(owner, { role: 'caregiver', person_id: 'mia', classes: ['training'] }),
  ]
  for (const { access_token: token } of lookers) {
    const { status, body } = await hub.call('GET', '/live/game/status', { token })
    assert.equal(status, 200)
    const { players, tracks } = body.data.metrics
    assert.deepEqual([players.map(({ player_id: id }: { player_id: string }) => id), tracks], [['mia'], []])
    const stopped = await hub.call('POST', '/live/stop', { token, body: { session_id: 'game' } })
    assert.equal(stopped.status, 404)
  }
  const glucose = await letIn(owner, { role: 'caregiver', person_id: 'mia', classes: ['glucose'] })
  assert.equal((await hub.call('GET', '/live/game/status', { token: glucose.access_token })).status, 404)
  await hub.call('POST', '/live/stop', { token: owner, body: { session_id: 'game' } })
  const after = await hub.call('GET', '/live/game/status', { token: lookers[0]!.access_token })
  assert.equal(after.body.data.state, 'stopped')
})

test('who runs a session sees how it goes and stops it, though somebody hidden from them was named in it', async (t) => {
  const hub = await setup(t)
  const coach = (
    await hub.letIn(hub.owner, { role: 'coach', person_id: 'mia', classes: ['training', 'media'] })
  ).access_token
  await start(hub, { camera_ids: ['side'], player_ids: [] }, coach)
  run(hub, 1, { cameraId: 'side' })
  await assign(hub, { camera_id: 'side', track_id: 1, player_id: 'leo' })
  const { body } = await hub.call('GET', '/live/game/status', { token: coach })
  assert.deepEqual([body.data.metrics.players, body.data.metrics.tracks], [[], []])
  assert.deepEqual((await hub.call('GET', '/sessions/game', { token: coach })).body.data.participants, [])
  assert.equal((await hub.call('GET', '/sessions', { token: coach })).body.pagination.total, 1)
  const onward = { token: coach, body: { camera_id: 'side', track_id: 1, player_id: 'mia' } }
  assert.equal((await hub.call('POST', '/live/game/assign', onward)).status, 404)
  const stopped = await hub.call('POST', '/live/stop', { token: coach, body: { session_id: 'game' } })
  assert.equal(stopped.status, 200)
})

test('a second tap on start finds the camera taken', async (t) => {
  const hub = await setup(t)
  const taps = await Promise.all(['game', 'again'].map((id) => start(hub, { session_id: id })))
  assert.deepEqual(taps.map(({ status }) => status).sort(), [201, 409])
  const wish = { camera_ids: ['side'], player_ids: ['mia'] }
  const owner = { kind: 'local', role: 'owner' } as const
  const begun = await Promise.allSettled([hub.live.begin(owner, wish), hub.live.begin(owner, wish)])
  assert.deepEqual(begun.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('a session whose end the disk did not take can be stopped again', async (t) => {
  const hub = await setup(t)
  await start(hub)
  const stop = () => hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })
  const { write } = hub.store
  hub.store.write = () => Promise.reject(new HubError('DISK_FULL', 'The disk is full.'))
  assert.equal((await stop()).status, 503)
  hub.store.write = write
  assert.equal((await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data.state, 'running')
  assert.equal((await stop()).status, 200)
})

test('who may not see a camera or a player starts nothing, and a camera is in one session', async (t) => {
  const hub = await setup(t)
  const { letIn, owner } = hub
  const coach = (await letIn(owner, { role: 'coach', person_id: 'mia', classes: ['training', 'media'] }))
    .access_token
  assert.equal((await start(hub, {}, coach)).status, 404, 'the yard also films Leo')
  assert.equal((await start(hub, { camera_ids: ['side'], player_ids: ['leo'] }, coach)).status, 404)
  assert.equal((await start(hub, { camera_ids: ['side'] }, coach)).status, 201)
  assert.equal((await hub.call('GET', '/live/game/status', { token: coach })).status, 200)
  assert.equal((await start(hub, { session_id: 'more', camera_ids: ['side'] })).status, 409)
  const other = (await letIn(owner, { role: 'caregiver', person_id: 'leo', classes: ['training'] }))
    .access_token
  const hidden = await hub.call('GET', '/live/game/status', { token: other })
  const missing = await hub.call('GET', '/live/none/status', { token: other })
  assert.deepEqual([hidden.status, hidden.body.error], [404, missing.body.error])
  assert.equal(
    (await hub.call('POST', '/live/stop', { token: other, body: { session_id: 'game' } })).status,
    404,
  )
  hub.cameras.set('yard', { ...hub.cameras.get('yard')!, analyse: false })
  assert.equal((await start(hub, { session_id: 'dark' })).status, 409)
})

test('a minute of a player takes about three kilobytes', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  for (let lap = 0; lap < 4; lap++) run(hub, 15, { mps: 2, from: 4 })
  await hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })
  const { bytes, rows } = hub.store.get<{ bytes: number; rows: number }>(
    'SELECT sum(length(path)) AS bytes, count(*) AS rows FROM session_path',
  )!
  t.diagnostic(`${bytes} bytes in ${rows} rows a player-minute of paths`)
  assert.ok(bytes < 3000 && rows <= 16, `${bytes} bytes, ${rows} rows`)
})

test('a player who was seen for a moment only is told so, and not as never seen', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  const reasonOf = async () =>
    (await hub.call('GET', '/live/game/status', { token: hub.owner })).body.data.metrics.players[0].kpis.speed
      .reason
  assert.equal(await reasonOf(), 'not_assigned')
  hub.show(pictureOf('yard', hub.clock.now() + 1, [{ trackId: 1, x: 3, y: 10 }]))
  const body = { camera_id: 'yard', track_id: 1, player_id: 'mia' }
  assert.equal((await hub.call('POST', '/live/game/assign', { token: hub.owner, body })).status, 200)
  assert.equal(await reasonOf(), 'too_short')
})

test('what is on the disk while a session runs is at most two seconds old, and takes no more rows', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub)
  for (let second = 0; second < 12; second++) {
    run(hub, 1, { from: 3 + second * 2, mps: 2 })
    // What was given to the writer thread is stored before the next answer.
    await hub.call('GET', '/live/game/status', { token: hub.owner })
    await hub.store.write([])
  }
  const { newest, rows } = hub.store.get<{ newest: number; rows: number }>(
    'SELECT max(from_slot + samples) * 100 AS newest, count(*) AS rows FROM session_path',
  )!
  const oldMs = hub.clock.now() - newest
  // The filter has not said the last quarter of a second yet.
  assert.ok(oldMs <= 2000 + 300, `${oldMs} ms`)
  assert.ok(rows <= 3, `${rows} rows`)
})

test('players who were lost in a restart are offered under their names where it is clear, and asked for where it is not', async (t) => {
  const hub = await setup(t)
  await calibrate(hub)
  await start(hub, { player_ids: ['mia', 'leo'] })
  const stand = (of: Hub, people: { trackId: number; x: number }[], seconds = 3) => {
    for (let at = 0; at < seconds * 10; at++) {
      of.clock.advance(100)
      of.show(
        pictureOf(
          'yard',
          of.clock.now(),
          people.map((one) => ({ ...one, y: 10 })),
        ),
      )
    }
  }
  stand(hub, [
    { trackId: 1, x: 5 },
    { trackId: 2, x: 25 },
  ])
  await assign(hub, { track_id: 1, player_id: 'mia' })
  await assign(hub, { track_id: 2, player_id: 'leo' })
  await hub.close()
  hub.clock.advance(4000)
  const again = await setup(t, { folder: hub.folder, clock: hub.clock })
  const { access_token: owner } = (
    await again.call('POST', '/auth/login', { body: { name: 'Anna', password: 'four walls and a garden' } })
  ).body.data
  const maybe = async () =>
    (await again.call('GET', '/live/game/status', { token: owner })).body.data.metrics.tracks.map(
      (one: { maybe: string[] }) => one.maybe,
    )
  stand(again, [
    { trackId: 11, x: 7 },
    { trackId: 12, x: 24 },
  ])
  assert.deepEqual(await maybe(), [['mia'], ['leo']])
  const say = (track_id: number, player_id: string | null) =>
    again.call('POST', '/live/game/assign', {
      token: owner,
      body: { camera_id: 'yard', track_id, player_id },
    })
  await say(11, 'mia')
  await say(12, null)
  assert.deepEqual(await maybe(), [[], []], 'who was said to be nobody is not asked about again')
  // Both are lost in the middle: nobody can tell who is who.
  await say(12, 'leo')
  stand(again, [
    { trackId: 11, x: 14 },
    { trackId: 12, x: 16 },
  ])
  again.clock.advance(3000)
  stand(again, [
    { trackId: 21, x: 14 },
    { trackId: 22, x: 16 },
  ])
  const unsure = await maybe()
  assert.deepEqual(
    unsure.map((names: string[]) => [...names].sort()),
    [
      ['leo', 'mia'],
      ['leo', 'mia'],
    ],
  )
})

test('skeletons of single players go out for those who were named, each alone', async (t) => {
  const hub = await setup(t)
  await start(hub, { player_ids: ['mia', 'leo'] })
  const look = () => {
    hub.clock.advance(100)
    const people = [1, 2, 3].map((trackId) => ({ trackId, x: trackId * 5, y: 5 }))
    hub.show(pictureOf('yard', hub.clock.now(), people))
  }
  look()
  await assign(hub, { track_id: 1, player_id: 'mia' })
  await assign(hub, { track_id: 3, player_id: 'leo' })
  assert.deepEqual(hub.alone, [])
  look()
  assert.deepEqual(hub.alone, ['game mia 1', 'game leo 3'])
})
