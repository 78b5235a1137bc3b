import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PAIRING_TRIES, PAIRING_WINDOW_MS } from '../../../daemon/domain/pairing.ts'
import { OWNER, openHousehold, temporaryFolder } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const owner = await home.claimed()
  await home.people.add({ id: 'mia', name: 'Mia', age: 9 })
  const generate = (body: object = {}, token = owner) =>
    home.call('POST', '/pairing/generate', {
      token,
      body: { role: 'caregiver', person_id: 'mia', device_type: 'phone', ...body },
    })
  const connect = (body: object) =>
    home.call('POST', '/pairing/connect', {
      body: { device_name: 'Ben’s phone', device_type: 'phone', ...body },
    })
  const decide = (id: string, verb: 'approve' | 'deny', token = owner) =>
    home.call('POST', `/pairing/requests/${id}/${verb}`, { token })
  const poll = (id: string, token: string) => home.call('GET', `/pairing/requests/${id}`, { token })
  return { ...home, owner, generate, connect, decide, poll }
}

test('a phone joins: code, same words on both screens, a yes, tokens once', async (t) => {
  const { generate, connect, decide, poll, call, owner, events } = await setup(t)
  const offer = await generate()
  assert.equal(offer.status, 201)
  const asked = await connect({ code: offer.body.data.code })
  assert.equal(asked.status, 202)
  const { id, poll_token, words } = asked.body.data
  const [waiting] = (await call('GET', '/pairing/requests', { token: owner })).body.data
  assert.deepEqual(
    [waiting.id, waiting.words, waiting.role, waiting.device_name, waiting.status],
    [id, words, 'caregiver', 'Ben’s phone', 'waiting'],
  )
  assert.deepEqual((await poll(id, poll_token)).body.data, { id, status: 'waiting', words })
  assert.equal((await decide(id, 'approve')).body.data.status, 'approved')
  const { tokens, status } = (await poll(id, poll_token)).body.data
  assert.deepEqual([status, tokens.user.role], ['approved', 'caregiver'])
  const me = (await call('GET', '/auth/me', { token: tokens.access_token })).body.data
  assert.deepEqual(me.grants, [{ person_id: 'mia', class: 'wellness', action: 'write', expires_at: null }])
  assert.deepEqual((await poll(id, poll_token)).body.data, { id, status: 'approved', words }, 'secrets once')
  assert.deepEqual(
    events.map(({ type }) => type),
    ['pairing_request', 'pairing_success'],
  )
  assert.deepEqual(events[0]?.data, waiting)
})

test('a watch joins as a device of the person the code was made for', async (t) => {
  const { generate, connect, decide, poll, devices, clock } = await setup(t)
  const { token } = (await generate({ role: 'device', device_type: 'watch' })).body.data
  const { id, poll_token } = (await connect({ token, device_name: 'Bangle', device_type: 'watch' })).body.data
  await decide(id, 'approve')
  const { device } = (await poll(id, poll_token)).body.data
  assert.equal(devices.authenticate(device.id, device.api_key)?.type, 'watch')
  assert.equal(devices.wearerAt(device.id, clock.now()), 'mia')
  assert.equal((await poll(id, poll_token)).body.data.device, undefined)
})

test('the QR code carries a one-time token, the key to pin and where to look, and nothing that lasts', async (t) => {
  const { generate, store, tls } = await setup(t)
  const { url, token, code, qr_svg: svg } = (await generate()).body.data
  assert.equal(url, `https://homefield.local:8443/#p1.${token}.${tls.spkiSha256}.192.168.1.20`)
  assert.match(token, /^[\w-]{22}$/)
  assert.match(code, /^\d{8}$/)
  assert.match(svg, /^<svg /)
  const rows = store.all<{ code_hash: Uint8Array; token_hash: Uint8Array }>('SELECT * FROM pairing_offer')
  assert.ok(!JSON.stringify(rows).includes(token) && !JSON.stringify(rows).includes(code))
  assert.equal(rows[0]?.code_hash.length, 32)
})

test('a code works once: replayed it is over, and of two at the same moment one wins', async (t) => {
  const { generate, connect } = await setup(t)
  const { code, token } = (await generate()).body.data
  const both = await Promise.all([connect({ code }), connect({ token })])
  assert.deepEqual(both.map(({ status }) => status).sort(), [202, 410])
  const again = await connect({ code })
  assert.deepEqual([again.status, again.body.error.code], [410, 'PAIRING_EXPIRED'])
})

test('two polls at the same moment share one set of secrets', async (t) => {
  const { generate, connect, decide, poll, accounts } = await setup(t)
  const { code } = (await generate()).body.data
  const { id, poll_token } = (await connect({ code })).body.data
  await decide(id, 'approve')
  const both = await Promise.all([poll(id, poll_token), poll(id, poll_token)])
  assert.equal(both.filter(({ body }) => body.data.tokens !== undefined).length, 1)
  assert.equal(accounts.users().length, 2)
})

