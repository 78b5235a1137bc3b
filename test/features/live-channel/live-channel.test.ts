import assert from 'node:assert/strict'
import { get as httpsGet, type RequestOptions } from 'node:https'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import type { Actor, Grant } from '../../../daemon/domain/access.ts'
import { createIngest } from '../../../daemon/features/ingest/ingest.ts'
import { createLiveChannel, type LiveChannel } from '../../../daemon/features/live-channel/live-channel.ts'
import type { LiveTraining } from '../../../daemon/features/live-channel/training.ts'
import { HubError } from '../../../daemon/kernel/errors.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createLive } from '../../../daemon/live/live.ts'
import type { Store } from '../../../daemon/store/store.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { ACTORS, grant, openStore, setup as setupHttp, user } from '../../http/setup.ts'

type Message = Record<string, unknown>

interface Client {
  socket: WebSocket
  /** The next message, in order. */
  next(): Promise<Message>
  send(message: object): void
  closed: Promise<number>
}

const BASE = 5000

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  await people(store)
  const live = createLive({ clock, base: BASE })
  const actors = new Map<string, Actor>(Object.entries(ACTORS))
  const known = (secret: string) => {
    const actor = actors.get(secret)
    if (actor) return actor
    throw new HubError('UNAUTHENTICATED', 'Sign in again.')
  }
  const asked: unknown[][] = []
  const ingest = createIngest({ store, now: clock.now, manualDevice: async () => 'hub-1' })
  const deps = {
    live,
    clock,
    log: createLog('silent'),
    newId: () => 'session-1',
    credentials: {
      // Looking at a token takes a while, as verifying a signature does.
      fromBearer: async (token: string) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        return known(token)
      },
      fromApiKey: known,
    },
    current: (actor: Actor) =>
      [...actors.values()].find((one) => JSON.stringify(keyOf(one)) === JSON.stringify(keyOf(actor))) ?? null,
    personExists: (personId: string) => ['mia', 'leo'].includes(personId),
    maySeeCamera: (actor: Actor, cameraId: string) =>
      cameraId === 'pitch' && actor.kind === 'user' && actor.role === 'owner',
    telemetry: ingest.telemetry,
    training: playedTraining(asked),
  }
  const channel: LiveChannel = createLiveChannel(deps)
  const { hub, caPem } = await setupHttp(t, { features: [channel.feature], store })
  const { httpsPort } = await hub.start()
  const clients: WebSocket[] = []
  t.after(() => {
    for (const socket of clients) socket.terminate()
  })
  function connect(protocols: string[] = ['homefield.v1']): Client {
    const socket = new WebSocket(`wss://127.0.0.1:${httpsPort}/api/v1/ws`, protocols, { ca: caPem })
    clients.push(socket)
    return clientOf(socket)
  }
  async function signedIn(token: string): Promise<Client> {
    const client = connect(['homefield.v1', `bearer.${token}`])
    assert.equal((await client.next())['type'], 'connected')
    return client
  }
  const beat = (value: number, personId = 'mia') =>
    live.publish(`person:${personId}`, 'vitals', { value }, { personId, class: 'wellness' })
  return { asked, clock, live, store, actors, channel, hub, connect, signedIn, beat, caPem, httpsPort }
}

/** Live sessions that note what they were asked, of an owner who alone may ask. */
function playedTraining(asked: unknown[][]): LiveTraining {
  const note = (actor: Actor, ...what: unknown[]) => {
    if (actor.kind !== 'user' || actor.role !== 'owner')
      throw new HubError('NOT_FOUND', 'There is no such camera.')
    asked.push(what)
  }
  return {
    async start(actor, wish) {
      note(actor, 'start', wish)
      return { session_id: 'game', started_at: '2026-03-14T08:00:00.000Z', topic: 'session:game' }
    },
    stop: async (actor, sessionId) => note(actor, 'stop', sessionId),
    picture(actor, { jpeg, ...said }) {
      note(actor, 'picture', said, jpeg.length)
      return { frame_seq: asked.length, accepted: true }
    },
    landmarks(actor, { frames, camera_id }, from) {
      note(actor, 'landmarks', camera_id, from)
      return { taken: frames.length, outOfOrder: 0, tooOld: 0, tooFast: 0 }
    },
  }
}

function keyOf(actor: Actor) {
  return actor.kind === 'user' ? actor.userId : actor.kind === 'device' ? actor.deviceId : actor.kind
}

