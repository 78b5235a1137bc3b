import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { can } from '../../../daemon/domain/access.ts'
import { openHousehold } from '../../fakes/household.ts'

const DAY = 86_400_000

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const owner = await home.claimed()
  for (const id of ['mia', 'tom']) await home.people.add({ id, name: id, age: 9 })
  const coach = await home.letIn(owner, { role: 'coach', person_id: 'mia' })
  const grant = (body: object, token = owner) =>
    home.call('POST', '/privacy/consents', { token, body: { user_id: coach.user.id, ...body } })
  const coachMay = async (
    action: 'read' | 'write',
    person: string,
    dataClass: 'glucose' | 'training' | 'wellness',
  ) => can(await home.accounts.fromBearer(coach.access_token), action, person, dataClass, home.clock.now())
  return { ...home, owner, coach, grant, coachMay }
}

test('a grant opens one class of one person, and write includes read', async (t) => {
  const { grant, coachMay } = await setup(t)
  assert.equal(await coachMay('read', 'mia', 'training'), true, 'from pairing')
  assert.equal(await coachMay('write', 'mia', 'training'), false)
  assert.equal(await coachMay('read', 'tom', 'glucose'), false)
  const made = await grant({ person_id: 'tom', class: 'glucose', action: 'write' })
  assert.equal(made.status, 201)
  assert.equal(await coachMay('write', 'tom', 'glucose'), true)
  assert.equal(await coachMay('read', 'tom', 'glucose'), true)
  assert.equal(await coachMay('read', 'tom', 'wellness'), false)
  assert.equal(await coachMay('read', 'mia', 'glucose'), false)
})

test('a grant ends by itself at its time', async (t) => {
  const { grant, coachMay, clock, coach, call } = await setup(t)
  const endMs = clock.now() + 10 * 60_000
  await grant({ person_id: 'tom', class: 'wellness', expires_at: new Date(endMs).toISOString() })
  clock.advance(10 * 60_000 - 1)
  assert.equal(await coachMay('read', 'tom', 'wellness'), true)
  const held = async () =>
    (await call('GET', '/auth/me', { token: coach.access_token })).body.data.grants.length
  assert.equal(await held(), 2)
  clock.advance(1)
  assert.equal(await held(), 1)
  assert.equal(await coachMay('read', 'tom', 'wellness'), false)
  assert.equal((await call('GET', '/people/tom', { token: coach.access_token })).status, 404)
})

test('taking a grant back works at once and tells those who hold something open', async (t) => {
  const { grant, call, owner, consents, coach, coachMay } = await setup(t)
  const changed: string[] = []
  consents.onChanged(({ userId }) => changed.push(userId))
  const { id } = (await grant({ person_id: 'tom', class: 'glucose' })).body.data
  assert.equal((await call('DELETE', `/privacy/consents/${id}`, { token: owner })).status, 200)
  assert.equal(await coachMay('read', 'tom', 'glucose'), false)
  assert.deepEqual(changed, [coach.user.id, coach.user.id])
  assert.equal((await call('DELETE', `/privacy/consents/${id}`, { token: owner })).status, 404)
})

test('a new decision about the same class replaces the old one', async (t) => {
  const { grant, call, owner, coachMay } = await setup(t)
  await grant({ person_id: 'mia', class: 'training', action: 'write' })
  assert.equal(await coachMay('write', 'mia', 'training'), true)
  await grant({ person_id: 'mia', class: 'training', action: 'read' })
  assert.equal(await coachMay('write', 'mia', 'training'), false)
  assert.equal((await call('GET', '/privacy/consents', { token: owner })).body.pagination.total, 1)
})

test('owners decide and see all, others see what they hold and what is held about them', async (t) => {
  const { grant, call, owner, coach, letIn } = await setup(t)
  await grant({ person_id: 'tom', class: 'glucose' })
  const tom = await letIn(owner, { role: 'member', person_id: 'tom' })
  const mia = await letIn(owner, { role: 'member', person_id: 'mia' })
  const seen = async (token: string) =>
    (await call('GET', '/privacy/consents', { token })).body.data.map(
      (row: { person_id: string }) => row.person_id,
    )
  assert.deepEqual((await seen(owner)).sort(), ['mia', 'tom'])
  assert.deepEqual((await seen(coach.access_token)).sort(), ['mia', 'tom'])
  assert.deepEqual(await seen(tom.access_token), ['tom'])
  assert.deepEqual(await seen(mia.access_token), ['mia'])
  assert.equal((await grant({ person_id: 'tom', class: 'media' }, coach.access_token)).status, 403)
  assert.equal((await call('DELETE', '/privacy/consents/x', { token: coach.access_token })).status, 403)
})

test('grants that make no sense are refused', async (t) => {
  const { grant, clock } = await setup(t)
  const code = async (body: object) => (await grant(body)).body.error.code
  assert.equal(await code({ person_id: 'nobody', class: 'glucose' }), 'NOT_FOUND')
  assert.equal(await code({ user_id: 'nobody', person_id: 'mia', class: 'glucose' }), 'NOT_FOUND')
  assert.equal(await code({ person_id: 'mia', class: 'everything' }), 'VALIDATION_ERROR')
  assert.equal(
    await code({ person_id: 'mia', class: 'glucose', expires_at: clock.now() - DAY }),
    'VALIDATION_ERROR',
  )
})
