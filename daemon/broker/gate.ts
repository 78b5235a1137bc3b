/** What happens to a message between its arrival and its acknowledgement. */
import { type IntakeContext, takeIn } from '../domain/intake.ts'
import type { Observation } from '../domain/observation.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Arrivals } from './arrivals.ts'
import type { Counters } from './counters.ts'
import type { BrokerPorts, DeviceIdentity } from './ports.ts'
import { type Refusal, readMessage } from './readings.ts'
import type { Route } from './topics.ts'
import type { Waits } from './waits.ts'

/** A publish that passed the access rules. */
export interface Arrived {
  device: DeviceIdentity
  route: Route
  topic: string
  payload: Uint8Array
  dup: boolean
  messageId: number | undefined
  /** Number of its connection. */
  connection: number
  /** Whether its connection still stands: for one that is gone nothing is retried. */
  isOpen(): boolean
  /** Called while the message is held back, so that its connection does not time out. */
  onHeld(): void
}

export interface Gate {
  /** Resolves when the message may be acknowledged. Rejects when it must not be: the device has to send it again. */
  accept(message: Arrived): Promise<void>
  /** Reads messages of values; null for one of which anything has to be said, which is `accept`'s affair. */
  reader(device: DeviceIdentity): (payload: Uint8Array) => Observation[] | null
}

export interface GateDeps {
  ports: BrokerPorts
  arrivals: Arrivals
  waits: Waits
  clock: Clock
  counters: Counters
  log: Log
  /** Publishes on the device's command topic. */
  tell(deviceId: string, notice: object): void
}

const QUARANTINED_BYTES = 16_384
const REFUSALS_TOLD = 20
const REFUSED_FRAME_EVERY_MS = 10_000
const REFUSALS_REMEMBERED = 1024
const OBS: Route = { kind: 'obs' }
const FULL_RETRY_MS = 5000
/** A store that cannot take more is tried again after these pauses, about 30 s in all; then the connection is dropped. */
const RETRY_AFTER_MS: readonly number[] = [100, 250, 500, 1000, ...Array<number>(14).fill(2000)]

/**
 * Runs before aedes acknowledges, so PUBACK means "on disk". What cannot be read is stored aside and acknowledged: failing it
 * would make the device send it for ever. While the store cannot take anything, nothing is acknowledged.
 */
export function createGate(deps: GateDeps): Gate {
  const recent = createRecentRefusals(deps)
  return {
    async accept(message) {
      if (isHandedOn(deps, message.route)) return handOn(deps, message, recent)
      const { observations, refused } = judge(deps, message)
      if (observations.length > 0) {
        const stored = await committed(deps, message, () => deps.ports.append(observations))
        if ('refusal' in stored) refused.push(stored.refusal)
        else deps.counters.observations += observations.length
      }
      if (refused.length > 0) await setAside(deps, message, refused)
    },
    reader(device) {
      const context = contextOf(deps, device, 'obs', null)
      return (payload) => plainly(payload, context)
    },
  }
}

function plainly(payload: Uint8Array, context: IntakeContext): Observation[] | null {
  const read = readMessage(OBS, payload)
  if ('code' in read || read.refused.length > 0 || read.readings.length === 0) return null
  const observations: Observation[] = []
  for (const { sample } of read.readings) {
    for (const result of takeIn(sample, context)) {
      if (!('observation' in result)) return null
      observations.push(result.observation)
    }
  }
  return observations
}

/** Frames and words on alerts go to their own part; what is not for anybody stays here. */
function isHandedOn({ ports }: GateDeps, route: Route): boolean {
  return (
    (route.kind === 'frame' && ports.onFrame !== undefined) ||
    (route.kind === 'alert' && ports.onAlertCommand !== undefined) ||
    (isDeviceWord(route) && ports.onDeviceWord !== undefined)
  )
}

function isDeviceWord(route: Route): boolean {
  return route.kind === 'raw' && route.codec === 'ack' && route.part === null
}

async function handOn(deps: GateDeps, message: Arrived, recent: RecentRefusals): Promise<void> {
  const { ports, clock, counters } = deps
  const { device, route, payload } = message
  try {
    if (route.kind === 'alert') await ports.onAlertCommand?.(device.deviceId, route.alertId, payload)
    else if (route.kind === 'frame') await ports.onFrame?.(device.deviceId, payload, clock.now())
    else if (isDeviceWord(route)) await ports.onDeviceWord?.(device.deviceId, payload)
  } catch (cause) {
    if (!(cause instanceof HubError) || cause.status >= 500) throw cause
    const refusal = { index: 0, code: cause.code, path: '', message: cause.message }
    if (route.kind !== 'frame' || recent.isNew(device.deviceId, cause.code))
      await setAside(deps, message, [refusal])
    else counters.rejected++
  }
}

interface RecentRefusals {
  isNew(deviceId: string, code: string): boolean
}

