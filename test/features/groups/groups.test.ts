import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createGroups, type Groups } from '../../../daemon/features/groups/groups.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openHousehold } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const climbing = new Set<string>()
  const clock = fakeClock()
  const made: Groups[] = []
  const home = await openHousehold(t, {
    clock,
    more(store) {
      let ids = 0
      const groups = createGroups({
        ...{ store, clock, timezone: () => 'Europe/Berlin', newId: () => `group-${++ids}` },
        isClimbing: (personId) => climbing.has(personId),
      })
      made.push(groups)
      return [groups.feature]
    },
  })
  const owner = await home.claimed()
  for (const id of ['mia', 'leo', 'papa', 'trainer']) await home.people.add({ id, name: id })
  const groups = made[0]!
  const family = {
    ...{ name: 'Family', kind: 'family', step_minutes: 3 },
    members: [
      { person_id: 'mia', role: 'cared_for' },
      { person_id: 'papa', role: 'parent', escalation_order: 2 },
    ],
  }
  return { ...home, owner, groups, climbing, family }
}

test('a group is made with its members, changed, and shown to those who belong to it only', async (t) => {
  const { call, owner, letIn, family } = await setup(t)
  const made = await call('POST', '/groups', { token: owner, body: family })
  assert.equal(made.status, 201)
  assert.deepEqual(
    made.body.data.members.map(({ member_id, role, escalation_order }: Record<string, unknown>) => [
      member_id,
      role,
      escalation_order,
    ]),
    [
      ['papa', 'parent', 2],
      ['mia', 'cared_for', null],
    ],
  )
  const papa = await letIn(owner, { role: 'member', person_id: 'papa' })
  const leo = await letIn(owner, { role: 'member', person_id: 'leo' })
  const listed = async (token: string) =>
    (await call('GET', '/groups', { token })).body.data.map(({ id }: { id: string }) => id)
  assert.deepEqual(await listed(papa.access_token), ['group-1'])
  assert.deepEqual(await listed(leo.access_token), [])
  const hidden = await call('GET', '/groups/group-1', { token: leo.access_token })
  const missing = await call('GET', '/groups/none', { token: leo.access_token })
  assert.equal(hidden.status, 404)
  assert.deepEqual(hidden.body.error, missing.body.error)
  const renamed = await call('PATCH', '/groups/group-1', { token: owner, body: { name: 'Home' } })
  assert.deepEqual([renamed.body.data.name, renamed.body.data.step_minutes], ['Home', 3])
})

test('a member may be a user who is no person here, and the ladder follows order and rota', async (t) => {
  const { call, owner, letIn, groups, clock, family } = await setup(t)
  const gran = await letIn(owner, { role: 'caregiver', person_id: 'mia' })
  await call('POST', '/groups', { token: owner, body: family })
  const added = await call('POST', '/groups/group-1/members', {
    token: owner,
    body: { user_id: gran.user.id, role: 'carer', escalation_order: 1 },
  })
  assert.equal(added.status, 201)
  assert.deepEqual(groups.ladderFor('mia', clock.now()), {
    steps: [[gran.user.id], ['papa']],
    stepMs: 180_000,
  })
  const rota = [{ person_id: 'papa', days: ['sat'], from: '08:00', to: '10:00' }]
  await call('PATCH', '/groups/group-1', { token: owner, body: { rota } })
  assert.deepEqual(groups.ladderFor('mia', clock.now())?.steps, [['papa'], [gran.user.id]])
  assert.equal(groups.ladderFor('leo', clock.now()), null)
})

test('nothing is made when a member is unknown, and a shirt number is worn once', async (t) => {
  const { call, owner } = await setup(t)
  const wrong = { name: 'Team', kind: 'team', members: [{ person_id: 'nobody' }] }
  assert.equal((await call('POST', '/groups', { token: owner, body: wrong })).status, 404)
  assert.equal((await call('GET', '/groups', { token: owner })).body.pagination.total, 0)
  const players = ['mia', 'leo'].map((person_id) => ({ person_id, role: 'player', shirt_number: 7 }))
  const team = { name: 'Team', kind: 'team', members: players }
  assert.equal((await call('POST', '/groups', { token: owner, body: team })).status, 409)
})

test('a coach reads the training of the players of the own team, and nothing else', async (t) => {
  const { call, owner, groups, letIn } = await setup(t)
  const coach = await letIn(owner, { role: 'member', person_id: 'trainer' })
  const members = [
    { person_id: 'trainer', role: 'coach' },
    { person_id: 'mia', role: 'player', shirt_number: 9 },
  ]
  await call('POST', '/groups', { token: owner, body: { name: 'U13', kind: 'team', members } })
  assert.deepEqual(groups.grantsOf(coach.user.id), [
    { personId: 'mia', class: 'training', action: 'read', expiresAtMs: null },
  ])
  await call('DELETE', '/groups/group-1/members/mia', { token: owner })
  assert.deepEqual(groups.grantsOf(coach.user.id), [])
})

test('a group goes when nothing climbs its ladder, and a member who was removed is no longer in it', async (t) => {
  const { call, owner, groups, climbing, people, family } = await setup(t)
  await call('POST', '/groups', { token: owner, body: family })
  climbing.add('mia')
  assert.equal((await call('DELETE', '/groups/group-1', { token: owner })).status, 409)
  climbing.clear()
  await people.remove('papa')
  groups.reload()
  assert.deepEqual(groups.ladderFor('mia', 0)?.steps, [])
  assert.equal((await call('DELETE', '/groups/group-1', { token: owner })).status, 200)
  assert.equal(groups.ladderFor('mia', 0), null)
})
