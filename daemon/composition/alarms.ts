/** Groups, rules, episodes and alerts: what is noticed, and who hears of it. */
import { spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { type Actor, can, type DataClass, type Grant } from '../domain/access.ts'
import type { Device } from '../domain/device.ts'
import type { GlucoseUnit } from '../domain/glucose-unit.ts'
import type { User } from '../domain/user.ts'
import { createAlerts } from '../features/alerts/alerts.ts'
import { createMail, type Mail } from '../features/alerts/mail.ts'
import type { PushMeans } from '../features/alerts/push.ts'
import { createPushPost } from '../features/alerts/push-post.ts'
import { createSpeech } from '../features/alerts/speech.ts'
import { createWebhook } from '../features/alerts/webhook.ts'
import { createEpisodes } from '../features/episodes/episodes.ts'
import { createGroups } from '../features/groups/groups.ts'
import type { NearDevice } from '../features/rules/ports.ts'
import { createRules } from '../features/rules/rules.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import { createSealing } from '../kernel/sealing.ts'
import type { Live } from '../live/live.ts'

export type PublishMqtt = (
  topic: string,
  payload: string,
  options: { retain: boolean; qos: 0 | 1 },
) => Promise<void>

export interface AlarmsDeps {
  /** Channels of the house beside MQTT; both are off unless the settings name them. */
  voices?: { webhook?: Told; speak?: (text: string) => Promise<void>; mail?: Mail; push?: PushMeans }
  house: Pick<House, 'store' | 'clock' | 'log'>
  live: Live
  /** The household's zone. */
  timezone: () => string
  /** What the household reads glucose in; mg/dL where nothing is said. */
  glucoseUnit?: () => GlucoseUnit
  people: {
    ids(): readonly string[]
    get(personId: string): { name: string; kind: string; timezone: string } | undefined
  }
  users: () => readonly User[]
  grantsOf: (userId: string) => readonly Grant[]
  devices: {
    list(): Device[]
    heard(): ReadonlySet<string>
    mayHear(deviceId: string, personId: string): boolean
  }
}

type Told = (body: object, idempotencyKey: string) => Promise<void>

export type Alarms = ReturnType<typeof createAlarms>

export function createAlarms(deps: AlarmsDeps) {
  const { house, live, timezone, people, devices } = deps
  const { store, clock } = house
  const freshId = () => newId(clock.now())
  const log = house.log.child({ part: 'alarms' })
  let publishMqtt: PublishMqtt = () => Promise.reject(new Error('the broker is not up yet'))
  const publish: PublishMqtt = (topic, payload, options) => publishMqtt(topic, payload, options)
  let onAlert = () => {}
  const notify = (
    topic: string,
    type: string,
    data: unknown,
    about: { personId: string; class: DataClass },
  ) => {
    live.publish(topic, type, data, { personId: about.personId, class: about.class })
    if (topic === 'alerts') onAlert()
  }
  const nameOf = nameFinder(deps)
  const zoneOf = (personId: string | null) =>
    (personId === null ? undefined : people.get(personId)?.timezone) ?? timezone()
  const groups = createGroups({
    store,
    clock,
    newId: freshId,
    timezone,
    isClimbing: (id) => alerts.isClimbing(id),
  })
  const common = { store, clock, log, newId: freshId, personIds: people.ids, nameOf, zoneOf, notify, publish }
  const alerts = createAlerts({
    ...common,
    ...whoHears(deps, (userId) => [...deps.grantsOf(userId), ...groups.grantsOf(userId)]),
    ladderFor: groups.ladderFor,
    follow: (episodeId, what, by, text) => episodes.planFollow(episodeId, what, by, text),
    ...voicesOf(deps),
  })
  const glucoseUnit = deps.glucoseUnit ?? (() => 'mg/dL' as const)
  const episodes = createEpisodes({ ...common, alerts, glucoseUnit })
  const rules = createRules({
    ...{ store, clock, log, newId: freshId, episodes, personIds: people.ids },
    isGrownUp: (personId) => people.get(personId)?.kind === 'adult',
    wornBy: (personId) => wornBy(devices.list(), personId),
    isOnline: (deviceId) => connected(devices.list(), deviceId),
    glucoseUnit,
  })
  return {
    groups,
    alerts,
    episodes,
    rules,
    features: [groups.feature, episodes.feature, alerts.feature, rules.feature],
    /** Who is told that something has become of an alert. */
    setOnAlert(listener: () => void) {
      onAlert = listener
    },
    setPublish(found: PublishMqtt) {
      publishMqtt = found
    },
    /** What the broker hands on. */
    ports: {
      onDeviceWord: alerts.fromDevice,
      onAlertCommand: (deviceId: string, alertId: string, payload: Uint8Array) =>
        alerts.fromHouse(deviceId, alertId, payload, (personId) => devices.mayHear(deviceId, personId)),
    },
  }
}

function voicesOf({ voices }: AlarmsDeps) {
  const { webhook = null, speak = null, mail = null, push = null } = voices ?? {}
  return { webhook, speak, mail, push }
}

/** The channels that the settings switch on; Web Push has its switch in the app. */
export function voicesFrom({ config, clock, secret: hubSecret }: Pick<House, 'config' | 'clock' | 'secret'>) {
  const { webhookUrl: url, webhookSecret: secret, speech, speechVoice: voice } = config.alarms
  const start = (command: string, args: readonly string[]) =>
    spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] })
  return {
    ...(url !== '' && { webhook: createWebhook({ url, secret, fetch }) }),
    ...(config.alarms.smtpUrl !== '' && {
      mail: createMail({
        ...{ url: config.alarms.smtpUrl, user: config.alarms.smtpUser, from: config.alarms.smtpFrom },
        hasWords: config.alarms.smtpWords,
        password: async () => (await readFile(config.alarms.smtpPasswordFile, 'utf8')).trimEnd(),
      }),
    }),
    push: {
      sealing: createSealing(hubSecret, 'web push'),
      post: createPushPost({ lookup: addressesOf, now: clock.now }),
      contact: config.alarms.pushContact,
    },
    ...(speech && { speak: createSpeech({ clock, voice, spawn: start }) }),
  }
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** Who may be told about a person today, and the bells that are there. */
function whoHears({ house, people, users, devices }: AlarmsDeps, grantsOf: (userId: string) => Grant[]) {
  const bellsOf = (isMeant: (device: Device) => boolean) =>
    devices
      .list()
      .filter(isMeant)
      .map(({ id, online, last_seen: lastSeen }) => ({
        deviceId: id,
        online,
        lastSeenMs: lastSeen === null ? null : Date.parse(lastSeen),
      }))
  const device = (deviceId: string) => devices.list().find(({ id }) => id === deviceId)
  const asActor = ({ id, role, person_id: personId }: User): Actor => ({
    kind: 'user',
    userId: id,
    signInId: '',
    role,
    personId,
    grants: grantsOf(id),
  })
  return {
    carers: (personId: string, dataClass: DataClass) =>
      users()
        .filter(
          (user) => !user.disabled && can(asActor(user), 'read', personId, dataClass, house.clock.now()),
        )
        .map(({ id, name, role, person_id: own }) => ({ userId: id, name, role, personId: own })),
    isGrownUp: (personId: string) => people.get(personId)?.kind === 'adult',
    watchesOf: (personId: string) =>
      bellsOf(({ type, person_id: worn }) => type === 'watch' && worn === personId),
    wallsOf: (personId: string) =>
      bellsOf(
        ({ type, person_id: worn, serves }) =>
          type === 'wall' && (worn === personId || serves.includes(personId)),
      ),
    mailOf: (userId: string) => users().find(({ id, disabled }) => id === userId && !disabled)?.email ?? null,
    houseHears: (personId: string) => devices.heard().has(personId),
    isOnline: (deviceId: string) => device(deviceId)?.online ?? false,
    servesOf(deviceId: string) {
      const found = device(deviceId)
      if (!found || found.revoked) return null
      return [...new Set([...(found.person_id === null ? [] : [found.person_id]), ...found.serves])]
    },
    wearerOf: (deviceId: string) => device(deviceId)?.person_id ?? null,
  }
}

/** Null for what sends over HTTP and never says that it goes. */
function connected(devices: readonly Device[], deviceId: string): boolean | null {
  const device = devices.find(({ id }) => id === deviceId)
  return device && (device.type === 'watch' || device.type === 'gateway') ? device.online : null
}

function wornBy(devices: readonly Device[], personId: string): NearDevice[] {
  return devices
    .filter(({ person_id: worn, revoked }) => worn === personId && !revoked)
    .map(({ id, type, name, online }) => ({ deviceId: id, type, name, online }))
}

/** The name behind `user:…`, `person:…` or `device:…`; null for what has none. */
function nameFinder({ people, users, devices }: AlarmsDeps): (by: string) => string | null {
  return (by) => {
    const [kind, id = ''] = by.split(':')
    if (kind === 'user') return users().find((user) => user.id === id)?.name ?? null
    if (kind === 'person') return people.get(id)?.name ?? null
    return kind === 'device' ? (devices.list().find((device) => device.id === id)?.name ?? null) : null
  }
}
