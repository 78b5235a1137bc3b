import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { family, MINUTE } from './setup.ts'

async function setup(t: TestContext) {
  const home = await family(t)
  const made = await home.call('POST', '/alerts/ntfy', { token: home.mama.access_token })
  const { topic, token } = made.body.data as { topic: string; token: string }
  const http = await home.server.ready()
  const headers = { host: 'homefield.local', authorization: `Basic ${btoa(`mama:${token}`)}` }
  const ask = (path: string, more: Record<string, string> = headers) =>
    http.inject({ url: `/api/v1/ntfy/${path}`, headers: { host: 'homefield.local', ...more } })
  /** Opens a stream as the app does and reads its lines one after the other. */
  const listen = async (path: string) => {
    const answer = await http.inject({ url: `/api/v1/ntfy/${path}`, headers, payloadAsStream: true })
    return { type: answer.headers['content-type'], next: chunksOf(answer.stream()) }
  }
  const poll = async (query: string) => {
    const { body } = await ask(`${topic}/json?poll=1${query}`)
    return body
      .split('\n')
      .filter(Boolean)
      .map((line): Record<string, string> => JSON.parse(line))
  }
  return { ...home, topic, token, ask, listen, poll }
}

function chunksOf(stream: Readable) {
  return async () => {
    for (;;) {
      const chunk: Buffer | null = stream.read()
      if (chunk !== null) return chunk.toString()
      await once(stream, 'readable')
    }
  }
}

test('topic and token open it, whichever way the app brings the token, and neither does alone', async (t) => {
  const { topic, token, ask } = await setup(t)
  const status = async (path: string, headers: Record<string, string>) =>
    (await ask(path, headers)).statusCode
  const basic = { authorization: `Basic ${btoa(`anybody:${token}`)}` }
  assert.equal((await ask(`${topic}/auth`, basic)).body, '{"success":true}')
  assert.equal(await status(`${topic}/auth`, { authorization: `Bearer ${token}` }), 200)
  const inQuery = Buffer.from(basic.authorization).toString('base64url')
  assert.equal(await status(`${topic}/json?poll=1&auth=${inQuery}`, {}), 200)
  assert.equal(await status(`${topic}/json?poll=1`, {}), 401)
  assert.equal(await status(`${topic}/auth`, { authorization: `Basic ${btoa('anybody:wrong')}` }), 401)
  assert.equal(await status('hf-00000000000000000000000000000000/auth', basic), 401)
})

test('an open JSON stream says that it is open, carries the alert with its urgency, and is a delivery', async (t) => {
  const { topic, listen, raise, alert } = await setup(t)
  const stream = await listen(`${topic}/json`)
  assert.match(String(stream.type), /x-ndjson/)
  assert.equal(JSON.parse(await stream.next()).event, 'open')
  const id = await raise('urgent', 'Too fast')
  const { event, title, message, priority, topic: on } = JSON.parse(await stream.next())
  assert.deepEqual([event, title, message, priority, on], ['message', 'mia: Too fast', '142 bpm', 5, topic])
  const { deliveries } = await alert(id)
  const states = deliveries.filter(({ channel }: { channel: string }) => channel === 'ntfy')
  assert.deepEqual(
    states.map(({ state }: { state: string }) => state),
    ['delivered'],
  )
})

test('the same as Server-Sent Events, with keep-alives that are no messages', async (t) => {
  const { topic, listen, raise, clock } = await setup(t)
  const stream = await listen(`${topic}/sse`)
  assert.match(String(stream.type), /event-stream/)
  assert.match(await stream.next(), /^event: open\ndata: \{/)
  clock.advance(MINUTE)
  assert.match(await stream.next(), /^event: keepalive\n/)
  await raise('warning', 'Cool')
  assert.match(await stream.next(), /^data: \{.*"priority":4.*\}\n\n$/)
})

test('an app that was away polls what it missed by time, by message and as the latest, once and in order', async (t) => {
  const { poll, raise, pass, clock } = await setup(t)
  await raise('warning', 'one')
  await pass(MINUTE)
  const betweenS = Math.floor(clock.now() / 1000)
  await pass(1000)
  await raise('warning', 'two')
  await pass(1000)
  await raise('warning', 'three')
  const titles = async (query: string) =>
    (await poll(query)).map(({ title }) => (title ?? '').slice('mia: '.length))
  const all = await poll('&since=all')
  assert.deepEqual(await titles('&since=all'), ['one', 'two', 'three'])
  assert.deepEqual(await titles(`&since=${all[0]?.['id']}`), ['two', 'three'])
  assert.deepEqual(await titles(`&since=${betweenS}`), ['two', 'three'])
  assert.deepEqual(await titles('&since=30s'), ['two', 'three'])
  assert.deepEqual(await titles('&since=latest'), ['three'])
  assert.deepEqual(await titles('&since=none'), [])
  assert.equal(new Set(all.map(({ id }) => id)).size, 3)
})

test('a topic that was taken back or replaced is nobody’s', async (t) => {
  const { topic, ask, call, mama } = await setup(t)
  await call('POST', '/alerts/ntfy', { token: mama.access_token })
  assert.equal((await ask(`${topic}/auth`)).statusCode, 401)
})
