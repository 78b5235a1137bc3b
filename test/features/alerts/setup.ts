/** Mia and Leo with those who look after them, behind real parts; what goes out over MQTT is written down. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Database from 'better-sqlite3'
import { type Alarms, type AlarmsDeps, createAlarms } from '../../../daemon/composition/alarms.ts'
import type { Actor } from '../../../daemon/domain/access.ts'
import type { Feature } from '../../../daemon/domain/route.ts'
import { createSession } from '../../../daemon/features/live-channel/session.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createLive } from '../../../daemon/live/live.ts'
import type { Store } from '../../../daemon/store/store.ts'
import { type FakeClock, fakeClock } from '../../fakes/clock.ts'
import { OWNER, openHousehold, temporaryFolder } from '../../fakes/household.ts'

export const MINUTE = 60_000

export interface Published {
  topic: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  message: any
}

export interface Options {
  folder?: string
  clock?: FakeClock
  voices?: NonNullable<AlarmsDeps['voices']>
  /** Features beside those of alarms. */
  beside?: (store: Store, alarms: Alarms) => Feature[]
  /** Called for each MQTT message instead of taking it. */
  onPublish?: (topic: string) => Promise<void>
}

/** Opens the folder; closing and opening it again is a restart. */
export async function open(t: TestContext, options: Options = {}) {
  const clock = options.clock ?? fakeClock()
  const folder = options.folder ?? temporaryFolder(t)
  const live = createLive({ clock, base: 0 })
  /** Rings of open apps, as they were told. */
  const rung: { userId: string; id: string; title: string; round: number }[] = []
  const { publish } = live
  live.publish = (topic, type, data, audience) => {
    const { ring = [], id, title, round } = Object(data)
    for (const userId of ring) rung.push({ userId, id, title, round })
    return publish(topic, type, data, audience)
  }
  const published: Published[] = []
  const made: Alarms[] = []
  const home = await openHousehold(t, {
    folder,
    clock,
    more(store, _now, { people, devices, consents, accounts }) {
      const alarms = createAlarms({
        house: { store, clock, log: createLog('silent') },
        ...{ live, devices, timezone: () => 'Europe/Berlin', grantsOf: consents.grantsOf },
        people: { ids: () => people.all().map(({ id }) => id), get: people.get },
        users: accounts.users,
        ...(options.voices && { voices: options.voices }),
      })
      alarms.setPublish(async (topic, payload) => {
        await options.onPublish?.(topic)
        published.push({ topic, message: JSON.parse(payload) })
      })
      made.push(alarms)
      return [...alarms.features, ...(options.beside?.(store, alarms) ?? [])]
    },
  })
  const alarms = made[0]!
  const settle = () => alarms.alerts.settled()
  /** Moves time on in steps that the hub notices, and waits for what that brought about. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    await settle()
  }
  /** The live events that this user gets, as they would arrive on an open phone. */
  const phone = (userId: string) => {
    // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
    const events: any[] = []
    const user = home.accounts.users().find(({ id }) => id === userId)!
    const actor: Actor = {
      ...{ kind: 'user', userId, signInId: '', role: user.role, personId: user.person_id },
      grants: home.consents.grantsOf(userId),
    }
    const sink = {
      send: (text: string) => void events.push(JSON.parse(text)),
      bufferedBytes: () => 0,
      cutOff() {},
    }
    createSession(actor, sink, { live, now: clock.now, personExists: home.people.exists }).join(['alerts'])
    return {
      events,
      rang: () => events.filter(({ data }) => data?.ring?.includes(userId)).map(({ data }) => data.title),
      heard: () => events.map(({ data }) => data.title),
    }
  }
  const wears = async (
    deviceId: string,
    personId: string,
    type: 'watch' | 'wall' | 'integration' = 'watch',
  ) => {
    const plan = home.devices.plan({ id: deviceId, name: deviceId, type, personId })
    await home.store.write(plan.writes)
    plan.committed()
  }
  const connect = async (deviceId: string, online = true) => {
    home.devices.setPresence(deviceId, online, clock.now())
    if (online) await alarms.alerts.deviceIsBack(deviceId)
  }
  const rangOn = (deviceId: string) =>
    published.filter(({ topic, message }) => topic === `hf/${deviceId}/cmd` && message.type === 'alert')
  /** The owner, signed in anew: tokens run out while time is moved on. */
  const again = async () =>
    (await home.call('POST', '/auth/login', { body: OWNER })).body.data.access_token as string
  return {
    ...home,
    again,
    folder,
    clock,
    live,
    rung,
    published,
    alarms,
    settle,
    pass,
    phone,
    wears,
    connect,
    rangOn,
  }
}

const DATABASE = 'hub.db'

/** The same folder as a kill would leave it: nothing was told to stop. */
export function leftBehind(t: TestContext, folder: string): string {
  const left = temporaryFolder(t)
  cpSync(folder, left, { recursive: true, filter: (path) => !path.includes(DATABASE) })
  // What is committed at this moment; copied files could be of two moments.
  const database = new Database(join(folder, DATABASE), { readonly: true })
  database.prepare('VACUUM INTO ?').run(join(left, DATABASE))
  database.close()
  return left
}

/** Mother first, father two minutes later on his watch; the owner last. */
export async function family(t: TestContext, options: Options = {}) {
  const home = await open(t, options)
  const owner = await home.claimed()
  const people = [
    { id: 'mia', kind: 'child' as const },
    { id: 'leo', kind: 'child' as const },
    { id: 'mama', kind: 'adult' as const },
    { id: 'papa', kind: 'adult' as const },
  ]
  for (const person of people) await home.people.add({ ...person, name: person.id })
  const mama = await home.letIn(owner, { role: 'member', person_id: 'mama' })
  const papa = await home.letIn(owner, { role: 'member', person_id: 'papa' })
  for (const user of [mama, papa]) {
    const body = { user_id: user.user.id, person_id: 'mia', class: 'wellness', action: 'write' }
    await home.call('POST', '/privacy/consents', { token: owner, body })
  }
  await home.wears('watch-papa', 'papa')
  const members = [
    { person_id: 'mia', role: 'cared_for' },
    { person_id: 'mama', role: 'parent', escalation_order: 1 },
    { person_id: 'papa', role: 'parent', escalation_order: 2 },
  ]
  await home.call('POST', '/groups', { token: owner, body: { id: 'family', name: 'Us', members } })
  const raise = async (kind: 'tip' | 'warning' | 'urgent' = 'urgent', title = 'Too fast') => {
    const draft = {
      personId: 'mia',
      kind,
      class: 'wellness',
      title,
      message: '142 bpm',
      source: 'test-rule',
    } as const
    const { id } = await home.alarms.alerts.raise(draft)
    await home.settle()
    return id
  }
  const alert = async (id: string) =>
    (await home.call('GET', `/alerts/${id}`, { token: await home.again() })).body.data
  return { ...home, owner, mama, papa, raise, alert }
}
