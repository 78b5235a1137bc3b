import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface ControlSocket {
  listen(): Promise<void>
  isLocal(request: IncomingMessage): boolean
  close(): Promise<void>
  /** Ends connections that are still busy. */
  cut(): void
}

export interface ControlSocketDeps {
  path: string
  handle: (request: IncomingMessage, response: ServerResponse) => void
}

const OWNER_ONLY = 0o600

/**
 * The way in for root on the box and for the hub's own user: whoever can open the socket file speaks as the owner. A socket
 * that a killed hub left behind is removed; the lock on the data directory already says that no other hub is using it.
 */
export function createControlSocket({ path, handle }: ControlSocketDeps): ControlSocket {
  const arrived = new WeakSet<IncomingMessage>()
  const server: Server = createServer((request, response) => {
    arrived.add(request)
    handle(request, response)
  })
  server.on('upgrade', (_request, socket) => socket.destroy())
  return {
    isLocal: (request) => arrived.has(request),
    listen() {
      removeStale(path)
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => {
          server.off('error', reject)
          chmodSync(path, OWNER_ONLY)
          resolve()
        })
      })
    },
    cut: () => server.closeAllConnections(),
    close() {
      if (!server.listening) return Promise.resolve()
      server.closeIdleConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) throw new Error(`${path} is in the way and is no socket: move it`)
  unlinkSync(path)
}