async function people(store: Store): Promise<void> {
  const person = `INSERT INTO person (key, id, name, timezone, created_at, updated_at) VALUES (:key, :id, :id, 'Europe/Berlin', 0, 0)`
  await store.write([
    { sql: person, params: { key: 1, id: 'mia' } },
    { sql: person, params: { key: 2, id: 'leo' } },
    {
      sql: `INSERT INTO device (key, id, name, type, created_at) VALUES (1, 'watch-1', 'Watch', 'watch', 0)`,
    },
    { sql: `INSERT INTO device (key, id, name, type, created_at) VALUES (2, 'hub-1', 'Hub', 'hub', 0)` },
    { sql: `INSERT INTO wearer (device_key, from_at, person_key) VALUES (1, 0, 1)` },
  ])
}

function clientOf(socket: WebSocket): Client {
  const arrived: Message[] = []
  const waiting: ((message: Message) => void)[] = []
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message
    const first = waiting.shift()
    if (first) first(message)
    else arrived.push(message)
  })
  socket.on('error', () => {})
  const opened = new Promise<void>((resolve) => void socket.once('open', () => resolve()))
  return {
    socket,
    next: () => {
      const message = arrived.shift()
      return message ? Promise.resolve(message) : new Promise((resolve) => void waiting.push(resolve))
    },
    send: (message) => void opened.then(() => socket.send(JSON.stringify(message))),
    closed: new Promise((resolve) => void socket.once('close', (code) => resolve(code))),
  }
}

/** Messages go out in order, so an answer to this says that everything before it was handled. */
async function settled(client: Client): Promise<Message[]> {
  const before: Message[] = []
  client.send({ type: 'subscribe', topics: ['no-such-topic'] })
  for (;;) {
    const message = await client.next()
    if (message['topic'] === 'no-such-topic') return before
    if (message['type'] !== 'subscribed') before.push(message)
  }
}

test('a token among the sub-protocols signs in, and the answer is homefield.v1', async (t) => {
  const { connect } = await setup(t)
  const client = connect(['homefield.v1', 'bearer.member-token'])
  assert.deepEqual(await client.next(), { type: 'connected', session_id: 'session-1' })
  assert.equal(client.socket.protocol, 'homefield.v1')
})

test('a client may speak before the hub has looked at its token', async (t) => {
  const { connect } = await setup(t)
  const client = connect(['homefield.v1', 'bearer.member-token'])
  client.send({ type: 'subscribe', topics: ['person:mia'] })
  assert.equal((await client.next())['type'], 'connected')
  assert.deepEqual(await client.next(), {
    type: 'subscribed',
    topics: ['person:mia'],
    seq: { 'person:mia': BASE },
  })
})

test('a first message signs in too, with a token or with an API key', async (t) => {
  const { connect } = await setup(t)
  const phone = connect()
  phone.send({ type: 'auth', token: 'member-token' })
  assert.equal((await phone.next())['type'], 'connected')
  const watch = connect()
  watch.send({ type: 'auth', api_key: 'watch-key' })
  assert.equal((await watch.next())['type'], 'connected')
})

test('a wrong credential closes with 4401, by either way', async (t) => {
  const { connect } = await setup(t)
  assert.equal(await connect(['homefield.v1', 'bearer.stolen']).closed, 4401)
  const other = connect()
  other.send({ type: 'auth', token: 'stolen' })
  assert.equal(await other.closed, 4401)
  const impatient = connect()
  impatient.send({ type: 'subscribe', topics: ['person:mia'] })
  assert.equal(await impatient.closed, 4401)
})

test('no credential within five seconds closes with 4408', async (t) => {
  const { connect, clock } = await setup(t)
  const client = connect()
  await new Promise<void>((resolve) => void client.socket.once('open', () => resolve()))
  // The answer to a ping says that the hub has its side of the socket and its timer.
  await new Promise<void>((resolve) => {
    client.socket.once('pong', () => resolve())
    client.socket.ping()
  })
  clock.advance(5000)
  assert.equal(await client.closed, 4408)
})

