/** Hostile and sleepy clients of a hub in a process of its own: its memory stays where it was and nobody else notices. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import mqtt, { type MqttClient } from 'mqtt'
import { makeHousehold } from '../../scripts/bench/household.ts'
import {
  type HubProcess,
  removeTemporaryData,
  startHub,
  temporaryData,
} from '../../scripts/bench/hub-process.ts'
import { RATES } from '../../scripts/bench/site.ts'
import { heartRate, startHub as startBroker } from '../broker/hub.ts'
import { packet, subscribePacket } from '../broker/raw-client.ts'
import { isLong, report } from './report.ts'

after(removeTemporaryData)

const MEGABYTE = 1024 ** 2
const ATTACK_BYTES = 200 * MEGABYTE
const CHUNK = Buffer.alloc(65_536)

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** One connection that says it sends 256 MB and goes on until it is cut off; resolves with what it got rid of. */
async function flood(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = once(socket, 'close').catch(() => {})
  await Promise.race([once(socket, 'connect').catch(() => {}), closed])
  socket.write(packet(0x10, Buffer.alloc(0), 256 * MEGABYTE - 1))
  let sent = 0
  while (sent < ATTACK_BYTES && !socket.destroyed) {
    sent += CHUNK.length
    if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain').catch(() => {}), closed])
  }
  socket.destroy()
  await closed
  return Math.min(sent, socket.bytesWritten)
}

/** Publishes one message after the other until it is told to stop; says how many were acknowledged and the longest wait. */
function steady(client: MqttClient, publish: (number: number) => Promise<unknown>) {
  let stopped = false
  const done = (async () => {
    let [acknowledged, slowestMs] = [0, 0]
    while (!stopped) {
      const fromMs = performance.now()
      await publish(acknowledged)
      acknowledged += 1
      slowestMs = Math.max(slowestMs, performance.now() - fromMs)
    }
    return { acknowledged, slowestMs }
  })()
  return {
    async stop() {
      stopped = true
      const told = await done
      await client.endAsync()
      return told
    },
  }
}

async function watchOf(hub: HubProcess, dataDir: string) {
  const { watches } = await makeHousehold(hub, dataDir, { persons: 1, watches: 1 })
  const { id, key } = watches[0]!
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${hub.json.mqttPort}`, {
    ...{ clientId: id, username: id, password: key, reconnectPeriod: 0 },
  })
  const publish = (number: number) =>
    client.publishAsync(
      `hf/${id}/obs`,
      JSON.stringify({ ts: Date.now() - 60_000 + number, metric: 'heart_rate', value: 60 + (number % 50) }),
      { qos: 1 },
    )
  return { client, publish }
}

test('two hundred megabytes before CONNECT, many times over, leave memory where it was', async (t) => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir, RATES)
  try {
    const { client, publish } = await watchOf(hub, dataDir)
    for (let number = 0; number < 500; number += 1) await publish(number)
    const before = residentBytes(hub.child.pid ?? 0)
    const healthy = steady(client, publish)
    let most = 0
    let sent = 0
    for (let attack = 0; attack < 20; attack += 1) {
      sent += await flood(hub.json.mqttPort)
      most = Math.max(most, residentBytes(hub.child.pid ?? 0))
    }
    const { acknowledged } = await healthy.stop()
    const grown = (most - before) / MEGABYTE
    report(t, {
      fault: '20 × 200 MB before CONNECT',
      ...{ rounds: 20, acknowledged, lost: null, doubled: null },
      note: `memory ${grown >= 0 ? '+' : ''}${grown.toFixed(1)} MB of ${(before / MEGABYTE).toFixed(0)}; the attacker got rid of ${(sent / MEGABYTE).toFixed(1)} MB; a watch went on`,
    })
    assert.ok(acknowledged > 0)
    assert.ok(grown < 30, `memory grew by ${grown} MB`)
  } finally {
    await hub.kill('SIGTERM')
  }
})

/** Takes as long as the hub's own patience, so it is part of a long run; a short one shortens the patience (test/broker). */
test('a subscriber that stops reading is cut off within ten seconds and nobody waits for it', {
  skip: !isLong,
}, async (t: TestContext) => {
  const hub = await startBroker(t)
  hub.consented.add('mia')
  const frozen = await hub.raw('ha')
  frozen.send(subscribePacket(['hf/out/#'], 1, 0))
  await frozen.next()
  frozen.socket.pause()
  const watch = await hub.client('watch-1')
  const healthy = steady(watch, (number) =>
    watch.publishAsync('hf/watch-1/obs', heartRate(72, number), { qos: 1 }),
  )
  const payload = 'x'.repeat(30_000)
  const fromMs = performance.now()
  while (hub.broker.stats().frozen === 0) {
    await hub.broker.publish('hf/out/person/mia/heart_rate', payload)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const cutMs = performance.now() - fromMs
  const { acknowledged, slowestMs } = await healthy.stop()
  report(t, {
    fault: 'frozen subscriber',
    ...{ rounds: 1, acknowledged, lost: acknowledged - hub.stored.length, doubled: 0 },
    note: `cut off after ${(cutMs / 1000).toFixed(1)} s; the slowest acknowledgement of another took ${slowestMs.toFixed(0)} ms`,
  })
  assert.ok(cutMs <= 10_000, `${cutMs} ms`)
  assert.equal(hub.stored.length, acknowledged)
})
