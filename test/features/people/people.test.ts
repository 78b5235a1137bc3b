import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openHousehold } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const owner = await home.claimed()
  const add = (body: object, token = owner) => home.call('POST', '/people', { token, body })
  return { ...home, owner, add }
}

test('an owner adds a child, whose age follows from the birth date in the child’s own zone', async (t) => {
  const { add, call, owner, clock } = await setup(t)
  const added = await add({ id: 'mia', name: 'Mia', birth_date: '2017-03-15' })
  assert.equal(added.status, 201)
  const { created_at: _, updated_at: __, ...mia } = added.body.data
  assert.deepEqual(mia, {
    id: 'mia',
    name: 'Mia',
    full_name: 'Mia',
    kind: 'child',
    birth_date: '2017-03-15',
    age: 8,
    timezone: 'Europe/Berlin',
    baseline_stress: null,
    diabetes_type: null,
    target_glucose_min: 70,
    target_glucose_max: 180,
    school_events: [],
    preferences: {},
  })
  clock.advance(15 * 3_600_000)
  const token = (
    await call('POST', '/auth/login', { body: { name: 'Anna', password: 'four walls and a garden' } })
  ).body.data.access_token
  assert.equal(
    (await call('GET', '/people/mia', { token })).body.data.age,
    9,
    'it is past midnight in Berlin',
  )
  assert.notEqual(owner, token)
})

test('kinds follow the age unless they are told', async (t) => {
  const { add } = await setup(t)
  const kind = async (body: object) => (await add({ name: 'X', ...body })).body.data.kind
  assert.equal(await kind({ age: 12 }), 'child')
  assert.equal(await kind({ age: 13 }), 'teen')
  assert.equal(await kind({ age: 18 }), 'adult')
  assert.equal(await kind({}), 'adult')
  assert.equal(await kind({ age: 12, kind: 'teen' }), 'teen')
})

test('PATCH and PUT merge: absent fields stay, null takes away', async (t) => {
  const { add, call, owner: token } = await setup(t)
  await add({ id: 'mia', full_name: 'Mia', age: 8, baseline_stress: 0.3, preferences: { units: 'mmol/L' } })
  const patched = await call('PATCH', '/people/mia', { token, body: { preferences: { theme: 'dark' } } })
  assert.deepEqual(patched.body.data.preferences, { units: 'mmol/L', theme: 'dark' })
  const put = await call('PUT', '/people/mia', { token, body: { name: 'Mia B', baseline_stress: null } })
  assert.deepEqual([put.body.data.name, put.body.data.age, put.body.data.baseline_stress], ['Mia B', 8, null])
  const moved = await call('PATCH', '/people/mia', { token, body: { timezone: 'America/New_York' } })
  assert.deepEqual([moved.status, moved.body.data.timezone], [200, 'America/New_York'])
})

test('impossible persons are refused by field', async (t) => {
  const { add } = await setup(t)
  for (const [body, path] of [
    [{ age: 8 }, 'name'],
    [{ name: ' ' }, 'name'],
    [{ name: 'Mia\u0000' }, 'name'],
    [{ name: 'Mia', birth_date: '2026-02-30' }, 'birth_date'],
    [{ name: 'Mia', birth_date: '2030-01-01' }, 'birth_date'],
    [{ name: 'Mia', timezone: 'Mars/Olympus' }, 'timezone'],
    [{ name: 'Mia', shoe_size: 31 }, 'shoe_size'],
  ] as const) {
    const { status, body: answer } = await add(body)
    assert.deepEqual(
      [status, answer.error.code, answer.error.details[0].path],
      [400, 'VALIDATION_ERROR', path],
    )
  }
  assert.equal((await add({ id: 'mia', name: 'Mia' })).status, 201)
  assert.equal((await add({ id: 'mia', name: 'Other' })).body.error.code, 'CONFLICT')
})

