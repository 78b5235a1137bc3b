import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPath } from '../../../daemon/store/session-paths.ts'
import { setup } from './setup.ts'

const FRIDAY = '2026-03-13T16:00:00Z'

test('a session is kept, listed with filters, changed and removed', async (t) => {
  const { call, owner } = await setup(t)
  const body = {
    id: 'friday',
    title: 'Passing',
    player_ids: ['mia', 'leo'],
    started_at: FRIDAY,
    duration_minutes: 90,
  }
  const made = await call('POST', '/sessions', { token: owner, body })
  assert.equal(made.status, 201)
  assert.equal(made.body.data.started_at, '2026-03-13T16:00:00.000Z')
  assert.equal((await call('POST', '/sessions', { token: owner, body })).status, 409)
  await call('POST', '/sessions', {
    token: owner,
    body: { id: 'cup', session_type: 'match', player_id: 'mia' },
  })
  const ids = async (query: string) =>
    (await call('GET', `/sessions${query}`, { token: owner })).body.data.map(({ id }: { id: string }) => id)
  assert.deepEqual(await ids(''), ['cup', 'friday'])
  assert.deepEqual(await ids('?session_type=match'), ['cup'])
  assert.deepEqual(await ids('?player_id=leo'), ['friday'])
  assert.deepEqual(await ids('?q=pass'), ['friday'])
  assert.deepEqual(await ids('?to=2026-03-14T00:00:00Z'), ['friday'])
  const changed = await call('PATCH', '/sessions/friday', {
    token: owner,
    body: { title: 'Shots', player_ids: ['mia'], metadata: { field: 2 } },
  })
  assert.deepEqual(
    [changed.body.data.title, changed.body.data.player_id, changed.body.data.duration_minutes],
    ['Shots', 'mia', 90],
  )
  const backwards = { token: owner, body: { ended_at: '2026-03-13T15:00:00Z' } }
  assert.equal((await call('PATCH', '/sessions/friday', backwards)).status, 422)
  assert.equal((await call('DELETE', '/sessions/friday', { token: owner })).status, 200)
  assert.equal((await call('GET', '/sessions/friday', { token: owner })).status, 404)
})

test('a group brings its players, and an unknown one is told', async (t) => {
  const { call, owner } = await setup(t)
  const made = await call('POST', '/sessions', { token: owner, body: { group_id: 'team' } })
  assert.deepEqual(
    made.body.data.participants.map(({ player_id }: { player_id: string }) => player_id),
    ['mia', 'leo'],
  )
  assert.equal((await call('POST', '/sessions', { token: owner, body: { group_id: 'none' } })).status, 404)
  assert.equal((await call('POST', '/sessions', { token: owner, body: { player_id: 'nobody' } })).status, 404)
})

test('a player sees the session and themselves in it, and nobody else', async (t) => {
  const { call, owner, mia, leo, letIn } = await setup(t)
  await call('POST', '/sessions', { token: owner, body: { id: 'both', player_ids: ['mia', 'leo'] } })
  await call('POST', '/sessions', { token: owner, body: { id: 'leos', player_id: 'leo' } })
  const seen = await call('GET', '/sessions/both', { token: mia })
  assert.deepEqual(
    seen.body.data.participants.map(({ player_id }: { player_id: string }) => player_id),
    ['mia'],
  )
  const hidden = await call('GET', '/sessions/leos', { token: mia })
  const missing = await call('GET', '/sessions/none', { token: mia })
  assert.deepEqual([hidden.status, hidden.body.error], [404, missing.body.error])
  assert.equal((await call('GET', '/sessions', { token: mia })).body.pagination.total, 1)
  assert.equal((await call('PATCH', '/sessions/both', { token: mia, body: { title: 'x' } })).status, 403)
  assert.equal((await call('POST', '/sessions', { token: mia, body: { player_id: 'leo' } })).status, 404)
  const own = await call('POST', '/sessions', { token: leo, body: { title: 'Run' } })
  assert.equal(own.body.data.player_id, 'leo')
  const coach = await letIn('coach', 'mia', ['training'])
  assert.equal((await call('GET', '/sessions/both', { token: coach })).status, 200)
  const wellness = await letIn('caregiver', 'mia', ['wellness'])
  assert.equal((await call('GET', '/sessions/both', { token: wellness })).status, 404)
})

