import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { family, MINUTE } from './setup.ts'

async function setup(t: TestContext) {
  const home = await family(t)
  const plan = home.devices.plan({ name: 'Kitchen', type: 'wall', serves: ['mia'] })
  await home.store.write(plan.writes)
  plan.committed()
  const { id: wallId, apiKey: key } = plan.result
  const board = (query = '') => home.call('GET', `/wall${query}`, { key })
  const onWall = async (id: string) =>
    (await home.alert(id)).deliveries.find(({ channel }: { channel: string }) => channel === 'wall')
  return { ...home, wallId, key, board, onWall }
}

test('a wall sees first names and how alerts stand, of whom it was given, and nothing that was measured', async (t) => {
  const { owner, board, raise, alarms, settle, call, papa, accounts } = await setup(t)
  await call('PATCH', '/people/mia', { token: owner, body: { name: 'Mia Sophie Berg' } })
  const id = await raise('urgent', 'Too fast')
  const about = {
    ...{ personId: 'leo', kind: 'urgent', class: 'wellness' },
    title: 'Fell',
    message: '',
    source: 'test-rule',
  }
  await alarms.alerts.raise(about as Parameters<typeof alarms.alerts.raise>[0])
  await settle()
  const { status, body } = await board()
  const text = JSON.stringify(body.data)
  assert.equal(status, 200)
  assert.deepEqual(body.data.people, [{ name: 'Mia', state: 'urgent' }])
  assert.deepEqual(
    body.data.alerts.map((one: Record<string, unknown>) => [
      one['id'],
      one['name'],
      one['kind'],
      one['state'],
    ]),
    [[id, 'Mia', 'urgent', 'open']],
  )
  for (const secret of ['Sophie', 'Too fast', '142', 'bpm', 'leo', 'Fell', '"mia"'])
    assert.ok(!text.includes(secret), `${secret} in ${text}`)
  await call('POST', `/alerts/${id}/acknowledge`, { token: papa.access_token })
  const after = (await board()).body.data
  assert.deepEqual(after.people, [{ name: 'Mia', state: 'looked_after' }])
  const name = accounts.users().find(({ id: one }) => one === papa.user.id)!.name
  assert.equal(after.alerts[0].answered_by, name.split(' ')[0])
})

test('a wall that waits is answered when an alert is raised; what it shows counts as seen', async (t) => {
  const { board, raise, onWall, call, key, clock } = await setup(t)
  const { revision } = (await board()).body.data
  const asked = board(`?wait=25&revision=${revision}`)
  const id = await raise()
  const { alerts } = (await asked).body.data
  assert.deepEqual([alerts.length, alerts[0].id], [1, id])
  assert.equal((await onWall(id)).state, 'sent')
  assert.equal((await call('POST', '/wall/shown', { key, body: { alerts: [id, 'nothing'] } })).status, 200)
  const { state, seen_at: seenAt } = await onWall(id)
  assert.deepEqual([state, seenAt], ['seen', new Date(clock.now()).toISOString()])
})

test('a wall that was away is told when it looks again, once', async (t) => {
  const { board, raise, onWall, pass, alert, settle } = await setup(t)
  const id = await raise()
  assert.equal((await onWall(id)).state, 'waiting')
  await pass(2000)
  await board()
  await settle()
  assert.equal((await onWall(id)).state, 'sent')
  await board()
  const walls = (await alert(id)).deliveries.filter(({ channel }: { channel: string }) => channel === 'wall')
  assert.equal(walls.length, 1)
})

test('nothing new is an answer too, when the time to wait is over', async (t) => {
  const { board, clock } = await setup(t)
  const { revision } = (await board()).body.data
  const asked = board(`?wait=25&revision=${revision}`)
  // The question is on its way to the hub, so time moves until it has come.
  let isAnswered = false
  void asked.finally(() => {
    isAnswered = true
  })
  while (!isAnswered) {
    clock.advance(1000)
    await new Promise(setImmediate)
  }
  const { status, body } = await asked
  assert.deepEqual([status, body.data.revision], [200, revision])
})

test('only its own key opens it, and a key that was taken away does not', async (t) => {
  const { call, key, board, devices, wallId, owner, store } = await setup(t)
  for (const type of ['watch', 'integration'] as const) {
    const plan = devices.plan({ name: 'Other', type, personId: 'mia' })
    await store.write(plan.writes)
    plan.committed()
    assert.equal((await call('GET', '/wall', { key: plan.result.apiKey })).status, 403)
  }
  assert.equal((await call('GET', '/wall', { token: owner })).status, 403)
  assert.equal((await call('GET', '/alerts', { key })).status, 403)
  assert.equal((await call('GET', '/people', { key })).status, 403)
  await devices.revoke(wallId)
  assert.equal((await board()).status, 401)
})

test('a wall whose key is taken away while it waits hears no name any more', async (t) => {
  const { board, devices, wallId, alarms } = await setup(t)
  const { revision } = (await board()).body.data
  const asked = board(`?wait=25&revision=${revision}`)
  await devices.revoke(wallId)
  alarms.alerts.boardsChanged()
  assert.equal((await asked).status, 401)
})

test('the meter counts a wall that looks, until it has not asked for a while', async (t) => {
  const { call, again, board, pass } = await setup(t)
  const hears = async () => {
    const { data } = (await call('GET', '/alerts/reach', { token: await again() })).body
    const mia = data.find(({ person_id: id }: { person_id: string }) => id === 'mia')
    const house = mia.recipients.find((one: Record<string, unknown>) => !one['user_id'] && !one['person_id'])
    return house.channels.find(({ channel }: { channel: string }) => channel === 'wall').would_hear
  }
  assert.equal(await hears(), false)
  await board()
  assert.equal(await hears(), true)
  await pass(MINUTE)
  assert.equal(await hears(), false)
})
