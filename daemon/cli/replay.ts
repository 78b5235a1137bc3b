/** Plays a recorded series over real MQTT, as a device would. */
import type { MqttClient } from 'mqtt'
import type { Clock } from '../kernel/clock.ts'
import type { Series } from './series.ts'

export interface ReplayCounts {
  sent: number
  acknowledged: number
  /** Messages that the hub reported as rejected. */
  rejected: number
}

export interface ReplayTarget {
  url: string
  deviceId: string
  key: string
  /** PEM of the household's CA, null for plain MQTT. */
  ca: string | null
}

export interface ReplayOptions {
  series: Series
  target: ReplayTarget
  /** Recorded time over real time. */
  speed: number
  loop: boolean
  clock: Clock
  /** Ends the replay after what is in hand. */
  signal: AbortSignal
  onSent(counts: ReplayCounts, heartRate: number | null): void
  /** The hub's words about something it did not take. */
  onRejected(message: string): void
  onTrouble(message: string): void
}

/** A device holds this many messages without acknowledgement, then waits. */
const IN_FLIGHT = 100
const LAST_ACK_MS = 30_000

/** Resolves with the counts once the series is played and every message acknowledged, or given up on. Rejects when the hub lets nobody in. */
export async function replay(options: ReplayOptions): Promise<ReplayCounts> {
  const { series, target, clock, signal } = options
  const counts: ReplayCounts = { sent: 0, acknowledged: 0, rejected: 0 }
  const client = await connected(options, counts)
  const inFlight = new Set<Promise<void>>()
  const startedMs = clock.now()
  for (let round = 0; !signal.aborted; round++) {
    for (const message of series.messages) {
      const dueMs = startedMs + (round * series.durationMs + message.offsetMs) / options.speed
      await pause(clock, dueMs - clock.now(), signal)
      if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight)
      if (signal.aborted) break
      counts.sent++
      const topic = `hf/${target.deviceId}/${message.topic}`
      const acknowledged = client
        .publishAsync(topic, Buffer.from(message.payload(clock.now())), { qos: 1 })
        .then(
          () => void counts.acknowledged++,
          (cause: Error) => options.onTrouble(cause.message),
        )
      const settled = acknowledged.finally(() => inFlight.delete(settled))
      inFlight.add(settled)
      options.onSent(counts, message.heartRate)
    }
    if (!options.loop) break
  }
  await Promise.race([Promise.allSettled(inFlight), pause(clock, LAST_ACK_MS, null)])
  await client
    .publishAsync(`hf/${target.deviceId}/status`, 'offline', { qos: 1, retain: true })
    .catch(() => {})
  await client.endAsync(true)
  return counts
}

async function connected(
  { target, onRejected, onTrouble }: ReplayOptions,
  counts: ReplayCounts,
): Promise<MqttClient> {
  const { url, deviceId, key, ca } = target
  const { default: mqtt } = await import('mqtt')
  const client = await mqtt.connectAsync(url, {
    clientId: deviceId,
    username: deviceId,
    password: key,
    keepalive: 30,
    reconnectPeriod: 1000,
    will: { topic: `hf/${deviceId}/status`, payload: Buffer.from('offline'), qos: 1, retain: true },
    ...(ca === null ? {} : { ca }),
  })
  client.on('error', (cause) => onTrouble(cause.message))
  client.on('message', (_topic, payload) => {
    const message = rejectionIn(payload)
    if (message === null) return
    counts.rejected++
    onRejected(message)
  })
  await client.subscribeAsync(`hf/${deviceId}/cmd`, { qos: 1 })
  await client.publishAsync(`hf/${deviceId}/status`, 'online', { qos: 1, retain: true })
  return client
}

function rejectionIn(payload: Buffer): string | null {
  try {
    const { type, message } = Object(JSON.parse(payload.toString())) as { type?: unknown; message?: unknown }
    return type === 'rejected' ? String(message) : null
  } catch {
    return null
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal | null): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(ms, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