test('codes, requests and approvals run out after five minutes each', async (t) => {
  const { generate, connect, decide, poll, clock, call, owner } = await setup(t)
  const old = (await generate()).body.data
  clock.advance(PAIRING_WINDOW_MS)
  assert.equal((await connect({ code: old.code })).body.error.code, 'PAIRING_EXPIRED')

  const { id, poll_token } = (await connect({ code: (await generate()).body.data.code })).body.data
  clock.advance(PAIRING_WINDOW_MS)
  assert.equal((await poll(id, poll_token)).body.data.status, 'expired')
  assert.deepEqual(
    [
      (await decide(id, 'approve')).status,
      (await call('GET', '/pairing/requests', { token: owner })).body.data,
    ],
    [410, []],
  )

  const token = (await call('POST', '/auth/login', { body: OWNER })).body.data.access_token
  const late = (await connect({ code: (await generate({}, token)).body.data.code })).body.data
  assert.equal((await decide(late.id, 'approve', token)).status, 200)
  clock.advance(PAIRING_WINDOW_MS)
  const { status, tokens } = (await poll(late.id, late.poll_token)).body.data
  assert.deepEqual([status, tokens], ['expired', undefined])
})

test('five wrong codes burn every code that is open, and owners hear of it', async (t) => {
  const { generate, connect, events } = await setup(t)
  const offers = [
    (await generate()).body.data,
    (await generate({ role: 'owner', device_type: 'phone' })).body.data,
  ]
  const taken = new Set(offers.map(({ code }) => code))
  const wrong = Array.from({ length: 50 }, (_, n) => String(n).padStart(8, '0')).filter(
    (code) => !taken.has(code),
  )
  for (let n = 0; n < PAIRING_TRIES - 1; n += 1) {
    const { status, body } = await connect({ code: wrong[n] })
    assert.deepEqual([status, body.error.code], [401, 'PAIRING_INVALID'])
  }
  assert.equal(events.length, 0)
  await connect({ token: 'A'.repeat(22) })
  for (const { code, token } of offers) {
    assert.equal((await connect({ code })).body.error.code, 'PAIRING_EXPIRED')
    assert.equal((await connect({ token })).body.error.code, 'PAIRING_EXPIRED')
  }
  assert.deepEqual(
    new Set(events.map(({ type, data }) => `${type} ${data.id}`)),
    new Set(offers.map(({ id }) => `pairing_failed ${id}`)),
  )
  const fresh = (await generate()).body.data
  assert.equal((await connect({ code: `${fresh.code.slice(0, 4)} ${fresh.code.slice(4)}` })).status, 202)
})

test('guesses sent at once are counted one by one, so the right code behind five wrong ones is too late', async (t) => {
  const { generate, connect } = await setup(t)
  const { code } = (await generate()).body.data
  const wrong = (n: number) => String((Number(code) + n) % 100_000_000).padStart(8, '0')
  const answers = await Promise.all(
    [1, 2, 3, 4, 5]
      .map(wrong)
      .concat(code)
      .map((one) => connect({ code: one })),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 401, 401, 401, 410],
  )
})

test('a denied request gets nothing, and a decision stands', async (t) => {
  const { generate, connect, decide, poll, events } = await setup(t)
  const { id, poll_token } = (await connect({ code: (await generate()).body.data.code })).body.data
  assert.equal((await decide(id, 'deny')).body.data.status, 'denied')
  const polled = (await poll(id, poll_token)).body.data
  assert.deepEqual([polled.status, polled.tokens], ['denied', undefined])
  assert.deepEqual(
    [(await decide(id, 'approve')).status, (await decide('nobody', 'approve')).status],
    [409, 404],
  )
  assert.deepEqual(events.at(-1), {
    topic: 'pairing',
    type: 'pairing_failed',
    data: { id, reason: 'denied' },
  })
})

test('only owners invite, look and decide', async (t) => {
  const { generate, connect, decide, letIn, owner, call } = await setup(t)
  const { access_token: token } = await letIn(owner, { role: 'caregiver', person_id: 'mia' })
  const { id, poll_token } = (await connect({ code: (await generate()).body.data.code })).body.data
  assert.equal((await generate({}, token)).status, 403)
  assert.equal((await decide(id, 'approve', token)).status, 403)
  assert.equal((await decide(id, 'approve', poll_token)).status, 401)
  for (const path of ['/pairing/requests', '/pairing/devices'])
    assert.equal((await call('GET', path, { token })).status, 403)
})

