/** A broker over the store at `argv[2]` that publishes for its integration until it is killed, and prints what was taken. */
import { createBroker } from '../../daemon/broker/broker.ts'
import type { DeviceIdentity } from '../../daemon/broker/ports.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createBrokerState } from '../../daemon/store/broker-state.ts'
import { createStore } from '../../daemon/store/open.ts'

const [, , path = '', publishing = ''] = process.argv
const store = await createStore({
  path,
  now: () => Date.now(),
  onFailure: (cause) => {
    throw cause
  },
})
const broker = await createBroker({
  settings: {
    tcp: { host: '127.0.0.1', port: 0 },
    tls: null,
    maxConnections: 8,
    maxConnectionsPerAddress: 8,
    maxPacketBytes: 65_536,
    maxCameraPacketBytes: 65_536,
    maxSubscriptions: 8,
    messagesPerSecond: 1000,
    messageBurst: 1000,
  },
  ports: {
    append: async (batch) => batch.map(() => 'accepted' as const),
    quarantine: async () => {},
    keeper: createBrokerState<DeviceIdentity>(store),
    devices: {
      authenticate: (deviceId) => ({ deviceId, type: 'integration', prefixes: [], zone: 'UTC' }),
      wearerAt: () => null,
      serves: () => false,
      mayHear: () => true,
      onPresence: () => {},
    },
  },
  clock: systemClock(),
  log: createLog('silent'),
})
process.stdout.write(`${broker.mqttPort}\n`)
process.stdin.resume()
for (let number = 1; publishing === 'publish'; number++) {
  await broker.publish('hf/out/alert', JSON.stringify({ person_id: 'mia', number }), { qos: 1 })
  process.stdout.write(`${number}\n`)
}
