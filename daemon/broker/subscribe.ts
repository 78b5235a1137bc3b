import type { AedesOptions } from 'aedes'
import { isId } from '../domain/id.ts'
import type { Counters } from './counters.ts'
import type { Devices } from './ports.ts'
import type { Sessions } from './sessions.ts'
import { maySubscribe, personOf } from './topics.ts'

export interface SubscribeDeps {
  devices: Devices
  sessions: Sessions
  counters: Counters
  maxSubscriptions: number
}

type Hooks = Required<Pick<AedesOptions, 'authorizeSubscribe' | 'authorizeForward'>>

/** Outgoing topics that name their person in the payload only. */
const PERSON_IN_PAYLOAD: ReadonlySet<string> = new Set(['hf/out/episode', 'hf/out/alert'])

/** Grants a device its own tree, an integration what the hub publishes, and forwards of that only what consent covers. */
export function createSubscribeHooks({
  devices,
  sessions,
  counters,
  maxSubscriptions,
}: SubscribeDeps): Hooks {
  return {
    authorizeSubscribe(client, subscription, done) {
      const session = sessions.of(client)
      const known = session?.filters.has(subscription.topic) ?? false
      const granted =
        session !== undefined &&
        maySubscribe(session.device, subscription.topic) &&
        (known || session.filters.size < maxSubscriptions)
      if (!granted) {
        counters.subscriptionsRefused++
        done(null, null)
        return
      }
      session.filters.add(subscription.topic)
      done(null, subscription)
    },
    // The filter was judged when it was granted; this is asked again for each message, because consent may have ended.
    authorizeForward(client, packet) {
      const device = sessions.of(client)?.device
      if (!device || !maySubscribe(device, packet.topic)) return null
      const inPayload = PERSON_IN_PAYLOAD.has(packet.topic)
      const personId = inPayload ? personIn(packet.payload) : personOf(packet.topic)
      if (personId === null) return inPayload ? null : packet
      return devices.mayHear(device.deviceId, personId) ? packet : null
    },
  }
}

function personIn(payload: string | Buffer): string | null {
  try {
    const { person_id: personId } = Object(JSON.parse(payload.toString())) as { person_id?: unknown }
    return typeof personId === 'string' && isId(personId) ? personId : null
  } catch {
    return null
  }
}
