/** A TCP proxy that breaks connections on purpose, the same way for the same seed: between a hub and its cloud. */
import { connect, createServer, type Socket } from 'node:net'

export const FAULTS = [
  'none',
  'reset',
  'cut-request',
  'cut-answer',
  'lost-answer',
  'stall',
  'portal',
  'drip',
  'duplicate',
  'reorder',
] as const
export type Fault = (typeof FAULTS)[number]

export interface FaultProxy {
  port: number
  /** How often each fault was played. */
  counts: Map<Fault, number>
  /** From now on every connection goes through unharmed. */
  heal(): void
  /** The service moved. */
  target(port: number): void
  close(): Promise<void>
}

export interface FaultProxyDeps {
  targetPort: number
  /** Uniform in [0, 1), seeded. */
  random(): number
  /** Share of connections that are harmed. */
  harm?: number
}

/** A repeatable stream of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const PORTAL = '<html><body>Welcome to the clubhouse. Accept the terms to go on.</body></html>'
const STALL_MS = 150
const LATE_MS = 300

export async function createFaultProxy({
  targetPort,
  random,
  harm = 0.7,
}: FaultProxyDeps): Promise<FaultProxy> {
  let port = targetPort
  let isHealed = false
  const counts = new Map<Fault, number>()
  const sockets = new Set<Socket>()
  const delays = new WeakMap<Socket, number>()
  const kept = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const drawn = (): Fault =>
    isHealed || random() >= harm ? 'none' : (FAULTS[1 + Math.floor(random() * (FAULTS.length - 1))] ?? 'none')

  const through = (client: Socket, fault: Fault) => {
    const upstream = kept(connect(port, '127.0.0.1'))
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    const limit = Math.floor(random() * 900)
    let sent = 0
    const request: Buffer[] = []
    client.on('data', (chunk: Buffer) => {
      request.push(chunk)
      sent += chunk.length
      if (fault === 'cut-request' && sent > limit) {
        upstream.write(chunk.subarray(0, Math.max(0, chunk.length - (sent - limit))))
        return setTimeout(end, 5)
      }
      if (fault === 'reorder') return later(upstream, chunk)
      return fault === 'drip' ? drip(upstream, chunk) : upstream.write(chunk)
    })
    let heard = 0
    upstream.on('data', (chunk: Buffer) => {
      if (fault === 'lost-answer') return end()
      heard += chunk.length
      if (fault === 'cut-answer' && heard > limit) {
        client.write(chunk.subarray(0, Math.max(0, chunk.length - (heard - limit))))
        return setTimeout(end, 5)
      }
      return client.write(chunk)
    })
    client.on('close', () => {
      upstream.destroy()
      // The same bytes arrive once more, late, when newer ones may be there.
      if (fault === 'duplicate') setTimeout(() => replay(Buffer.concat(request)), Math.floor(random() * 200))
    })
    upstream.on('close', () => client.destroy())
  }
  const drip = (upstream: Socket, chunk: Buffer) => {
    const middle = Math.floor(chunk.length / 2)
    upstream.write(chunk.subarray(0, middle))
    setTimeout(() => upstream.write(chunk.subarray(middle)), 10)
  }
  /** What other connections send meanwhile arrives first. */
  const later = (upstream: Socket, chunk: Buffer) => {
    const delayMs = Math.max(random() * LATE_MS, (delays.get(upstream) ?? 0) - performance.now())
    delays.set(upstream, performance.now() + delayMs + 1)
    setTimeout(() => upstream.write(chunk), delayMs)
  }
  const replay = (request: Buffer) => {
    const again = kept(connect(port, '127.0.0.1'))
    again.end(request)
    again.resume()
  }

  const server = createServer((client) => {
    kept(client)
    const fault = drawn()
    counts.set(fault, (counts.get(fault) ?? 0) + 1)
    if (fault === 'reset') client.resetAndDestroy()
    else if (fault === 'stall') setTimeout(() => client.destroy(), STALL_MS)
    else if (fault === 'portal')
      client.once('data', () =>
        client.end(
          `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: ${PORTAL.length}\r\n\r\n${PORTAL}`,
        ),
      )
    else through(client, fault)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    counts,
    heal() {
      isHealed = true
    },
    target(to) {
      port = to
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
