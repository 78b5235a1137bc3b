import type { AedesOptions, Client, PublishPacket } from 'aedes'
import type { Clock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Counters } from './counters.ts'
import type { Arrived, Gate } from './gate.ts'
import { keepAlive } from './guard.ts'
import type { InHand } from './in-hand.ts'
import type { KeptWill } from './kept-state.ts'
import type { Pace } from './pace.ts'
import type { Presence } from './presence.ts'
import type { Packet } from './queues.ts'
import type { Session, Sessions } from './sessions.ts'
import { type Route, rulePublish } from './topics.ts'
import type { Waits } from './waits.ts'

export interface PublishDeps {
  sessions: Sessions
  presence: Presence
  gate: Gate
  pace: Pace
  waits: Waits
  inHand: InHand
  clock: Clock
  counters: Counters
  log: Log
  observeAck: (ms: number) => void
  publish: (topic: string, payload: Uint8Array, options: { retain: boolean; qos: 0 | 1 }) => Promise<void>
  /** Keeps a retained message; resolves when it is on disk. */
  retain: (packet: Packet) => Promise<void>
  /** Whether this QoS 2 message was taken before and its sender did not hear of it. */
  isReceived: (deviceId: string, messageId: number) => boolean
}

/** A topic in the hub's own tree to which nobody may subscribe. */
const UNHEARD = 'hf/in/foreign'

export interface PublishHook {
  authorizePublish: NonNullable<AedesOptions['authorizePublish']>
  /** Takes the will of a connection that ended with the last run of the program; resolves when that is on disk. */
  sayLeftWill(will: KeptWill): Promise<void>
  /** Acknowledges nothing that arrives from now on; resolves when what is in hand is done. */
  drain(): Promise<void>
}

type Answer = (failure: Error | null) => void

/** The one hook of aedes that runs before a publish is acknowledged: what it holds back is not acknowledged. */
export function createPublishHook(deps: PublishDeps): PublishHook {
  const { sessions, presence, counters, log, waits, inHand } = deps

  /** One handler a message and no promise for what follows: all that is made here lives until the commit. */
  function track({ device: { deviceId } }: Session, work: Promise<void>, done: Answer): void {
    inHand.enter()
    work.then(
      () => finish(deviceId, done, null),
      (cause: unknown) => {
        counters.unacknowledged++
        const error = cause instanceof HubError ? cause.code : null
        log.warn({ deviceId, error, cause: messageOf(cause) }, 'message left unacknowledged')
        finish(deviceId, done, new Error('the message could not be stored'))
      },
    )
  }

  function finish(deviceId: string, done: Answer, failure: Error | null): void {
    try {
      done(failure)
    } catch (cause) {
      log.error({ deviceId, cause: messageOf(cause) }, 'acknowledgement failed')
    }
    inHand.leave()
  }

  return {
    authorizePublish(client, packet, done) {
      const session = client && sessions.of(client)
      if (!client || !session || session.revoked)
        return done(new Error('no device stands behind this message'))
      const ruling = rulePublish(session.device, packet.topic, packet.retain)
      if ('violation' in ruling) {
        counters.violations++
        log.warn(
          {
            deviceId: session.device.deviceId,
            topic: packet.topic.slice(0, 128),
            violation: ruling.violation,
          },
          'connection ended',
        )
        return done(new Error(ruling.violation))
      }
      // A will comes from a connection that has closed; all else that comes now finds its connection closed in a moment.
      if (inHand.ending && !client.closed) {
        counters.unacknowledged++
        return
      }
      counters.published++
      const said = ruling.route.kind === 'status' ? packet.payload.toString() : ''
      if (said === 'online' || said === 'offline') {
        presence.said(session.device.deviceId, client, said === 'online')
        if (client.closed) return done()
        return track(session, takeStatus(deps, client, session, packet), done)
      }
      packet.retain = false
      const { messageId } = packet
      if (packet.qos === 2 && packet.dup && messageId !== undefined && deps.isReceived(client.id, messageId))
        return done()
      const accepted = accept(deps, client, session, ruling.route, packet)
      track(session, ruling.route.kind === 'foreign' ? accepted.then(() => hush(packet)) : accepted, done)
    },
    async sayLeftWill({ device, topic, payload, qos, retain }) {
      const ruling = rulePublish(device, topic, retain)
      if ('violation' in ruling) return
      const isStatus = ruling.route.kind === 'status'
      if (!isStatus) {
        const { route } = ruling
        const gone = { isOpen: () => false, onHeld: () => {} }
        const message = { dup: false, messageId: undefined, connection: 0, ...gone }
        await deps.gate.accept({ device, route, topic, payload, ...message })
      }
      if (ruling.route.kind === 'foreign') return
      await deps.publish(topic, payload, { retain: isStatus && retain, qos: qos === 0 ? 0 : 1 })
    },
    drain() {
      const done = inHand.end()
      waits.end()
      return done
    },
  }
}

/** Nobody but the hub hears what a gateway brings: an announcement of it would pass for the hub's own. */
function hush(packet: PublishPacket): void {
  packet.topic = UNHEARD
}

async function accept(
  deps: PublishDeps,
  client: Client,
  session: Session,
  route: Route,
  packet: PublishPacket,
): Promise<void> {
  const startedMs = deps.clock.monotonic()
  const waitMs = client.closed ? 0 : deps.pace.take(session.device.deviceId)
  if (waitMs > 0) await paused(deps, client, waitMs)
  const message: Arrived = {
    device: session.device,
    route,
    topic: packet.topic,
    payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
    dup: packet.dup,
    messageId: packet.qos > 0 ? packet.messageId : undefined,
    connection: session.number,
    isOpen: () => !client.closed,
    onHeld: () => keepAlive(client),
  }
  await deps.gate.accept(message)
  if (packet.qos > 0) deps.observeAck(deps.clock.monotonic() - startedMs)
}

/** A retained status is acknowledged as well only once it is on disk. */
async function takeStatus(
  deps: PublishDeps,
  client: Client,
  session: Session,
  packet: PublishPacket,
): Promise<void> {
  await paused(deps, client, deps.pace.take(session.device.deviceId))
  if (packet.retain) await deps.retain({ ...packet, payload: Buffer.from(packet.payload) })
}

/** Waits for the device's rate. A connection with a waiting message reads no further, which is the pause. */
async function paused({ waits, counters }: PublishDeps, client: Client, waitMs: number): Promise<void> {
  if (waitMs === 0) return
  counters.paused++
  if (!(await waits.wait(waitMs))) throw new HubError('SHUTTING_DOWN', 'The hub is stopping.')
  keepAlive(client)
}
