/** The embedded MQTT broker: aedes with the household's rules in its hooks. */
import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import { type Clock, within } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { createArrivals } from './arrivals.ts'
import { createConnectHooks } from './connect.ts'
import { type BrokerStats, type Counters, createCounters } from './counters.ts'
import { createDoor, type Door } from './door.ts'
import { createExpress, type Express } from './express.ts'
import { createGate } from './gate.ts'
import { createInHand } from './in-hand.ts'
import { openListeners } from './listeners.ts'
import { createPace } from './pace.ts'
import { createPersistence, type Persistence } from './persistence.ts'
import type { BrokerPorts, BrokerSettings } from './ports.ts'
import { createPresence, type Presence } from './presence.ts'
import { createPublishHook, type PublishHook } from './publish.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSubscribeHooks, mayHear, NOT_READING } from './subscribe.ts'
import { createWaits } from './waits.ts'

export interface PublishOptions {
  retain?: boolean
  qos?: 0 | 1
}

export interface Broker {
  mqttPort: number | null
  mqttsPort: number | null
  /** Serves MQTT over a stream that somebody else accepted, such as a WebSocket; the answer says whether its key was right. */
  handleStream(stream: Duplex, remote: string): () => boolean
  /** The hub's own word, on `hf/<id>/cmd`, `hf/out/…` or `homeassistant/…`. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void>
  /** Ends the device's connection now and forgets its session; call it once `authenticate` refuses the device. */
  disconnect(deviceId: string): void
  /** Takes back what waits for subscribers who may no longer hear of its person; call it when consent changed. */
  recheck(): void
  renewTls(certPem: string, keyPem: string): void
  stats(): BrokerStats
  /** Accepts nothing more, lets messages in hand be committed and acknowledged for up to `deadlineMs`, then closes. */
  stop(deadlineMs: number): Promise<void>
}

export interface BrokerDeps {
  settings: BrokerSettings
  ports: BrokerPorts
  clock: Clock
  log: Log
}

const LIMITS = {
  maxQueued: 256,
  maxQueuedBytes: 1_048_576,
  maxQueuedBytesInAll: 16_777_216,
  maxRetained: 8192,
}
/** How long a connection or a message waits for its traces to be on disk when the disk is stuck. */
const PATIENCE_MS = 500

/** Why a connection ended whose client does not read: aedes' word at `drainTimeout`, and ours. */
const FROZEN: ReadonlySet<string> = new Set(['drain timeout', NOT_READING])
/** A subscriber that reads nothing for this long is cut off. */
const DRAIN_MS = 5000

/**
 * With `concurrency: 0` one subscriber that stops reading cannot take the process down, and `drainTimeout` ends it soon.
 * `keepaliveLimit` also refuses clients that never want to be missed.
 */
const AEDES_OPTIONS = {
  concurrency: 0,
  connectTimeout: 5000,
  keepaliveLimit: 600,
  maxTopicLevels: 16,
  maxInflightInbound: 64,
}

/** Opens the listeners and resolves when they accept connections. Rejects when a port is taken. */
export async function createBroker(deps: BrokerDeps): Promise<Broker> {
  const { settings, ports, log } = deps
  const { devices } = ports
  const counters = createCounters()
  const sessions = createSessions()
  const persistence = openPersistence(deps, sessions, counters)
  const aedes = new Aedes({
    ...AEDES_OPTIONS,
    drainTimeout: settings.drainMs ?? DRAIN_MS,
    persistence,
    ...createConnectHooks({ devices, sessions, counters, log }),
    ...createSubscribeHooks({ devices, sessions, counters, maxSubscriptions: settings.maxSubscriptions }),
  })
  const publish = publisher(aedes)
  const publishing = assemblePublishing(deps, aedes, { sessions, counters, publish, persistence })
  await aedes.listen()
  for (const will of persistence.leftWills())
    publishing.sayLeftWill(will).then(
      () => persistence.willSaid(will),
      (cause: unknown) =>
        log.warn(
          { deviceId: will.clientId, cause: messageOf(cause) },
          'will of an earlier connection kept for later',
        ),
    )
  const door = createDoor({ settings, aedes, sessions, counters, log, express: publishing.express })
  const listeners = await openListeners(settings, {
    adopt: door.adopt,
    onRefused: () => void counters.refused++,
  }).catch((cause: unknown) => {
    aedes.close()
    throw cause
  })
  let stopped: Promise<void> | null = null

  return {
    mqttPort: listeners.mqttPort,
    mqttsPort: listeners.mqttsPort,
    handleStream: door.adopt,
    publish,
    disconnect(deviceId) {
      const client = sessions.current(deviceId)
      const session = client && sessions.of(client)
      if (session) session.revoked = true
      client?.close()
      persistence.forget(deviceId)
    },
    recheck: persistence.sift,
    renewTls: listeners.renewTls,
    stats: () => ({ ...counters, connections: door.open() }),
    stop(deadlineMs) {
      listeners.close()
      stopped ??= within(deps.clock, deadlineMs, publishing.drain())
        .then(() => closed(aedes, door))
        .then(() => within(deps.clock, PATIENCE_MS, persistence.settled()))
      return stopped
    },
  }
}

