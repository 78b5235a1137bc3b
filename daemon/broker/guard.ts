import type { Client } from 'aedes'
import { type PacketHead, type Violation, violationIn } from './clauses.ts'

/** The part of the client's parser that the guard leans on; aedes is pinned, and a test notices when it changes. */
interface GuardedParser {
  packet: PacketHead
  _list: { length: number; slice(from: number, to: number): Buffer }
  _parsePayload(): boolean
  /** Where it stands within a packet; 0 between two. */
  _stateCounter: number
  error: unknown
  parse(chunk: Buffer): number
}

/** How aedes counts what of a connection is under way, and reads on when that is done. */
interface CountingClient {
  _parsingBatch: number
  _nextBatch(failure?: Error): void
  waitForDrain(done: () => void): void
  subscriptions: Record<string, unknown>
}

export interface GuardDeps {
  limitBytes(): number
  onOversize(announcedBytes: number): void
  onViolation(violation: Violation): void
}

/** A topic may be 64 KB long; the rest of a publish is its payload, which is not looked at here. */
const LONGEST_HEAD = 2 + 65_535 + 2

/**
 * Destroys a connection as soon as a packet's header announces more than `limitBytes()`, before any of it is kept, and at
 * a whole packet that MQTT 3.1.1 forbids, before any of it is acted on. aedes has no limit of its own: an unauthenticated
 * client could make it buffer 256 MB.
 */
export function guardPackets(client: Client, { limitBytes, onOversize, onViolation }: GuardDeps): void {
  const parser = parserOf(client)
  const parsePayload = parser._parsePayload.bind(parser)
  parser._parsePayload = () => {
    const { packet, _list: bytes } = parser
    if (packet.length > limitBytes()) {
      onOversize(packet.length)
      client.conn.destroy(new Error('packet too large'))
      return false
    }
    if (bytes.length < packet.length) return parsePayload()
    const looked = packet.cmd === 'publish' ? Math.min(packet.length, LONGEST_HEAD) : packet.length
    const violation = violationIn(packet, bytes.slice(0, looked))
    if (!violation) return parsePayload()
    onViolation(violation)
    turnAway(client, violation)
    return false
  }
}

/** Ends a connection at once, or after a CONNACK where the specification wants one. */
function turnAway(client: Client, { clause, returnCode }: Violation): void {
  if (returnCode === undefined) client.conn.destroy(new Error(clause))
  else client.conn.end(Buffer.from([0x20, 2, 0, returnCode]), () => client.conn.destroy())
}

/** Lets `take` have what it wants from the start of each chunk that begins with a packet; aedes reads the rest. */
export function readBefore(client: Client, take: (chunk: Buffer) => number): void {
  const parser = parserOf(client)
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    const isBetweenPackets = parser._list.length === 0 && parser._stateCounter === 0 && !parser.error
    const taken = isBetweenPackets ? take(chunk) : 0
    if (taken === chunk.length) return 0
    return parse(taken === 0 ? chunk : chunk.subarray(taken))
  }
}

/** Messages of a connection that aedes does not handle, but has to wait for before it reads on. */
export interface Batches {
  begin(count: number): void
  /** So many are done; when these were the last, the connection is read again. */
  end(count: number): void
  /** Ends the connection. */
  fail(failure: Error): void
  /** Goes on when the client has read what was written; it is cut off when it does not. */
  afterDrain(done: () => void): void
  /** What the connection hears. */
  filters(): string[]
}

export function batchesOf(client: Client): Batches {
  const inner = client as unknown as CountingClient
  return {
    begin(count) {
      inner._parsingBatch += count
    },
    end(count) {
      inner._parsingBatch = Math.max(1, inner._parsingBatch - count + 1)
      inner._nextBatch()
    },
    fail: (failure) => inner._nextBatch(failure),
    afterDrain: (done) => inner.waitForDrain(() => done()),
    filters: () => Object.keys(inner.subscriptions),
  }
}

function parserOf(client: Client): GuardedParser {
  const { _parser: parser } = client as unknown as { _parser?: Partial<GuardedParser> }
  const fits =
    parser &&
    typeof parser._parsePayload === 'function' &&
    typeof parser.parse === 'function' &&
    parser.packet &&
    parser._list &&
    parser._stateCounter === 0
  if (fits) return parser as GuardedParser
  throw new Error('this aedes hides its parser: the packet guard cannot be put before it')
}

/** Tells aedes that a client is alive although none of its packets was handled: a client we hold back must not time out. */
export function keepAlive(client: Client): void {
  const { _keepaliveTimer: timer } = client as unknown as { _keepaliveTimer?: { refresh?(): void } | null }
  timer?.refresh?.()
}
