import type { Client } from 'aedes'

/** The part of the client's parser that the guard leans on; aedes is pinned, and a test notices when it changes. */
interface GuardedParser {
  packet: { length: number }
  _parsePayload(): boolean
}

/**
 * Destroys a connection as soon as a packet's header announces more than `limitBytes()`, before any of it is kept. aedes has
 * no limit of its own: an unauthenticated client could make it buffer 256 MB.
 */
export function guardPackets(
  client: Client,
  limitBytes: () => number,
  onOversize: (announcedBytes: number) => void,
): void {
  const parser = parserOf(client)
  const parsePayload = parser._parsePayload.bind(parser)
  parser._parsePayload = () => {
    if (parser.packet.length <= limitBytes()) return parsePayload()
    onOversize(parser.packet.length)
    client.conn.destroy(new Error('packet too large'))
    return false
  }
}

function parserOf(client: Client): GuardedParser {
  const { _parser: parser } = client as unknown as { _parser?: Partial<GuardedParser> }
  if (parser && typeof parser._parsePayload === 'function' && parser.packet) return parser as GuardedParser
  throw new Error('this aedes hides its parser: the packet guard cannot be put before it')
}

/** Tells aedes that a client is alive although none of its packets was handled: a client we hold back must not time out. */
export function keepAlive(client: Client): void {
  const { _keepaliveTimer: timer } = client as unknown as { _keepaliveTimer?: { refresh?(): void } | null }
  timer?.refresh?.()
}
