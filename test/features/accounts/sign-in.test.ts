import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { ABSOLUTE_MS, GRACE_MS, SLIDING_MS } from '../../../daemon/features/accounts/sign-ins.ts'
import { deriveKey, ensureSecret } from '../../../daemon/kernel/secrets.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openHousehold, plainPasswords, temporaryFolder } from '../../fakes/household.ts'

const MINUTE = 60_000

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  await home.accounts.claimLocally(OWNER)
  const login = (more: object = {}, headers: Record<string, string> = {}) =>
    home.call('POST', '/auth/login', { body: { ...OWNER, ...more }, headers })
  const refresh = (refresh_token: string) => home.call('POST', '/auth/refresh', { body: { refresh_token } })
  const me = (token: string) => home.call('GET', '/auth/me', { token })
  const key = deriveKey(await ensureSecret(`${home.folder}/secrets`, 'identity.key'), 'access token')
  return { ...home, login, refresh, me, key }
}

test('signing in gives an access token for 15 minutes and a refresh token', async (t) => {
  const { login, me, clock } = await setup(t)
  const { status, body, cookie } = await login()
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body.data).sort(), [
    'access_token',
    'expires_in',
    'refresh_token',
    'token_type',
    'user',
  ])
  assert.deepEqual([body.data.token_type, body.data.expires_in, cookie], ['Bearer', 900, undefined])
  clock.advance(15 * MINUTE - 1000)
  assert.equal((await me(body.data.access_token)).status, 200)
  clock.advance(1000)
  const late = await me(body.data.access_token)
  assert.deepEqual([late.status, late.body.error.code], [401, 'TOKEN_EXPIRED'])
})

test('a wrong password and an unknown name get the same answer', async (t) => {
  const { login } = await setup(t)
  const wrong = await login({ password: 'something else entirely' })
  const unknown = await login({ name: 'Nobody' })
  assert.deepEqual([wrong.status, wrong.body.error], [401, unknown.body.error])
  assert.equal((await login({ name: ' aNNa ' })).status, 200, 'names are compared without case')
})

test('a password that changes while it is being checked signs nobody in any more', async (t) => {
  let checking: () => void = () => {}
  let release: () => void = () => {}
  const entered = new Promise<void>((resolve) => {
    checking = resolve
  })
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const passwords = plainPasswords()
  const slow = {
    ...passwords,
    async verify(hash: string | null, password: string) {
      const isRight = await passwords.verify(hash, password)
      checking()
      await held
      return isRight
    },
  }
  const { accounts, call } = await openHousehold(t, { passwords: slow })
  await accounts.claimLocally(OWNER)
  const thief = call('POST', '/auth/login', { body: OWNER })
  await entered
  await accounts.setPassword(OWNER.name, 'another long enough one')
  release()
  const { status, body } = await thief
  assert.deepEqual([status, body.error?.code], [401, 'UNAUTHENTICATED'])
  const owner = { ...OWNER, password: 'another long enough one' }
  assert.equal((await call('POST', '/auth/login', { body: owner })).status, 200)
})

test('five wrong passwords from one place make it wait, not the owner somewhere else', async (t) => {
  const { call, clock } = await setup(t)
  const guess = (from: string, password: string) =>
    call('POST', '/auth/login', { from, body: { name: OWNER.name, password } })
  for (let n = 0; n < 5; n += 1) assert.equal((await guess('192.168.1.66', `guess ${n}`)).status, 401)
  const held = await guess('192.168.1.66', OWNER.password)
  assert.deepEqual([held.status, held.body.error.code], [429, 'RATE_LIMITED'])
  assert.equal((await guess('192.168.1.50', OWNER.password)).status, 200)
  clock.advance(12_000)
  assert.equal((await guess('192.168.1.66', OWNER.password)).status, 200)
})

test('a flood of guesses from everywhere still lets the owner in', async (t) => {
  const { call } = await setup(t)
  for (let n = 0; n < 80; n += 1) {
    await call('POST', '/auth/login', {
      from: `10.0.0.${n}`,
      body: { name: 'Anna', password: `guess number ${n}` },
    })
  }
  assert.equal((await call('POST', '/auth/login', { from: '192.168.1.50', body: OWNER })).status, 200)
})

test('each refresh token works once and hands over to the next', async (t) => {
  const { login, refresh, me, clock } = await setup(t)
  const first = (await login()).body.data.refresh_token
  const second = await refresh(first)
  assert.equal(second.status, 200)
  assert.notEqual(second.body.data.refresh_token, first)
  assert.equal((await me(second.body.data.access_token)).status, 200)
  clock.advance(GRACE_MS + 1)
  const reused = await refresh(first)
  assert.deepEqual([reused.status, reused.body.error.code], [401, 'TOKEN_REUSED'])
  assert.equal((await refresh(second.body.data.refresh_token)).status, 401, 'the whole family has ended')
  assert.equal((await me(second.body.data.access_token)).status, 401, 'its access tokens at once')
})