test('a player says how hard it was, and the load follows', async (t) => {
  const { call, owner, mia, leo } = await setup(t)
  const body = { id: 'both', player_ids: ['mia', 'leo'], duration_minutes: 90 }
  await call('POST', '/sessions', { token: owner, body })
  const rated = await call('POST', '/sessions/both/rpe', { token: mia, body: { rpe: 6 } })
  assert.deepEqual(
    rated.body.data.participants.map(({ rpe, load }: Record<string, number>) => [rpe, load]),
    [[6, 540]],
  )
  const shorter = { token: mia, body: { rpe: 7, duration_minutes: 60 } }
  assert.equal((await call('POST', '/sessions/both/rpe', shorter)).body.data.participants[0].load, 420)
  assert.equal((await call('POST', '/sessions/both/rpe', { token: mia, body: { rpe: 11 } })).status, 400)
  const forLeo = { token: mia, body: { rpe: 3, player_id: 'leo' } }
  assert.equal((await call('POST', '/sessions/both/rpe', forLeo)).status, 404)
  assert.equal((await call('POST', '/sessions/both/rpe', { token: leo, body: { rpe: 0 } })).status, 200)
})

test('files come in with limits, go out in ranges, and pictures need the media of every player', async (t) => {
  const { call, server, owner, letIn, sessions } = await setup(t, {
    ...{ reserveBytes: 0, fileBytes: 1000, filesInSession: 2 },
  })
  await call('POST', '/sessions', { token: owner, body: { id: 'one', player_id: 'mia' } })
  const http = await server.ready()
  const headers = { host: 'homefield.local', authorization: `Bearer ${owner}` }
  const url = '/api/v1/sessions/one/attachments'
  const send = (bytes: number, type = 'video/mp4') =>
    http.inject({
      method: 'POST',
      url: `${url}?name=..%2Fclip.mp4`,
      headers: { ...headers, 'content-type': type },
      payload: Buffer.alloc(bytes, 7),
    })
  const sent = await send(900)
  assert.equal(sent.statusCode, 201)
  const { id, name, bytes } = sent.json().data
  assert.deepEqual([name, bytes], ['clip.mp4', 900])
  assert.equal((await send(1001)).statusCode, 413)
  assert.equal((await send(10, 'multipart/form-data; boundary=x')).statusCode, 415)
  assert.equal((await send(10, 'text/plain')).statusCode, 201)
  assert.equal((await send(10, 'text/plain')).statusCode, 409)
  const part = await http.inject({ url: `${url}/${id}`, headers: { ...headers, range: 'bytes=100-199' } })
  assert.deepEqual(
    [part.statusCode, part.headers['content-range'], part.rawPayload.length],
    [206, 'bytes 100-199/900', 100],
  )
  assert.equal((await http.inject({ url: `${url}/${id}`, headers })).rawPayload.length, 900)
  const beyond = await http.inject({ url: `${url}/${id}`, headers: { ...headers, range: 'bytes=900-' } })
  assert.equal(beyond.statusCode, 422)
  const coach = await letIn('coach', 'mia', ['training'])
  const listed = await call('GET', '/sessions/one/attachments', { token: coach })
  assert.deepEqual(
    listed.body.data.map(({ media_type }: { media_type: string }) => media_type),
    ['text/plain'],
  )
  assert.equal((await call('GET', `/sessions/one/attachments/${id}`, { token: coach })).status, 404)
  assert.equal((await call('DELETE', `/sessions/one/attachments/${id}`, { token: owner })).status, 200)
  await call('DELETE', '/sessions/one', { token: owner })
  assert.equal(sessions.register.get('one'), null)
})