test('what is measured arrives, numbered; a topic out of sight is refused like one that is not there', async (t) => {
  const { signedIn, beat } = await setup(t)
  const client = await signedIn('member-token')
  client.send({
    type: 'subscribe',
    topics: ['person:mia', 'person:leo', 'person:nobody', 'pairing', 'session:1'],
  })
  assert.deepEqual(await client.next(), {
    type: 'subscribed',
    topics: ['person:mia'],
    seq: { 'person:mia': BASE },
  })
  for (const topic of ['person:leo', 'person:nobody', 'pairing', 'session:1']) {
    const { type, code, topic: named } = await client.next()
    assert.deepEqual({ type, code, topic: named }, { type: 'error', code: 'NOT_FOUND', topic })
  }
  beat(72)
  beat(80, 'leo')
  const event = await client.next()
  assert.deepEqual(Object.keys(event), ['type', 'topic', 'seq', 'ts', 'data'])
  assert.deepEqual(
    [event['type'], event['topic'], event['seq'], event['data']],
    ['vitals', 'person:mia', BASE + 1, { value: 72 }],
  )
  assert.deepEqual(await settled(client), [])
})

test('owners hear of pairing and of every device, a member only of what concerns its person', async (t) => {
  const { signedIn, live } = await setup(t)
  const owner = await signedIn('owner-token')
  const member = await signedIn('member-token')
  owner.send({ type: 'subscribe', topics: ['pairing', 'edge'] })
  member.send({ type: 'subscribe', topics: ['edge'] })
  await owner.next()
  await member.next()
  live.publish('pairing', 'pairing_request', {}, { personId: null, class: 'any' })
  live.publish('edge', 'edge_connected', { device_id: 'w2' }, { personId: 'leo', class: 'any' })
  live.publish('edge', 'edge_connected', { device_id: 'w1' }, { personId: 'mia', class: 'any' })
  assert.deepEqual(
    [await owner.next(), await owner.next(), await owner.next()].map((event) => event['type']),
    ['pairing_request', 'edge_connected', 'edge_connected'],
  )
  assert.deepEqual((await member.next())['data'], { device_id: 'w1' })
})

test('what concerns a team is heard by whoever may read that of one of its players', async (t) => {
  const { signedIn, live } = await setup(t)
  const listeners = []
  for (const token of ['owner-token', 'coach-token', 'caregiver-token']) {
    const client = await signedIn(token)
    client.send({ type: 'subscribe', topics: ['calendar'] })
    await client.next()
    listeners.push(client)
  }
  live.publish('calendar', 'calendar_update', { n: 1 }, { personIds: ['leo', 'mia'], class: 'training' })
  live.publish('calendar', 'calendar_update', { n: 2 }, { personIds: ['leo'], class: 'training' })
  const heard = []
  for (const client of listeners) heard.push((await settled(client)).map(({ data }) => data))
  assert.deepEqual(heard, [[{ n: 1 }, { n: 2 }], [{ n: 1 }], []])
})

test('a client that comes back gets what it missed, or hears that it is gone', async (t) => {
  const { signedIn, beat } = await setup(t)
  for (let value = 1; value <= 3; value += 1) beat(value)
  const client = await signedIn('member-token')
  client.send({ type: 'subscribe', since: { 'person:mia': BASE + 1 } })
  assert.deepEqual((await client.next())['seq'], { 'person:mia': BASE + 3 })
  assert.deepEqual((await client.next())['data'], { value: 2 })
  assert.deepEqual((await client.next())['data'], { value: 3 })
  client.send({ type: 'subscribe', since: { 'person:mia': 17 } })
  await client.next()
  assert.deepEqual(await client.next(), { type: 'gap', topic: 'person:mia', from: 18, to: BASE + 3 })
})

test('a client that left a topic hears nothing more of it', async (t) => {
  const { signedIn, beat } = await setup(t)
  const client = await signedIn('member-token')
  client.send({ type: 'subscribe', topics: ['person:mia'] })
  await client.next()
  client.send({ type: 'unsubscribe', topics: ['person:mia'] })
  await settled(client)
  beat(72)
  assert.deepEqual(await settled(client), [])
})

test('a grant that is taken back closes its topic within a second', async (t) => {
  const { signedIn, actors, channel, beat } = await setup(t)
  const client = await signedIn('caregiver-token')
  client.send({ type: 'subscribe', topics: ['person:mia'] })
  await client.next()
  actors.set('caregiver-token', user('gran', 'caregiver'))
  channel.recheck()
  beat(72)
  const { type, code, topic } = await client.next()
  assert.deepEqual({ type, code, topic }, { type: 'error', code: 'NOT_FOUND', topic: 'person:mia' })
  assert.deepEqual(await settled(client), [])
})

