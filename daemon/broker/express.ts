/**
 * The way that nearly every message goes: whole publishes of a device's own values, read straight from the chunk they came
 * in, stored with one call and acknowledged with one write. Whatever is not plainly that is left to aedes, which knows all of
 * MQTT; so this needs no rule of its own that could let something through.
 */
import type { Client } from 'aedes'
import type { Observation } from '../domain/observation.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Counters } from './counters.ts'
import type { Gate } from './gate.ts'
import { batchesOf, keepAlive } from './guard.ts'
import type { InHand } from './in-hand.ts'
import type { Pace } from './pace.ts'
import type { Append } from './ports.ts'
import type { Session } from './sessions.ts'

export interface Express {
  /** Takes messages from the beginning of a chunk that starts with a packet; answers how many bytes those were. */
  take(client: Client, session: Session, chunk: Buffer, limitBytes: number): number
}

export interface ExpressDeps {
  gate: Pick<Gate, 'reader' | 'accept'>
  append: Append
  pace: Pick<Pace, 'takeAtOnce'>
  clock: Pick<Clock, 'monotonic'>
  counters: Counters
  log: Log
  inHand: InHand
  observeAck: (ms: number) => void
}

/** What came in one chunk of one connection. */
interface Bundle {
  client: Client
  session: Session
  startedMs: number
  messages: Plain[]
  rows: Observation[]
}

/** A publish that was read; `messageId` is 0 for one that nobody waits for. */
interface Plain {
  messageId: number
  payload: Buffer
}

/** The first byte of a PUBLISH that is neither retained nor repeated. */
const AT_MOST_ONCE = 0x30
const AT_LEAST_ONCE = 0x32
const PUBACK = 0x40
const PUBACK_BYTES = 4

export function createExpress(deps: ExpressDeps): Express {
  const { gate, append, pace, clock, counters, inHand } = deps

  return {
    take(client, session, chunk, limitBytes) {
      if (inHand.ending || session.revoked || !isPlain(client, session.valuesTopic)) return 0
      const bundle: Bundle = { client, session, startedMs: clock.monotonic(), messages: [], rows: [] }
      const taken = read(bundle, chunk, limitBytes)
      if (taken > 0) store(bundle)
      return taken
    },
  }

  function read({ session, messages, rows }: Bundle, chunk: Buffer, limitBytes: number): number {
    const { device, valuesTopic } = session
    const observationsIn = gate.reader(device)
    let at = 0
    for (;;) {
      const found = publishAt(chunk, at, valuesTopic, limitBytes)
      if (!found) return at
      const payload = chunk.subarray(found.payloadAt, found.endAt)
      const observations = observationsIn(payload)
      if (!observations || !pace.takeAtOnce(device.deviceId)) return at
      for (const observation of observations) rows.push(observation)
      messages.push({ messageId: found.messageId, payload })
      at = found.endAt
    }
  }

  function store(bundle: Bundle): void {
    const { client, messages, rows } = bundle
    inHand.enter()
    counters.published += messages.length
    batchesOf(client).begin(messages.length)
    keepAlive(client)
    append(rows).then(
      () => {
        counters.observations += rows.length
        settle(bundle)
      },
      // One message may have spoilt the call for all: each is tried alone, as one that came by itself.
      () => void oneByOne(bundle),
    )
  }

  function settle({ client, messages, startedMs }: Bundle): void {
    const tookMs = clock.monotonic() - startedMs
    for (const { messageId } of messages) if (messageId !== 0) deps.observeAck(tookMs)
    acknowledge(client, messages)
    inHand.leave()
  }

  async function oneByOne({ client, session, messages, startedMs }: Bundle): Promise<void> {
    const { device } = session
    await Promise.all(
      messages.map(async (plain) => {
        const { messageId, payload } = plain
        try {
          await gate.accept({
            ...{ device, route: { kind: 'obs' }, topic: session.valuesTopic.toString('latin1'), payload },
            ...{ dup: false, messageId: messageId || undefined, connection: session.number },
            isOpen: () => !client.closed,
            onHeld: () => keepAlive(client),
          })
          if (messageId !== 0) deps.observeAck(clock.monotonic() - startedMs)
          acknowledge(client, [plain])
        } catch (cause) {
          refuse(client, device.deviceId, cause)
        }
      }),
    )
    inHand.leave()
  }

  function acknowledge(client: Client, messages: readonly Plain[]): void {
    if (client.closed) return
    const batches = batchesOf(client)
    const acks = pubacks(messages)
    const next = () => batches.end(messages.length)
    if (acks.length === 0 || client.conn.write(acks)) next()
    else batches.afterDrain(next)
  }

  function refuse(client: Client, deviceId: string, cause: unknown): void {
    counters.unacknowledged++
    const error = cause instanceof HubError ? cause.code : null
    deps.log.warn({ deviceId, error, cause: messageOf(cause) }, 'message left unacknowledged')
    if (!client.closed) batchesOf(client).fail(new Error('the message could not be stored'))
  }
}

/** Whether aedes greeted the client, and nobody hears the topic, so that storing is all there is to do. */
function isPlain(client: Client, topic: Buffer): boolean {
  if (!client.connected || client.closed) return false
  for (const filter of batchesOf(client).filters())
    if (/[+#]/.test(filter) || filter === topic.toString('latin1')) return false
  return true
}

interface Found {
  messageId: number
  payloadAt: number
  endAt: number
}

/** The publish at `at` when it is whole, on this topic, and nothing about it is unusual; else null. */
function publishAt(chunk: Buffer, at: number, topic: Buffer, limitBytes: number): Found | null {
  const first = chunk[at]
  if (first !== AT_LEAST_ONCE && first !== AT_MOST_ONCE) return null
  let length = 0
  let cursor = at + 1
  for (let weight = 1; ; weight *= 128) {
    const byte = chunk[cursor++]
    if (byte === undefined || weight > 128 ** 3) return null
    length += (byte & 127) * weight
    if (byte < 128) break
  }
  const endAt = cursor + length
  const idBytes = first === AT_LEAST_ONCE ? 2 : 0
  const payloadAt = cursor + 2 + topic.length + idBytes
  if (length > limitBytes || endAt > chunk.length || payloadAt > endAt) return null
  if (chunk.readUInt16BE(cursor) !== topic.length) return null
  if (chunk.compare(topic, 0, topic.length, cursor + 2, cursor + 2 + topic.length) !== 0) return null
  const messageId = idBytes === 0 ? 0 : chunk.readUInt16BE(payloadAt - 2)
  return idBytes > 0 && messageId === 0 ? null : { messageId, payloadAt, endAt }
}

function pubacks(messages: readonly Plain[]): Buffer {
  const acks = Buffer.allocUnsafe(messages.length * PUBACK_BYTES)
  let at = 0
  for (const { messageId } of messages) {
    if (messageId === 0) continue
    acks[at] = PUBACK
    acks[at + 1] = 2
    acks[at + 2] = messageId >> 8
    acks[at + 3] = messageId & 255
    at += PUBACK_BYTES
  }
  return acks.subarray(0, at)
}
