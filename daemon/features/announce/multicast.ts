/** bonjour-service behind an interface that reports every error instead of throwing it at nobody. */
import type { EventEmitter } from 'node:events'
import { Bonjour } from 'bonjour-service'

export interface ServiceRecord {
  name: string
  /** Without underscore: `mqtt` is announced as `_mqtt._tcp`. */
  type: string
  port: number
  host: string
  txt: Readonly<Record<string, string>>
}

export interface Publisher {
  /** Takes back what was said, then says this. */
  replace(records: readonly ServiceRecord[]): Promise<void>
  /** Says goodbye and closes the socket. */
  close(): Promise<void>
}

export function openMulticast(onTrouble: (cause: unknown) => void): Publisher {
  const bonjour = new Bonjour({}, onTrouble)
  const socket = socketOf(bonjour)
  socket.on('error', onTrouble)
  // A warning with a system call is our own socket failing; the others are malformed packets of strangers.
  socket.on('warning', (cause: unknown) => {
    if (cause instanceof Error && 'syscall' in cause) onTrouble(cause)
  })
  const goodbye = () => new Promise<void>((resolve) => bonjour.unpublishAll(() => resolve()))
  return {
    async replace(records) {
      await goodbye()
      for (const { txt, ...record } of records) {
        const service = bonjour.publish({ ...record, protocol: 'tcp', txt: { ...txt }, probe: false })
        service.on('error', onTrouble)
      }
    },
    async close() {
      await goodbye()
      await new Promise<void>((resolve) => bonjour.destroy(() => resolve()))
    },
  }
}

/** The library throws socket errors when nobody listens on its inner emitter, and does not hand that out. */
function socketOf(bonjour: Bonjour): EventEmitter {
  const { mdns } = Reflect.get(bonjour, 'server') as { mdns: EventEmitter }
  return mdns
}