test('a lost answer gets the same successor again within 10 seconds, while that is unused', async (t) => {
  const { login, refresh, clock } = await setup(t)
  const first = (await login()).body.data.refresh_token
  const [lost, again] = await Promise.all([refresh(first), refresh(first)])
  assert.equal(lost.body.data.refresh_token, again.body.data.refresh_token)
  clock.advance(GRACE_MS)
  assert.equal((await refresh(first)).body.data.refresh_token, lost.body.data.refresh_token)
  assert.equal((await refresh(lost.body.data.refresh_token)).status, 200)
  assert.equal((await refresh(first)).body.error.code, 'TOKEN_REUSED', 'the successor was used meanwhile')
})

test('a sign-in ends 30 days after its last use, and 180 days after its first', async (t) => {
  const { login, refresh, clock } = await setup(t)
  let token = (await login()).body.data.refresh_token
  const begunMs = clock.now()
  const idle = (await login()).body.data.refresh_token
  clock.advance(SLIDING_MS)
  assert.equal((await refresh(idle)).body.error.code, 'TOKEN_EXPIRED')
  token = (await login()).body.data.refresh_token
  const startedMs = clock.now()
  while (clock.now() - startedMs < ABSOLUTE_MS - 20 * 86_400_000) {
    clock.advance(20 * 86_400_000)
    token = (await refresh(token)).body.data.refresh_token
  }
  assert.ok(clock.now() - begunMs > 160 * 86_400_000)
  clock.advance(20 * 86_400_000)
  assert.equal((await refresh(token)).status, 401)
})

test('refresh tokens survive a restart and are not in the database in clear', async (t) => {
  const folder = temporaryFolder(t)
  const before = await openHousehold(t, { folder })
  await before.accounts.claimLocally(OWNER)
  const { refresh_token } = (await before.call('POST', '/auth/login', { body: OWNER })).body.data
  const spent = (await before.call('POST', '/auth/refresh', { body: { refresh_token } })).body.data
    .refresh_token
  const rows = JSON.stringify(before.store.all('SELECT hex(hash) AS hash, sign_in_id FROM refresh_token'))
  assert.ok(!rows.includes(refresh_token))
  await before.close()
  const after = await openHousehold(t, { folder, clock: before.clock })
  assert.equal((await after.call('POST', '/auth/refresh', { body: { refresh_token: spent } })).status, 200)
})

test('only our own access tokens count: algorithm, type, audience, signature and sign-in are checked', async (t) => {
  const { login, me, key, clock, accounts } = await setup(t)
  const { access_token, refresh_token, user } = (await login()).body.data
  const { sid } = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString())
  const nowS = Math.floor(clock.now() / 1000)
  const claims = { sid, sub: user.id, iss: 'homefield', aud: 'hub-1', iat: nowS, exp: nowS + 600 }
  const sign = (changes: object = {}, header: object = {}, secret: Uint8Array = key) =>
    new SignJWT({ ...claims, ...changes })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
      .sign(secret)
  assert.equal((await me(await sign())).status, 200, 'the forgery below differs in one thing each')
  const { sub: _, ...nobody } = claims
  const refused = {
    'no algorithm': new UnsecuredJWT(claims).encode(),
    'another algorithm': await sign({}, { alg: 'HS512' }, Buffer.concat([key, key])),
    'another type': await sign({}, { typ: 'JWT' }),
    "another hub's audience": await sign({ aud: 'hub-2' }),
    'another issuer': await sign({ iss: 'someone' }),
    'another key': await sign({}, {}, Buffer.alloc(32, 7)),
    'an unknown sign-in': await sign({ sid: 'nobody' }),
    'another user': await sign({ sub: 'mallory' }),
    'no user': await new SignJWT(nobody).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(key),
    'no end': await sign({ exp: undefined }),
    'a refresh token': refresh_token,
    'a cut signature': access_token.slice(0, -4),
    nonsense: 'x.y.z',
  }
  for (const [what, token] of Object.entries(refused)) {
    const { status, body } = await me(token)
    assert.deepEqual([status, body.error.code], [401, 'UNAUTHENTICATED'], what)
  }
  assert.equal(accounts.actorOf(sid)?.kind, 'user')
})

test('a clock that is set back does not make access tokens live longer', async (t) => {
  const clock = fakeClock()
  let offMs = 0
  const home = await openHousehold(t, { clock: { ...clock, now: () => clock.now() + offMs } })
  const token = await home.claimed()
  offMs = -86_400_000
  assert.equal((await home.call('GET', '/auth/me', { token })).body.error.code, 'TOKEN_EXPIRED')
})

