import assert from 'node:assert/strict'
import { test } from 'node:test'
import { family, MINUTE, open } from './setup.ts'

test('a restart between any two steps loses nothing and tells nobody twice', async (t) => {
  const { folder, clock, raise, close, phone, mama, papa } = await family(t)
  const first = phone(mama.user.id)
  const id = await raise()
  await close()
  const rang = { hers: first.rang().length, his: 0, watch: 0 }
  for (let minute = 0; minute < 5; minute += 1) {
    const home = await open(t, { folder, clock })
    const [hers, his] = [home.phone(mama.user.id), home.phone(papa.user.id)]
    await home.connect('watch-papa')
    await home.pass(MINUTE)
    rang.hers += hers.rang().length
    rang.his += his.rang().length
    rang.watch += home.rangOn('watch-papa').length
    await home.close()
  }
  assert.deepEqual(rang, { hers: 1, his: 1, watch: 1 })
  const home = await open(t, { folder, clock })
  const { body } = await home.call('GET', `/alerts/${id}`, { token: await home.again() })
  assert.deepEqual([body.data.state, body.data.step], ['open', 3])
})

test('a hub that stopped between claim and confirmation rings again with the same id, step and round', async (t) => {
  let stuck = () => {}
  const waiting = new Promise<void>((resolve) => {
    stuck = resolve
  })
  const never = new Promise<void>(() => {})
  const { folder, clock, raise, close, pass, connect } = await family(t, {
    onPublish(topic) {
      if (topic !== 'hf/watch-papa/cmd') return Promise.resolve()
      stuck()
      return never
    },
  })
  const id = await raise()
  await connect('watch-papa')
  void pass(2 * MINUTE)
  await waiting
  await close()
  const home = await open(t, { folder, clock })
  await home.connect('watch-papa')
  await home.settle()
  const rings = home.rangOn('watch-papa').map(({ message }) => [message.id, message.step, message.round])
  assert.deepEqual(rings, [[id, 2, 0]])
  await home.pass(MINUTE)
  assert.equal(home.rangOn('watch-papa').length, 1)
})

test('a phone that slept for two hours gets everything once and in order', async (t) => {
  const { raise, pass, call, mama, phone } = await family(t)
  const first = await raise('warning', 'one')
  phone(mama.user.id)
  for (const title of ['two', 'three', 'four']) {
    await pass(40 * MINUTE)
    await raise('warning', title)
  }
  const awake = await call('POST', '/auth/refresh', { body: { refresh_token: mama.refresh_token } })
  const token = awake.body.data.access_token as string
  const since = async (cursor: string) => (await call('GET', `/alerts?since=${cursor}`, { token })).body.data
  const missed = await since(first)
  assert.deepEqual(
    missed.map(({ title }: { title: string }) => title),
    ['two', 'three', 'four'],
  )
  assert.deepEqual(await since(missed.at(-1).id), [])
})

test('two children and three carers: each hears of the own child only, in the list, live and by id', async (t) => {
  const { call, owner, mama, papa, letIn, alarms, settle, phone } = await family(t)
  const nanny = await letIn(owner, { role: 'caregiver', person_id: 'leo' })
  const both = { user_id: mama.user.id, person_id: 'leo', class: 'wellness', action: 'read' }
  await call('POST', '/privacy/consents', { token: owner, body: both })
  const carers = { mama, papa, nanny }
  const phones = Object.values(carers).map(({ user }) => phone(user.id))
  const ids: Record<string, string> = {}
  for (const personId of ['mia', 'leo']) {
    const draft = {
      personId,
      kind: 'warning',
      class: 'wellness',
      title: personId,
      message: '',
      source: 'x',
    } as const
    ids[personId] = (await alarms.alerts.raise(draft)).id
    await settle()
  }
  const seen = await Promise.all(
    Object.values(carers).map(async ({ access_token: token }) => {
      const list = (await call('GET', '/alerts', { token })).body.data.map(
        ({ title }: { title: string }) => title,
      )
      const byId = await Promise.all(
        ['mia', 'leo'].map(async (one) => (await call('GET', `/alerts/${ids[one]}`, { token })).status),
      )
      return [list.sort(), byId]
    }),
  )
  assert.deepEqual(seen, [
    [
      ['leo', 'mia'],
      [200, 200],
    ],
    [['mia'], [200, 404]],
    [['leo'], [404, 200]],
  ])
  const answered = []
  for (const { access_token: token } of Object.values(carers))
    for (const one of ['mia', 'leo'])
      answered.push((await call('POST', `/alerts/${ids[one]}/acknowledge`, { token })).status)
  assert.deepEqual(answered, [200, 200, 200, 404, 404, 200], 'who may not see it does not answer it')
  assert.deepEqual(
    phones.map((one) => [...new Set(one.heard())].sort()),
    [['leo', 'mia'], ['mia'], ['leo']],
  )
})
