/** The composition root: the only file that knows every part. Top to bottom is start order; stop is the reverse. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config/schema.ts'
import { type Broker, createBroker } from './broker/broker.ts'
import type { Actor } from './domain/access.ts'
import type { Feature } from './domain/route.ts'
import { type Accounts, createAccounts } from './features/accounts/accounts.ts'
import { type Announcement, createAnnouncement } from './features/announce/announce.ts'
import { createConsents } from './features/consents/consents.ts'
import { createDaily } from './features/daily/daily.ts'
import { createDevices, type Devices } from './features/devices/devices.ts'
import { createGlucose } from './features/glucose/glucose.ts'
import { createHomeAutomation } from './features/home-automation/home-automation.ts'
import { createIngest } from './features/ingest/ingest.ts'
import { createLiveChannel } from './features/live-channel/live-channel.ts'
import { createLocal } from './features/local/local.ts'
import { observations } from './features/observations/observations.ts'
import { exposeCounts } from './features/operations/gauges.ts'
import { operations, type PartState } from './features/operations/operations.ts'
import { createPairing } from './features/pairing/pairing.ts'
import { createPeople } from './features/people/people.ts'
import { createRecords } from './features/records/records.ts'
import { type House, type HouseDeps, openHouse } from './house.ts'
import { createHttp, type HubHttp } from './http/server.ts'
import { writeFileAtomic } from './kernel/atomic-file.ts'
import { within } from './kernel/clock.ts'
import { messageOf } from './kernel/errors.ts'
import { newId } from './kernel/ids.ts'
import { fingerprintWords } from './kernel/words.ts'
import { createLive } from './live/live.ts'
import { publishVitals } from './live/vitals.ts'
import { MANUAL_DEVICE_ID } from './store/hub.ts'
import { createQuarantine } from './store/quarantine.ts'
import { createSources } from './store/sources.ts'

/** What the terminal tells the person who started the hub. */
export interface Running {
  name: string
  httpPort: number
  httpsPort: number
  mqttsPort: number
  hosts: readonly string[]
  fingerprintWords: readonly string[]
  claim: { code: string; expiresAt: string } | null
}

export interface Hub {
  /** Opens every listener, then writes `hub.json`. */
  start(): Promise<Running>
  /** Stops taking, finishes what is in hand within `deadlineMs`, closes the database. */
  stop(deadlineMs: number): Promise<void>
  /** Told when a part is gone without which nothing can be promised. */
  onFatal(listener: (cause: unknown) => void): void
}

const APP_FOLDER = fileURLToPath(new URL('../ui', import.meta.url))
const WORDS_SHOWN = 4
/** What parts still write while they stop must not hold the process up: a disk that is full never takes it. */
const LAST_WORDS_MS = 500

/** Opens the data directory and builds every part on it. Nothing listens before `start`. */
export async function createHub(deps: HouseDeps): Promise<Hub> {
  const failures = new Set<(cause: unknown) => void>()
  const house = await openHouse(deps, (cause) => {
    deps.log.fatal({ cause: messageOf(cause) }, 'a part is gone that the hub cannot do without')
    for (const listener of failures) listener(cause)
  })
  const household = createHousehold(house)
  let listening: Listening | null = null
  return {
    onFatal: (listener) => void failures.add(listener),
    async start() {
      listening = await listen(house, household)
      return announceReady(house, household.accounts, listening)
    },
    async stop(deadlineMs) {
      await rm(join(deps.dataDir, 'hub.json'), { force: true })
      // A full disk keeps nothing more: whoever waits for it hears so now, not when their connection is cut.
      const closed = house.store.stats().diskFull ? house.store.close() : null
      await Promise.all([closed, listening?.stop(deadlineMs)])
      await house.store.close()
    },
  }
}

type Household = ReturnType<typeof createHousehold>