test('a poll needs the poll token of that very request', async (t) => {
  const { generate, connect, poll, owner } = await setup(t)
  const one = (await connect({ code: (await generate()).body.data.code })).body.data
  const two = (await connect({ code: (await generate()).body.data.code })).body.data
  for (const [id, token] of [
    [one.id, two.poll_token],
    [one.id, owner],
    ['nobody', one.poll_token],
  ] as const) {
    const { status, body } = await poll(id, token)
    assert.deepEqual([status, body.error.code], [401, 'PAIRING_INVALID'])
  }
})

test('a code lets in what it was made for, whatever the newcomer says it is', async (t) => {
  const { generate, connect, decide, poll } = await setup(t)
  const { code } = (await generate({ role: 'member' })).body.data
  assert.equal((await connect({ code, device_type: 'watch' })).body.error.code, 'VALIDATION_ERROR')
  assert.equal((await connect({ code, role: 'owner' })).body.error.code, 'VALIDATION_ERROR')
  const { id, poll_token } = (await connect({ code, device_type: 'mobile' })).body.data
  await decide(id, 'approve')
  const { user } = (await poll(id, poll_token)).body.data.tokens
  assert.deepEqual([user.role, user.person_id], ['member', 'mia'])
  assert.equal((await generate({ role: 'member', person_id: undefined })).body.error.code, 'VALIDATION_ERROR')
  assert.equal((await generate({ person_id: 'nobody' })).body.error.code, 'NOT_FOUND')
})

test('a coach gets training to read, or the classes the owner named', async (t) => {
  const { letIn, owner, consents } = await setup(t)
  const coach = await letIn(owner, { role: 'coach', person_id: 'mia' })
  const nurse = await letIn(owner, { role: 'caregiver', person_id: 'mia', classes: ['glucose', 'wellness'] })
  const held = (id: string) =>
    consents
      .grantsOf(id)
      .map((grant) => `${grant.class} ${grant.action}`)
      .sort()
  assert.deepEqual(held(coach.user.id), ['training read'])
  assert.deepEqual(held(nurse.user.id), ['glucose write', 'wellness write'])
})

test('unpairing a phone or a device ends it at once', async (t) => {
  const { letIn, owner, call, devices, accounts } = await setup(t)
  const phone = await letIn(owner, { role: 'member', person_id: 'mia' })
  const watch = await call('POST', '/devices', {
    token: owner,
    body: { id: 'watch-1', type: 'watch', name: 'W' },
  })
  const ended: object[] = []
  accounts.onRevoked((what) => ended.push(what))
  devices.onRevoked((what) => ended.push(what))
  const paired = (await call('GET', '/pairing/devices', { token: owner })).body.data
  assert.deepEqual(
    paired.map((one: { type: string; role: string }) => [one.type, one.role]),
    [
      ['phone', 'member'],
      ['watch', 'device'],
    ],
  )
  for (const { id } of paired)
    assert.equal((await call('DELETE', `/pairing/${id}`, { token: owner })).status, 200)
  assert.equal((await call('GET', '/auth/me', { token: phone.access_token })).status, 401)
  assert.equal(devices.authenticate('watch-1', watch.body.data.api_key), null)
  assert.equal(ended.length, 2)
  assert.equal((await call('DELETE', `/pairing/${paired[0].id}`, { token: owner })).status, 404)
  assert.deepEqual(
    accounts.users().map(({ disabled }) => disabled),
    [false, true],
    'the account has no other way in',
  )
})

test('codes and waiting requests survive a restart', async (t) => {
  const folder = temporaryFolder(t)
  const before = await openHousehold(t, { folder })
  const body = { role: 'owner', device_type: 'phone' }
  const { code } = (await before.call('POST', '/pairing/generate', { token: await before.claimed(), body }))
    .body.data
  const phone = { code, device_name: 'P', device_type: 'phone' }
  const asked = (await before.call('POST', '/pairing/connect', { body: phone })).body.data
  await before.close()
  const after = await openHousehold(t, { folder, clock: before.clock })
  const token = (await after.call('POST', '/auth/login', { body: OWNER })).body.data.access_token
  await after.call('POST', `/pairing/requests/${asked.id}/approve`, { token })
  const { data } = (await after.call('GET', `/pairing/requests/${asked.id}`, { token: asked.poll_token }))
    .body
  assert.deepEqual([data.status, data.words, data.tokens.user.role], ['approved', asked.words, 'owner'])
  assert.equal((await after.call('POST', '/pairing/connect', { body: phone })).status, 410)
})

test('no more than twenty codes are open at once', async (t) => {
  const { generate, clock } = await setup(t)
  for (let n = 0; n < 20; n += 1) await generate()
  assert.equal((await generate()).body.error.code, 'CONFLICT')
  clock.advance(PAIRING_WINDOW_MS)
  assert.equal((await generate()).status, 201)
})
