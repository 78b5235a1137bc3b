/**
 * Hubs killed and cut off on their way to the cloud, together with the cloud and Postgres: what was on disk arrives, each row once, and
 * in the end both hubs and the cloud hold the same bytes.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import pg from 'pg'
import { createCloudbase, migrate } from '../../sync/cloud/database.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { serviceKey } from '../../sync/cloud/identity.ts'
import { canonicalJson } from '../../sync/merge.ts'
import { createFaultProxy, type Fault, type FaultProxy, seededRandom } from '../fakes/fault-proxy.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from '../sync/postgres.ts'
import type { Order } from './hub-child.ts'
import { syncRoundsOr } from './report.ts'

const ROUNDS = syncRoundsOr(1)
const SEED = Number(process.env['HOMEFIELD_FAULT_SEED'] ?? 8)
const STEPS = 40
const START = Date.UTC(2026, 2, 13)
const HOUR_MS = 3_600_000
/** Nobody listens there: a line that is cut. */
const NOWHERE = 1
/** Where a hub may end; the how many-th time so that something went well before. */
const PLACES = [
  ['hub.before-send', 3],
  ['hub.before-ack', 2],
  ['hub.after-ack', 2],
  ['hub.applied', 1],
  ['hub.staged', 1],
] as const

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

interface Child {
  ask<Result>(what: Order['what'], ...given: unknown[]): Promise<Result>
  kill(): Promise<void>
  gone: Promise<void>
}