/** People, their devices, who may see what, and what is recorded: everything that works without a listener. */
function createHousehold(house: House) {
  const { store, clock, log, secret, hubId, config, tls } = house
  const live = createLive({ clock, base: Math.round(clock.now() * 1000) })
  const notify = (topic: string, type: string, data: unknown, personId: string | null) =>
    void live.publish(topic, type, data, { personId, class: 'any' })
  const timezone = () => accounts.chosen().timezone ?? householdZone(config)
  const people = createPeople({ store, clock, timezone })
  const devices = createDevices({
    store,
    clock,
    log: log.child({ part: 'devices' }),
    timezone,
    zoneOfPerson: (personId) => people.get(personId)?.timezone ?? null,
    notify,
  })
  const consents = createConsents({ store, clock })
  const accounts: Accounts = createAccounts({
    store,
    clock,
    log: log.child({ part: 'accounts' }),
    hubId,
    secret,
    grantsOf: consents.grantsOf,
    planGrants: consents.planGrants,
    redeemInvite: (code) => pairing.redeemInvite(code),
  })
  let whereabouts = { host: 'localhost', port: 0, hints: [] as readonly string[] }
  const pairing = createPairing({
    store,
    clock,
    log: log.child({ part: 'pairing' }),
    secret,
    spkiSha256: () => tls().spkiSha256,
    whereabouts: () => whereabouts,
    phones: accounts,
    devices,
    notify,
  })
  const ingest = createIngest({ store, now: clock.now, manualDevice: async () => MANUAL_DEVICE_ID })
  const sources = createSources({ store, now: clock.now })
  const zoneOf = (personId: string) => people.get(personId)?.timezone ?? timezone()
  const glucose = createGlucose({ store, sources, now: clock.now, zoneOf, wearerAt: devices.wearerAt })
  const records = createRecords({
    store,
    sources,
    now: clock.now,
    newId: () => newId(clock.now()),
    zoneOf,
    wearerAt: devices.wearerAt,
  })
  const daily = createDaily({
    store,
    sources,
    now: clock.now,
    zoneOf,
    glucose: glucose.traces.read,
    records: records.all,
    onRecordsChanged: records.onChanged,
  })
  const liveChannel = createLiveChannel({
    live,
    clock,
    log: log.child({ part: 'live' }),
    newId: () => newId(clock.now()),
    credentials: { fromBearer: accounts.fromBearer, fromApiKey: devices.fromApiKey },
    current: (actor) => currentActor(actor, accounts, devices),
    personExists: people.exists,
    telemetry: ingest.telemetry,
  })
  people.onRemoved(() => {
    for (const part of [devices, consents, accounts]) part.reload()
    liveChannel.recheck()
  })
  consents.onChanged(() => liveChannel.recheck())
  accounts.onRevoked(({ signInId }) => liveChannel.dropSignIn(signInId))
  devices.onRevoked(({ deviceId }) => liveChannel.dropDevice(deviceId))
  return {
    live,
    people,
    devices,
    consents,
    accounts,
    pairing,
    ingest,
    glucose,
    records,
    daily,
    liveChannel,
    notify,
    setWhereabouts(found: typeof whereabouts) {
      whereabouts = found
    },
  }
}