/** A camera that nobody set up sends on: one picture a while is kept with the reason, the others are counted. */
function createRecentRefusals({ clock }: Pick<GateDeps, 'clock'>): RecentRefusals {
  const keptAtMs = new Map<string, number>()
  return {
    isNew(deviceId, code) {
      const key = `${deviceId} ${code}`
      const nowMs = clock.monotonic()
      const lastMs = keptAtMs.get(key)
      if (lastMs !== undefined && nowMs - lastMs < REFUSED_FRAME_EVERY_MS) return false
      keptAtMs.delete(key)
      keptAtMs.set(key, nowMs)
      if (keptAtMs.size > REFUSALS_REMEMBERED) keptAtMs.delete(keptAtMs.keys().next().value ?? '')
      return true
    },
  }
}

function judge(deps: GateDeps, message: Arrived): { observations: Observation[]; refused: Refusal[] } {
  if (message.route.kind === 'foreign' && deps.ports.foreign) {
    const { device, topic, payload } = message
    const atMs = deps.arrivals.stamp(device.deviceId, message, deps.clock.now())
    return deps.ports.foreign({ deviceId: device.deviceId, topic, payload, atMs })
  }
  const read = readMessage(message.route, message.payload)
  if ('code' in read) return { observations: [], refused: [read] }
  const observations: Observation[] = []
  const refused = [...read.refused]
  const { deviceId } = message.device
  const arrivedMs = read.stampedOnArrival ? deps.arrivals.stamp(deviceId, message, deps.clock.now()) : null
  const context = contextOf(deps, message.device, read.source, arrivedMs)
  for (const { index, path, sample } of read.readings) {
    for (const result of takeIn(sample, context)) {
      if ('observation' in result) observations.push(result.observation)
      else refused.push({ ...result.rejected, index, path: joined(path, result.rejected.path) })
    }
  }
  return { observations, refused }
}

function contextOf(
  { ports, clock }: GateDeps,
  { deviceId, zone, hrvKind }: DeviceIdentity,
  source: string,
  arrivedMs: number | null,
): IntakeContext {
  const { devices } = ports
  return {
    deviceId,
    source,
    nowMs: ports.latestMs?.() ?? clock.now(),
    arrivedMs,
    deviceZone: zone,
    naiveZone: null,
    ...(hrvKind === undefined ? {} : { hrvKind }),
    personAt(atMs: number, named: string | null): string | null {
      const wearer = devices.wearerAt(deviceId, atMs)
      if (named === null || named === wearer) return wearer
      return devices.serves(deviceId, named) ? named : null
    },
  }
}

/** Keeps the message with the reason, then tells the device. Partly good messages are kept whole: a later reader sees the context. */
async function setAside(deps: GateDeps, message: Arrived, refused: readonly Refusal[]): Promise<void> {
  const { ports, counters, clock, log, tell } = deps
  const { device, topic, payload } = message
  const [first] = refused
  if (!first) return
  const reason =
    refused.length === 1 ? reasonOf(first) : `${refused.length} samples, first: ${reasonOf(first)}`
  const kept = Buffer.from(payload.subarray(0, QUARANTINED_BYTES))
  const entry = {
    deviceId: device.deviceId,
    atMs: clock.now(),
    topic,
    code: first.code,
    reason,
    payload: kept,
    payloadBytes: payload.byteLength,
  }
  const stored = await committed(deps, message, () => ports.quarantine(entry))
  if ('refusal' in stored)
    throw new HubError('INTERNAL', `The quarantine refused a message: ${stored.refusal.message}`)
  counters.quarantined++
  counters.rejected += refused.length
  log.debug(
    { deviceId: device.deviceId, topic, error: first.code, samples: refused.length },
    'message quarantined',
  )
  tell(device.deviceId, {
    type: 'rejected',
    topic,
    code: first.code,
    message: first.message,
    rejected: refused.slice(0, REFUSALS_TOLD),
    count: refused.length,
  })
}

/**
 * Runs a write until it is on disk. A store that is full or overloaded is tried again while the connection waits; one that
 * refuses the content itself gives the reason, because sending that again would not help.
 */
async function committed<Result>(
  deps: GateDeps,
  message: Arrived,
  write: () => Promise<Result>,
): Promise<{ result: Result } | { refusal: Refusal }> {
  for (let attempt = 0; ; attempt++) {
    try {
      return { result: await write() }
    } catch (cause) {
      if (!(cause instanceof HubError) || cause.code === 'SHUTTING_DOWN' || cause.status === 500) throw cause
      if (cause.status !== 503)
        return { refusal: { index: 0, code: cause.code, path: '', message: cause.message } }
      // A full disk may stay so for hours: the device waits, and sends nothing that would have to be refused again.
      const pauseMs = RETRY_AFTER_MS[attempt] ?? (cause.code === 'DISK_FULL' ? FULL_RETRY_MS : undefined)
      if (pauseMs === undefined || !message.isOpen()) throw cause
      if (attempt === 0) deps.counters.held++
      message.onHeld()
      if (!(await deps.waits.wait(pauseMs))) throw cause
    }
  }
}

function reasonOf({ path, message }: Refusal): string {
  return path === '' ? message : `${path}: ${message}`
}

function joined(path: string, inner: string): string {
  return path === '' ? inner : `${path}.${inner}`
}
