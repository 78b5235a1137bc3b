/** The contract's live channel, by WebSocket and by Server-Sent Events, as seen from outside. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { addDevice, household, inTime, type Json, letIn } from './client.ts'

const hub = await household()
const { owner } = hub
const type = (wanted: string) => (message: Json) => message.type === wanted

async function signedIn(token = owner) {
  const socket = hub.socket(['homefield.v1', `bearer.${token}`])
  const { session_id: id } = await socket.next(type('connected'))
  assert.ok(id)
  return socket
}

const send = (person: string, value: number, metric = 'heart_rate') =>
  hub.post(
    '/health_data/ingest',
    owner,
    { person_id: person, samples: [{ ts: Date.now(), metric, value }] },
    200,
  )

test('a token in the sub-protocols or in the first message opens the channel; so does an API key', async () => {
  const byProtocol = await signedIn()
  assert.equal(byProtocol.protocol(), 'homefield.v1')
  const byMessage = hub.socket()
  await byMessage.opened
  byMessage.send({ type: 'auth', token: owner })
  assert.equal((await byMessage.next()).type, 'connected')
  const { key } = await addDevice(hub, owner, { person_id: 'child_1' })
  const device = hub.socket(['homefield.v1'])
  await device.opened
  device.send({ type: 'auth', api_key: key })
  assert.equal((await device.next()).type, 'connected')
})

test('a wrong token closes with 4401, no credential within 5 s with 4408', async () => {
  const silent = hub.socket()
  assert.equal(await hub.socket(['homefield.v1', 'bearer.wrong']).closed, 4401)
  const wrong = hub.socket()
  await wrong.opened
  wrong.send({ type: 'auth', token: 'wrong' })
  assert.equal(await wrong.closed, 4401)
  const early = hub.socket()
  await early.opened
  early.send({ type: 'subscribe', topics: ['alerts'] })
  assert.equal(await early.closed, 4401)
  assert.equal(await silent.closed, 4408)
})

test('subscribing names the topics with their numbers and refuses what is not there or not theirs', async () => {
  const member = await signedIn(await letIn(hub, owner, { role: 'member', person_id: 'child_1' }))
  member.send({
    type: 'subscribe',
    topics: ['person:child_1', 'person:child_2', 'person:nobody', 'pairing', 'alerts'],
  })
  const { topics, seq } = await member.next(type('subscribed'))
  assert.deepEqual([...topics].sort(), ['alerts', 'person:child_1'])
  assert.equal(typeof seq['person:child_1'], 'number')
  const refusals = [
    await member.next(type('error')),
    await member.next(type('error')),
    await member.next(type('error')),
  ]
  assert.deepEqual(
    refusals.map(({ code, topic }) => `${code} ${topic}`),
    ['NOT_FOUND person:child_2', 'NOT_FOUND person:nobody', 'NOT_FOUND pairing'],
  )
})

test('every topic of the contract that a hub can have now is open to an owner', async () => {
  const socket = await signedIn()
  const topics = ['person:child_1', 'alerts', 'pairing', 'calendar', 'jobs', 'edge']
  socket.send({ type: 'subscribe', topics })
  assert.deepEqual((await socket.next(type('subscribed'))).topics, topics)
})

test('a value arrives as a numbered event; since brings back what was missed, or says gap', async () => {
  const first = await signedIn()
  first.send({ type: 'subscribe', topics: ['person:child_2'] })
  await first.next(type('subscribed'))
  await send('child_2', 71)
  const event = await first.next(type('vitals'))
  assert.deepEqual(Object.keys(event).sort(), ['data', 'seq', 'topic', 'ts', 'type'])
  assert.deepEqual([event.topic, event.data.values.heart_rate.value], ['person:child_2', 71])
  first.send({ type: 'unsubscribe', topics: ['person:child_2'] })
  await send('child_2', 72, 'spo2')
  first.close()
  const again = await signedIn()
  again.send({ type: 'subscribe', since: { 'person:child_2': event.seq } })
  const missed = await again.next(type('vitals'))
  assert.equal(missed.seq, event.seq + 1)
  const late = await signedIn()
  late.send({ type: 'subscribe', since: { 'person:child_2': 1 } })
  const gap = await late.next(type('gap'))
  assert.deepEqual(Object.keys(gap).sort(), ['from', 'to', 'topic', 'type'])
  assert.equal(gap.topic, 'person:child_2')
})

test('telemetry is acknowledged item by item once it is stored', async () => {
  const socket = await signedIn()
  const samples = [
    { ts: Date.now(), hr: 77 },
    { ts: Date.now(), hr: 900 },
  ]
  socket.send({ type: 'telemetry', id: 't1', person_id: 'child_1', samples })
  const { type: told, id, accepted, duplicates, rejected } = await socket.next(type('telemetry_ack'))
  assert.deepEqual([told, id, accepted, duplicates], ['telemetry_ack', 't1', 1, 0])
  assert.deepEqual([rejected[0].index, rejected[0].code], [1, 'OUT_OF_RANGE'])
  assert.equal((await hub.get('/people/child_1/latest', owner)).heart_rate.value, 77)
})

test('what is no message is answered with an error and does not end the connection', async () => {
  const socket = await signedIn()
  for (const wrong of ['no json', '{"type":"dance"}', '{"type":"subscribe","topics":"alerts"}']) {
    socket.send(wrong)
    assert.equal((await socket.next()).code, 'VALIDATION_ERROR')
  }
})

test('unpairing closes what is open with 4403', async () => {
  const phone = await letIn(hub, owner, { role: 'member', person_id: 'child_1' })
  const socket = await signedIn(phone)
  const { id } = await hub.get('/auth/me', phone)
  const paired = await hub.get('/pairing/devices?per_page=200', owner)
  const signIn = paired.find((one: Json) => one.user_id === id)
  await hub.ask('DELETE', `/api/v1/pairing/${signIn.id}`, { token: owner })
  assert.equal(await socket.closed, 4403)
})

test('pairing and presence are told live to owners', async () => {
  const socket = await signedIn()
  socket.send({ type: 'subscribe', topics: ['pairing', 'edge'] })
  await socket.next(type('subscribed'))
  await letIn(hub, owner, { role: 'member', person_id: 'child_1' })
  assert.equal((await socket.next(type('pairing_request'))).topic, 'pairing')
  assert.equal((await socket.next(type('pairing_success'))).topic, 'pairing')
  const { id, key } = await addDevice(hub, owner, { person_id: 'child_1' })
  const client = await hub.mqtt(id, key)
  assert.equal((await socket.next(type('edge_connected'))).data.device_id, id)
  await client.endAsync()
  assert.equal((await socket.next(type('edge_disconnected'))).data.device_id, id)
})

test('the same events come as Server-Sent Events, and Last-Event-ID brings back what was missed', async () => {
  const first = await events('/api/v1/events?topics=person:child_1')
  await first.next((event) => event.data.type === 'subscribed')
  await send('child_1', 81)
  const seen = await first.next((event) => event.data.type === 'vitals')
  assert.ok(seen.id)
  assert.deepEqual(Object.keys(seen.data).sort(), ['data', 'seq', 'topic', 'ts', 'type'])
  first.end()
  await send('child_1', 82, 'spo2')
  const again = await events('/api/v1/events', { 'last-event-id': seen.id })
  const missed = await again.next((event) => event.data.type === 'vitals')
  assert.equal(missed.data.seq, seen.data.seq + 1)
  again.end()
  const refused = await hub.ask('GET', '/api/v1/events?topics=alerts')
  assert.equal(refused.status, 401)
})

interface ServerSent {
  id: string
  data: Json
}

async function events(path: string, headers: Record<string, string> = {}) {
  const ca = readFileSync(join(hub.dataDir, 'tls', 'ca.pem'))
  const asked = request({
    host: 'localhost',
    port: hub.hub.json.httpsPort,
    ca,
    path,
    headers: { authorization: `Bearer ${owner}`, ...headers },
  })
  const heard: ServerSent[] = []
  let look = () => {}
  let id = ''
  let text = ''
  asked.on('response', (answer) => {
    assert.match(answer.headers['content-type'] ?? '', /^text\/event-stream/)
    answer.on('error', () => {})
    answer.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('id: ')) id = line.slice(4)
        if (line.startsWith('data: ')) heard.push({ id, data: JSON.parse(line.slice(6)) })
      }
      look()
    })
  })
  asked.on('error', () => {})
  asked.end()
  return {
    end: () => asked.destroy(),
    next: (fits: (event: ServerSent) => boolean) =>
      inTime(
        new Promise<ServerSent>((resolve) => {
          look = () => {
            const at = heard.findIndex(fits)
            const found = at < 0 ? undefined : heard.splice(0, at + 1).at(-1)
            if (!found) return
            look = () => {}
            resolve(found)
          }
          look()
        }),
        () => `the stream said only ${JSON.stringify(heard)}`,
      ),
  }
}