test('a grant that runs out stops events at that instant and says so within a second', async (t) => {
  const { signedIn, actors, clock, beat } = await setup(t)
  const brief: Grant = { ...grant('mia', 'wellness', 'read'), expiresAtMs: clock.now() + 500 }
  actors.set('brief-token', user('aunt', 'caregiver', null, [brief]))
  const client = await signedIn('brief-token')
  client.send({ type: 'subscribe', topics: ['person:mia'] })
  await client.next()
  clock.advance(500)
  beat(72)
  assert.deepEqual(await settled(client), [])
  clock.advance(500)
  assert.equal((await client.next())['topic'], 'person:mia')
})

test('revoking a sign-in or a device closes what it holds open with 4403', async (t) => {
  const { signedIn, connect, channel } = await setup(t)
  const phone = await signedIn('member-token')
  const other = await signedIn('owner-token')
  const watch = connect()
  watch.send({ type: 'auth', api_key: 'watch-key' })
  await watch.next()
  channel.dropSignIn('mia-user-phone')
  assert.equal(await phone.closed, 4403)
  channel.dropDevice('watch-1')
  assert.equal(await watch.closed, 4403)
  assert.deepEqual(await settled(other), [], 'others stay')
  assert.equal(channel.connections(), 1)
})

test('somebody who may no longer sign in is shown out at the next look', async (t) => {
  const { signedIn, actors, channel } = await setup(t)
  const phone = await signedIn('member-token')
  actors.delete('member-token')
  channel.recheck()
  assert.equal(await phone.closed, 4403)
})

test('a socket ends with its token unless a fresh one arrives in time', async (t) => {
  const { connect, actors, clock } = await setup(t)
  const token = (seconds: number) => {
    const claims = Buffer.from(JSON.stringify({ exp: clock.now() / 1000 + seconds })).toString('base64url')
    const made = `h.${claims}.s`
    actors.set(made, ACTORS['member-token'] as Actor)
    return made
  }
  const left = connect(['homefield.v1', `bearer.${token(10)}`])
  const renewed = connect(['homefield.v1', `bearer.${token(10)}`])
  await left.next()
  await renewed.next()
  renewed.send({ type: 'auth', token: token(900) })
  assert.equal((await renewed.next())['type'], 'connected')
  clock.advance(10_000)
  assert.equal(await left.closed, 4401)
  assert.deepEqual(await settled(renewed), [])
})

test('telemetry is acknowledged when it is on disk, item by item', async (t) => {
  const { connect, store, clock } = await setup(t)
  const watch = connect()
  watch.send({ type: 'auth', api_key: 'watch-key' })
  await watch.next()
  const ts = new Date(clock.now()).toISOString()
  const samples = [
    { ts, metric: 'heart_rate', value: 72 },
    { ts, hr: 900 },
    { ts, spo2: 98, skin_temp: 33.1 },
  ]
  watch.send({ type: 'telemetry', id: 'a', samples })
  const ack = await watch.next()
  assert.deepEqual([ack['type'], ack['id'], ack['accepted'], ack['duplicates']], ['telemetry_ack', 'a', 2, 0])
  const [rejected] = ack['rejected'] as { index: number; code: string }[]
  assert.deepEqual([rejected?.index, rejected?.code], [1, 'OUT_OF_RANGE'])
  assert.equal((await store.observations.latest('mia')).length, 3)
  watch.send({ type: 'telemetry', id: 'b', samples })
  assert.equal((await watch.next())['duplicates'], 2)
})

test('a member may send telemetry about itself, not about somebody else', async (t) => {
  const { signedIn, clock } = await setup(t)
  const client = await signedIn('member-token')
  const samples = [{ ts: clock.now(), hr: 70 }]
  client.send({ type: 'telemetry', id: 1, samples })
  const own = await client.next()
  assert.deepEqual([own['type'], own['id'], own['accepted']], ['telemetry_ack', 1, 1])
  client.send({ type: 'telemetry', id: 2, person_id: 'leo', samples })
  const other = await client.next()
  assert.deepEqual([other['accepted'], (other['rejected'] as { code: string }[])[0]?.code], [0, 'NOT_FOUND'])
  client.send({ type: 'telemetry', id: 2, person_id: 'nobody', samples })
  assert.deepEqual(await client.next(), other, 'one that is not there is told alike')
})

