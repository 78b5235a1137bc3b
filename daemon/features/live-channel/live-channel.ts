import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import type { Feature, Http } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Live } from '../../live/live.ts'
import { refusedTopic, type ToldMessage } from './answers.ts'
import { CLOSE, type Credentials, expiryOf, type SignedIn } from './conversation.ts'
import { type EventStream, openEventStream } from './event-stream.ts'
import { createReader } from './messages.ts'
import type { Session } from './session.ts'
import { serveSocket } from './socket.ts'
import type { LiveTraining } from './training.ts'

export interface LiveChannelDeps {
  live: Live
  clock: Clock
  log: Log
  newId: () => string
  credentials: Credentials
  /** The same principal with the rights of now; null when it may no longer sign in. */
  current: (actor: Actor) => Actor | null
  personExists: (personId: string) => boolean
  /** Whether the actor may see a camera's pictures now. */
  maySeeCamera?: (actor: Actor, cameraId: string) => boolean
  /** Whether all of a training session is open to the actor now. */
  seesSession?: (actor: Actor, sessionId: string) => boolean
  zoneExists?: (zoneId: string) => boolean
  /** Told when somebody begins to listen to a topic. */
  joined?: (actor: Actor, topic: string) => void
  /** Stores samples of the live channel; resolves once they are on disk. */
  telemetry: (actor: Actor, personId: string | null, samples: readonly unknown[]) => Promise<object>
  /** Writes down that alerts were shown; those that the actor may not see are passed over. */
  seen?: (actor: Actor, alertIds: readonly string[]) => Promise<void>
  /** Live sessions; absent: the hub has none. */
  training?: LiveTraining
}

export interface LiveChannel {
  feature: Feature
  /** Ends everything that a sign-in holds open. */
  dropSignIn(signInId: string): void
  dropDevice(deviceId: string): void
  /** Looks again at what everybody may see: call it when a grant, a role or a person changed. */
  recheck(): void
  connections(): number
}

const CONNECTIONS_MAX = 512
const LOOK_AGAIN_MS = 1000

/** The channel over which the hub speaks up by itself: WebSocket at `/ws`, Server-Sent Events at `/events`. */
export function createLiveChannel(deps: LiveChannelDeps): LiveChannel {
  const sockets = new Set<SignedIn>()
  const streams = new Set<EventStream>()
  const everybody = (): (SignedIn | EventStream)[] => [...sockets, ...streams]

  /** Grants run out and tokens expire without anybody telling, hence the look once a second. */
  function lookAgain(): void {
    for (const open of everybody()) {
      announceLost(open, open.session.actor())
      if (open.expiresAtMs === null || deps.clock.now() < open.expiresAtMs) continue
      if ('close' in open) open.close(CLOSE.unauthenticated, 'TOKEN_EXPIRED')
      else open.end()
    }
  }

  function drop(isMeant: (actor: Actor) => boolean): void {
    for (const open of everybody()) if (isMeant(open.session.actor())) shut(open)
  }

  return {
    feature: {
      name: 'live-channel',
      routes(http) {
        if (everybody().length > 0) throw new Error('the live channel is already open')
        const stopLooking = deps.clock.every(LOOK_AGAIN_MS, lookAgain)
        http.addHook('preClose', async () => {
          stopLooking()
          for (const socket of sockets) socket.close(1001, 'the hub is stopping')
          for (const stream of streams) stream.end()
        })
        routeSocket(http, deps, sockets)
        routeEvents(http, deps, streams)
      },
    },
    dropSignIn: (signInId) => drop((actor) => actor.kind === 'user' && actor.signInId === signInId),
    dropDevice: (deviceId) => drop((actor) => actor.kind === 'device' && actor.deviceId === deviceId),
    recheck() {
      for (const open of everybody()) {
        const current = deps.current(open.session.actor())
        if (current) announceLost(open, current)
        else shut(open)
      }
    },
    connections: () => sockets.size + streams.size,
  }
}