test('signing out ends the sign-in at once and tells those who hold something open', async (t) => {
  const { login, call, me, refresh, accounts } = await setup(t)
  const { access_token, refresh_token } = (await login()).body.data
  const stays = (await login()).body.data
  const ended: string[] = []
  accounts.onRevoked(({ signInId }) => ended.push(signInId))
  assert.equal((await call('POST', '/auth/logout', { token: access_token })).status, 200)
  assert.equal((await me(access_token)).status, 401)
  assert.equal((await refresh(refresh_token)).status, 401)
  assert.equal(ended.length, 1)
  assert.equal(accounts.actorOf(ended[0]!), null)
  assert.equal((await me(stays.access_token)).status, 200)
})

test('a browser keeps its refresh token in a cookie that only refresh and logout read', async (t) => {
  const { login, call, me } = await setup(t)
  const { body, cookie } = await login({}, { 'x-homefield-cookie': '1' })
  assert.equal(body.data.refresh_token, undefined)
  assert.match(cookie!, /^__Host-hf=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  const sent = { cookie: `theme=dark; ${cookie!.split(';')[0]}` }
  assert.equal((await call('GET', '/auth/me', { headers: sent })).status, 401)
  const next = await call('POST', '/auth/refresh', { headers: sent })
  assert.deepEqual([next.status, next.body.data.refresh_token], [200, undefined])
  const out = await call('POST', '/auth/logout', { headers: { cookie: next.cookie!.split(';')[0]! } })
  assert.match(out.cookie!, /^__Host-hf=; Max-Age=0; /)
  assert.equal((await me(next.body.data.access_token)).status, 401)
})

test('a new password and a disabled account sign out everywhere; the last owner stays', async (t) => {
  const { login, me, accounts, letIn } = await setup(t)
  const { access_token, user } = (await login()).body.data
  await assert.rejects(accounts.disableUser(user.id), { code: 'CONFLICT' })
  const second = await letIn(access_token, { role: 'owner' })
  await accounts.setPassword('anna', 'a much longer password')
  assert.equal((await me(access_token)).status, 401)
  assert.equal((await login()).status, 401)
  const back = await login({ password: 'a much longer password' })
  assert.equal(back.status, 200)
  await accounts.disableUser(user.id)
  assert.equal((await me(back.body.data.access_token)).status, 401)
  assert.equal((await login({ password: 'a much longer password' })).status, 401)
  assert.equal((await me(second.access_token)).status, 200)
})

test('people change their own name, address and preferences, and nobody takes a name twice', async (t) => {
  const { login, call, accounts, pairing } = await setup(t)
  const token = (await login()).body.data.access_token
  const patch = (body: object) => call('PATCH', '/auth/me', { token, body })
  const changed = await patch({ name: 'Anna B', email: 'Anna@Home.example', preferences: { theme: 'dark' } })
  assert.deepEqual([changed.body.data.name, changed.body.data.email], ['Anna B', 'anna@home.example'])
  const merged = await patch({ preferences: { units: 'mmol/L' } })
  assert.deepEqual(merged.body.data.preferences, { theme: 'dark', units: 'mmol/L' })
  assert.equal((await patch({ preferences: { big: 'x'.repeat(17_000) } })).body.error.code, 'TOO_LARGE')
  assert.equal((await patch({ role: 'owner' })).body.error.code, 'VALIDATION_ERROR')
  assert.equal(
    (await call('POST', '/auth/login', { body: { email: 'anna@home.example', password: OWNER.password } }))
      .status,
    200,
  )
  const terms = { role: 'caregiver', device_type: 'phone', invite: true }
  const { code } = (await call('POST', '/pairing/generate', { token, body: terms })).body.data
  const ben = { invite_code: code, name: 'anna b', password: OWNER.password }
  assert.equal((await call('POST', '/auth/register', { body: ben })).body.error.code, 'CONFLICT')
  assert.equal((await call('POST', '/auth/register', { body: { ...ben, name: 'Ben' } })).status, 201)
  await assert.rejects(pairing.redeemInvite(code), { code: 'PAIRING_EXPIRED' })
  assert.deepEqual(
    accounts.users().map(({ name, role }) => [name, role]),
    [
      ['Anna B', 'owner'],
      ['Ben', 'caregiver'],
    ],
  )
})

test('at most fifty sign-ins of one user stay open; the one used longest ago ends', async (t) => {
  const { login, me, clock } = await setup(t)
  const first = (await login()).body.data.access_token
  const second = (await login()).body.data.access_token
  for (let n = 0; n < 49; n += 1) {
    clock.advance(1000)
    await login()
  }
  assert.equal((await me(first)).status, 401)
  assert.equal((await me(second)).status, 200)
})
