import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { OWNER, openHousehold } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const owner = await home.claimed()
  await home.people.add({ id: 'mia', name: 'Mia', age: 9 })
  const coach = await home.letIn(owner, { role: 'coach', person_id: 'mia' })
  const grant = (token: string) =>
    home.call('POST', '/privacy/consents', {
      token,
      body: { user_id: coach.user.id, person_id: 'mia', class: 'wellness' },
    })
  const stepUp = (token: string, body: object, from = '192.168.1.50') =>
    home.call('POST', '/auth/step-up', { token, body, from })
  return { ...home, owner, coach, grant, stepUp }
}

test('five minutes after the password a grant asks for it again, and goes on once it is given', async (t) => {
  const { owner, grant, stepUp, clock } = await setup(t)
  assert.equal((await grant(owner)).status, 201, 'signing in counts')
  clock.advance(5 * 60_000)
  const refused = await grant(owner)
  assert.equal(refused.status, 403)
  assert.equal(refused.body.error.code, 'STEP_UP_REQUIRED')
  assert.equal((await stepUp(owner, { password: OWNER.password })).status, 200)
  assert.equal((await grant(owner)).status, 201)
})

test('a wrong password proves nothing, and is throttled like signing in', async (t) => {
  const { owner, grant, stepUp, clock } = await setup(t)
  clock.advance(5 * 60_000)
  const answers = []
  for (let one = 0; one < 7; one += 1) answers.push((await stepUp(owner, { password: 'wrong' })).status)
  assert.deepEqual(answers, [403, 403, 403, 403, 403, 429, 429])
  assert.equal((await grant(owner)).body.error.code, 'STEP_UP_REQUIRED')
})

test('inviting another owner needs the password, inviting a coach does not', async (t) => {
  const { owner, call, clock } = await setup(t)
  clock.advance(5 * 60_000)
  const invite = (role: string) =>
    call('POST', '/pairing/generate', { token: owner, body: { role, device_type: 'phone' } })
  assert.equal((await invite('coach')).status, 201)
  assert.equal((await invite('owner')).body.error.code, 'STEP_UP_REQUIRED')
})

test('an owner’s paired phone proves itself with an owner’s name and password, and only with an owner’s', async (t) => {
  const { owner, letIn, grant, stepUp } = await setup(t)
  const phone = (await letIn(owner, { role: 'owner' })).access_token
  assert.equal((await grant(phone)).body.error.code, 'STEP_UP_REQUIRED', 'it came without a password')
  assert.equal((await stepUp(phone, { password: OWNER.password })).status, 403)
  assert.equal((await stepUp(phone, { name: OWNER.name, password: OWNER.password })).status, 200)
  assert.equal((await grant(phone)).status, 201)
  const coachs = (await letIn(owner, { role: 'coach', person_id: 'mia' })).access_token
  assert.equal((await stepUp(phone, { name: 'phone of coach', password: 'anything' })).status, 403)
  assert.equal((await stepUp(coachs, { name: OWNER.name, password: OWNER.password })).status, 200)
  assert.equal((await grant(coachs)).body.error.code, 'FORBIDDEN', 'it opens no more than a coach may do')
})

test('whoever may not do it at all hears that, not that a password is missing', async (t) => {
  const { coach, grant } = await setup(t)
  assert.equal((await grant(coach.access_token)).body.error.code, 'FORBIDDEN')
})

test('the proof of one sign-in is not that of another', async (t) => {
  const { owner, grant, call, stepUp, clock } = await setup(t)
  const other = (await call('POST', '/auth/login', { body: OWNER })).body.data.access_token
  clock.advance(5 * 60_000)
  await stepUp(other, { password: OWNER.password })
  assert.equal((await grant(owner)).body.error.code, 'STEP_UP_REQUIRED')
  assert.equal((await grant(other)).status, 201)
})
