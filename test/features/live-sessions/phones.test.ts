/** Phones of players that film for a running session: asked for, taken, sent away, and gone with the session. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { pictureOf, setup } from './setup.ts'

type Hub = Awaited<ReturnType<typeof setup>>

/** A session of Mia and Leo that an owner runs, Leo and a mother of Mia beside her. */
async function game(t: TestContext, body: object = {}, options: Parameters<typeof setup>[1] = {}) {
  const hub = await setup(t, options)
  await hub.call('POST', '/live/start', {
    token: hub.owner,
    body: { session_id: 'game', camera_ids: ['yard'], player_ids: ['mia', 'leo'], ...body },
  })
  const enter = async (terms: Parameters<Hub['letIn']>[1]) => {
    const { access_token: token, user } = await hub.letIn(hub.owner, terms)
    return { token, id: user.id }
  }
  const mia = await enter({ role: 'member', person_id: 'mia' })
  const leo = await enter({ role: 'member', person_id: 'leo' })
  const ask = (who: { token: string }, again = false) =>
    hub.call('POST', '/live/game/phones', { token: who.token, body: again ? { again } : {} })
  const take = (id: string, token = hub.owner) =>
    hub.call('POST', `/live/game/phones/${id}/accept`, { token })
  const refuse = (id: string, token = hub.owner) => hub.call('DELETE', `/live/game/phones/${id}`, { token })
  const metrics = async (token = hub.owner) =>
    (await hub.call('GET', '/live/game/status', { token })).body.data.metrics
  return { ...hub, mia, leo, enter, ask, take, refuse, metrics }
}

const codeOf = ({ status, body }: Awaited<ReturnType<Hub['call']>>) => [status, body.error?.code]

test('a player’s phone asks, the coach takes it, and what it sees counts for the session', async (t) => {
  const hub = await game(t)
  const { mia, ask, take, metrics } = hub
  const asked = await ask(mia)
  assert.deepEqual([asked.status, asked.body.data.state, asked.body.data.user_id], [200, 'waiting', mia.id])
  hub.clock.advance(600)
  const told = hub.told.findLast(({ to }) => to === 'session:game')?.data
  assert.deepEqual(told.phones, [asked.body.data])
  assert.deepEqual((await metrics(mia.token)).phones, [], 'players hear of no phone but their own')
  assert.equal((await take(mia.id)).body.data.state, 'taken')
  const { state, camera_id: cameraId } = (await ask(mia)).body.data
  assert.equal(state, 'taken')
  hub.clock.advance(100)
  hub.show(pictureOf(cameraId, hub.clock.now(), [{ trackId: 7, x: 5, y: 5 }]))
  const { cameras, tracks } = await metrics()
  assert.deepEqual(
    cameras.map((camera: { camera_id: string }) => camera.camera_id),
    ['yard', cameraId],
  )
  assert.deepEqual([tracks[0].camera_id, tracks[0].track_id], [cameraId, 7])
})

test('who may write the training of nobody in the session films nothing, and who sees nothing of it hears of none', async (t) => {
  const { enter, ask, mia, leo, take, refuse } = await game(t)
  const reader = await enter({ role: 'coach', person_id: 'mia', classes: ['training'] })
  const stranger = await enter({ role: 'caregiver', person_id: 'mia', classes: ['wellness'] })
  assert.deepEqual(codeOf(await ask(reader)), [403, 'FORBIDDEN'])
  assert.deepEqual(codeOf(await ask(stranger)), [404, 'NOT_FOUND'])
  await ask(mia)
  for (const other of [leo, reader]) {
    assert.equal((await take(mia.id, other.token)).body.success, false)
    assert.equal((await refuse(mia.id, other.token)).body.success, false)
  }
  assert.deepEqual(codeOf(await take(leo.id)), [404, 'NOT_FOUND'], 'whoever did not ask is not taken')
  assert.equal((await ask(mia)).body.data.state, 'waiting')
  const mother = await enter({ role: 'caregiver', person_id: 'mia', classes: ['training'] })
  assert.equal((await ask(mother)).body.data.state, 'waiting')
})