test('a device that serves somebody no longer writes for them no longer, on an open socket too', async (t) => {
  const { connect, actors, clock } = await setup(t)
  const watch = connect()
  watch.send({ type: 'auth', api_key: 'watch-key' })
  await watch.next()
  actors.set('watch-key', { kind: 'device', deviceId: 'watch-1', type: 'watch', role: 'device', serves: [] })
  watch.send({ type: 'telemetry', id: 1, person_id: 'mia', samples: [{ ts: clock.now(), hr: 70 }] })
  const { accepted, rejected } = await watch.next()
  assert.deepEqual([accepted, (rejected as { code: string }[])[0]?.code], [0, 'NOT_FOUND'])
})

test('messages that are no message are answered, oversized ones close with 1009', async (t) => {
  const { signedIn } = await setup(t)
  const client = await signedIn('member-token')
  client.socket.send('{')
  assert.equal((await client.next())['code'], 'VALIDATION_ERROR')
  client.send({ type: 'dance' })
  assert.equal((await client.next())['code'], 'VALIDATION_ERROR')
  client.socket.send(Buffer.from([1, 2, 3]))
  assert.equal((await client.next())['code'], 'UNSUPPORTED_MEDIA')
  client.socket.send('x'.repeat(64 * 1024 + 1))
  assert.equal(await client.closed, 1009)
})

test('a client that talks too fast is told once a second and shown out when it goes on', async (t) => {
  const { signedIn } = await setup(t)
  const client = await signedIn('member-token')
  for (let i = 0; i < 51; i += 1) client.socket.send('{"type":"unsubscribe","topics":[]}')
  assert.equal((await client.next())['code'], 'RATE_LIMITED')
  for (let i = 0; i < 450; i += 1) client.socket.send('{"type":"unsubscribe","topics":[]}')
  assert.equal(await client.closed, 1008)
})

test('a client that does not answer a ping is gone by the next one', async (t) => {
  const { signedIn, clock, channel } = await setup(t)
  const client = await signedIn('member-token')
  client.socket.pause()
  clock.advance(20_000)
  clock.advance(20_000)
  client.socket.resume()
  assert.equal(await client.closed, 1006)
  assert.equal(channel.connections(), 0)
})

test('a client that reads nothing for 30 s is closed with 4429', async (t) => {
  const { signedIn, clock, live, channel } = await setup(t)
  const client = await signedIn('member-token')
  client.send({ type: 'subscribe', topics: ['person:mia'] })
  await client.next()
  client.socket.pause()
  const text = 'x'.repeat(200_000)
  for (let i = 0; i < 500 && live.stats().skipped === 0; i += 1) {
    live.publish('person:mia', 'vitals', { text }, { personId: 'mia', class: 'wellness' })
  }
  assert.equal(live.stats().skipped, 1, 'the network is full')
  clock.advance(19_000)
  client.socket.pong()
  clock.advance(11_000)
  assert.equal(live.stats().cutOff, 1)
  client.socket.resume()
  assert.equal(await client.closed, 4429)
  assert.equal(channel.connections(), 0)
})

test('a client that asks on and on and reads no answer is cut off', async (t) => {
  const { signedIn, clock, channel } = await setup(t)
  const client = await signedIn('member-token')
  const topics = Array.from({ length: 64 }, (_, i) => String(i).padEnd(128, 'x'))
  const since = Object.fromEntries(topics.map((topic) => [`y${topic.slice(1)}${topic[0]}`.slice(0, 128), 0]))
  const question = JSON.stringify({ type: 'subscribe', topics, since })
  client.socket.pause()
  for (let second = 0; second < 60 && channel.connections() > 0; second += 1) {
    for (let i = 0; i < 40; i += 1) client.socket.send(question)
    client.socket.pong()
    await new Promise<void>((resolve) => client.socket.ping('', true, () => resolve()))
    for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
    clock.advance(1000)
  }
  assert.equal(channel.connections(), 0)
})

test('a hub that stops says so with 1001', async (t) => {
  const { signedIn, hub } = await setup(t)
  const client = await signedIn('member-token')
  const stopped = hub.stop(5000)
  assert.equal(await client.closed, 1001)
  await stopped
})

