import assert from 'node:assert/strict'
import { createECDH } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createPushPost, isPublicAddress, PUSH_ENDPOINT } from '../../../daemon/features/alerts/push-post.ts'
import { createSealing } from '../../../daemon/kernel/sealing.ts'
import { type Answer, opened, PUSH_HOST, pushService } from '../../fakes/push-service.ts'
import { family, MINUTE, open } from './setup.ts'

const SECRET = Buffer.alloc(32, 7)
const CONTACT = 'mailto:homefield@example.org'

async function setup(t: TestContext, answers: Answer[] = []) {
  const service = await pushService(t, answers)
  const post = createPushPost({
    ...{ now: Date.now, ca: service.ca, port: service.port },
    lookup: async () => ['127.0.0.1'],
    isPublic: () => true,
  })
  const push = { sealing: createSealing(SECRET, 'web push'), post, contact: CONTACT }
  const home = await family(t, { voices: { push } })
  const { call, owner, mama } = home
  const turn = async (body: object) => call('PUT', '/alerts/push', { token: await home.again(), body })
  const subscribe = (name: string, token: string = mama.access_token) =>
    call('POST', '/alerts/push/subscriptions', { token, body: { ...service.subscribe(name), name } })
  const byPush = async (id: string) =>
    (await home.alert(id)).deliveries.filter(({ channel }: { channel: string }) => channel === 'push')
  return { ...home, ...service, owner, turn, subscribeAs: subscribe, byPush, push }
}

