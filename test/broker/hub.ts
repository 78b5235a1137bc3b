/** A real broker on free ports, with ports that tests steer, and clients to talk to it. */
import type { TestContext } from 'node:test'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { type Broker, createBroker } from '../../daemon/broker/broker.ts'
import { NOTHING_KEPT, type StateKeeper } from '../../daemon/broker/kept-state.ts'
import type {
  BrokerPorts,
  BrokerSettings,
  DeviceIdentity,
  Devices,
  QuarantineEntry,
} from '../../daemon/broker/ports.ts'
import type { Observation, Outcome } from '../../daemon/domain/observation.ts'
import { type Clock, systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { CONNACK, type ConnectFields, connectPacket, type RawClient, rawClient } from './raw-client.ts'

export const NOW = Date.UTC(2026, 2, 14, 8)

const watch = (deviceId: string, rest: Partial<DeviceIdentity> = {}): DeviceIdentity => ({
  deviceId,
  type: 'watch',
  prefixes: [],
  zone: 'Europe/Berlin',
  ...rest,
})

/** The household's devices; every key is `key-` and the id. */
const DEVICES: readonly DeviceIdentity[] = [
  watch('watch-1'),
  watch('watch-2'),
  watch('drawer'),
  watch('cam-1', { type: 'camera' }),
  watch('gate-1', { type: 'gateway', prefixes: ['home/gate-1/', 'tele/scale/#', '$SYS', 'hf/watch-1', '#'] }),
  watch('ha', { type: 'integration' }),
]

export interface Hub {
  broker: Broker
  port: number
  stored: Observation[]
  quarantined: QuarantineEntry[]
  /** `watch-1 online`, `watch-1 offline`, in order. */
  presence: string[]
  revoked: Set<string>
  /** Persons whom integrations may hear of. */
  consented: Set<string>
  acks: number[]
  /** Resolves after the next change of presence. */
  presenceChange(): Promise<void>
  client(deviceId: string, options?: IClientOptions): Promise<MqttClient>
  /** A client with a session that lasts, not connected yet, so that nobody misses what waits for it. */
  sleeper(deviceId: string): MqttClient
  raw(deviceId: string, fields?: ConnectFields): Promise<RawClient>
}

export interface HubOptions {
  settings?: Partial<BrokerSettings>
  append?: BrokerPorts['append']
  quarantine?: BrokerPorts['quarantine']
  devices?: Partial<Devices>
  onFrame?: NonNullable<BrokerPorts['onFrame']>
  clock?: Clock
  keeper?: StateKeeper
}

/** The machine's timers with a wall clock that stands at NOW, so that stamps can be foreseen. */
export function standingClock(): Clock {
  return { ...systemClock(), now: () => NOW }
}

export async function startHub(t: TestContext, options: HubOptions = {}): Promise<Hub> {
  const stored: Observation[] = []
  const quarantined: QuarantineEntry[] = []
  const presence: string[] = []
  const revoked = new Set<string>()
  const consented = new Set<string>()
  const acks: number[] = []
  const watching: (() => void)[] = []
  const devices: Devices = {
    authenticate: (id, key) =>
      key === `key-${id}` && !revoked.has(id)
        ? (DEVICES.find(({ deviceId }) => deviceId === id) ?? null)
        : null,
    wearerAt: (deviceId) => (deviceId === 'drawer' ? null : 'mia'),
    serves: (_deviceId, personId) => personId === 'leo',
    mayHear: (_deviceId, personId) => consented.has(personId),
    onPresence(deviceId, online) {
      presence.push(`${deviceId} ${online ? 'online' : 'offline'}`)
      for (const resolve of watching.splice(0)) resolve()
    },
    ...options.devices,
  }
  const broker = await createBroker({
    settings: {
      tcp: { host: '127.0.0.1', port: 0 },
      tls: null,
      maxConnections: 512,
      maxConnectionsPerAddress: 8,
      maxPacketBytes: 65_536,
      maxCameraPacketBytes: 1_048_576,
      maxSubscriptions: 8,
      messagesPerSecond: 10_000,
      messageBurst: 100_000,
      ...options.settings,
    },
    ports: {
      append:
        options.append ??
        (async (batch) => {
          stored.push(...batch)
          return batch.map((): Outcome => 'accepted')
        }),
      keeper: options.keeper ?? { read: () => NOTHING_KEPT, write: async () => {} },
      quarantine: options.quarantine ?? (async (entry) => void quarantined.push(entry)),
      devices,
      observeAck: (ms) => void acks.push(ms),
      ...(options.onFrame ? { onFrame: options.onFrame } : {}),
    },
    clock: options.clock ?? standingClock(),
    log: createLog('silent'),
  })
  const clients: MqttClient[] = []
  const raws: RawClient[] = []
  t.after(async () => {
    for (const client of clients) client.end(true)
    for (const { socket } of raws) socket.destroy()
    await broker.stop(0)
  })
  const port = broker.mqttPort ?? 0
  return {
    broker,
    port,
    stored,
    quarantined,
    presence,
    revoked,
    consented,
    acks,
    presenceChange: () => new Promise((resolve) => watching.push(resolve)),
    async client(deviceId, extra = {}) {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: deviceId,
        username: deviceId,
        password: `key-${deviceId}`,
        reconnectPeriod: 0,
        ...extra,
      })
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    sleeper(deviceId) {
      const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
        clientId: deviceId,
        username: deviceId,
        password: `key-${deviceId}`,
        reconnectPeriod: 0,
        clean: false,
      })
      clients.push(client)
      return client
    },
    async raw(deviceId, fields = {}) {
      const client = await rawClient(port)
      raws.push(client)
      client.send(connectPacket(deviceId, `key-${deviceId}`, fields))
      const { type, body } = await client.next()
      if (type !== CONNACK || body[1] !== 0) throw new Error(`connection refused with ${body[1]}`)
      return client
    },
  }
}

/** The next message on any topic the client is subscribed to. */
export function nextMessage(
  client: MqttClient,
): Promise<{ topic: string; payload: Buffer; retain: boolean }> {
  return new Promise((resolve) =>
    client.once('message', (topic, payload, { retain }) => resolve({ topic, payload, retain })),
  )
}

export const heartRate = (value: number, tsOffsetMs = 0): string =>
  JSON.stringify({ ts: NOW + tsOffsetMs, metric: 'heart_rate', value })