test('the same events come as an event stream, and Last-Event-ID brings back what was missed', async (t) => {
  const { beat, caPem, httpsPort, channel } = await setup(t)
  const base = {
    port: httpsPort,
    host: '127.0.0.1',
    path: '/api/v1/events?topics=person:mia,person:leo',
    ca: caPem,
  }
  const headers = { authorization: 'Bearer member-token' }
  const first = await openStream({ ...base, headers })
  assert.equal(first.headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.match(String(first.headers['content-security-policy']), /default-src 'none'/)
  assert.equal((await first.next()).data['type'], 'subscribed')
  assert.deepEqual((await first.next()).data['topic'], 'person:leo')
  beat(72)
  const event = await first.next()
  assert.deepEqual([event.data['type'], event.data['seq']], ['vitals', BASE + 1])
  first.end()
  beat(73)
  const again = await openStream({ ...base, headers: { ...headers, 'last-event-id': event.id } })
  await again.next()
  await again.next()
  assert.deepEqual((await again.next()).data['data'], { value: 73 })
  channel.dropSignIn('mia-user-phone')
  assert.equal(await again.ended, true)
})

test('an event stream ends with its token, or with a connection that was gone before it began', async (t) => {
  const { actors, clock, channel, caPem, httpsPort } = await setup(t)
  const claims = Buffer.from(JSON.stringify({ exp: clock.now() / 1000 + 10 })).toString('base64url')
  const token = `h.${claims}.s`
  actors.set(token, ACTORS['member-token'] as Actor)
  const headers = { authorization: `Bearer ${token}` }
  const base = { port: httpsPort, host: '127.0.0.1', path: '/api/v1/events?topics=person:mia', ca: caPem }
  const stream = await openStream({ ...base, headers })
  clock.advance(10_000)
  assert.equal(await stream.ended, true)
  assert.equal(channel.connections(), 0)

  const asked = `GET ${base.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer member-token\r\n\r\n`
  const socket = connectTls({ port: httpsPort, host: '127.0.0.1', ca: caPem })
  await new Promise<void>((resolve) => {
    socket.once('data', () => resolve())
    // The second waits for the first to end, so it has no connection of its own to lose.
    socket.once('secureConnect', () => socket.write(asked + asked))
  })
  const last = await openStream({ ...base, headers: { authorization: 'Bearer member-token' } })
  assert.equal(channel.connections(), 3)
  socket.destroy()
  last.end()
  for (let turn = 0; turn < 100 && channel.connections() > 0; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  assert.equal(channel.connections(), 0)
})

interface Stream {
  headers: Record<string, unknown>
  next(): Promise<{ id: string; data: Message }>
  ended: Promise<boolean>
  end(): void
}

function openStream(options: RequestOptions): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const asked = httpsGet({ ...options, agent: false }, (answer) => {
      const arrived: { id: string; data: Message }[] = []
      const waiting: ((event: { id: string; data: Message }) => void)[] = []
      let text = ''
      answer.setEncoding('utf8')
      answer.on('error', () => {})
      answer.on('data', (part: string) => {
        text += part
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const lines = text.slice(0, end).split('\n')
          text = text.slice(end + 2)
          const field = (name: string) =>
            lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
          if (!field('data')) continue
          const event = { id: field('id'), data: JSON.parse(field('data')) as Message }
          const first = waiting.shift()
          if (first) first(event)
          else arrived.push(event)
        }
      })
      resolve({
        headers: answer.headers,
        next: () => {
          const event = arrived.shift()
          return event ? Promise.resolve(event) : new Promise((done) => void waiting.push(done))
        },
        ended: new Promise((done) => void answer.on('end', () => done(true))),
        end: () => asked.destroy(),
      })
    })
    asked.on('error', reject)
  })
}

test('a camera is heard by whoever may see it, its skeletons as binary messages', async (t) => {
  const { signedIn, live } = await setup(t)
  const stranger = await signedIn('member-token')
  stranger.send({ type: 'subscribe', topics: ['camera:pitch'] })
  assert.deepEqual(((await stranger.next()) as { topics: unknown }).topics, [])
  assert.equal((await stranger.next())['code'], 'NOT_FOUND')
  const owner = await signedIn('owner-token')
  owner.send({ type: 'subscribe', topics: ['camera:pitch', 'camera:other'] })
  assert.deepEqual(((await owner.next()) as { topics: unknown }).topics, ['camera:pitch'])
  assert.equal((await owner.next())['topic'], 'camera:other')
  owner.socket.removeAllListeners('message')
  const message = new Promise<{ data: Buffer; isBinary: boolean }>((resolve) => {
    owner.socket.once('message', (data: Buffer, isBinary: boolean) => resolve({ data, isBinary }))
  })
  const event = { data: { people: [] }, numbers: Float32Array.of(1.5, 2, 0.25), inline: () => ({}) }
  live.publishBinary('camera:pitch', 'pose', event, { cameraId: 'pitch' })
  const { data, isBinary } = await message
  assert.equal(isBinary, true)
  const header = data.subarray(4, 4 + data.readUInt32LE(0)).toString()
  assert.equal((JSON.parse(header) as { seq: number }).seq, BASE + 1)
  assert.equal(data.readFloatLE(data.length - 8), 2)
})

