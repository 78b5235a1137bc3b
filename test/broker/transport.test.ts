import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import mqtt from 'mqtt'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { ensureTls } from '../../daemon/kernel/tls.ts'
import { heartRate, startHub } from './hub.ts'

const credentials = { clientId: 'watch-1', username: 'watch-1', password: 'key-watch-1', reconnectPeriod: 0 }

test('MQTT over TLS acknowledges after commit, and refuses clients that do not trust the household', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'hf-broker-'))
  t.after(() => rm(dir, { recursive: true }))
  const nowMs = Date.now()
  const tls = await ensureTls({
    dir,
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    nowMs,
    buildDateMs: nowMs - 86_400_000,
    newestInstantMs: null,
  })
  const hub = await startHub(t, {
    settings: { tcp: null, tls: { host: '127.0.0.1', port: 0, certPem: tls.certPem, keyPem: tls.keyPem } },
  })
  assert.equal(hub.broker.mqttPort, null)
  const url = `mqtts://127.0.0.1:${hub.broker.mqttsPort}`
  const client = await mqtt.connectAsync(url, { ...credentials, ca: tls.caPem })
  await client.publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.equal(hub.stored.length, 1)
  await client.endAsync()
  await assert.rejects(mqtt.connectAsync(url, { ...credentials, connectTimeout: 5000 }))
})

test('MQTT over a WebSocket goes through the same gate', async (t) => {
  const hub = await startHub(t)
  const server = createServer()
  const sockets = new WebSocketServer({ server, path: '/mqtt', handleProtocols: () => 'mqtt' })
  sockets.on('connection', (socket) => hub.broker.handleStream(createWebSocketStream(socket), '127.0.0.1'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    sockets.close()
    server.close()
  })
  const client = await mqtt.connectAsync(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`,
    credentials,
  )
  await client.publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.deepEqual(
    hub.stored.map(({ value }) => value),
    [72],
  )
  assert.deepEqual(hub.presence, ['watch-1 online'])
  await client.endAsync()
})

test('a port that is taken is an error at start, and nothing stays open', async (t) => {
  const hub = await startHub(t)
  await assert.rejects(
    startHub(t, { settings: { tcp: { host: '127.0.0.1', port: hub.port } } }),
    /EADDRINUSE/,
  )
})
