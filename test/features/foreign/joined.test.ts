import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Aedes } from 'aedes'
import { connectorOf } from '../../../daemon/features/foreign/connection.ts'
import { createJoined, type SetAside } from '../../../daemon/features/foreign/joined.ts'
import type { ForeignMessage, ForeignReading } from '../../../daemon/features/foreign/reader.ts'
import { HubError } from '../../../daemon/kernel/errors.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../fakes/household.ts'

const PASSWORD = 'scale and strap'

/** Somebody else's broker, which may be stopped and started again on its port. */
async function otherBroker(t: TestContext) {
  const aedes = await Aedes.createBroker({
    authenticate: (_client, username, password, done) =>
      done(null, username === 'hub' && String(password) === PASSWORD),
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith('secret') ? null : subscription),
  })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    aedes.handle(socket)
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  t.after(async () => {
    if (server.listening) await stop()
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  })
  const publish = (topic: string, payload: string, retain = false) =>
    new Promise<void>((resolve, reject) => {
      const packet = { cmd: 'publish' as const, topic, payload: Buffer.from(payload), qos: 1 as const }
      aedes.publish({ ...packet, retain, dup: false }, (cause) => (cause ? reject(cause) : resolve()))
    })
  return { aedes, port, publish, stop, again: () => listen(port) }
}

interface Options {
  password?: string
  /** What the broker kept before the hub came. */
  kept?: string
  topics?: string[]
  read?: (message: ForeignMessage) => ForeignReading
  append?: () => Promise<void>
}

async function setup(t: TestContext, options: Options = {}) {
  const other = await otherBroker(t)
  if (options.kept !== undefined) await other.publish('home/kept', options.kept, true)
  const clock = fakeClock()
  const passwordFile = join(temporaryFolder(t), 'password')
  writeFileSync(passwordFile, `${options.password ?? PASSWORD}\n`)
  const read: ForeignMessage[] = []
  const setAside: SetAside[] = []
  const gateways: string[] = []
  const waiting: { reached: () => boolean; resolve: () => void }[] = []
  const look = () => {
    for (const { reached, resolve } of waiting) if (reached()) resolve()
  }
  const joined = createJoined({
    brokers: [
      {
        name: 'old-broker',
        url: `mqtt://127.0.0.1:${other.port}`,
        username: 'hub',
        passwordFile,
        caFile: '',
        topics: options.topics ?? ['home/#'],
      },
    ],
    clock: {
      ...clock,
      after(ms, fn) {
        const cancel = clock.after(ms, fn)
        queueMicrotask(look)
        return cancel
      },
    },
    log: createLog('silent'),
    connect: connectorOf('0123456789'),
    read(message) {
      read.push(message)
      queueMicrotask(look)
      return options.read?.(message) ?? { observations: [], refused: [] }
    },
    append: options.append ?? (async () => {}),
    quarantine: async (entry) => void setAside.push(entry),
    ensureGateway: async (id) => void gateways.push(id),
    setPresence: () => queueMicrotask(look),
  })
  const state = () => joined.states()[0]
  const until = (reached: () => boolean) =>
    reached() ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ reached, resolve }))
  await joined.feature.start?.()
  t.after(() => joined.feature.stop?.())
  return { other, clock, joined, read, setAside, gateways, state, until, up: () => state()?.state === 'up' }
}

test('what devices publish to a joined broker is read as a gateway’s, and what it kept is known to be old', async (t) => {
  const { other, read, gateways, state, until, up } = await setup(t, { kept: '0' })
  await until(() => up() && read.length === 1)
  assert.deepEqual(state(), { name: 'old-broker', state: 'up', detail: null })
  assert.deepEqual(gateways, ['old-broker'])
  await other.publish('garden/x', 'no')
  await other.publish('home/a', '1')
  await other.publish('home/b', '2')
  await until(() => read.length === 3)
  assert.deepEqual(
    read.map(({ deviceId, topic, payload, isKept }) => [deviceId, topic, String(payload), isKept]),
    [
      ['old-broker', 'home/kept', '0', true],
      ['old-broker', 'home/a', '1', false],
      ['old-broker', 'home/b', '2', false],
    ],
  )
  assert.notEqual(read[1]?.atMs, read[2]?.atMs, 'two messages of one instant are two')
})

test('a broker that goes away is joined again, and delivers what came meanwhile', async (t) => {
  const { other, clock, read, state, until, up } = await setup(t)
  await until(up)
  await other.stop()
  await until(() => !up())
  await other.publish('home/a', 'while away')
  await other.again()
  clock.advance(60_000)
  await until(up)
  await until(() => read.length === 1)
  assert.equal(String(read[0]?.payload), 'while away')
  assert.equal(state()?.detail, null)
})

test('a message that cannot be stored yet is not acknowledged and comes again', async (t) => {
  let full = true
  const value = { personId: 'mia' } as unknown as ForeignReading['observations'][number]
  const { other, clock, read, until, up } = await setup(t, {
    read: () => ({ observations: [value], refused: [] }),
    append: async () => {
      if (full) throw new HubError('DISK_FULL', 'The disk is full.')
    },
  })
  await until(up)
  await other.publish('home/a', 'precious')
  await until(() => !up())
  full = false
  clock.advance(60_000)
  await until(() => read.length === 2)
  assert.deepEqual(
    read.map(({ payload }) => String(payload)),
    ['precious', 'precious'],
  )
  assert.equal(read[1]?.atMs, read[0]?.atMs, 'one value, not two')
})

test('what cannot be read is kept aside under the broker’s name', async (t) => {
  const refusal = { index: 0, code: 'VALIDATION_ERROR' as const, path: '', message: 'json' }
  const { other, setAside, joined, until, up } = await setup(t, {
    read: () => ({ observations: [], refused: [refusal] }),
  })
  await until(up)
  await other.publish('home/a', '{')
  await other.publish('home/a', '{')
  await until(() => joined.stats()['messages'] === 2)
  const [first] = setAside
  assert.deepEqual(
    [first?.deviceId, first?.topic, first?.code, first?.reason],
    ['old-broker', 'home/a', 'VALIDATION_ERROR', 'json'],
  )
})

test('a wrong password and a refused topic are told', async (t) => {
  const wrong = await setup(t, { password: 'wrong' })
  await wrong.until(() => wrong.state()?.detail !== 'not connected yet')
  assert.match(wrong.state()?.detail ?? '', /not authorized/i)
  assert.equal(wrong.state()?.state, 'degraded')
  const deaf = await setup(t, { topics: ['home/#', 'secret/#'] })
  await deaf.until(() => deaf.state()?.detail !== 'not connected yet')
  assert.equal(deaf.state()?.detail, 'it does not let us hear secret/#')
})
