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

/** What may wait in memory for one connection; whoever does not take it in time is not there any more. */
const MAX_UNREAD_BYTES = 4_194_304

/** The error that such a connection ends with. */
export const NOT_READING = 'the client does not read'

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
      if (client.conn.writableLength > MAX_UNREAD_BYTES) {
        client.conn.destroy(new Error(NOT_READING))
        return null
      }
      if (!device || !maySubscribe(device, packet.topic)) return null
      return mayHear(devices, device.deviceId, packet) ? packet : null
    },
  }
}

/** Whether consent lets this device have a message, which names its person in the topic, in the payload, or not at all. */
export function mayHear(
  devices: Pick<Devices, 'mayHear'>,
  deviceId: string,
  { topic, payload }: { topic: string; payload: string | Uint8Array },
): boolean {
  const inPayload = PERSON_IN_PAYLOAD.has(topic)
  const personId = inPayload ? personIn(payload) : personOf(topic)
  return personId === null ? !inPayload : devices.mayHear(deviceId, personId)
}

function personIn(payload: string | Uint8Array): string | null {
  try {
    const said = typeof payload === 'string' ? payload : Buffer.from(payload).toString()
    const { person_id: personId } = Object(JSON.parse(said)) as { person_id?: unknown }
    return typeof personId === 'string' && isId(personId) ? personId : null
  } catch {
    return null
  }
}
