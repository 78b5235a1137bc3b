/** No one sender may take every place of a listener: beyond its share a connection is ended before anything is read from it. */
import type { Server, Socket } from 'node:net'
import type { SenderCount } from '../kernel/sender.ts'

export interface CrowdDeps {
  /** Shared by the listeners that one share holds for. */
  senders: SenderCount
  onRefused(): void
  /** Where a connection comes from; what its socket says unless a test says otherwise. */
  remoteOf?: ((socket: Socket) => string | undefined) | undefined
}

/** Holds `server` to the shares of `senders`, handshakes under way included. */
export function keepCrowdsOut(
  server: Server,
  { senders, onRefused, remoteOf = ({ remoteAddress }) => remoteAddress }: CrowdDeps,
): void {
  server.on('connection', (socket: Socket) => {
    const leave = senders.enter(remoteOf(socket) ?? 'unknown')
    if (leave) {
      socket.once('close', leave)
      return
    }
    onRefused()
    socket.destroy()
  })
}
