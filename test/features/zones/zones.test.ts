import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { latLngToCell } from 'h3-js'
import { createZones, type Zones } from '../../../daemon/features/zones/zones.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openHousehold } from '../../fakes/household.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const SCHOOL = [
  [52.5, 13.4],
  [52.5, 13.41],
  [52.51, 13.41],
  [52.51, 13.4],
]

async function setup(t: TestContext) {
  const clock = fakeClock()
  const said: { zoneId: string; data: unknown }[] = []
  const rarities = new Map<string, number>()
  const places = new Map<string, { lat: number; lon: number }>()
  const made: Zones[] = []
  const ids = Array.from({ length: 12 }, (_, at) => `child_${at + 1}`)
  const home = await openHousehold(t, {
    clock,
    more(store) {
      let count = 0
      const zones = createZones({
        ...{ store, clock, log: createLog('silent'), newId: () => `zone-${++count}` },
        personIds: () => ids,
        rarityOf: (id) => ({ atMs: clock.now() - MINUTE, p: rarities.get(id) ?? 0.8 }),
        placeOf: async (id) => {
          const place = places.get(id)
          return place ? { atMs: clock.now(), ...place } : null
        },
        notify: (zoneId, data) => void said.push({ zoneId, data }),
      })
      made.push(zones)
      return [zones.feature]
    },
  })
  const owner = await home.claimed()
  for (const id of ids) await home.people.add({ id, name: id })
  const zones = made[0]!
  let token = owner
  const pass = async (ms: number) => {
    clock.advance(ms)
    await zones.look()
    if (ms < DAY) return
    const signedIn = await home.call('POST', '/auth/login', { body: OWNER })
    assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body))
    token = signedIn.body.data.access_token
  }
  const again = async () => token
  const make = async (members: readonly string[], more: object = {}) => {
    const { status, body } = await home.call('POST', '/community/zones', {
      token: await again(),
      body: { name: 'School', members, ...more },
    })
    assert.equal(status, 201, JSON.stringify(body))
    await pass(MINUTE)
    return body.data.id as string
  }
  const status = async (id: string) =>
    (await home.call('GET', `/community/zones/${id}/status`, { token: await again() })).body.data
  const change = async (id: string, body: object) =>
    home.call('PATCH', `/community/zones/${id}`, { token: await again(), body })
  const ill = (count: number) => {
    for (const id of ids.slice(0, count)) rarities.set(id, 0.003)
  }
  return { ...home, owner, again, clock, said, rarities, places, zones, ids, pass, make, status, change, ill }
}

test('five people are told of as a band, four are not, and distress that many share is', async (t) => {
  const { make, status, pass, ids, said, ill } = await setup(t)
  const four = await make(ids.slice(8))
  assert.deepEqual([(await status(four)).status, (await status(four)).people], ['hidden', null])
  const eight = await make(ids.slice(0, 8))
  assert.deepEqual([(await status(eight)).status, (await status(eight)).people], ['calm', '5 to 9'])
  ill(1)
  await pass(MINUTE)
  assert.equal((await status(eight)).status, 'calm', 'one odd hour is nobody else’s')
  ill(5)
  await pass(MINUTE)
  assert.equal((await status(eight)).status, 'distress')
  assert.deepEqual(
    said.map(({ zoneId, data }) => [zoneId, (data as { status: string }).status]),
    [
      [eight, 'calm'],
      [eight, 'distress'],
    ],
  )
})

test('one who comes or goes changes nothing before the day is over, five at once do', async (t) => {
  const { make, status, pass, ids, change, rarities } = await setup(t)
  for (const id of ['child_1', 'child_2', 'child_9']) rarities.set(id, 0.003)
  const zone = await make(ids.slice(0, 5))
  assert.equal((await status(zone)).status, 'calm')
  const before = await status(zone)
  await change(zone, { members: [...ids.slice(0, 5), 'child_9'] })
  await pass(MINUTE)
  const { as_of: _, ...joined } = await status(zone)
  const { as_of: __, ...alone } = before
  assert.deepEqual(joined, alone, 'three odd hours of six would be distress')
  await change(zone, { members: ids.slice(1, 5) })
  await pass(MINUTE)
  assert.equal((await status(zone)).status, 'calm', 'a zone of four by now is still told of those five')
  await change(zone, { members: [...ids.slice(0, 5), 'child_9'] })
  await pass(DAY)
  assert.equal((await status(zone)).status, 'distress')
})