test('two players film beside each other, and one who is sent away asks anew only when they say so', async (t) => {
  const { ask, mia, leo, take, refuse, metrics, cameras } = await game(t)
  for (const player of [mia, leo]) {
    await ask(player)
    assert.equal((await take(player.id)).status, 200)
  }
  assert.equal((await metrics()).cameras.length, 3)
  assert.equal((await refuse(mia.id)).status, 200)
  assert.equal((await ask(mia)).body.data.state, 'refused')
  const { cameras: left, phones } = await metrics()
  assert.deepEqual([left.length, phones.length, phones[0].user_id], [2, 1, leo.id])
  assert.deepEqual(
    [cameras.get(`phone-${mia.id}`)?.lentTo, cameras.get(`phone-${leo.id}`)?.lentTo],
    [null, 'game'],
  )
  assert.equal((await ask(mia, true)).body.data.state, 'waiting')
  assert.equal((await refuse(leo.id, leo.token)).status, 200)
  assert.equal((await ask(leo)).body.data.state, 'waiting', 'who stopped by themselves was not sent away')
})

test('with the end of the session its phones are cameras no more, also when the hub was off in between', async (t) => {
  const hub = await game(t)
  const { ask, mia, take, cameras, clock, folder } = hub
  await ask(mia)
  await take(mia.id)
  const id = `phone-${mia.id}`
  await hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } })
  assert.deepEqual([cameras.get(id)?.lentTo, cameras.get(id)?.enabled], [null, false])
  assert.equal((await ask(mia)).status, 404)
  await hub.close()
  const lent = { ...cameras.get(id)!, lentTo: 'a session that is over', enabled: true }
  const again = await setup(t, { clock, folder, cameras: [lent] })
  assert.deepEqual([again.cameras.get(id)?.lentTo, again.cameras.get(id)?.enabled], [null, false])
})

test('a page that was closed is forgotten after twenty seconds', async (t) => {
  const { ask, mia, take, clock, metrics } = await game(t)
  await ask(mia)
  clock.advance(21_000)
  assert.deepEqual((await metrics()).phones, [])
  assert.deepEqual(codeOf(await take(mia.id)), [404, 'NOT_FOUND'])
})

test('one more phone before minors who are recorded is taken by an owner alone', async (t) => {
  const hub = await game(t, { player_ids: ['mia'], record: true, record_minors: true }, { age: 11 })
  const { ask, mia, take, metrics } = hub
  const { access_token: coach } = await hub.letIn(hub.owner, {
    ...{ role: 'coach', person_id: 'mia', classes: ['training', 'media'] },
  })
  await ask(mia)
  assert.deepEqual(codeOf(await take(mia.id, coach)), [403, 'FORBIDDEN'])
  assert.equal((await metrics()).cameras.length, 1)
  assert.equal((await take(mia.id)).status, 200)
  const [, phone] = (await metrics()).cameras
  assert.deepEqual([phone.recording, phone.recording_reason], ['waiting', 'camera_away'])
})

test('who takes back a phone while the coach takes it gets it back, and a second tap changes nothing', async (t) => {
  const { mia, leo, ask, take, refuse, metrics, cameras } = await game(t)
  await ask(mia)
  await Promise.all([take(mia.id), refuse(mia.id, mia.token)])
  assert.deepEqual((await metrics()).cameras.length, 1)
  assert.equal(cameras.get(`phone-${mia.id}`)?.lentTo ?? null, null)
  await ask(leo)
  const taps = await Promise.all([take(leo.id), take(leo.id)])
  assert.deepEqual(
    taps.map(({ body }) => body.data.state),
    ['taken', 'taken'],
  )
})

test('a phone that is taken while the session ends is lent no longer', async (t) => {
  const hub = await game(t)
  await hub.ask(hub.mia)
  await Promise.all([
    hub.take(hub.mia.id),
    hub.call('POST', '/live/stop', { token: hub.owner, body: { session_id: 'game' } }),
  ])
  assert.equal(hub.cameras.get(`phone-${hub.mia.id}`)?.lentTo ?? null, null)
})