test('paths are read back as plots: where, how long, how fast, only of players who are open', async (t) => {
  const { call, owner, mia, store, sessions } = await setup(t)
  await call('POST', '/sessions', {
    token: owner,
    body: { id: 'one', player_ids: ['mia', 'leo'], started_at: 1000 },
  })
  const key = sessions.register.get('one')!.key
  const walk = (mps: number) =>
    Array.from({ length: 600 }, (_, at) => ({ slot: 10 + at, x: 1 + (at * mps) / 10, y: 5, speedMps: mps }))
  for (const [track, personId, mps] of [
    [1, 'mia', 1],
    [2, 'leo', 2],
  ] as const)
    await store.write([
      {
        sql: `INSERT INTO session_track (session_key, camera, track, person_key, first_at, last_at, gait)
          SELECT :key, 'yard', :track, key, 1000, 61000, '{}' FROM person WHERE id = :personId`,
        params: { key, track, personId },
      },
      ...planPath({ sessionKey: key, camera: 'yard', track }, walk(mps)).writes,
    ])
  const tracks = (await call('GET', '/sessions/one/tracks?points=100', { token: owner })).body.data.tracks
  assert.deepEqual(
    tracks.map(({ player_id, x }: { player_id: string; x: number[] }) => [player_id, x.length, x[0], x[99]]),
    [
      ['mia', 100, 1, 60.4],
      ['leo', 100, 1, 119.8],
    ],
  )
  const mine = (await call('GET', '/sessions/one/tracks', { token: mia })).body.data.tracks
  assert.deepEqual(
    mine.map(({ player_id }: { player_id: string }) => player_id),
    ['mia'],
  )
  const heat = (await call('GET', '/sessions/one/heatmap?cell_m=10&player_id=mia', { token: mia })).body.data
  assert.deepEqual([heat.columns, heat.rows, heat.seconds], [7, 1, [9, 10, 10, 10, 10, 10, 1]])
  const speed = (await call('GET', '/sessions/one/speed?player_id=leo&points=60', { token: owner })).body.data
  assert.deepEqual([speed.max.length, speed.max[0], speed.mean[59], speed.t_ms[1]], [60, 2, 2, 1000])
  assert.equal((await call('GET', '/sessions/one/speed?player_id=leo', { token: mia })).status, 404)
  const timeline = (await call('GET', '/sessions/one/timeline', { token: mia })).body.data
  assert.equal(timeline.tracks.length, 1)
  const compared = (await call('GET', '/sessions/one/compare', { token: mia })).body.data.players
  assert.deepEqual(
    compared.map(({ player_id }: { player_id: string }) => player_id),
    ['mia'],
  )
})

test('moments are marked and taken away while looking back, by whoever sees the whole session', async (t) => {
  const { call, owner, letIn } = await setup(t)
  const body = { id: 'friday', player_ids: ['mia'], started_at: FRIDAY, ended_at: '2026-03-13T17:00:00Z' }
  await call('POST', '/sessions', { token: owner, body })
  const coach = await letIn('coach', 'mia', ['training'])
  const other = await letIn('coach', 'leo', ['training'])
  const tag = (wish: object, token = owner) => call('POST', '/sessions/friday/tags', { token, body: wish })
  const made = await tag({ label: 'Goal', ts: '2026-03-13T16:10:00Z', player_id: 'mia' }, coach)
  assert.deepEqual([made.status, made.body.data.player_id], [201, 'mia'])
  assert.equal((await tag({ label: 'Late', ts: '2026-03-13T17:00:01Z' })).status, 400)
  assert.equal((await tag({ label: 'Who', ts: '2026-03-13T16:10:00Z', player_id: 'leo' })).status, 404)
  assert.equal((await tag({ label: 'Mine', ts: '2026-03-13T16:10:00Z' }, other)).status, 404)
  const own = (await tag({ label: 'Look', ts: '2026-03-13T16:20:00Z' })).body.data.id
  const away = (id: string, token = owner) => call('DELETE', `/sessions/friday/tags/${id}`, { token })
  assert.equal((await away(own, coach)).status, 403)
  assert.equal((await away(own)).status, 200)
  assert.equal((await away(own)).status, 404)
  assert.equal((await away(made.body.data.id, coach)).status, 200)
  assert.deepEqual((await call('GET', '/sessions/friday/timeline', { token: owner })).body.data.tags, [])
})
