import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OWNER, openHousehold } from '../../fakes/household.ts'

test('a reset takes accounts, sign-ins, grants and codes away and keeps persons and devices', async (t) => {
  const { accounts, consents, pairing, people, devices, call, letIn } = await openHousehold(t)
  const first = await accounts.claimCode()
  const claim = (claim_code: string) => call('POST', '/claim', { body: { claim_code, ...OWNER } })
  const token = (await claim(first.code)).body.data.access_token
  await people.add({ id: 'mia', name: 'Mia' })
  const added = await call('POST', '/devices', {
    token,
    body: { type: 'watch', name: 'W', person_id: 'mia' },
  })
  const gran = await letIn(token, { role: 'caregiver', person_id: 'mia' })
  const ended: string[] = []
  accounts.onRevoked(({ signInId }) => ended.push(signInId))
  await accounts.reset([pairing.planNone(), consents.planNone()])
  assert.equal(ended.length, 2)
  assert.equal(accounts.isClaimed(), false)
  assert.deepEqual([accounts.users(), consents.grantsOf(gran.user.id)], [[], []])
  assert.equal((await call('GET', '/people', { token })).body.error.code, 'NOT_CLAIMED')
  assert.equal(people.exists('mia'), true)
  assert.notEqual(devices.authenticate(added.body.data.id, added.body.data.api_key), null)
  const next = await accounts.claimCode()
  assert.notEqual(next.code, first.code, 'the code of the earlier owner opens nothing')
  assert.equal((await claim(first.code)).body.error.code, 'PAIRING_INVALID')
  const again = await claim(next.code)
  assert.equal(again.status, 201)
  assert.equal((await call('GET', '/people', { token })).body.error.code, 'UNAUTHENTICATED')
  assert.equal((await call('GET', '/people', { token: again.body.data.access_token })).body.data[0].id, 'mia')
})
