/** A broker process with only the first steps of the hub: `bare`, `gate`, `store` or `each` on the data folder that is named; prints its port as JSON. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { createBroker } from '../../daemon/broker/broker.ts'
import { NOTHING_KEPT } from '../../daemon/broker/kept-state.ts'
import type { Append, BrokerPorts } from '../../daemon/broker/ports.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createStore } from '../../daemon/store/open.ts'

/** The store of `each` commits message by message, which is what the group commit is compared with. */
const EACH = { commitCalls: 1 }
const WATCHES = 50
const NO_LIMIT = 1_000_000
const clock = systemClock()
const [, , mode = '', folder = ''] = process.argv

async function bare(): Promise<number> {
  const aedes = new Aedes({ concurrency: 0, keepaliveLimit: 600 })
  await aedes.listen()
  const server = createServer({ noDelay: true }, aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return address === null || typeof address === 'string' ? 0 : address.port
}

async function storing(limits: Partial<typeof EACH>): Promise<Append> {
  const onFailure = (cause: unknown) => {
    throw cause
  }
  const store = await createStore({
    path: join(folder, 'steps.db'),
    now: clock.now,
    onFailure,
    limits,
  })
  const units = Array.from({ length: WATCHES }, (_, index) => [
    {
      sql: `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (:id, :id, 'UTC', 0, 0)`,
      params: { id: `person_${index}` },
    },
    {
      sql: `INSERT INTO device (id, name, type, created_at) VALUES (:id, :id, 'watch', 0)`,
      params: { id: `watch_${index}` },
    },
  ])
  await store.write(units.flat())
  return store.observations.append
}

async function gated(append: Append): Promise<number> {
  const devices: BrokerPorts['devices'] = {
    authenticate: (deviceId) => ({ deviceId, type: 'watch', prefixes: [], zone: 'UTC' }),
    wearerAt: (deviceId) => deviceId.replace('watch', 'person'),
    serves: () => false,
    mayHear: () => false,
    onPresence: () => {},
  }
  const broker = await createBroker({
    settings: {
      tcp: { host: '127.0.0.1', port: 0 },
      tls: null,
      maxConnections: WATCHES + 1,
      maxConnectionsPerAddress: 8,
      maxPacketBytes: 65_536,
      maxCameraPacketBytes: 65_536,
      maxSubscriptions: 8,
      messagesPerSecond: NO_LIMIT,
      messageBurst: NO_LIMIT,
    },
    ports: {
      ...{ append, devices },
      quarantine: () => Promise.resolve(),
      keeper: { read: () => NOTHING_KEPT, write: () => Promise.resolve() },
    },
    clock,
    log: createLog('warn'),
  })
  return broker.mqttPort ?? 0
}

const OPENERS: Record<string, () => Promise<number>> = {
  bare,
  gate: () => gated((batch) => Promise.resolve(batch.map(() => 'accepted' as const))),
  store: async () => gated(await storing({})),
  each: async () => gated(await storing(EACH)),
}

const port = await OPENERS[mode]?.()
process.stdout.write(`${JSON.stringify({ port })}\n`)