test('the test’s own reading of encrypted messages agrees with the example of RFC 8291', () => {
  const keys = createECDH('prime256v1')
  keys.setPrivateKey(Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'))
  const auth = Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url')
  const body =
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN'
  assert.equal(
    opened(Buffer.from(body, 'base64url'), { keys, auth }),
    'When I grow up, I want to be a watermelon',
  )
})

test('it is off until the owner switches it on, and nobody else can', async (t) => {
  const { call, mama, turn, subscribeAs, raise, pushed } = await setup(t)
  const token = mama.access_token
  const before = (await call('GET', '/alerts/push', { token })).body.data
  assert.deepEqual([before.enabled, before.public_key], [false, null])
  assert.equal((await subscribeAs('phone')).status, 409)
  assert.equal((await call('PUT', '/alerts/push', { token, body: { enabled: true } })).status, 403)
  const { public_key: key } = (await turn({ enabled: true })).body.data
  assert.equal(Buffer.from(key, 'base64url').length, 65)
  assert.equal((await subscribeAs('phone')).status, 201)
  await turn({ enabled: false })
  await raise()
  assert.equal(pushed.length, 0)
  assert.equal((await turn({ enabled: true })).body.data.public_key, key, 'the key is made once')
})

test('a closed phone gets an encrypted word that names the person and nothing of what was measured', async (t) => {
  const { turn, subscribeAs, raise, pushed, wrong, byPush } = await setup(t)
  const key = (await turn({ enabled: true })).body.data.public_key
  await subscribeAs('phone')
  const id = await raise('urgent', 'Too fast')
  assert.deepEqual(wrong, [])
  const [told] = pushed
  assert.deepEqual(told!.shown, {
    ...{ type: 'alert', id, telling: '0-1', kind: 'urgent' },
    ...{ title: 'mia', body: 'Urgent: look at the app' },
  })
  assert.deepEqual([told!.ttlS, told!.urgency, told!.publicKey], [3600, 'high', key])
  assert.deepEqual([told!.claims.aud, told!.claims.sub], [`https://${PUSH_HOST}`, CONTACT])
  assert.ok(told!.claims.exp * 1000 < Date.now() + 86_400_000)
  assert.match(told!.topic, /^[A-Za-z0-9_-]{32}$/)
  const [delivery] = await byPush(id)
  assert.deepEqual([delivery.state, delivery.attempts, delivery.step], ['sent', 1, 1])
})

test('a warning may wait half a day for the phone, and texts of any length look alike', async (t) => {
  const { turn, subscribeAs, raise, pushed } = await setup(t)
  await turn({ enabled: true, has_words: true })
  await subscribeAs('phone')
  await raise('warning', 'A')
  await raise('warning', 'Heart beats faster than usual')
  assert.deepEqual([pushed[0]!.ttlS, pushed[0]!.urgency], [43_200, 'normal'])
  assert.deepEqual([pushed[0]!.shown.title, pushed[0]!.shown.body], ['mia: A', '142 bpm'])
  assert.equal(pushed[0]!.bytes, pushed[1]!.bytes)
  assert.notEqual(pushed[0]!.topic, pushed[1]!.topic)
})

test('a phone that shows an alert is told who takes care of it, once and in its place', async (t) => {
  const { turn, subscribeAs, raise, pushed, arrived, call, papa, settle, accounts } = await setup(t)
  await turn({ enabled: true })
  await subscribeAs('phone')
  const id = await raise()
  const token = papa.access_token
  for (const word of ['acknowledge', 'seen'])
    assert.equal((await call('POST', `/alerts/${id}/${word}`, { token, body: {} })).status, 200)
  await arrived(2)
  assert.equal((await call('POST', `/alerts/${id}/seen`, { token, body: {} })).status, 200)
  await settle()
  assert.equal(pushed.length, 2)
  const { type, body } = pushed[1]!.shown
  assert.deepEqual(
    [type, body],
    ['over', `${accounts.users().find(({ id: one }) => one === papa.user.id)!.name} takes care of it`],
  )
  assert.equal(pushed[1]!.topic, pushed[0]!.topic)
  assert.equal(pushed[1]!.urgency, 'low')
})

test('a browser that is gone is forgotten, and its delivery is not tried again', async (t) => {
  for (const status of [404, 410]) {
    const { turn, subscribeAs, raise, pass, pushed, byPush, call, mama } = await setup(t, [{ status }])
    await turn({ enabled: true })
    await subscribeAs('old')
    const id = await raise()
    await pass(MINUTE)
    assert.equal(pushed.length, 1)
    const [delivery] = await byPush(id)
    assert.deepEqual([delivery.state, delivery.attempts], ['failed', 1])
    const token = (await call('POST', '/auth/refresh', { body: { refresh_token: mama.refresh_token } })).body
      .data.access_token
    assert.deepEqual((await call('GET', '/alerts/push', { token })).body.data.subscriptions, [])
  }
})

test('a service that is busy is asked again, and not before the time that it names', async (t) => {
  const { turn, subscribeAs, raise, pass, pushed, byPush } = await setup(t, [
    { status: 429, headers: { 'retry-after': '60' } },
    { status: 503 },
  ])
  await turn({ enabled: true })
  await subscribeAs('phone')
  const id = await raise()
  await pass(55_000)
  assert.equal(pushed.length, 1, 'a minute is not over')
  const [waiting] = await byPush(id)
  assert.deepEqual([waiting.state, waiting.failure], ['waiting', 'the push service answered 429'])
  await pass(6_000)
  assert.equal(pushed.length, 2)
  await pass(16_000)
  const [told] = await byPush(id)
  assert.deepEqual([told.state, told.attempts, told.failure], ['sent', 3, null])
})

test('what the service refuses as wrong is not sent again in that round', async (t) => {
  const { turn, subscribeAs, raise, pass, pushed, byPush } = await setup(t, [{ status: 403 }])
  await turn({ enabled: true })
  await subscribeAs('phone')
  const id = await raise()
  await pass(30_000)
  assert.equal(pushed.length, 1)
  assert.equal((await byPush(id))[0].state, 'failed')
})

test('a phone that was signed out is told nothing, and one that is unsubscribed neither', async (t) => {
  const { turn, subscribeAs, raise, pushed, call, mama, accounts } = await setup(t)
  await turn({ enabled: true })
  const body = (await subscribeAs('one')).body.data
  const path = `/alerts/push/subscriptions/${body.subscriptions[0].id}`
  assert.equal((await call('DELETE', path, { token: mama.access_token })).status, 200)
  assert.equal((await call('DELETE', path, { token: mama.access_token })).status, 404)
  await raise()
  await subscribeAs('two')
  for (const { signIn, user } of accounts.paired())
    if (user.id === mama.user.id) await accounts.revokeSignIn(signIn.id)
  await raise()
  assert.equal(pushed.length, 0)
})

test('one browser again is one subscription, whoever signs in on it, and there are ten a user at most', async (t) => {
  const { turn, subscribe, subscribeAs, call, mama, papa } = await setup(t)
  await turn({ enabled: true })
  const same = subscribe('shared')
  const add = (token: string) => call('POST', '/alerts/push/subscriptions', { token, body: same })
  await add(mama.access_token)
  assert.equal((await add(mama.access_token)).body.data.subscriptions.length, 1)
  assert.equal((await add(papa.access_token)).body.data.subscriptions.length, 1)
  assert.deepEqual(
    (await call('GET', '/alerts/push', { token: mama.access_token })).body.data.subscriptions,
    [],
  )
  for (let number = 0; number < 10; number += 1) assert.equal((await subscribeAs(`p${number}`)).status, 201)
  const more = await subscribeAs('p10')
  assert.deepEqual([more.status, more.body.error.code], [409, 'CONFLICT'])
  assert.equal((await subscribeAs('p3')).status, 201, 'one that is there already may come again')
})

test('keys and addresses are sealed: the database alone says neither', async (t) => {
  const { turn, subscribe, call, mama, store } = await setup(t)
  await turn({ enabled: true })
  const told = subscribe('hidden-place')
  await call('POST', '/alerts/push/subscriptions', { token: mama.access_token, body: told })
  const rows = [
    ...store.all<Record<string, unknown>>('SELECT * FROM push_subscription'),
    ...store.all<Record<string, unknown>>('SELECT * FROM push_setting'),
  ]
  const kept = rows.flatMap((row) =>
    Object.values(row).map((one) =>
      one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : String(one),
    ),
  )
  for (const secret of ['hidden-place', told.keys.auth, told.keys.p256dh])
    assert.ok(!kept.some((one) => one.includes(secret)))
  assert.equal(rows.length, 2)
})

test('a hub that cannot open the key of another hub makes its own, and forgets browsers that trusted the other', async (t) => {
  const { turn, subscribeAs, folder, clock, store, push } = await setup(t)
  const key = (await turn({ enabled: true })).body.data.public_key
  await subscribeAs('phone')
  await store.close()
  const other = { ...push, sealing: createSealing(Buffer.alloc(32, 8), 'web push') }
  const home = await open(t, { folder, clock, voices: { push: other } })
  const token = await home.again()
  assert.equal((await home.call('GET', '/alerts/push', { token })).body.data.enabled, false)
  const { body } = await home.call('PUT', '/alerts/push', { token, body: { enabled: true } })
  assert.notEqual(body.data.public_key, key)
  assert.equal(home.store.get('SELECT 1 FROM push_subscription'), undefined)
})

test('only services of browsers’ makers are addresses, over https and by name', () => {
  const endpoint = new RegExp(PUSH_ENDPOINT)
  for (const good of [
    'https://fcm.googleapis.com/fcm/send/abc:DEF-1',
    'https://updates.push.services.mozilla.com/wpush/v2/gAAAA',
    'https://wns2-par02p.notify.windows.com/w/?token=BQY%3d',
    'https://web.push.apple.com/QGuQyavXutnMH',
  ])
    assert.match(good, endpoint)
  for (const bad of [
    'http://fcm.googleapis.com/fcm/send/abc',
    'https://fcm.googleapis.com.evil.test/fcm/send/abc',
    'https://evilfcm.googleapis.com/x',
    'https://fcm.googleapis.com@192.168.1.1/x',
    'https://fcm.googleapis.com:8443/x',
    'https://192.168.1.1/x',
    'https://push.apple.com.local/x',
    'https://notpush.apple.com/x',
    'https://fcm.googleapis.com/',
    `https://fcm.googleapis.com/${'x'.repeat(1001)}`,
    'https://fcm.googleapis.com/a b',
  ])
    assert.doesNotMatch(bad, endpoint)
})

test('a key that is no point of the curve is refused at once', async (t) => {
  const { turn, subscribe, call, mama } = await setup(t)
  await turn({ enabled: true })
  const { endpoint, keys } = subscribe('phone')
  const p256dh = Buffer.alloc(65, 4).toString('base64url')
  const body = { endpoint, keys: { ...keys, p256dh } }
  assert.equal(
    (await call('POST', '/alerts/push/subscriptions', { token: mama.access_token, body })).status,
    400,
  )
})

test('a name that resolves into the house, or to this box, is not connected to', async (t) => {
  const { port, ca, pushed, wrong } = await pushService(t)
  const message = { endpoint: `https://${PUSH_HOST}/fcm/send/x`, headers: {}, body: Buffer.from('x') }
  for (const address of ['127.0.0.1', '192.168.1.4', '::1', 'fe80::1', '::ffff:127.0.0.1']) {
    const post = createPushPost({ now: Date.now, ca, port, lookup: async () => [address] })
    await assert.rejects(post(message), /no public address/)
  }
  const outside = createPushPost({
    now: Date.now,
    ca,
    port,
    lookup: async () => ['127.0.0.1'],
    isPublic: () => true,
  })
  await assert.rejects(outside({ ...message, endpoint: 'https://192.168.1.4/x' }), /no push service/)
  assert.deepEqual([pushed, wrong], [[], []])
})

test('another’s certificate is not the service', async (t) => {
  const { port } = await pushService(t)
  const post = createPushPost({
    now: Date.now,
    port,
    lookup: async () => ['127.0.0.1'],
    isPublic: () => true,
  })
  const message = { endpoint: `https://${PUSH_HOST}/fcm/send/x`, headers: {}, body: Buffer.from('x') }
  await assert.rejects(post(message), /not reached/)
})

test('addresses of houses, carriers and tunnels are not public', () => {
  for (const inside of [
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '0.0.0.0',
  ])
    assert.equal(isPublicAddress(inside), false, inside)
  for (const inside of [
    '::',
    'fc00::1',
    'ff02::1',
    '2002:c0a8:101::1',
    '2001::1',
    '64:ff9b::a00:1',
    'nonsense',
  ])
    assert.equal(isPublicAddress(inside), false, inside)
  for (const outside of ['142.250.1.1', '2a00:1450:4001::1', '2620:149:a44::1'])
    assert.equal(isPublicAddress(outside), true, outside)
})