function householdZone(config: Config): string {
  return config.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** Grants, roles and whom a device serves change while a socket is open. */
function currentActor(actor: Actor, accounts: Accounts, devices: Devices): Actor | null {
  if (actor.kind === 'user') return accounts.actorOf(actor.signInId)
  return actor.kind === 'device' ? devices.actorOf(actor.deviceId) : actor
}

interface Listening {
  broker: Broker
  http: HubHttp
  httpPort: number
  httpsPort: number
  stop(deadlineMs: number): Promise<void>
}

async function listen(house: House, household: Household): Promise<Listening> {
  const { config, clock, log, network } = house
  const stopVitals = publishVitals({ live: household.live, clock, onCommitted: house.store.onCommitted })
  const broker = await openBroker(house, household)
  household.devices.onRevoked(({ deviceId }) => broker.disconnect(deviceId))
  let ports = { httpPort: 0, httpsPort: 0 }
  const announcement = createAnnouncement({
    log: log.child({ part: 'announcement' }),
    enabled: config.mdns.enabled,
    describe: () => ({
      hubId: house.hubId,
      name: hubName(house, household.accounts),
      httpsPort: ports.httpsPort,
      mqttsPort: broker.mqttsPort ?? 0,
      caSha256: house.tls().caSha256,
    }),
  })
  const features = featuresOf(house, household, { broker, announcement, ports: () => ports })
  const http = openHttp(house, household, { broker, features })
  ports = await http.start()
  const hints = network().reachable
  household.setWhereabouts({ host: hints[0] ?? 'localhost', port: ports.httpsPort, hints })
  for (const feature of features) await feature.start?.()
  const stopLooking = house.followNetwork({
    onCertificate({ certPem, keyPem }) {
      http.setSecureContext({ certPem, keyPem })
      broker.renewTls(certPem, keyPem)
    },
    async onMoved() {
      const found = network().reachable
      household.setWhereabouts({ host: found[0] ?? 'localhost', port: ports.httpsPort, hints: found })
      await announcement.refresh()
    },
  })
  return {
    broker,
    http,
    ...ports,
    async stop(deadlineMs) {
      stopLooking()
      await Promise.all([http.stop(deadlineMs), broker.stop(deadlineMs)])
      stopVitals()
      await within(clock, LAST_WORDS_MS, stopAll(features))
    },
  }
}

async function stopAll(features: readonly Feature[]): Promise<void> {
  for (const feature of features.toReversed()) await feature.stop?.()
}

function openBroker(house: House, household: Household): Promise<Broker> {
  const { config, store, clock, log, tls } = house
  const { devices } = household
  const { host, port, ...limits } = config.mqtt
  const { certPem, keyPem } = tls()
  return createBroker({
    settings: { tcp: { host, port }, tls: { ...config.mqtts, certPem, keyPem }, ...limits },
    ports: {
      append: store.observations.append,
      quarantine: createQuarantine(store),
      devices: {
        authenticate: devices.authenticate,
        wearerAt: devices.wearerAt,
        serves: devices.serves,
        mayHear: devices.mayHear,
        onPresence: devices.setPresence,
      },
    },
    clock,
    log: log.child({ part: 'broker' }),
  })
}

interface Surroundings {
  broker: Broker
  announcement: Announcement
  ports: () => { httpPort: number; httpsPort: number }
}

function featuresOf(
  house: House,
  household: Household,
  { broker, announcement, ports }: Surroundings,
): Feature[] {
  const { store, clock, log, registry, version, tls } = house
  const { accounts, people, devices, consents, pairing, ingest, liveChannel, live } = household
  exposeCounts(registry, {
    store: () => ({ ...store.stats() }),
    broker: () => ({ ...broker.stats() }),
    live: () => ({ ...live.stats(), connections: liveChannel.connections() }),
    process: () => ({
      residentBytes: process.memoryUsage.rss(),
      uptimeSeconds: Math.round(process.uptime()),
    }),
  })
  const greeting = () => {
    const host = house.network().reachable[0] ?? 'localhost'
    return {
      claimed: accounts.isClaimed(),
      hubName: hubName(house, accounts),
      caSha256: tls().caSha256,
      fingerprintWords: fingerprintWords(tls().caSha256, WORDS_SHOWN),
      httpsUrl: `https://${host}:${ports().httpsPort}/`,
      caUrl: `http://${host}:${ports().httpPort}/ca.crt`,
      mqttsPort: broker.mqttsPort,
    }
  }
  return [
    accounts.feature,
    people.feature,
    devices.feature,
    consents.feature,
    pairing.feature,
    createLocal({
      clock,
      ports: { ...accounts, reset: () => accounts.reset([pairing.planNone(), consents.planNone()]) },
    }),
    ingest.feature,
    household.glucose.feature,
    household.records.feature,
    household.daily.feature,
    observations({ store, now: clock.now }),
    liveChannel.feature,
    createHomeAutomation({
      store,
      clock,
      log: log.child({ part: 'home-automation' }),
      heard: devices.heard,
      onHeardChanged: devices.onChanged,
      publish: (topic, payload) => broker.publish(topic, payload, { retain: true }),
    }),
    announcement.feature,
    operations({
      version,
      now: clock.now,
      parts: () => partStates(house, announcement),
      metrics: () => registry.metrics(),
      greeting,
    }),
  ]
}

function partStates({ store, tls }: House, announcement: Announcement): PartState[] {
  const { diskFull } = store.stats()
  const { leftOut } = tls()
  return [
    {
      name: 'store',
      state: diskFull ? 'degraded' : 'up',
      detail: diskFull ? 'the disk is full: values wait' : null,
    },
    { name: 'broker', state: 'up', detail: null },
    { name: 'http', state: 'up', detail: null },
    {
      name: 'certificate',
      state: 'up',
      detail:
        leftOut.length > 0
          ? `not valid for ${leftOut.join(', ')}: outside what a household CA may vouch for`
          : null,
    },
    { name: 'announcement', ...announcement.state() },
  ]
}

function openHttp(
  house: House,
  household: Household,
  { broker, features }: { broker: Broker; features: Feature[] },
): HubHttp {
  const { config, dataDir, version, log, clock, store, secret, registry, network, tls } = house
  const { accounts, devices, people } = household
  return createHttp({
    settings: {
      http: config.http,
      https: config.https,
      rateLimitPerMinute: config.http.rateLimitPerMinute,
      deviceRateLimitPerMinute: config.http.deviceRateLimitPerMinute,
      allowedOrigins: config.http.allowedOrigins,
    },
    tls: tls(),
    socketPath: join(dataDir, 'hub.sock'),
    version,
    log: log.child({ part: 'http' }),
    clock,
    newId: () => newId(clock.now()),
    authenticator: {
      fromBearer: accounts.fromBearer,
      fromApiKey: devices.fromApiKey,
      isClaimed: accounts.isClaimed,
    },
    personExists: people.exists,
    features,
    appFolder: APP_FOLDER,
    store,
    secret,
    ownHosts: () => new Set([...network().names, ...network().addresses]),
    trust: () => ({
      hubName: hubName(house, accounts),
      caPem: tls().caPem,
      caDer: tls().caDer,
      fingerprintWords: fingerprintWords(tls().caSha256, WORDS_SHOWN),
    }),
    registry,
    mqttStream: broker.handleStream,
  })
}

function hubName({ config }: House, accounts: Accounts): string {
  return accounts.chosen().hubName ?? config.name
}

/** Writes `hub.json` last, because whoever reads it takes the hub for ready. */
async function announceReady(
  house: House,
  accounts: Accounts,
  { broker, httpPort, httpsPort }: Listening,
): Promise<Running> {
  const { dataDir, hubId, clock, log, tls, network } = house
  const ports = { httpPort, httpsPort, mqttPort: broker.mqttPort, mqttsPort: broker.mqttsPort ?? 0 }
  const startedAt = new Date(clock.now()).toISOString()
  const json = { pid: process.pid, hubId, ...ports, caSha256: tls().caSha256, startedAt }
  await writeFileAtomic(join(dataDir, 'hub.json'), `${JSON.stringify(json, null, 1)}\n`, 0o600)
  log.info(ports, 'ready')
  const code = accounts.isClaimed() ? null : await accounts.claimCode()
  return {
    name: hubName(house, accounts),
    ...ports,
    hosts: network().reachable,
    fingerprintWords: fingerprintWords(tls().caSha256, WORDS_SHOWN),
    claim: code && { code: code.code, expiresAt: new Date(code.expiresAtMs).toISOString() },
  }
}