interface Shared {
  sessions: Sessions
  counters: Counters
}

function openPersistence(
  { ports, clock, log }: BrokerDeps,
  sessions: Sessions,
  counters: Counters,
): Persistence {
  return createPersistence({
    limits: LIMITS,
    keeper: ports.keeper,
    isGranted: (client, filter) => sessions.of(client)?.filters.has(filter) ?? false,
    mayHave: (clientId, packet) => mayHear(ports.devices, clientId, packet),
    deviceOf: (client) => sessions.of(client)?.device,
    patiently: (work) => within(clock, PATIENCE_MS, work),
    onQueueDropped: () => void counters.queueDropped++,
    onRetainedRefused: () => void counters.retainedRefused++,
    onUnsaved(cause) {
      counters.unsaved++
      log.warn({ cause: messageOf(cause) }, 'sessions could not be saved')
    },
  })
}

function publisher(aedes: Aedes): Broker['publish'] {
  return (topic, payload, { retain = false, qos = 0 } = {}) =>
    new Promise((resolve, reject) => {
      const packet = {
        cmd: 'publish' as const,
        topic,
        payload: Buffer.from(payload),
        retain,
        qos,
        dup: false,
      }
      aedes.publish(packet, (cause) => (cause ? reject(cause) : resolve()))
    })
}

/** Puts the gate before the acknowledgement, and follows who is there. */
function assemblePublishing(
  { settings, ports, clock, log }: BrokerDeps,
  aedes: Aedes,
  {
    sessions,
    counters,
    publish,
    persistence,
  }: Shared & Pick<Broker, 'publish'> & { persistence: Persistence },
): PublishHook & { express: Express } {
  const waits = createWaits(clock)
  const presence = createPresence({ devices: ports.devices, clock })
  const tell = (deviceId: string, notice: object) => {
    publish(`hf/${deviceId}/cmd`, JSON.stringify(notice), { qos: 1 }).catch((cause: unknown) =>
      log.warn({ deviceId, cause: messageOf(cause) }, 'device could not be told'),
    )
  }
  const gate = createGate({ ports, arrivals: createArrivals(), waits, clock, counters, log, tell })
  const { messagesPerSecond: perSecond, messageBurst: burst, maxConnections } = settings
  const pace = createPace({ clock, perSecond, burst, devicesKept: 2 * maxConnections })
  const observeAck = ports.observeAck ?? (() => {})
  const inHand = createInHand()
  const { append } = ports
  const express = createExpress({ gate, append, pace, clock, counters, log, inHand, observeAck })
  const { isReceived, storeRetained: retain } = persistence
  const hook = createPublishHook({
    ...{ sessions, presence, gate, pace, waits, inHand, clock, counters, log, observeAck },
    ...{ publish, isReceived, retain },
  })
  aedes.authorizePublish = hook.authorizePublish
  watchConnections(aedes, { sessions, counters }, presence, log)
  aedes.on('clientReady', ({ id }) => {
    const messages = persistence.takeDropped(id)
    if (messages > 0) tell(id, { type: 'dropped', messages, reason: 'too much waited while you were away' })
  })
  return { ...hook, express }
}

function watchConnections(aedes: Aedes, { sessions, counters }: Shared, presence: Presence, log: Log): void {
  aedes.on('client', (client) => {
    sessions.registered(client)
    presence.connected(client.id, client)
  })
  aedes.on('clientDisconnect', (client) => {
    sessions.ended(client)
    presence.gone(client.id, client)
  })
  aedes.on('unsubscribe', (filters, client) => {
    for (const filter of filters) sessions.of(client)?.filters.delete(filter)
  })
  const frozen = new WeakSet<object>()
  aedes.on('clientError', (client, cause) => {
    if (FROZEN.has(cause.message) && !frozen.has(client)) counters.frozen++
    frozen.add(client)
    log.debug({ deviceId: client.id, cause: cause.message }, 'connection failed')
  })
  aedes.on('connectionError', (_client, cause) =>
    log.debug({ cause: cause.message }, 'connection failed before CONNECT'),
  )
  // The event exists, its type does not; without a listener it would end the process.
  EventEmitter.prototype.on.call(aedes, 'error', (cause: unknown) =>
    log.error({ cause: messageOf(cause) }, 'broker failed'),
  )
}

async function closed(aedes: Aedes, door: Door): Promise<void> {
  // Acknowledgements are corked until the end of the turn; closing in it would swallow them.
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise<void>((resolve) => aedes.close(() => resolve()))
  door.clear()
}
