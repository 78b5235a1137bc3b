import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CLAIM_TRIES, CLAIM_WINDOW_MS } from '../../../daemon/features/accounts/claim-window.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openHousehold, temporaryFolder } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const claim = (claim_code: string, more: object = {}) =>
    home.call('POST', '/claim', { body: { claim_code, ...OWNER, ...more } })
  return { ...home, claim }
}

/** A code that is surely another one. */
const other = (code: string) => (code.startsWith('0') ? '1' : '0') + code.slice(1)

test('the code on the screen makes the first person the owner, however it is typed', async (t) => {
  const { accounts, claim, call } = await setup(t)
  const { code } = await accounts.claimCode()
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{8}$/)
  const typed = `${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')
  const { status, body } = await claim(typed, { hub_name: 'Hallway', timezone: 'Europe/Paris' })
  assert.equal(status, 201)
  assert.deepEqual(accounts.chosen(), { hubName: 'Hallway', timezone: 'Europe/Paris' })
  const me = await call('GET', '/auth/me', { token: body.data.access_token })
  assert.deepEqual([me.body.data.name, me.body.data.role], ['Anna', 'owner'])
})

test('before the claim every other route answers NOT_CLAIMED, afterwards claiming is a conflict', async (t) => {
  const { accounts, claim, call } = await setup(t)
  for (const path of ['/people', '/auth/me', '/devices']) {
    const { status, body } = await call('GET', path)
    assert.deepEqual([status, body.error.code], [403, 'NOT_CLAIMED'], path)
  }
  assert.equal((await call('POST', '/auth/login', { body: OWNER })).body.error.code, 'NOT_CLAIMED')
  const { code } = await accounts.claimCode()
  assert.equal((await claim(code)).status, 201)
  const again = await claim(code)
  assert.deepEqual([again.status, again.body.error.code], [409, 'CONFLICT'])
  await assert.rejects(accounts.claimCode(), { code: 'CONFLICT' })
  await assert.rejects(accounts.claimLocally(OWNER), { code: 'CONFLICT' })
})

test('of two claims at the same moment one wins', async (t) => {
  const { accounts, claim } = await setup(t)
  const { code } = await accounts.claimCode()
  const both = await Promise.all([claim(code), claim(code, { name: 'Mallory' })])
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  assert.equal(accounts.users().length, 1)
})

test('ten wrong tries change the code, the right one included', async (t) => {
  const { accounts, claim } = await setup(t)
  const { code } = await accounts.claimCode()
  const wrong = await Promise.all(Array.from({ length: CLAIM_TRIES }, () => claim(other(code))))
  assert.deepEqual(new Set(wrong.map(({ body }) => body.error.code)), new Set(['PAIRING_INVALID']))
  const late = await claim(code)
  assert.deepEqual([late.status, late.body.error.code], [410, 'PAIRING_EXPIRED'])
  const next = await accounts.claimCode()
  assert.notEqual(next.code, code)
  assert.equal((await claim(next.code)).status, 201)
})

test('the right code behind a flood of wrong ones comes too late', async (t) => {
  const { accounts, claim } = await setup(t)
  const { code } = await accounts.claimCode()
  const tries = [...Array.from({ length: CLAIM_TRIES }, () => other(code)), code]
  const answers = await Promise.all(tries.map((one) => claim(one)))
  assert.ok(answers.every(({ status }) => status === 401 || status === 410))
  assert.equal(accounts.isClaimed(), false)
})

test('the window closes after 15 minutes', async (t) => {
  const { accounts, claim, clock } = await setup(t)
  const { code, expiresAtMs } = await accounts.claimCode()
  assert.equal(expiresAtMs, clock.now() + CLAIM_WINDOW_MS)
  clock.advance(CLAIM_WINDOW_MS - 1)
  assert.equal((await accounts.claimCode()).code, code)
  clock.advance(1)
  assert.equal((await claim(code)).body.error.code, 'PAIRING_EXPIRED')
  assert.notEqual((await accounts.claimCode()).code, code)
})

test('a wall clock that is set after boot does not close the window of a running hub', async (t) => {
  const clock = fakeClock()
  let offMs = -400 * 86_400_000
  const { accounts } = await openHousehold(t, { clock: { ...clock, now: () => clock.now() + offMs } })
  const { code } = await accounts.claimCode()
  offMs = 0
  clock.advance(CLAIM_WINDOW_MS - 1)
  assert.deepEqual(await accounts.claimCode(), { code, expiresAtMs: clock.now() + 1 })
  clock.advance(1)
  assert.notEqual((await accounts.claimCode()).code, code)
})

test('a restart keeps the code, its window and the tries already made', async (t) => {
  const folder = temporaryFolder(t)
  const before = await openHousehold(t, { folder })
  const { code, expiresAtMs } = await before.accounts.claimCode()
  const body = { claim_code: other(code), ...OWNER }
  for (let n = 0; n < CLAIM_TRIES - 1; n += 1) await before.call('POST', '/claim', { body })
  await before.close()
  const after = await openHousehold(t, { folder, clock: before.clock })
  assert.deepEqual(await after.accounts.claimCode(), { code, expiresAtMs })
  assert.equal((await after.call('POST', '/claim', { body })).status, 401)
  assert.equal((await after.call('POST', '/claim', { body: { ...body, claim_code: code } })).status, 410)
})

test('two installs show different codes, and the database alone does not tell one', async (t) => {
  const [one, two] = [await openHousehold(t), await openHousehold(t)]
  const { code } = await one.accounts.claimCode()
  assert.notEqual(code, (await two.accounts.claimCode()).code)
  assert.deepEqual(one.store.all('SELECT generation, tries FROM claim_window'), [{ generation: 1, tries: 0 }])
})

test('registering needs the claim code or an invitation, and says how to get one', async (t) => {
  const { accounts, call } = await setup(t)
  const early = await call('POST', '/auth/register', { body: OWNER })
  assert.deepEqual([early.status, early.body.error.code], [403, 'INVITE_REQUIRED'])
  assert.match(early.body.error.message, /claim_code/)
  const { code } = await accounts.claimCode()
  const first = await call('POST', '/auth/register', { body: { claim_code: code, ...OWNER } })
  assert.deepEqual([first.status, first.body.data.user.role], [201, 'owner'])
  const late = await call('POST', '/auth/register', { body: { ...OWNER, name: 'Ben' } })
  assert.deepEqual([late.status, late.body.error.code], [403, 'INVITE_REQUIRED'])
  assert.match(late.body.error.message, /ask an owner/)
})
