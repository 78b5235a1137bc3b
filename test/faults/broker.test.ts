import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import { scratch } from '../store/home.ts'
import { report } from './report.ts'

const CHILD = fileURLToPath(new URL('./broker-child.js', import.meta.url))
const ROUNDS = Number(process.env['HOMEFIELD_FAULT_ROUNDS'] ?? 2)
const MAX_QUEUED = 256

async function startBroker(t: TestContext, path: string, ...more: string[]) {
  const child: ChildProcess = spawn(process.execPath, [CHILD, path, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  return { child, port, lines }
}

function sleeper(t: TestContext, port: number) {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: 'ha',
    username: 'ha',
    password: 'any',
    clean: false,
    reconnectPeriod: 0,
  })
  client.on('error', () => {})
  t.after(() => client.end(true))
  return client
}

test('after kill -9 a sleeping subscriber gets what was queued for it, in order', async (t) => {
  let acknowledged = 0
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(scratch(t), 'hub.db')
    const first = await startBroker(t, path)
    const client = sleeper(t, first.port)
    await new Promise<void>((resolve) => client.once('connect', () => resolve()))
    await client.subscribeAsync('hf/out/#', { qos: 1 })
    await client.endAsync()
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await startBroker(t, path, 'publish')
    let taken = 0
    for await (const line of { [Symbol.asyncIterator]: () => second.lines }) {
      taken = Number(line)
      if (taken === 20 + 40 * round) second.child.kill('SIGKILL')
    }
    const third = await startBroker(t, path)
    const back = sleeper(t, third.port)
    const numbers: number[] = []
    const wanted = Math.min(taken, MAX_QUEUED)
    await new Promise<void>((resolve) =>
      back.on('message', (_topic, payload) => {
        numbers.push(JSON.parse(String(payload)).number)
        if (numbers.length === wanted) resolve()
      }),
    )
    const from = numbers[0]!
    assert.ok(from === 1 || taken >= MAX_QUEUED, `begins with ${from} of ${taken}`)
    assert.deepEqual(
      numbers.slice(0, wanted),
      Array.from({ length: wanted }, (_, index) => from + index),
    )
    third.child.kill('SIGKILL')
    acknowledged += wanted
  }
  report(t, {
    fault: 'kill -9 of the broker, sleeping subscriber',
    rounds: ROUNDS,
    acknowledged,
    lost: 0,
    doubled: 0,
  })
})
