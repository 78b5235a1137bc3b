/** Opens the broker and the HTTP listeners, and starts the features behind them. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Broker, createBroker } from '../broker/broker.ts'
import type { DeviceIdentity } from '../broker/ports.ts'
import type { Feature } from '../domain/route.ts'
import { createAnnouncement } from '../features/announce/announce.ts'
import { createHubPresence } from '../features/home-automation/hub-presence.ts'
import type { House } from '../house.ts'
import { createHttp, type HubHttp } from '../http/server.ts'
import { within } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import { fingerprintWords } from '../kernel/words.ts'
import { publishVitals } from '../live/vitals.ts'
import { createBrokerState } from '../store/broker-state.ts'
import { createQuarantine } from '../store/quarantine.ts'
import { featuresOf } from './features.ts'
import { type Household, hubName } from './household.ts'

const APP_FOLDER = fileURLToPath(new URL('../../ui', import.meta.url))
const WORDS_SHOWN = 4
/** What parts still write while they stop must not hold the process up: a disk that is full never takes it. */
const LAST_WORDS_MS = 500

export interface Listening {
  broker: Broker
  http: HubHttp
  httpPort: number
  httpsPort: number
  stop(deadlineMs: number): Promise<void>
}

/** Opens every listener; `stop` closes them within its deadline. */
export async function listen(house: House, household: Household): Promise<Listening> {
  const { config, clock, log, network } = house
  const stopVitals = publishVitals({ live: household.live, clock, onCommitted: house.store.onCommitted })
  const broker = await openBroker(house, household)
  household.devices.onRevoked(({ deviceId }) => broker.disconnect(deviceId))
  household.devices.onChanged(broker.recheck)
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
  // Made after the features that it serves; nobody opens the plain listener before the features start.
  let plain: HubHttp['plainUploads'] | null = null
  const plainListener = {
    open: (port: number) => plain?.open(port) ?? Promise.resolve(0),
    close: async () => plain?.close(),
  }
  const features = featuresOf(house, household, { broker, announcement, ports: () => ports, plainListener })
  const http = openHttp(house, household, { broker, features })
  plain = http.plainUploads
  ports = await http.start()
  const hints = network().reachable
  household.setWhereabouts({ host: hints[0] ?? 'localhost', port: ports.httpsPort, hints })
  household.setOwnPorts([ports.httpPort, ports.httpsPort, broker.mqttPort ?? 0, broker.mqttsPort ?? 0])
  for (const feature of features) await feature.start?.()
  const presence = createHubPresence({
    ...{ clock, log: log.child({ part: 'presence' }) },
    publish: (topic, payload) => broker.publish(topic, payload, { retain: true, qos: 1 }),
  })
  presence.start()
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
      await within(clock, LAST_WORDS_MS, presence.leave())
      await Promise.all([http.stop(deadlineMs), broker.stop(deadlineMs)])
      stopVitals()
      await within(clock, LAST_WORDS_MS, stopAll(features))
    },
  }
}

async function stopAll(features: readonly Feature[]): Promise<void> {
  for (const feature of features.toReversed()) await feature.stop?.()
}

/** The broker on its ports, not yet told of anything else. */
export async function openBroker(house: House, household: Household): Promise<Broker> {
  const { config, store, clock, log, tls } = house
  const { devices, alarms } = household
  const { host, port, bridges: _, ...limits } = config.mqtt
  const { certPem, keyPem } = tls()
  const broker = await createBroker({
    settings: { tcp: { host, port }, tls: { ...config.mqtts, certPem, keyPem }, ...limits },
    ports: {
      append: store.observations.append,
      latestMs: house.trust.latestMs,
      quarantine: createQuarantine(store),
      keeper: createBrokerState<DeviceIdentity>(store),
      onFrame: household.cameras.frame,
      foreign: household.foreign.read,
      ...alarms.ports,
      devices: {
        authenticate: devices.authenticate,
        wearerAt: devices.wearerAt,
        serves: devices.serves,
        mayHear(deviceId, personId) {
          const may = devices.mayHear(deviceId, personId)
          if (may) household.audit.witness.heard(deviceId, personId)
          return may
        },
        onPresence(deviceId, online, atMs) {
          devices.setPresence(deviceId, online, atMs)
          if (online) void alarms.alerts.deviceIsBack(deviceId)
        },
      },
    },
    clock,
    log: log.child({ part: 'broker' }),
  })
  alarms.setPublish(broker.publish)
  return broker
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
      fromUploader: household.nightscout.fromUploader,
      isProven: accounts.isProven,
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
    saw: household.audit.witness.answered,
  })
}
