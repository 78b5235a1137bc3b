import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ACTS, REFUSALS } from '../../../daemon/features/audit/acts.ts'
import { createAudit } from '../../../daemon/features/audit/audit.ts'
import type { Answered } from '../../../daemon/features/audit/witness.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../fakes/household.ts'
import { OWNER, openStore, setup as setupHttp, user } from '../../http/setup.ts'
import { ROUTES } from '../../scenarios/access-oracle.ts'

interface Row {
  act: string
  who: { kind: string; id: string | null }
  person_id: string | null
  class: string | null
}

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  const audit = createAudit({
    ...{ store, clock, log: createLog('silent'), secret: new Uint8Array(32).fill(5) },
    notePath: join(temporaryFolder(t), 'audit.head'),
    peopleOf: (what, id) => (what === 'session' && id === 'practice' ? ['mia', 'leo'] : []),
  })
  const { echo } = await import('../../http/setup.ts')
  const { http } = await setupHttp(t, {
    ...{ store, features: [audit.feature, echo(clock.now)] },
    deps: { saw: audit.witness.answered, clock },
  })
  const get = (url: string, token = 'owner-token') =>
    http.inject({ url: `/api/v1${url}`, headers: { authorization: `Bearer ${token}` } })
  async function entries(token = 'owner-token', query = ''): Promise<Row[]> {
    await audit.flush()
    return (await get(`/privacy/audit${query}`, token)).json<{ data: Row[] }>().data
  }
  return { clock, store, audit, get, entries }
}

test('a read is one entry per reader, person and class within five minutes', async (t) => {
  const { clock, get, entries } = await setup(t)
  for (let one = 0; one < 5; one += 1) await get('/people/mia/wellness')
  await get('/people/mia/wellness', 'caregiver-token')
  await get('/people/leo/wellness')
  clock.advance(5 * 60_000)
  await get('/people/mia/wellness')
  const rows = await entries()
  const short = rows.map(({ act, who, person_id: person, class: one }) =>
    [act, who.id, person, one].join(' '),
  )
  assert.deepEqual(short, [
    'read olga mia wellness',
    'read olga leo wellness',
    'read gran mia wellness',
    'read olga mia wellness',
  ])
})

test('what was refused is no read', async (t) => {
  const { get, entries } = await setup(t)
  assert.equal((await get('/people/leo/wellness', 'caregiver-token')).statusCode, 404)
  assert.deepEqual(await entries(), [])
})

test('a person sees who looked at them and nobody else’s entries', async (t) => {
  const { get, entries } = await setup(t)
  await get('/people/mia/wellness', 'caregiver-token')
  await get('/people/leo/wellness')
  const own = await entries('member-token')
  assert.deepEqual(
    own.map(({ who, person_id: person }) => [who.id, person]),
    [['gran', 'mia']],
  )
  assert.deepEqual(await entries('coach-token'), [])
  assert.equal((await entries('owner-token', '?person_id=leo')).length, 1)
})

test('lists and sessions tell whose data went out', async (t) => {
  const { audit, entries } = await setup(t)
  const seen = (part: Partial<Answered>): Answered => ({
    ...{ method: 'GET', route: '/', status: 200, actor: user('carl', 'coach'), address: '10.0.0.2' },
    ...{ params: {}, data: null, touched: [], uploader: false, ownersOnly: false },
    ...part,
  })
  audit.witness.answered(seen({ route: '/sessions', data: [{ participants: [{ person_id: 'leo' }] }] }))
  audit.witness.answered(seen({ route: '/sessions/:sessionId/tracks', params: { sessionId: 'practice' } }))
  audit.witness.answered(seen({ route: '/alerts', data: [{ person_id: 'mia' }] }))
  audit.witness.joined(user('carl', 'coach'), 'person:mia')
  const rows = await entries()
  assert.deepEqual(rows.map(({ person_id: person, class: one }) => `${person} ${one}`).reverse(), [
    'leo training',
    'mia training',
    'mia wellness',
    'mia any',
  ])
})

test('a program that hears of somebody over MQTT is one entry a day', async (t) => {
  const { clock, audit, entries } = await setup(t)
  for (let hour = 0; hour < 25; hour += 1) {
    audit.witness.heard('home-assistant', 'mia')
    clock.advance(3_600_000)
  }
  assert.deepEqual(
    (await entries()).map(({ act, who }) => `${act} ${who.id}`),
    ['read home-assistant', 'read home-assistant'],
  )
})

test('a wrong secret leaves a line without the secret or the name', async (t) => {
  const { audit, entries, store } = await setup(t)
  const refused: Answered = {
    ...{
      method: 'POST',
      route: '/auth/login',
      status: 401,
      actor: { kind: 'anonymous' },
      address: '10.0.0.9',
    },
    ...{ params: {}, data: null, touched: [], uploader: false, ownersOnly: false },
  }
  for (let one = 0; one < 20; one += 1) audit.witness.answered(refused)
  assert.deepEqual(
    (await entries()).map(({ act }) => act),
    ['sign-in-refused'],
  )
  assert.deepEqual(store.all('SELECT detail FROM audit_entry'), [{ detail: '{"address":"10.0.0.9"}' }])
})

test('a grant says what was opened to whom, by ids alone', async (t) => {
  const { audit, store } = await setup(t)
  audit.witness.answered({
    ...{ method: 'POST', route: '/privacy/consents', status: 201, actor: user('olga', 'owner') },
    ...{ address: '10.0.0.2', params: {}, touched: [], uploader: false, ownersOnly: false },
    data: {
      id: 'grant-1',
      user_id: 'carl',
      person_id: 'mia',
      class: 'glucose',
      action: 'read',
      name: 'Carl Canary',
    },
  })
  await audit.flush()
  const [row] = store.all<{ act: string; person: string; detail: string }>(
    'SELECT act, person, detail FROM audit_entry',
  )
  assert.equal(row?.act, 'grant')
  assert.equal(row?.person, 'mia')
  assert.deepEqual(JSON.parse(row?.detail ?? ''), {
    id: 'grant-1',
    class: 'glucose',
    action: 'read',
    user_id: 'carl',
  })
})

test('what only owners may do is written down although nobody listed it', async (t) => {
  const { audit, entries } = await setup(t)
  const seen: Answered = {
    ...{
      method: 'PUT',
      route: '/something/new',
      status: 200,
      actor: user('olga', 'owner'),
      address: '10.0.0.2',
    },
    ...{ params: {}, data: null, touched: [], uploader: false, ownersOnly: true },
  }
  audit.witness.answered(seen)
  audit.witness.answered({ ...seen, method: 'GET' })
  audit.witness.answered({ ...seen, ownersOnly: false })
  assert.deepEqual(
    (await entries()).map(({ act }) => act),
    ['put /something/new'],
  )
})

test('every act that is listened for is a route of the hub', () => {
  for (const key of [...Object.keys(ACTS), ...Object.keys(REFUSALS)])
    assert.ok(key in ROUTES, `${key} is no route`)
})

test('the owner can read while the log takes entries as fast as they come', async (t) => {
  const { get } = await setup(t)
  assert.equal((await get('/privacy/audit')).statusCode, 200)
  assert.equal(OWNER.authorization, 'Bearer owner-token')
})