test('a person somebody may not see answers like one that does not exist', async (t) => {
  const { add, call, owner, letIn } = await setup(t)
  await add({ id: 'mia', name: 'Mia', age: 8 })
  await add({ id: 'tom', name: 'Tom', age: 10 })
  const { access_token: token } = await letIn(owner, { role: 'caregiver', person_id: 'mia' })
  const list = await call('GET', '/people', { token })
  assert.deepEqual(
    list.body.data.map(({ id }: { id: string }) => id),
    ['mia'],
  )
  assert.deepEqual(list.body.pagination, { page: 1, per_page: 20, total: 1, pages: 1 })
  assert.equal((await call('GET', '/people/mia', { token })).status, 200)
  for (const method of ['GET', 'PATCH', 'PUT'] as const) {
    const body = method === 'GET' ? undefined : { name: 'X' }
    const hidden = await call(method, '/people/tom', { token, body })
    const missing = await call(method, '/people/nobody', { token, body })
    assert.deepEqual([hidden.status, hidden.body.error], [404, missing.body.error], method)
  }
})

test('a caregiver opts in and changes nothing else, a member changes their own but not what protects minors', async (t) => {
  const { add, call, owner, letIn } = await setup(t)
  await add({ id: 'leo', name: 'Leo', age: 15 })
  const carer = await letIn(owner, { role: 'caregiver', person_id: 'leo' })
  const leo = await letIn(owner, { role: 'member', person_id: 'leo' })
  const patch = (token: string, body: object) => call('PATCH', '/people/leo', { token, body })
  assert.equal((await patch(carer.access_token, { name: 'X' })).status, 403)
  assert.equal((await patch(leo.access_token, { name: 'Leo B' })).body.data.name, 'Leo B')
  assert.equal((await patch(leo.access_token, { kind: 'adult' })).body.error.code, 'FORBIDDEN')
  const optIn = { preferences: { burnout_opt_in: true } }
  assert.equal((await patch(leo.access_token, optIn)).status, 403, 'a child does not opt in')
  assert.equal((await patch(carer.access_token, { ...optIn, name: 'X' })).status, 403)
  assert.equal((await patch(carer.access_token, { preferences: { theme: 'dark' } })).status, 403)
  assert.equal((await patch(carer.access_token, optIn)).body.data.preferences.burnout_opt_in, true)
  const kept = { preferences: { burnout_opt_in: true, theme: 'dark' } }
  assert.equal((await patch(leo.access_token, kept)).status, 200)
  assert.equal((await call('POST', '/people', { token: leo.access_token, body: { name: 'X' } })).status, 403)
  assert.equal((await call('DELETE', '/people/leo', { token: leo.access_token })).status, 403)
})

test('a removed person is gone from lists, wrists and grants, and the id is not given again', async (t) => {
  const { add, call, owner, letIn, devices, clock } = await setup(t)
  await add({ id: 'mia', name: 'Mia', age: 8 })
  await call('POST', '/devices', {
    token: owner,
    body: { id: 'watch-1', type: 'watch', name: 'W', person_id: 'mia' },
  })
  const { access_token: token, user } = await letIn(owner, { role: 'caregiver', person_id: 'mia' })
  assert.equal((await call('DELETE', '/people/mia', { token: owner })).status, 200)
  assert.equal((await call('GET', '/people/mia', { token: owner })).status, 404)
  assert.equal((await call('GET', '/people/mia', { token })).status, 404)
  assert.equal(devices.wearerAt('watch-1', clock.now()), null)
  assert.deepEqual((await call('GET', '/auth/me', { token })).body.data.grants, [], user.id)
  assert.equal((await add({ id: 'mia', name: 'Mia' })).status, 409)
})

test('a person carries the kind of diabetes and the range they aim at, which cannot be empty', async (t) => {
  const { add, call, owner: token } = await setup(t)
  await add({ id: 'mia', name: 'Mia', diabetes_type: 'type1', target_glucose_min: 80 })
  const change = (body: object) => call('PATCH', '/people/mia', { token, body })
  const { diabetes_type, target_glucose_min, target_glucose_max } = (
    await change({ target_glucose_max: 160 })
  ).body.data
  assert.deepEqual([diabetes_type, target_glucose_min, target_glucose_max], ['type1', 80, 160])
  const refused = await change({ target_glucose_min: 160 })
  assert.deepEqual([refused.status, refused.body.error.details[0].path], [400, 'target_glucose_min'])
  assert.equal((await change({ diabetes_type: 'sweet' })).status, 400)
})