function announceLost(open: { session: Session; tell(message: ToldMessage): void }, actor: Actor): void {
  for (const topic of open.session.become(actor)) open.tell(refusedTopic(topic))
}

function shut(open: SignedIn | EventStream): void {
  if ('close' in open) open.close(CLOSE.revoked, 'revoked')
  else open.end()
}

function routeSocket(http: Http, deps: LiveChannelDeps, sockets: Set<SignedIn>): void {
  const read = createReader()
  const socketDeps = {
    ...deps,
    now: deps.clock.now,
    read,
    onSignedIn: (socket: SignedIn) => void sockets.add(socket),
    onClose: (socket: SignedIn) => void sockets.delete(socket),
  }
  http.get(
    '/ws',
    {
      websocket: true,
      config: { policy: { access: 'open' }, envelope: false },
      schema: {
        tags: ['live'],
        summary: 'The live channel as WebSocket; the token comes as a sub-protocol or in the first message',
        description:
          'Client messages: auth, subscribe, unsubscribe, telemetry, and {"type":"seen","alerts":["<id>", …]} once alerts were shown (at most 100 ids; each is written down once). start_session takes what POST /live/start takes and answers session_started, stop_session {"session_id"} answers session_stopped. A binary message is frame_data: one JPEG for the session that this connection started, or u32 header length (little-endian), {"type":"frame_data","session_id","camera_id","captured_at","id"} and the JPEG; with an id it is answered by frame_ack. landmarks {"camera_id","session_id","sent_at","width","height","models","frames":[{"at","people":[[[x,y,z,score] × 33]]}]} is what a phone found by itself, answered by landmarks_ack {"taken","out_of_order","too_old","too_fast"}.',
        response: { 101: Type.Null({ description: 'The connection speaks homefield.v1 from here on' }) },
      },
    },
    (socket, request) => {
      if (sockets.size >= CONNECTIONS_MAX) {
        socket.close(1013, 'too many connections')
        return
      }
      serveSocket(socket, bearerIn(request.headers['sec-websocket-protocol']), socketDeps)
    },
  )
}

function routeEvents(http: Http, deps: LiveChannelDeps, streams: Set<EventStream>): void {
  http.get(
    '/events',
    {
      exposeHeadRoute: false,
      config: {
        policy: { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member'] },
        envelope: false,
      },
      schema: {
        tags: ['live'],
        summary: 'The live channel as Server-Sent Events',
        querystring: Type.Object(
          { topics: Type.String({ maxLength: 8192, default: '', description: 'Comma-separated' }) },
          { additionalProperties: false },
        ),
        response: {
          200: {
            description: 'The events, one JSON object each',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
        },
      },
    },
    (request, reply) => {
      if (streams.size >= CONNECTIONS_MAX)
        throw new HubError('OVERLOADED', 'Too many event streams are open.')
      // Who left while the token was checked would never be missed.
      if (request.socket.destroyed) return void reply.hijack()
      const lastEventId = request.headers['last-event-id']
      const asked = {
        topics: request.query.topics.split(',').filter((topic) => topic !== ''),
        lastEventId: typeof lastEventId === 'string' ? lastEventId : '',
        expiresAtMs: expiryOf((request.headers.authorization ?? '').replace(/^\S+ +/, '')),
      }
      const onClose = (stream: EventStream) => void streams.delete(stream)
      streams.add(openEventStream(reply, request.actor, asked, { ...deps, now: deps.clock.now }, onClose))
    },
  )
}

/** The token among the offered sub-protocols: `homefield.v1, bearer.<jwt>`. */
function bearerIn(header: string | undefined): string | null {
  for (const offered of (header ?? '').split(',')) {
    const token = /^\s*bearer\.(\S+)\s*$/.exec(offered)?.[1]
    if (token !== undefined) return token
  }
  return null
}
