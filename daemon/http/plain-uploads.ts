/** A listener without TLS for old uploaders that trust no private certificate: their routes, their tokens, this network. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Http } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { isLocalAddress } from '../kernel/local-names.ts'
import { type CrowdDeps, keepCrowdsOut } from './crowds.ts'

export interface PlainUploads {
  /** Resolves with the port. Rejects with CONFLICT when another program has it. */
  open(port: number): Promise<number>
  /** Ends every connection, busy ones too: what it was opened for is over. */
  close(): Promise<void>
  /** Whether a request came in here. */
  isPlain(request: IncomingMessage): boolean
}

export interface PlainUploadsDeps {
  host: string
  crowds?: CrowdDeps
  handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Whether an address is of this network; the private ranges unless a test says otherwise. */
  isOurs?: (address: string) => boolean
}

const CONNECTIONS_MAX = 64
const REQUEST_MS = 30_000

export function createPlainUploads({
  host,
  handle,
  crowds,
  isOurs = isLocalAddress,
}: PlainUploadsDeps): PlainUploads {
  const arrived = new WeakSet<IncomingMessage>()
  let server: Server | null = null

  function create(): Server {
    const made = createServer(
      { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
      (request, response) => {
        arrived.add(request)
        handle(request, response)
      },
    )
    made.maxConnections = CONNECTIONS_MAX
    if (crowds) keepCrowdsOut(made, crowds)
    made.on('connection', (socket) => {
      const address = socket.remoteAddress?.replace(/^::ffff:/i, '')
      if (address === undefined || !isOurs(address)) socket.destroy()
    })
    made.on('upgrade', (_request, socket) => socket.destroy())
    return made
  }

  async function close(): Promise<void> {
    const open = server
    server = null
    if (!open) return
    await new Promise<void>((resolve) => {
      open.close(() => resolve())
      open.closeAllConnections()
    })
  }

  return {
    isPlain: (request) => arrived.has(request),
    close,
    async open(port) {
      await close()
      const made = create()
      await new Promise<void>((resolve, reject) => {
        made.once('error', (cause) =>
          reject(
            new HubError(
              'CONFLICT',
              `Port ${port} cannot be opened (${cause.message}). Choose another one.`,
              { cause },
            ),
          ),
        )
        made.listen(port, host, () => resolve())
      })
      server = made
      const address = made.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
  }
}

/** To whoever comes in there nothing exists but the routes of uploaders. Before any other hook, so that none answers first. */
export function admitUploadersOnly(http: Http, isPlain: (request: IncomingMessage) => boolean): void {
  http.addHook('onRequest', async (request) => {
    if (isPlain(request.raw) && request.routeOptions.config.uploader !== true)
      throw new HubError('NOT_FOUND', 'Only uploaders with their token are served here. Use https.')
  })
}
