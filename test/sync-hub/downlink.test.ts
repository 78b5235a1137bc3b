/** What comes down from the cloud: keys, deletions, a feed read anew, and nothing that goes back up for it. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { addCode } from '../../sync/cloud/households.ts'
import type { RunningCloud } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { canonicalJson } from '../../sync/merge.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { withoutPostgres } from '../sync/postgres.ts'
import { cloudForHubs, type TestCloudHouse, type TestHouse } from './house.ts'
import { type SyncedHub, syncedHub, until } from './setup.ts'

const START = Date.UTC(2026, 2, 13)
const TRAINING = [{ class: 'training', raw: false }] as const

describe('down from the cloud', { skip: withoutPostgres() }, () => {
  let cloud: TestCloudHouse
  before(async () => {
    cloud = await cloudForHubs()
  })
  after(() => cloud.stop())

  const titles = (hub: SyncedHub) =>
    hub.store.all<{ title: string }>('SELECT title FROM calendar_event ORDER BY id').map(({ title }) => title)
  const merged = (hub: SyncedHub) =>
    hub.store.all<{ name: string; body: string }>(
      `SELECT kind || ' ' || id AS name, body FROM sync_entity ORDER BY kind, id`,
    )
  const feed = async ({ sql }: TestHouse) =>
    (
      await sql<{ name: string; body: object }>(
        `SELECT kind || ' ' || id AS name, body FROM household_feed WHERE household_id = $1 ORDER BY kind, id`,
      )
    ).map(({ name, body }) => ({ name, body: canonicalJson(body) }))
  const isSame = async (house: TestHouse, hubs: readonly SyncedHub[]) => {
    const said = canonicalJson(await feed(house))
    return hubs.every((hub) => canonicalJson(merged(hub)) === said)
  }
  /** The hub as it is after its network went away: with no stream that is still open. */
  async function away(t: TestContext, { line }: TestHouse, hub: SyncedHub, more: Partial<SyncPorts> = {}) {
    line.isUp = false
    const again = await hub.restart(more)
    t.after(() => again.stop())
    return again
  }
  const isSent = (hub: SyncedHub) => hub.sync.state.depth('now') === 0

  test('two hubs that each made a key for one person while apart both read everything, and agree on one key', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const [one, other] = [await house.join(), await house.join()]
    house.line.isUp = false
    for (const [hub, id] of [
      [one, 'e1'],
      [other, 'e2'],
    ] as const) {
      await hub.addPerson('mia', 'Mia')
      await hub.sync.choose('mia', [...TRAINING, { class: 'wellness', raw: false }])
      await hub.addEvent(id, 'mia', `Made by ${id}`)
      await hub.addHour('mia', START)
    }
    const own = [one, other].map(({ sync }) => sync.state.subjectKey('mia')?.toString('hex'))
    assert.notEqual(own[0], own[1])
    house.line.isUp = true
    for (const hub of [one, other]) hub.sync.kick()
    await until(() => [one, other].every((hub) => titles(hub).join() === 'Made by e1,Made by e2'))
    await until(async () => isSent(one) && isSent(other) && (await isSame(house, [one, other])))
    await until(() => {
      const [first, second] = [one, other].map(({ sync }) => sync.state.subjectKeys('mia').map(String))
      return first?.length === 2 && first.join() === second?.join()
    })
    const read = (await house.ask('GET', '/calendar')).body.calendar.map(
      ({ fields }: { fields: { title: string } }) => fields.title,
    )
    assert.deepEqual(read, ['Made by e1', 'Made by e2'])
    const conflicts = merged(one).filter(({ name }) => name === 'person mia')
    assert.equal(conflicts.length, 1)
    // What is sealed from here on is sealed with the one key.
    await other.addEvent('e3', 'mia', 'Later')
    await until(() => titles(one).includes('Later'))
    await house.ask('POST', '/erasures', { subject: 'mia' })
    assert.deepEqual(await house.sql('SELECT FROM vault.subject_key WHERE household_id = $1'), [])
  })

  test('several edits of one event that piled up while the hub was away come down as the last of them', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    let hub = await house.join({ random: () => 0 })
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', TRAINING)
    await until(() => isSent(hub) && hub.sync.identity()?.shapeOffset !== null)
    hub = await away(t, house, hub)
    const event = { id: 'e1', subject: 'mia', fields: { title: 'First', start_at: START } }
    assert.equal((await house.ask('POST', '/calendar', event)).status, 201)
    for (const title of ['Second', 'Third', 'Last'])
      await house.ask('PATCH', '/calendar/e1', { fields: { title } })
    await house.ask('POST', '/calendar', { ...event, id: 'e2' })
    await house.ask('DELETE', '/calendar/e2')
    house.line.isUp = true
    await until(() => titles(hub).join() === 'Last')
  })

  test('what is deleted in the cloud is gone on every hub, a member who left a group too', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const [one, other] = [await house.join(), await house.join()]
    const people = { id: 'team', fields: { name: 'U12', kind: 'team', 'member:mia': { role: 'player' } } }
    await house.ask('POST', '/people', { id: 'mia', fields: { name: 'Mia', timezone: 'Europe/Berlin' } })
    await house.ask('POST', '/groups', people)
    await house.ask('POST', '/calendar', {
      id: 'e1',
      fields: { group: 'team', title: 'Passing', start_at: START },
    })
    const members = (hub: SyncedHub) => hub.store.all('SELECT 1 FROM group_member').length
    await until(() => [one, other].every((hub) => titles(hub).length === 1 && members(hub) === 1))
    await house.ask('PATCH', '/groups/team', { fields: { 'member:mia': null } })
    await house.ask('DELETE', '/calendar/e1')
    await until(() => [one, other].every((hub) => titles(hub).length === 0 && members(hub) === 0))
    await until(async () => isSame(house, [one, other]))
  })

  test('what comes down does not go up again, and an edit travels once', { timeout: 120_000 }, async (t) => {
    const house = await cloud.house(t)
    const [one, other] = [await house.join(), await house.join()]
    await one.addPerson('mia', 'Mia')
    await one.sync.choose('mia', TRAINING)
    await until(() => isSent(one) && other.store.get(`SELECT 1 FROM person WHERE id = 'mia'`) !== undefined)
    await other.sync.choose('mia', TRAINING)
    await until(async () => isSent(one) && isSent(other) && (await isSame(house, [one, other])))
    const sentBefore = [one, other].map(({ sync }) => sync.state.lane('now').rows)
    const fields = { title: 'Match', start_at: START, event_type: 'match' }
    await house.ask('POST', '/calendar', { id: 'e1', subject: 'mia', fields })
    await house.ask('PATCH', '/calendar/e1', { fields: { title: 'Cup match' } })
    await until(() => [one, other].every((hub) => titles(hub).join() === 'Cup match'))
    // One row of its own from each hub shows that whatever was to go up before it has gone up.
    await one.addEvent('own-1', 'mia', 'One')
    await other.addEvent('own-2', 'mia', 'Other')
    await until(
      async () => titles(one).length === 3 && titles(other).length === 3 && isSent(one) && isSent(other),
    )
    const sent = [one, other].map(({ sync }, at) => sync.state.lane('now').rows - (sentBefore[at] ?? 0))
    assert.deepEqual(sent, [1, 1])
    assert.ok(await isSame(house, [one, other]))
  })

  test('a feed that has to be read anew is taken over whole: a hub ended half way shows what it showed before', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    let ends = false
    let staged = 0
    const failpoints = {
      hit(name: string) {
        if (name !== 'hub.staged' || !ends) return
        staged += 1
        if (staged % 2 === 0) throw new Error('ended here')
      },
    }
    let hub = await house.join({ failpoints, random: () => 0 })
    await house.ask('POST', '/people', { id: 'mia', fields: { name: 'Mia', timezone: 'Europe/Berlin' } })
    await house.ask('POST', '/calendar', {
      id: 'a',
      subject: 'mia',
      fields: { title: 'Before', start_at: START },
    })
    await house.ask('POST', '/jobs', { job_id: 'j1', kind: 'calibrate' })
    const job = (one: SyncedHub) =>
      one.store.get(`SELECT 1 FROM sync_entity WHERE kind = 'job'`) !== undefined
    await until(() => titles(hub).join() === 'Before' && job(hub))
    hub = await away(t, house, hub)
    // The shape of before is nobody's any more, as after an erasure; meanwhile a season was planned, and a job ended.
    await house.sql('UPDATE household SET feed_generation = feed_generation + 1 WHERE id = $1')
    await house.sql(`DELETE FROM household_feed WHERE household_id = $1 AND kind = 'job'`)
    await house.ask('PATCH', '/calendar/a', { fields: { title: 'After' } })
    await house.sql(
      `INSERT INTO household_feed (household_id, kind, id, subject, hlc, body)
       SELECT household_id, kind, 'b' || lpad(n::text, 4, '0'), subject, hlc, body
       FROM household_feed, generate_series(1, 450) n WHERE household_id = $1 AND kind = 'calendar'`,
    )
    ends = true
    house.line.isUp = true
    await until(() => staged >= 2)
    const incoming = () => hub.store.get<{ n: number }>('SELECT count(*) AS n FROM sync_incoming')?.n ?? 0
    assert.ok(incoming() > 0)
    assert.deepEqual([titles(hub), job(hub)], [['Before'], true])
    hub = await hub.restart({ failpoints: NO_FAILPOINTS })
    t.after(() => hub.stop())
    await until(() => titles(hub).length === 451)
    assert.deepEqual([titles(hub)[0], titles(hub)[1], incoming(), job(hub)], ['After', 'After', 0, false])
  })

  test('an event that fits nowhere here is not taken for deleted when the cloud was restored', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const hub = await house.join()
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', TRAINING)
    await until(() => isSent(hub))
    // Planned for somebody who is not in this house.
    await house.ask('POST', '/calendar', {
      id: 'e1',
      fields: { title: 'Elsewhere', group: 'none', start_at: START },
    })
    await until(() => hub.store.get(`SELECT 1 FROM sync_entity WHERE id = 'e1'`) !== undefined)
    await house.sql(
      `UPDATE hub_lane SET watermark = 0, token = NULL, previous_token = NULL, recent = NULL WHERE household_id = $1`,
    )
    await house.sql(`DELETE FROM household_feed WHERE household_id = $1`)
    await hub.addEvent('e2', 'mia', 'Passing')
    await until(async () => (await house.ask('GET', '/calendar')).body.calendar.length === 2)
  })

  test('who mistypes the part behind the dot is told so, and the same code still joins, typed small and with spaces', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const { parts } = cloud.running.cloud
    const { code } = await addCode(parts.base.owner, parts.key, house.id, Date.now())
    assert.match(code, /^[A-Z2-9]{4}(-[A-Z2-9]{4}){2}\.[A-Z2-9]{4}(-[A-Z2-9]{4}){3}$/)
    const hub = await syncedHub()
    t.after(() => hub.stop())
    const [spoken = '', rest = ''] = code.split('.')
    const wrong = await hub.sync.enrol(
      cloud.running.address,
      `${spoken}.${rest.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))}`,
    )
    assert.ok('fault' in wrong && /behind the dot/.test(wrong.told))
    assert.equal(hub.sync.identity(), null)
    const short = await hub.sync.enrol(cloud.running.address, spoken)
    assert.ok('fault' in short && /whole code/.test(short.told))
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')} `
    assert.deepEqual(await hub.sync.enrol(cloud.running.address, typed), { household: 'Home' })
  })

  test('two instances behind a round-robin are one cloud to a hub, up and down, and one of them may end', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const second = await cloud.another()
    let isSecondUp = true
    const endSecond = async () => {
      if (isSecondUp) await second.close()
      isSecondUp = false
    }
    t.after(endSecond)
    const asked = [0, 0]
    let turn = 0
    const roundRobin: typeof fetch = async (input, init) => {
      const { pathname, search } = new URL(input instanceof Request ? input.url : String(input))
      turn += 1
      const at = isSecondUp ? turn % 2 : 0
      asked[at] = (asked[at] ?? 0) + 1
      return fetch(new URL(pathname + search, [cloud.running, second][at]?.address), init)
    }
    const hub = await house.join({ fetch: roundRobin, random: () => 0 })
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', [...TRAINING, { class: 'wellness', raw: false }])
    for (let hour = 0; hour < 8; hour += 1) {
      await hub.addHour('mia', START + hour * 3_600_000)
      await until(() => hub.sync.state.depth('state') === 0)
    }
    const hours = () => house.sql<{ n: number }>('SELECT n::int FROM rollup_hour WHERE household_id = $1')
    assert.deepEqual((await hours()).length, 8)
    assert.ok(
      asked.every((count) => count >= 3),
      JSON.stringify(asked),
    )
    const edit = (running: RunningCloud, id: string) =>
      running.cloud.http.inject({
        ...{
          method: 'POST',
          url: '/api/household/calendar',
          headers: { authorization: `Bearer ${house.token}` },
        },
        payload: { id, subject: 'mia', fields: { title: id, start_at: START } },
      })
    await edit(cloud.running, 'first')
    await edit(second, 'second')
    await until(() => titles(hub).join() === 'first,second')
    await endSecond()
    await edit(cloud.running, 'third')
    await hub.addHour('mia', START + 9 * 3_600_000)
    await until(async () => titles(hub).length === 3 && (await hours()).length === 9)
  })

  const DEEDS = ['grant', 'revoke', 'erase', 'nothing'] as const
  type Deed = (typeof DEEDS)[number]
  const CLOUD: Readonly<Record<Deed, (house: TestHouse, subject: string) => Promise<unknown>>> = {
    grant: ({ ask }, subject) =>
      ask('POST', '/consents', {
        id: `more-${subject}`,
        subject,
        grantee: 'coach',
        class: 'glucose',
        action: 'read',
      }),
    revoke: ({ ask }, subject) => ask('DELETE', `/consents/of-${subject}`),
    erase: ({ ask }, subject) => ask('POST', '/erasures', { subject }),
    nothing: async () => {},
  }
  const HUB: Readonly<Record<Deed, (hub: SyncedHub, subject: string) => Promise<unknown>>> = {
    grant: ({ store }, subject) =>
      store.write([
        {
          sql: `INSERT INTO consent (id, user_key, person_key, class, action, created_at)
            SELECT :id, u.key, p.key, 'wellness', 'read', :nowMs FROM user u, person p WHERE u.id = 'coach' AND p.id = :subject`,
          params: { id: `here-${subject}`, subject, nowMs: Date.now() },
          expect: 1,
        },
      ]),
    revoke: ({ store }, subject) =>
      store.write([
        { sql: 'DELETE FROM consent WHERE id = :id', params: { id: `of-${subject}` }, expect: 1 },
      ]),
    async erase({ store, sync }, subject) {
      await store.write([
        {
          sql: 'INSERT INTO erasures (person_id, at) VALUES (:subject, :nowMs)',
          params: { subject, nowMs: Date.now() },
        },
      ])
      await sync.erased(subject)
    },
    nothing: async () => {},
  }
  const CASES = DEEDS.flatMap((there) => DEEDS.map((here) => ({ there, here, subject: `${there}-${here}` })))

  test('whatever was granted, withdrawn and erased in the two places while apart: erasure wins, then withdrawal', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    let hub = await house.join({ random: () => 0 })
    await hub.store.write([
      { sql: `INSERT INTO user (id, name, role, created_at) VALUES ('coach', 'Coach', 'coach', 0)` },
    ])
    for (const { subject } of CASES) {
      await hub.addPerson(subject, subject)
      await hub.sync.choose(subject, TRAINING)
    }
    await until(() => isSent(hub))
    for (const { subject } of CASES)
      await house.ask('POST', '/consents', {
        id: `of-${subject}`,
        subject,
        grantee: 'coach',
        class: 'training',
        action: 'read',
      })
    const here = () => hub.store.all<{ id: string }>('SELECT id FROM consent ORDER BY id').map(({ id }) => id)
    await until(() => here().length === CASES.length)
    hub = await away(t, house, hub)
    for (const { there, subject } of CASES) await CLOUD[there](house, subject)
    for (const { here: deed, subject } of CASES) await HUB[deed](hub, subject)
    house.line.isUp = true
    hub.sync.kick()
    const isErased = (one: (typeof CASES)[number]) => one.there === 'erase' || one.here === 'erase'
    const asked = CASES.filter((one) => one.there === 'erase' && one.here !== 'erase')
    await until(() => asked.every(({ subject }) => hub.erasing.includes(subject)))
    for (const { subject } of asked) await hub.sync.erased(subject)
    const expected = CASES.filter((one) => !isErased(one)).flatMap((one) => [
      ...(one.there === 'revoke' || one.here === 'revoke' ? [] : [`of-${one.subject}`]),
      ...(one.there === 'grant' ? [`more-${one.subject}`] : []),
      ...(one.here === 'grant' ? [`here-${one.subject}`] : []),
    ])
    const holds = async () =>
      (await house.ask('GET', '/consents')).body.consents
        .filter((one: { revoked: string | null }) => one.revoked === null)
        .map(({ id }: { id: string }) => id)
    const text = (ids: readonly string[]) => [...ids].sort().join()
    await until(async () => isSent(hub) && text(await holds()) === text(expected))
    // The erasing of rows is the hub's own; here it only begins.
    const erased = new Set(CASES.filter(isErased).map(({ subject }) => subject))
    await until(
      () => text(here().filter((id) => !erased.has(id.slice(id.indexOf('-') + 1)))) === text(expected),
    )
    const { erasures } = (await house.ask('GET', '/erasures')).body
    assert.deepEqual(
      erasures
        .map((one: { subject: string; hubs_waiting: string[] }) => [one.subject, one.hubs_waiting.length])
        .sort(),
      [...erased].sort().map((subject) => [subject, 0]),
    )
    for (const subject of erased)
      assert.equal(
        (await house.ask('POST', '/people', { id: subject, fields: { name: 'Again' } })).status,
        410,
      )
  })
})
