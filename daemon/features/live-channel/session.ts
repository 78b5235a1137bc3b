import { type Actor, can, maySee } from '../../domain/access.ts'
import { isId } from '../../domain/id.ts'
import type { Audience } from '../../live/frame.ts'
import type { Live } from '../../live/live.ts'
import type { Sink } from '../../live/subscriber.ts'

export interface SessionDeps {
  live: Live
  now: () => number
  personExists: (personId: string) => boolean
  /** Whether the actor may see a camera's pictures now; false for an unknown one. Absent: the hub has no cameras. */
  maySeeCamera?: (actor: Actor, cameraId: string) => boolean
  /** Whether all of a training session is open to the actor now; false for an unknown one. */
  seesSession?: (actor: Actor, sessionId: string) => boolean
  zoneExists?: (zoneId: string) => boolean
  /** Told when somebody begins to listen. */
  joined?: (actor: Actor, topic: string) => void
}

/** What a subscription came to. */
export interface Joined {
  /** Topics listened to now, with the number each stands at. */
  seq: Record<string, number>
  refused: string[]
}

/** One client of the live channel, whatever carries it. */
export interface Session {
  actor(): Actor
  /** Takes the caller's rights of now; answers the topics that those no longer cover, which it has left. */
  become(actor: Actor): string[]
  join(topics: readonly string[]): Joined
  replay(topic: string, since: number): void
  leave(topics: readonly string[]): void
  topics(): readonly string[]
  close(): void
}

/** Topics of everybody who is signed in; what goes out on them is filtered by whom it is about. */
const SHARED_TOPICS: ReadonlySet<string> = new Set(['alerts', 'calendar', 'jobs', 'edge'])
/** Topics of owners. */
const OWNER_TOPICS: ReadonlySet<string> = new Set(['pairing'])
export const TOPICS_MAX = 64

/** Joins an actor to the live fan-out and keeps every frame within what that actor may see at that moment. */
export function createSession(first: Actor, sink: Sink, deps: SessionDeps): Session {
  let actor = first
  const subscriber = deps.live.subscribe(sink, (audience) => covers(actor, audience, deps))

  function mayJoin(topic: string): boolean {
    if (actor.kind === 'anonymous' || actor.kind === 'device') return false
    if (SHARED_TOPICS.has(topic)) return true
    if (OWNER_TOPICS.has(topic)) return actor.role === 'owner'
    const cameraId = /^camera:(.+)$/.exec(topic)?.[1]
    if (cameraId !== undefined) return isId(cameraId) && (deps.maySeeCamera?.(actor, cameraId) ?? false)
    const player = /^session:([^:]+):(.+)$/.exec(topic)
    if (player) return isId(player[1] ?? '') && mayWatch(player[2] ?? '')
    const sessionId = /^session:(.+)$/.exec(topic)?.[1]
    if (sessionId !== undefined) return isId(sessionId) && (deps.seesSession?.(actor, sessionId) ?? false)
    const zoneId = /^zone:(.+)$/.exec(topic)?.[1]
    if (zoneId !== undefined) return isId(zoneId) && (deps.zoneExists?.(zoneId) ?? false)
    const personId = /^person:(.+)$/.exec(topic)?.[1]
    if (personId === undefined || !isId(personId)) return false
    return maySee(actor, personId, deps.now()) && deps.personExists(personId)
  }

  /** One player alone in a session's pictures: for whoever may see their training. */
  function mayWatch(personId: string): boolean {
    return (
      isId(personId) && can(actor, 'read', personId, 'training', deps.now()) && deps.personExists(personId)
    )
  }

  return {
    actor: () => actor,
    become(next) {
      actor = next
      const lost = subscriber.topics().filter((topic) => !mayJoin(topic))
      for (const topic of lost) subscriber.remove(topic)
      return lost
    },
    join(topics) {
      const joined: Joined = { seq: {}, refused: [] }
      for (const topic of new Set(topics)) {
        const isFull = subscriber.topics().length >= TOPICS_MAX && !subscriber.topics().includes(topic)
        if (isFull || !mayJoin(topic)) {
          joined.refused.push(topic)
          continue
        }
        joined.seq[topic] = subscriber.add(topic)
        deps.joined?.(actor, topic)
      }
      return joined
    },
    replay: (topic, since) => subscriber.replay(topic, since),
    leave(topics) {
      for (const topic of topics) subscriber.remove(topic)
    },
    topics: () => subscriber.topics(),
    close: () => subscriber.close(),
  }
}

function covers(actor: Actor, audience: Audience, { maySeeCamera, seesSession, now }: SessionDeps): boolean {
  if (actor.kind === 'anonymous' || actor.kind === 'device') return false
  if ('cameraId' in audience) return maySeeCamera?.(actor, audience.cameraId) ?? false
  if ('sessionId' in audience) return seesSession?.(actor, audience.sessionId) ?? false
  // What a zone says is of no single person: everybody who is signed in may hear it.
  if ('zoneId' in audience) return true
  const nowMs = now()
  if ('personIds' in audience) {
    if (actor.role === 'owner') return true
    return audience.personIds.some((personId) => can(actor, 'read', personId, audience.class, nowMs))
  }
  if (audience.personId === null) return actor.role === 'owner'
  if (audience.class === 'any') return maySee(actor, audience.personId, nowMs)
  return can(actor, 'read', audience.personId, audience.class, nowMs)
}
