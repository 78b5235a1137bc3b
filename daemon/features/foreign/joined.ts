/** Brokers that were there before the hub: it joins them as a client and reads what their devices publish. */
import { createHash } from 'node:crypto'
import type { Observation } from '../../domain/observation.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type ErrorCode, HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Connect, Connection, JoinedSettings, KeptMessage } from './connection.ts'
import type { ForeignMessage, ForeignReading } from './reader.ts'

export interface JoinedState {
  name: string
  state: 'up' | 'degraded'
  detail: string | null
}

export interface Joined {
  feature: Feature
  /** For /ready. Never more than degraded: the hub itself does not need other brokers. */
  states(): JoinedState[]
  stats(): Record<string, number>
}

/** A message that could not be taken whole. */
export interface SetAside {
  deviceId: string
  atMs: number
  topic: string
  code: ErrorCode
  reason: string
  payload: Uint8Array
  payloadBytes: number
}

export interface JoinedDeps {
  brokers: readonly JoinedSettings[]
  clock: Clock
  log: Log
  connect: Connect
  read: (message: ForeignMessage) => ForeignReading
  append: (batch: readonly Observation[]) => Promise<unknown>
  quarantine: (entry: SetAside) => Promise<void>
  /** Makes the gateway that stands for a broker unless it is there; HubError when its id is taken by something else. */
  ensureGateway: (id: string) => Promise<void>
  setPresence: (deviceId: string, online: boolean, atMs: number) => void
}

const QUARANTINED_BYTES = 16_384
/** Pauses before the next try; the last one stays. */
const RETRY_AFTER_MS: readonly number[] = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
/** Behind a clock that was set back further than this, arrivals start afresh instead of queueing behind the old ones. */
const MAX_LEAD_MS = 1000
/** Brokers send again what was not acknowledged when they are joined again, and not all of them say so. */
const RESENT_WITHIN_MS = 5 * 60_000
/** What may be on its way unacknowledged is far less. */
const STAMPS_KEPT = 1024

export function createJoined(deps: JoinedDeps): Joined {
  const counters = { messages: 0, setAside: 0, connections: 0, unstored: 0 }
  const members = deps.brokers.map((settings) => joinOne(settings, deps, counters))
  return {
    feature: {
      name: 'joined-brokers',
      start() {
        for (const member of members) member.start()
      },
      async stop() {
        await Promise.all(members.map((member) => member.stop()))
      },
    },
    states: () => members.map((member) => member.state()),
    stats: () => counters,
  }
}

interface Member {
  start(): void
  stop(): Promise<void>
  state(): JoinedState
}

function joinOne(settings: JoinedSettings, deps: JoinedDeps, counters: Record<string, number>): Member {
  const { name } = settings
  const { clock, log } = deps
  const take = taker(name, deps, counters)
  let connection: Connection | null = null
  let trouble: string | null = 'not connected yet'
  let failures = 0
  let attempts = 0
  let stopped = false
  let cancelRetry = () => {}

  function lost(cause: string): void {
    if (connection !== null) deps.setPresence(name, false, clock.now())
    connection = null
    if (stopped) return
    if (trouble !== cause) log.warn({ broker: name, cause }, 'the joined broker is out of reach')
    trouble = cause
    const pauseMs = RETRY_AFTER_MS[Math.min(failures++, RETRY_AFTER_MS.length - 1)] ?? 0
    cancelRetry = clock.after(pauseMs, () => void tryOnce())
  }

  async function tryOnce(): Promise<void> {
    try {
      const attempt = ++attempts
      await deps.ensureGateway(name)
      const opened = await deps.connect(settings, {
        onMessage: (message) => take(message, attempt),
        onClosed: lost,
      })
      if (stopped) return await opened.close()
      connection = opened
      counters['connections'] = (counters['connections'] ?? 0) + 1
      failures = 0
      trouble = opened.refused.length > 0 ? `it does not let us hear ${opened.refused.join(', ')}` : null
      deps.setPresence(name, true, clock.now())
    } catch (cause) {
      lost(messageOf(cause))
    }
  }

  return {
    start: () => void tryOnce(),
    async stop() {
      stopped = true
      cancelRetry()
      await connection?.close()
    },
    state: () => ({ name, state: trouble === null ? 'up' : 'degraded', detail: trouble }),
  }
}

/** Resolves when a message is on disk, as values or set aside, so that its broker may forget it. */
function taker(
  name: string,
  deps: JoinedDeps,
  counters: Record<string, number>,
): (message: KeptMessage, attempt: number) => Promise<void> {
  const stamp = createStamps(deps.clock)
  const count = (what: string) => {
    counters[what] = (counters[what] ?? 0) + 1
  }

  async function setAside(message: ForeignMessage, code: ErrorCode, reason: string): Promise<void> {
    const { topic, payload, atMs } = message
    const kept = payload.subarray(0, QUARANTINED_BYTES)
    const sizes = { payload: kept, payloadBytes: payload.byteLength }
    await deps.quarantine({ deviceId: name, atMs, topic, code, reason, ...sizes })
    count('setAside')
  }

  return async (arrived, attempt) => {
    count('messages')
    const { topic, payload, isKept } = arrived
    const message = { deviceId: name, topic, payload, atMs: stamp(arrived, attempt), isKept }
    const { observations, refused } = deps.read(message)
    try {
      if (observations.length > 0) await deps.append(observations)
    } catch (cause) {
      if (!(cause instanceof HubError) || cause.status >= 500) {
        count('unstored')
        throw cause
      }
      refused.push({ index: 0, code: cause.code, path: '', message: cause.message })
    }
    const [first] = refused
    if (!first) return
    const said = first.path === '' ? first.message : `${first.path}: ${first.message}`
    await setAside(
      message,
      first.code,
      refused.length === 1 ? said : `${refused.length} samples, first: ${said}`,
    )
  }
}

/**
 * When a message came: no two of a broker at the same instant, because they would be one value and its correction, and one that
 * is sent again at the instant of its first arrival.
 */
function createStamps(clock: Clock): (message: KeptMessage, attempt: number) => number {
  const stamps = new Map<string, { atMs: number; attempt: number }>()
  let lastMs = 0
  return ({ topic, payload, messageId, isAgain }, attempt) => {
    const nowMs = clock.now()
    const hash = createHash('sha1').update(topic).update('\0').update(payload).digest('base64')
    const key = messageId === undefined ? null : `${messageId} ${hash}`
    const before = key === null ? undefined : stamps.get(key)
    if (before && (isAgain || (before.attempt !== attempt && nowMs - before.atMs < RESENT_WITHIN_MS)))
      return before.atMs
    lastMs = lastMs >= nowMs && lastMs - nowMs < MAX_LEAD_MS ? lastMs + 1 : nowMs
    if (key !== null) {
      stamps.delete(key)
      stamps.set(key, { atMs: lastMs, attempt })
    }
    if (stamps.size > STAMPS_KEPT) stamps.delete(stamps.keys().next().value ?? '')
    return lastMs
  }
}