async function startHub(folder: string, secret: string, failpoint = ''): Promise<Child> {
  const child = fork('dist/test/faults/hub-child.js', [folder, secret, failpoint], { stdio: 'ignore' })
  const waiting = new Map<number, (answer: { result?: unknown; fault?: string }) => void>()
  let last = 0
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve()
      for (const hear of waiting.values()) hear({ fault: 'killed' })
      waiting.clear()
    })
  })
  const heard = (id: number) =>
    new Promise<{ result?: unknown; fault?: string }>((resolve) => waiting.set(id, resolve))
  child.on('message', (answer: { id: number; result?: unknown; fault?: string }) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  child.on('error', () => {})
  const ready = await heard(0)
  if (ready.fault) throw new Error('the hub did not start')
  return {
    gone,
    async ask<Result>(what: Order['what'], ...given: unknown[]) {
      last += 1
      const answer = heard(last)
      if (child.exitCode === null && child.signalCode === null && child.connected)
        child.send({ id: last, what, given })
      else throw new Error('killed')
      const { result, fault } = await answer
      if (fault) throw new Error(fault)
      return result as Result
    },
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

interface Service {
  port: number
  kill(): Promise<void>
}

async function startService(database: string): Promise<Service> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['dist/test/faults/cloud-child.js', database, '', 'builtin'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /:(\d+)\s*$/.exec(said.trim())
      if (found) resolve(Number(found[1]))
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    gone.then(() => reject(new Error(`the service ended: ${said}`)), reject)
  })
  return {
    port,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

describe('hubs, the cloud and Postgres under faults', { skip: withoutPostgres() }, () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres.stop())

  async function setup(random: () => number, harm: number, ends: (() => unknown)[]) {
    const url = await postgres.freshDatabase()
    await migrate(url)
    const base = createCloudbase({ url, connections: 1 })
    const { id: home, token } = await addHousehold(base.owner, 'Home', Date.now())
    const key = await serviceKey(base.owner)
    const codes = [
      (await addCode(base.owner, key, home, Date.now())).code,
      (await addCode(base.owner, key, home, Date.now())).code,
    ]
    await base.close()
    const sql = new pg.Pool({ connectionString: url, max: 1 })
    sql.on('error', () => {})
    sql.on('connect', (client) => client.on('error', () => {}))
    ends.push(() => sql.end())
    let service = await startService(url)
    ends.push(() => service.kill())
    const proxies: FaultProxy[] = []
    const place = async (name: string) => {
      const folder = mkdtempSync(join(tmpdir(), `homefield-chaos-${name}-`))
      const secret = randomBytes(32).toString('hex')
      const proxy = await createFaultProxy({ targetPort: service.port, random, harm })
      proxies.push(proxy)
      let child = await startHub(folder, secret)
      ends.push(async () => {
        await child.kill()
        await proxy.close()
        rmSync(folder, { recursive: true, force: true })
      })
      return {
        proxy,
        hub: () => child,
        /** `between` happens while the hub is gone, with its database at hand. */
        async restart(failpoint = '', between?: (database: Database.Database) => Promise<void>) {
          await child.kill()
          if (between) {
            const database = new Database(join(folder, 'homefield.db'))
            await between(database)
            database.close()
          }
          child = await startHub(folder, secret, failpoint)
        },
        async join(code: string | undefined) {
          for (let tries = 0; tries < 50; tries += 1) {
            const said = await child.ask<{ household?: string; fault?: string }>(
              'enrol',
              `http://127.0.0.1:${proxy.port}`,
              code,
            )
            if (said.household || said.fault === 'already') return
          }
          throw new Error('the hub could not join')
        },
      }
    }
    return {
      ...{ codes, place, proxies, url, token },
      port: () => service.port,
      async restartService() {
        await service.kill()
        service = await startService(url)
        for (const proxy of proxies) proxy.target(service.port)
      },
      rows: async <Row extends object>(text: string): Promise<Row[]> => {
        for (let tries = 0; ; tries += 1) {
          try {
            return (await sql.query<Row>(text)).rows
          } catch (cause) {
            if (tries > 20) throw cause
          }
        }
      },
    }
  }
  type World = Awaited<ReturnType<typeof setup>>
  type Place = Awaited<ReturnType<World['place']>>

  const entitiesOf = async ({ hub }: Place) =>
    hub().ask<{ kind: string; id: string; body: string }[]>(
      'all',
      `SELECT kind, id, body FROM sync_entity WHERE kind IN ('calendar', 'person', 'group', 'consent') ORDER BY kind, id`,
    )
  const eventsOf = async ({ hub }: Place) =>
    hub().ask<object[]>('all', 'SELECT id, title, start_at FROM calendar_event ORDER BY id')
  const inCloud = async (world: World) =>
    (
      await world.rows<{ kind: string; id: string; body: object }>(
        `SELECT kind, id, body FROM household_feed WHERE kind IN ('calendar', 'person', 'group', 'consent')`,
      )
    )
      .map(({ kind, id, body }) => ({ kind, id, body: canonicalJson(body) }))
      .sort((one, other) => (`${one.kind} ${one.id}` < `${other.kind} ${other.id}` ? -1 : 1))
  const hoursOf = async ({ hub }: Place) =>
    hub().ask<object[]>('all', 'SELECT start, n FROM rollup WHERE level = 60 ORDER BY start')

  /** Waits until nothing changes any more; the test's time limit ends what never does. */
  async function settled(world: World, places: readonly Place[]): Promise<void> {
    for (;;) {
      const depths = await Promise.all(places.map(({ hub }) => hub().ask<number>('depth')))
      if (depths.every((depth) => depth === 0)) {
        const cloud = canonicalJson(await inCloud(world))
        const held = await Promise.all(places.map(entitiesOf))
        if (held.every((one) => canonicalJson(one) === cloud)) return
      }
      await pause(100)
    }
  }

  async function isTheSame(world: World, places: readonly Place[]): Promise<void> {
    const [first, ...others] = await Promise.all(places.map(eventsOf))
    for (const other of others) assert.deepEqual(other, first)
    // Nobody was restored from a copy, and nobody is taken for that.
    const hubs = await world.rows<{ epoch: number }>('SELECT epoch FROM hub')
    assert.deepEqual(
      hubs.map(({ epoch }) => epoch),
      places.map(() => 1),
    )
    for (const place of places) {
      const [who] = await place.hub().ask<{ id: string }[]>('all', 'SELECT hub_id AS id FROM sync_hub')
      const stored = await world.rows<object>(
        `SELECT start::float8 AS start, n::int AS n FROM rollup_hour WHERE hub_id = '${who?.id}' ORDER BY start`,
      )
      assert.deepEqual(stored, await hoursOf(place))
    }
  }

  for (const [name, nth] of PLACES)
    test(`a hub killed at ${name} goes on where it was, and every row is there once`, {
      timeout: 120_000,
    }, async (t: TestContext) => {
      const ends: (() => unknown)[] = []
      t.after(async () => {
        for (const end of ends.reverse()) await end()
      })
      const world = await setup(seededRandom(SEED), 0, ends)
      const one = await world.place('one')
      await one.join(world.codes[0])
      await one.hub().ask('addPerson', 'mia', 'Mia')
      await one.hub().ask('choose', 'mia')
      await settled(world, [one])
      // A place on the way down is passed when something was edited elsewhere and the feed has to be read anew.
      const isDown = name === 'hub.applied' || name === 'hub.staged'
      const editElsewhere = async (database: Database.Database) => {
        database.exec('UPDATE sync_hub SET shape_handle = NULL, shape_offset = NULL')
        await fetch(`http://127.0.0.1:${world.port()}/api/household/calendar`, {
          method: 'POST',
          headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            ...{ id: 'down', subject: 'mia' },
            fields: { title: 'Match', event_type: 'match', start_at: START, end_at: START + HOUR_MS },
          }),
        })
      }
      await one.restart(`${name}:${nth}`, isDown ? editElsewhere : undefined)
      for (let hour = 0; hour < 60; hour += 1) {
        const done = await one
          .hub()
          .ask('addHour', 'mia', START + hour * HOUR_MS, 1 + hour)
          .then(
            () => true,
            () => false,
          )
        if (!done) break
        await pause(20)
      }
      await one.hub().gone
      await one.restart()
      await one.hub().ask('addEvent', 'after', 'mia', 'Passing')
      await settled(world, [one])
      await isTheSame(world, [one])
      const events = await eventsOf(one)
      assert.equal(events.length, isDown ? 2 : 1)
    })

  async function edit(place: Place, random: () => number, name: string): Promise<void> {
    const event = `e${Math.floor(random() * 6)}`
    const dice = random()
    const ask = place.hub().ask
    if (dice < 0.5)
      await ask(
        'addHour',
        'mia',
        START + Math.floor(random() * 30) * HOUR_MS,
        1 + Math.floor(random() * 3600),
      )
    else if (dice < 0.7)
      await ask('addEvent', event, 'mia', `${name} ${Math.floor(random() * 99)}`).catch(() => {})
    else if (dice < 0.9)
      await ask(
        'write',
        'UPDATE calendar_event SET title = :title, updated_at = updated_at + 1 WHERE id = :event',
        {
          event,
          title: `${name} ${Math.floor(random() * 99)}`,
        },
      )
    else await ask('write', 'DELETE FROM calendar_event WHERE id = :event', { event })
  }

  test(`${ROUNDS} rounds of edits, partitions and kills of two hubs, the cloud and Postgres end byte for byte the same`, {
    timeout: 60_000 * (1 + ROUNDS),
  }, async () => {
    const counts = new Map<Fault, number>()
    const kills = { hub: 0, cloud: 0, postgres: 0, cut: 0 }
    for (let round = 0; round < ROUNDS; round += 1) {
      const ends: (() => unknown)[] = []
      try {
        const random = seededRandom(SEED * 1000 + round)
        const world = await setup(random, 0.4, ends)
        const [one, two] = [await world.place('one'), await world.place('two')]
        await one.join(world.codes[0])
        await one.hub().ask('addPerson', 'mia', 'Mia')
        await one.hub().ask('choose', 'mia')
        await two.join(world.codes[1])
        while ((await two.hub().ask<object[]>('all', `SELECT 1 FROM person WHERE id = 'mia'`)).length === 0)
          await pause(50)
        await two.hub().ask('choose', 'mia')
        const killAt = Math.floor(random() * STEPS)
        const cloudAt = Math.floor(random() * STEPS)
        const backendsAt = Math.floor(random() * STEPS)
        const cutAt = Math.floor((random() * STEPS) / 2)
        for (let step = 0; step < STEPS; step += 1) {
          const [place, name] = random() < 0.5 ? ([one, 'one'] as const) : ([two, 'two'] as const)
          await edit(place, random, name)
          if (step === killAt) {
            kills.hub += 1
            await place.restart()
          }
          if (step === cloudAt) {
            kills.cloud += 1
            await world.restartService()
          }
          if (step === backendsAt) {
            kills.postgres += 1
            await postgres.killBackends(world.url)
          }
          if (step === cutAt) {
            kills.cut += 1
            two.proxy.target(NOWHERE)
          }
          if (step === cutAt + STEPS / 4) two.proxy.target(world.port())
          await pause(Math.floor(random() * 40))
        }
        for (const { proxy } of [one, two]) {
          proxy.heal()
          proxy.target(world.port())
        }
        for (const { hub } of [one, two]) await hub().ask('kick')
        await settled(world, [one, two])
        await isTheSame(world, [one, two])
        for (const { proxy } of [one, two])
          for (const [fault, count] of proxy.counts) counts.set(fault, (counts.get(fault) ?? 0) + count)
      } catch (cause) {
        throw new Error(`round ${round} of seed ${SEED}: ${String(cause)}`, { cause })
      } finally {
        for (const end of ends.reverse()) await end()
      }
    }
    console.log(
      `kills: ${JSON.stringify(kills)}; faults played: ${[...counts].map(([fault, count]) => `${fault} ${count}`).join(', ')}`,
    )
  })
})