test('a second zone of nearly the same people is not told, also after the first was removed', async (t) => {
  const { make, status, pass, ids, call, again } = await setup(t)
  const first = await make(ids.slice(0, 6))
  const second = await make(ids.slice(0, 7))
  assert.deepEqual([(await status(first)).status, (await status(second)).status], ['calm', 'hidden'])
  assert.equal((await call('DELETE', `/community/zones/${first}`, { token: await again() })).status, 200)
  await pass(MINUTE)
  assert.equal((await status(second)).status, 'hidden')
  await pass(DAY + MINUTE)
  await pass(MINUTE)
  assert.equal((await status(second)).status, 'calm')
})

test('whoever is inside the polygon or the cells belongs, by the newest position', async (t) => {
  const { make, status, ids, places } = await setup(t)
  for (const id of ids.slice(0, 6)) places.set(id, { lat: 52.505, lon: 13.405 })
  for (const id of ids.slice(6)) places.set(id, { lat: 52.52, lon: 13.405 })
  const drawn = await make([], { polygon: SCHOOL, by_position: true })
  assert.equal((await status(drawn)).status, 'calm')
  const cells = await make([], { cells: [latLngToCell(52.52, 13.405, 8)], by_position: true })
  assert.equal((await status(cells)).status, 'calm')
  for (const id of ids.slice(6)) places.set(id, { lat: 52.6, lon: 13.405 })
  const empty = await make([], { cells: [latLngToCell(52.52, 13.405, 7)], by_position: true })
  assert.equal((await status(empty)).status, 'hidden')
})

test('shapes that are no place are refused, and who belongs is for owners only', async (t) => {
  const { make, ids, call, again, letIn, owner } = await setup(t)
  const refused = async (body: object) =>
    (await call('POST', '/community/zones', { token: owner, body: { name: 'X', ...body } })).status
  assert.equal(
    await refused({
      polygon: [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    }),
    400,
  )
  assert.equal(
    await refused({
      polygon: [
        [91, 0],
        [80, 0],
        [80, 1],
      ],
    }),
    400,
  )
  assert.equal(await refused({ cells: ['nonsense'] }), 400)
  assert.equal(await refused({ polygon: Array.from({ length: 201 }, (_, at) => [at / 100, at % 2]) }), 400)
  assert.equal(await refused({ members: ['nobody'] }), 404)
  const id = await make(ids.slice(0, 5), { polygon: SCHOOL })
  const member = await letIn(owner, { role: 'member', person_id: 'child_1' })
  const [shown] = (await call('GET', '/community/zones', { token: member.access_token })).body.data
  assert.deepEqual([shown.id, shown.members, shown.polygon.length], [id, null, 4])
  const own = await call('GET', `/community/zones/${id}`, { token: await again() })
  assert.equal(own.body.data.members.length, 5)
  const body = { name: 'Mine' }
  assert.equal(
    (await call('PATCH', `/community/zones/${id}`, { token: member.access_token, body })).status,
    403,
  )
})

test('a zone is changed by its owner: members by hand, corners that become cells, and whoever watches it hears', async (t) => {
  const { make, status, pass, ids, change, places, said, call, again } = await setup(t)
  for (const id of ids) places.set(id, { lat: 52.52, lon: 13.405 })
  const zone = await make(ids.slice(0, 5), { polygon: SCHOOL })
  assert.equal((await status(zone)).people, '5 to 9')
  const cells = [latLngToCell(52.52, 13.405, 8)]
  const changed = await change(zone, { name: 'Yard', members: [], cells, by_position: true })
  assert.deepEqual(
    [changed.status, changed.body.data.cells, changed.body.data.polygon],
    [200, cells, undefined],
  )
  await pass(MINUTE)
  assert.equal((await status(zone)).people, '10 to 19', 'seven more at once are counted at once')
  const news = said.filter(({ zoneId }) => zoneId === zone).map(({ data }) => Object(data).people)
  assert.deepEqual(news, ['5 to 9', '10 to 19'])
  const both = await change(zone, { cells, polygon: SCHOOL })
  assert.equal(both.status, 400)
  const shown = await call('GET', `/community/zones/${zone}`, { token: await again() })
  assert.deepEqual([shown.body.data.name, shown.body.data.members], ['Yard', []])
})
