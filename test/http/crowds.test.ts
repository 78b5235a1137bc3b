import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { setup as setupHttp } from './setup.ts'

/** A hub that believes connections to come from `from`, two of which one sender may hold. */
async function setup(t: TestContext, from: () => string) {
  const https = { host: '127.0.0.1', port: 0, maxConnectionsPerAddress: 2 }
  const { hub, deps, caPem } = await setupHttp(t, { settings: { https }, deps: { remoteOf: from } })
  const { httpsPort, httpPort } = await hub.start()
  const knock = async (port = httpsPort): Promise<Socket> => {
    const socket = connectPlain({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const isServed = () =>
    new Promise<boolean>((resolve) => {
      const asked = request(
        { port: httpsPort, host: '127.0.0.1', path: '/', ca: caPem, agent: false },
        (answer) => {
          answer.resume().on('close', () => resolve(true))
        },
      )
      asked.on('error', () => resolve(false)).end()
    })
  const refused = async () =>
    Number(
      /^homefield_http_connections_refused_total (\d+)$/m.exec(await deps.registry.metrics())?.[1] ??
        Number.NaN,
    )
  return { knock, isServed, refused, caPem, httpsPort, httpPort }
}

test('who holds as many connections as one sender may gets no other, on either listener, and all others do', async (t) => {
  let from = '192.168.1.5'
  const { knock, isServed, refused, httpPort } = await setup(t, () => from)
  const silent = await knock()
  await knock()
  assert.equal(await isServed(), false)
  const welcome = await knock(httpPort)
  await once(welcome, 'close')
  assert.equal(await refused(), 2)
  from = '192.168.1.6'
  assert.equal(await isServed(), true)
  from = '192.168.1.5'
  silent.resetAndDestroy()
  while (!(await isServed())) from = '192.168.1.5'
})

test('a /64 of IPv6 is one sender, this machine none', async (t) => {
  let from = 'fd00::1'
  const { knock, isServed } = await setup(t, () => from)
  for (const each of ['fd00::1', 'fd00::ffff:2']) {
    from = each
    await knock()
  }
  from = 'fd00:0:0:0:8::3'
  assert.equal(await isServed(), false)
  from = 'fd00:0:0:1::3'
  assert.equal(await isServed(), true)
  from = '::1'
  for (let index = 0; index < 4; index++) await knock()
  assert.equal(await isServed(), true)
})

test('a place is free again once a TLS connection has ended', async (t) => {
  const { isServed, refused, caPem, httpsPort } = await setup(t, () => '192.168.1.5')
  for (let index = 0; index < 5; index++) {
    const socket = connect({ port: httpsPort, host: '127.0.0.1', ca: caPem })
    await once(socket, 'secureConnect')
    const closed = once(socket, 'close')
    socket.on('error', () => undefined)
    socket.end('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    socket.resume()
    await closed
  }
  assert.equal(await isServed(), true)
  assert.equal(await refused(), 0)
})
