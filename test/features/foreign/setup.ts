/** A household behind a real broker, with a gateway to which the owner gave the usual prefixes of other firmware. */
import type { TestContext } from 'node:test'
import mqtt, { type MqttClient } from 'mqtt'
import { createBroker } from '../../../daemon/broker/broker.ts'
import { createForeign, type Foreign } from '../../../daemon/features/foreign/foreign.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createBrokerState } from '../../../daemon/store/broker-state.ts'
import { createQuarantine } from '../../../daemon/store/quarantine.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openHousehold } from '../../fakes/household.ts'

const PREFIXES = ['home', '/ble', 'homefield', 'thermo-a', 'watches', 'tele', 'homeassistant']

export interface FoundView {
  key: string
  address: string
  name: string | null
  kind: string
  via: string
  rssi: number | null
  messages: number
}

export async function setup(t: TestContext) {
  let built: Foreign | undefined
  const clock = fakeClock(Date.UTC(2026, 2, 14, 8))
  const home = await openHousehold(t, {
    clock,
    more: (store, _now, { devices }) => {
      built = createForeign({ store, clock, devices, timezone: () => 'Europe/Berlin' })
      return [built.feature]
    },
  })
  if (!built) throw new Error('the household has no foreign devices')
  const foreign = built
  const { store, devices, call } = home
  const broker = await createBroker({
    settings: {
      tcp: { host: '127.0.0.1', port: 0 },
      tls: null,
      maxConnections: 16,
      maxConnectionsPerAddress: 16,
      maxPacketBytes: 65_536,
      maxCameraPacketBytes: 1_048_576,
      maxSubscriptions: 8,
      messagesPerSecond: 1000,
      messageBurst: 1000,
    },
    ports: {
      append: store.observations.append,
      quarantine: createQuarantine(store),
      keeper: createBrokerState(store),
      foreign: foreign.read,
      devices: {
        authenticate: devices.authenticate,
        wearerAt: devices.wearerAt,
        serves: devices.serves,
        mayHear: devices.mayHear,
        onPresence: devices.setPresence,
      },
    },
    clock,
    log: createLog('silent'),
  })
  const clients: MqttClient[] = []
  t.after(async () => {
    for (const client of clients) client.end(true)
    await broker.stop(0)
  })
  const owner = await home.claimed()
  const add = async (body: object): Promise<string> =>
    (await call('POST', '/devices', { token: owner, body: { name: 'D', ...body } })).body.data.api_key
  async function connect(deviceId: string, key: string): Promise<MqttClient> {
    const url = `mqtt://127.0.0.1:${broker.mqttPort}`
    const options = { clientId: deviceId, username: deviceId, password: key, reconnectPeriod: 0 }
    const client = await mqtt.connectAsync(url, options)
    client.on('error', () => {})
    clients.push(client)
    return client
  }
  await home.people.add({ id: 'mia', name: 'Mia', age: 9 })
  const gateway = await connect('gate', await add({ id: 'gate', type: 'gateway', prefixes: PREFIXES }))
  const found = async (): Promise<FoundView[]> =>
    (await call('GET', '/devices/found', { token: owner })).body.data
  return {
    ...{ ...home, owner, foreign, broker, gateway, connect, add, found },
    approve: (key: string, body: object) =>
      call('POST', `/devices/found/${key}/approve`, { token: owner, body }),
    ignore: (key: string) => call('DELETE', `/devices/found/${key}`, { token: owner }),
    quarantined: () =>
      store.all<{ topic: string; code: string; reason: string }>(
        'SELECT topic, code, reason FROM quarantine ORDER BY id',
      ),
  }
}

/** What OpenMQTTGateway says of a strap. */
export const STRAP_TOPIC = 'home/gw/BTtoMQTT/A0B1C2D3E4F5'
export const strap = (bpm: number): string =>
  JSON.stringify({ id: 'A0:B1:C2:D3:E4:F5', name: 'Polar H10', rssi: -58, bpm })
