/** Tells the local network where the hub is (DNS-SD over multicast DNS), so that apps and devices find it by themselves. */
import { hostname } from 'node:os'
import type { Feature } from '../../domain/route.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { openMulticast, type Publisher, type ServiceRecord } from './multicast.ts'

/** What is said about the hub; a port of 0 is not announced. */
export interface Described {
  hubId: string
  name: string
  httpsPort: number
  mqttsPort: number
  /** Hexadecimal; its start tells two hubs of one name apart and is no proof of anything. */
  caSha256: string
}

export interface AnnouncementState {
  state: 'up' | 'degraded' | 'down'
  detail: string | null
}

export interface Announcement {
  feature: Feature
  /** For /ready. Never more than degraded: pairing works by QR code and address where multicast is blocked. */
  state(): AnnouncementState
  /** Says it anew: call it when a name, an address or a port changed. */
  refresh(): Promise<void>
}

export interface AnnouncementDeps {
  log: Log
  enabled: boolean
  describe: () => Described
  /** Opens the multicast socket; `onTrouble` hears what goes wrong later. */
  open?: (onTrouble: (cause: unknown) => void) => Publisher
}

const CA_PREFIX_CHARACTERS = 16
const ID_SUFFIX_CHARACTERS = 4
const LABEL_BYTES = 63

export function createAnnouncement({
  log,
  enabled,
  describe,
  open = openMulticast,
}: AnnouncementDeps): Announcement {
  let publisher: Publisher | null = null
  let trouble: string | null = null

  /** Multicast that does not work usually keeps not working, so only its first error is worth a line. */
  function onTrouble(cause: unknown): void {
    if (trouble === null)
      log.warn({ cause: messageOf(cause) }, 'the hub cannot announce itself on this network')
    trouble = messageOf(cause)
  }

  async function say(): Promise<void> {
    try {
      publisher ??= open(onTrouble)
      await publisher.replace(recordsOf(describe()))
    } catch (cause) {
      onTrouble(cause)
    }
  }

  return {
    feature: {
      name: 'announcement',
      start: () => (enabled ? say() : undefined),
      async stop() {
        const open = publisher
        publisher = null
        await open?.close()
      },
    },
    state() {
      if (!enabled) return { state: 'up', detail: 'switched off in the settings' }
      if (trouble !== null)
        return { state: 'degraded', detail: `others may not find the hub by name: ${trouble}` }
      return publisher ? { state: 'up', detail: null } : { state: 'down', detail: 'not started' }
    },
    async refresh() {
      if (publisher === null) return
      trouble = null
      await say()
    },
  }
}

/** Instance names carry the end of the hub's id, so that two hubs of one name never collide. */
function recordsOf({ hubId, name, httpsPort, mqttsPort, caSha256 }: Described): ServiceRecord[] {
  const instance = instanceName(name, hubId.slice(-ID_SUFFIX_CHARACTERS))
  const host = `${hostname().split('.')[0] ?? 'homefield'}.local`
  const txt = { id: hubId, path: '/', ca: caSha256.slice(0, CA_PREFIX_CHARACTERS) }
  return [
    { name: instance, type: 'homefield', port: httpsPort, host, txt },
    { name: instance, type: 'mqtt', port: mqttsPort, host, txt: { ...txt, path: '/mqtt', tls: '1' } },
  ].filter(({ port }) => port > 0)
}

/** A DNS label holds 63 bytes; letters are never cut in half. */
function instanceName(name: string, suffix: string): string {
  const room = LABEL_BYTES - suffix.length - 1
  let kept = ''
  for (const letter of name) {
    if (Buffer.byteLength(kept + letter) > room) break
    kept += letter
  }
  return `${kept.trim()} ${suffix}`
}
