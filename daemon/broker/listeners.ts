import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { BrokerSettings } from './ports.ts'

export interface Listeners {
  /** Port in use, null where there is no such listener. */
  mqttPort: number | null
  mqttsPort: number | null
  /** Presents a renewed certificate to connections made from now on. */
  renewTls(certPem: string, keyPem: string): void
  /** Takes no more connections; those that stand are left alone. */
  close(): void
}

export interface Door {
  adopt(stream: Duplex, remote: string): void
  /** Told of a connection that was turned away because there are too many. */
  onRefused(): void
}

/** TLS handshakes that take longer are not finished by an honest device. */
const HANDSHAKE_MS = 5000
/** Handshakes under way; beyond it the oldest is ended, so that a flood keeps nobody out. */
const MAX_HANDSHAKES = 64

/** Opens plain and TLS listeners and resolves when both accept connections. Rejects when a port is taken. */
export async function openListeners(
  { tcp, tls, maxConnections }: BrokerSettings,
  { adopt, onRefused }: Door,
): Promise<Listeners> {
  const welcome = (socket: Socket) => adopt(socket, socket.remoteAddress ?? 'unknown')
  const plain = tcp && createServer({ noDelay: true }, welcome)
  const secure =
    tls &&
    createTlsServer(
      {
        noDelay: true,
        cert: tls.certPem,
        key: tls.keyPem,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_MS,
      },
      welcome,
    )
  if (secure) limitHandshakes(secure)
  // A handshake that fails is the client's affair; without a listener the socket's error would end the process.
  secure?.on('tlsClientError', () => {})
  const servers = [plain, secure].filter((server): server is Server | TlsServer => server !== null)
  for (const server of servers) {
    server.maxConnections = maxConnections
    server.on('drop', onRefused)
  }
  const close = () => {
    for (const server of servers) server.close()
  }
  try {
    if (plain && tcp) await listening(plain, tcp.host, tcp.port)
    if (secure && tls) await listening(secure, tls.host, tls.port)
  } catch (cause) {
    close()
    throw cause
  }
  return {
    mqttPort: portOf(plain),
    mqttsPort: portOf(secure),
    renewTls: (certPem, keyPem) => secure?.setSecureContext({ cert: certPem, key: keyPem }),
    close,
  }
}

function limitHandshakes(secure: TlsServer): void {
  const underWay = new Map<string, Socket>()
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
  secure.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    underWay.set(peer, socket)
    socket.once('close', () => underWay.delete(peer))
    const [first] = underWay
    if (underWay.size <= MAX_HANDSHAKES || !first) return
    underWay.delete(first[0])
    first[1].destroy()
  })
  secure.on('secureConnection', (socket) => underWay.delete(peerOf(socket)))
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server | null): number | null {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : null
}