test('one player in the pictures of a session is heard by whoever may see their training, and by nobody else', async (t) => {
  const { signedIn, live } = await setup(t)
  const member = await signedIn('member-token')
  member.send({ type: 'subscribe', topics: ['session:game:mia', 'session:game:leo', 'session:game:nobody'] })
  assert.deepEqual(((await member.next()) as { topics: unknown }).topics, ['session:game:mia'])
  assert.deepEqual([live.isHeard('session:game:mia'), live.isHeard('session:game:leo')], [true, false])
})

test('a session is started, sent pictures and stopped over the live channel', async (t) => {
  const { signedIn, asked } = await setup(t)
  const client = await signedIn('owner-token')
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])
  client.socket.send(jpeg)
  assert.equal((await client.next())['code'], 'NOT_FOUND')
  client.send({ type: 'start_session', id: 1, camera_ids: ['yard'], title: 'Game' })
  assert.deepEqual(await client.next(), {
    ...{ type: 'session_started', id: 1, session_id: 'game', topic: 'session:game' },
    started_at: '2026-03-14T08:00:00.000Z',
  })
  client.socket.send(jpeg)
  client.socket.send(framed({ type: 'frame_data', id: 2, camera_id: 'yard', session_id: 'other' }, jpeg))
  assert.deepEqual(await client.next(), { type: 'frame_ack', id: 2, frame_seq: 3, accepted: true })
  client.socket.send(framed({ type: 'frame_data', what: 'else' }, jpeg))
  assert.equal((await client.next())['code'], 'UNSUPPORTED_MEDIA')
  client.send({ type: 'stop_session' })
  assert.deepEqual(await client.next(), { type: 'session_stopped', session_id: 'game' })
  assert.deepEqual(asked, [
    ['start', { camera_ids: ['yard'], title: 'Game' }],
    ['picture', { session_id: 'game' }, 7],
    ['picture', { camera_id: 'yard', session_id: 'other' }, 7],
    ['stop', 'game'],
  ])
  client.send({ type: 'stop_session', id: 'x' })
  const { code, id } = await client.next()
  assert.deepEqual([code, id], ['VALIDATION_ERROR', 'x'])
})

test('landmarks are answered with what became of them; what is none of them is refused', async (t) => {
  const { signedIn, asked } = await setup(t)
  const client = await signedIn('owner-token')
  const named = { name: 'lite', version: '1' }
  const person = Array.from({ length: 33 }, () => [1, 2, 0, 0.5])
  const batch = {
    ...{ type: 'landmarks', camera_id: 'tripod', sent_at: 1000, width: 640, height: 360 },
    ...{ models: { detector: named, pose: named }, frames: [{ at: 900, people: [person] }] },
  }
  client.send({ ...batch, id: 7 })
  const none = { out_of_order: 0, too_old: 0, too_fast: 0 }
  assert.deepEqual(await client.next(), { type: 'landmarks_ack', id: 7, taken: 1, ...none })
  assert.deepEqual(asked, [['landmarks', 'tripod', 'session-1']])
  const wrong = [
    { frames: [] },
    { frames: Array.from({ length: 16 }, () => batch.frames[0]) },
    { frames: [{ at: 900, people: [person.slice(1)] }] },
    { frames: [{ at: 900, people: [person, person, person, person, person] }] },
    { width: 5000 },
    { sent_at: -1 },
  ]
  for (const part of wrong) {
    client.send({ ...batch, ...part })
    assert.equal((await client.next())['code'], 'VALIDATION_ERROR', JSON.stringify(part).slice(0, 80))
  }
  const member = await signedIn('member-token')
  member.send(batch)
  assert.equal((await member.next())['code'], 'NOT_FOUND')
})

/** A binary message: the length of its header, the header, the JPEG. */
function framed(header: object, jpeg: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text, jpeg])
}
