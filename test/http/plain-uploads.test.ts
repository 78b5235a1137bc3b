import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestOptions, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Type } from 'typebox'
import { createPlainUploads } from '../../daemon/http/plain-uploads.ts'
import { answering, OWNER, setup as setupHttp } from './setup.ts'

const DEVICES = { access: 'signed-in', roles: ['device'] } as const
const SECRET = { 'api-secret': 'a'.repeat(40) }

const uploads = answering('uploads', (http) => {
  http.get(
    '/entries',
    {
      config: { policy: DEVICES, envelope: false, uploader: true },
      schema: { response: { 200: Type.Object({ from: Type.String() }) } },
    },
    async ({ actor }) => ({ from: actor.kind === 'device' ? actor.deviceId : actor.kind }),
  )
  http.get(
    '/plain',
    {
      config: { policy: { access: 'open' }, envelope: false },
      schema: { response: { 200: Type.Object({ open: Type.Boolean() }) } },
    },
    async () => ({ open: true }),
  )
})

async function setup(t: Parameters<typeof setupHttp>[0]) {
  const { hub, deps } = await setupHttp(t, { features: [uploads] })
  deps.authenticator.fromUploader = (secret) =>
    secret === SECRET['api-secret']
      ? { kind: 'device', deviceId: 'xdrip', type: 'integration', role: 'device', serves: ['mia'] }
      : null
  const port = await hub.plainUploads.open(0)
  const ask = (path: string, headers: RequestOptions['headers'] = {}) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      asked.on('error', reject).end()
    })
  return { hub, port, ask }
}

test('without TLS an uploader is served with its secret, and nothing else answers', async (t) => {
  const { ask, port } = await setup(t)
  assert.equal(await ask('/api/v1/entries', SECRET), 200)
  assert.equal(await ask('/api/v1/entries'), 401)
  for (const path of [
    '/api/v1/plain',
    '/api/v1/nothing',
    '/',
    '/welcome',
    '/docs',
    '/app/',
    '/api/v1/%65ntriesX',
  ])
    assert.equal(await ask(path, SECRET), 404, path)
  assert.equal(await ask('/api/v1/entries', { ...SECRET, host: 'evil.example' }), 421)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(
    'GET /api/v1/live HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  )
  await once(socket, 'close')
})

test('a person’s token and a plain API key are none there', async (t) => {
  const { ask } = await setup(t)
  assert.equal(await ask('/api/v1/entries', OWNER), 401)
  assert.equal(await ask('/api/v1/entries', { 'x-api-key': 'watch-key' }), 401)
})

test('who is of another network is cut off, and after closing nobody gets through', async (t) => {
  const handled: string[] = []
  const plain = createPlainUploads({
    host: '127.0.0.1',
    handle(incoming, response) {
      handled.push(incoming.url ?? '')
      response.end()
    },
    isOurs: (address) => address !== '127.0.0.1',
  })
  t.after(() => plain.close())
  const port = await plain.open(0)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  socket.write('GET /pebble HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(socket, 'close')
  assert.deepEqual(handled, [])
  await plain.close()
  const refused = connect({ port, host: '127.0.0.1' })
  const [cause] = await once(refused, 'error')
  assert.equal((cause as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})
