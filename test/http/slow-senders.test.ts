import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { Type } from 'typebox'
import type { Http } from '../../daemon/domain/route.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { answering, setup as setupHttp } from './setup.ts'

const OPEN = { access: 'open' } as const

async function setup(t: TestContext) {
  let entered: () => void = () => {}
  const feature = answering('bodies', (http) => {
    const schema = { response: { 200: Type.Object({ bytes: Type.Integer() }) } }
    http.post('/quick', { config: { policy: OPEN, envelope: false }, schema }, async () => ({ bytes: 0 }))
    void http.register(async (inner: Http) => {
      inner.removeAllContentTypeParsers()
      inner.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      const config = { policy: OPEN, envelope: false, slowBody: true } as const
      inner.post('/slow', { config, schema }, async ({ raw }) => {
        entered()
        let bytes = 0
        for await (const chunk of raw) bytes += (chunk as Buffer).length
        return { bytes }
      })
      inner.post('/refusing', { config, schema }, async () => {
        throw new HubError('TOO_LARGE', 'Too large.')
      })
    })
  })
  const { hub, clock, caPem } = await setupHttp(t, { features: [feature] })
  const { httpsPort } = await hub.start()
  const send = async (path: string): Promise<TLSSocket> => {
    const socket = connect({ port: httpsPort, host: '127.0.0.1', ca: caPem })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    socket.write(
      `POST /api/v1/${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"a"`,
    )
    return socket
  }
  const running = new Promise<void>((resolve) => {
    entered = resolve
  })
  return { clock, send, running }
}

test('who does not send his whole body within two minutes is cut off', async (t) => {
  const { clock, send } = await setup(t)
  const socket = await send('quick')
  const closed = once(socket, 'close')
  // The request has to have arrived before its time runs.
  const ticking = setInterval(() => clock.advance(120_000), 20)
  await closed
  clearInterval(ticking)
})

test('a route that waits for slow senders takes as long as they need', async (t) => {
  const { clock, send, running } = await setup(t)
  const socket = await send('slow')
  await running
  clock.advance(3_600_000)
  socket.write(':1}xx')
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /200 OK.*"bytes":9/s)
})

test('who is refused there reads why, and is cut off when he goes on sending nothing', async (t) => {
  const { clock, send } = await setup(t)
  const socket = await send('refusing')
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /413/)
  const closed = once(socket, 'close')
  const ticking = setInterval(() => clock.advance(10_000), 20)
  await closed
  clearInterval(ticking)
})
