/** Sessions, retained messages and wills of the broker on disk. */
import type { SqlParams, Store, Write } from './store.ts'

interface Message {
  topic: string
  payload: Uint8Array
  qos: number
}

interface Queued extends Message {
  clientId: string
  sequence: number
  messageId: number | null
  released: boolean
}

interface Will<Device> extends Message {
  clientId: string
  retain: boolean
  device: Device
}

interface State<Device> {
  subscriptions: { clientId: string; topic: string; qos: number }[]
  retained: Message[]
  queued: Queued[]
  wills: Will<Device>[]
  received: { clientId: string; messageId: number }[]
  dropped: { clientId: string; messages: number }[]
}

type StateChange<Device> =
  | { kind: 'subscription'; clientId: string; topic: string; qos: number | null }
  | { kind: 'retained'; topic: string; message: Message | null }
  | { kind: 'queued'; clientId: string; sequence: number; message: Queued | null }
  | { kind: 'will'; clientId: string; will: Will<Device> | null }
  | { kind: 'received'; clientId: string; messageId: number; open: boolean }
  | { kind: 'dropped'; clientId: string; messages: number }
  | { kind: 'session'; clientId: string }
  | { kind: 'everything' }

export interface BrokerState<Device> {
  read(): State<Device>
  /** Resolves once all changes are on disk as one unit; rejects as `Store.write` does. */
  write(changes: readonly StateChange<Device>[]): Promise<void>
}

const SELECT_SUBSCRIPTIONS = `SELECT client_id AS clientId, filter AS topic, qos FROM mqtt_subscription
  ORDER BY client_id, filter`
const SELECT_RETAINED = 'SELECT topic, qos, payload FROM mqtt_retained ORDER BY topic'
const SELECT_QUEUED = `SELECT sequence, client_id AS clientId, topic, qos, payload, message_id AS messageId, released
  FROM mqtt_queued ORDER BY sequence, client_id`
const SELECT_RECEIVED = `SELECT client_id AS clientId, message_id AS messageId FROM mqtt_received
  ORDER BY client_id, message_id`
const SELECT_WILLS = `SELECT client_id AS clientId, device, topic, qos, retain, payload FROM mqtt_will
  ORDER BY client_id`
const SELECT_DROPPED = 'SELECT client_id AS clientId, messages FROM mqtt_dropped ORDER BY client_id'

const PUT_SUBSCRIPTION = `INSERT INTO mqtt_subscription (client_id, filter, qos) VALUES (:clientId, :topic, :qos)
  ON CONFLICT DO UPDATE SET qos = excluded.qos`
const PUT_RETAINED = `INSERT INTO mqtt_retained (topic, qos, payload) VALUES (:topic, :qos, :payload)
  ON CONFLICT DO UPDATE SET qos = excluded.qos, payload = excluded.payload`
const PUT_QUEUED = `INSERT INTO mqtt_queued (sequence, client_id, topic, qos, payload, message_id, released)
  VALUES (:sequence, :clientId, :topic, :qos, :payload, :messageId, :released)
  ON CONFLICT DO UPDATE SET message_id = excluded.message_id, released = excluded.released`
const PUT_RECEIVED = `INSERT INTO mqtt_received (client_id, message_id) VALUES (:clientId, :messageId)
  ON CONFLICT DO NOTHING`
const PUT_WILL = `INSERT INTO mqtt_will (client_id, device, topic, qos, retain, payload)
  VALUES (:clientId, :device, :topic, :qos, :retain, :payload)
  ON CONFLICT DO UPDATE SET device = excluded.device, topic = excluded.topic, qos = excluded.qos,
    retain = excluded.retain, payload = excluded.payload`
const PUT_DROPPED = `INSERT INTO mqtt_dropped (client_id, messages) VALUES (:clientId, :messages)
  ON CONFLICT DO UPDATE SET messages = excluded.messages`

const SESSION_TABLES = ['mqtt_subscription', 'mqtt_queued', 'mqtt_received', 'mqtt_dropped']
const TABLES = [...SESSION_TABLES, 'mqtt_retained', 'mqtt_will']

/** `Device` is what the broker wants remembered of a will's owner, as plain JSON. */
export function createBrokerState<Device>(store: Pick<Store, 'all' | 'write'>): BrokerState<Device> {
  return {
    read: () => ({
      subscriptions: store.all(SELECT_SUBSCRIPTIONS),
      retained: store.all(SELECT_RETAINED),
      queued: store
        .all<Omit<Queued, 'released'> & { released: number }>(SELECT_QUEUED)
        .map((row) => ({ ...row, released: row.released === 1 })),
      wills: store
        .all<Omit<Will<Device>, 'device' | 'retain'> & { device: string; retain: number }>(SELECT_WILLS)
        .map((row) => ({ ...row, device: JSON.parse(row.device), retain: row.retain === 1 })),
      received: store.all(SELECT_RECEIVED),
      dropped: store.all(SELECT_DROPPED),
    }),
    async write(changes) {
      await store.write(changes.flatMap(writesOf))
    },
  }
}

function writesOf<Device>(change: StateChange<Device>): Write[] {
  switch (change.kind) {
    case 'subscription': {
      const { clientId, topic, qos } = change
      return qos === null
        ? [gone('mqtt_subscription', 'client_id = :clientId AND filter = :topic', { clientId, topic })]
        : [{ sql: PUT_SUBSCRIPTION, params: { clientId, topic, qos } }]
    }
    case 'retained':
      return change.message
        ? [{ sql: PUT_RETAINED, params: messageOf(change.message) }]
        : [gone('mqtt_retained', 'topic = :topic', { topic: change.topic })]
    case 'queued':
      return [queuedWrite(change)]
    case 'will':
      return [willWrite(change)]
    case 'received': {
      const { clientId, messageId } = change
      return change.open
        ? [{ sql: PUT_RECEIVED, params: { clientId, messageId } }]
        : [
            gone('mqtt_received', 'client_id = :clientId AND message_id = :messageId', {
              clientId,
              messageId,
            }),
          ]
    }
    case 'dropped': {
      const { clientId, messages } = change
      return messages === 0
        ? [gone('mqtt_dropped', 'client_id = :clientId', { clientId })]
        : [{ sql: PUT_DROPPED, params: { clientId, messages } }]
    }
    case 'session':
      return SESSION_TABLES.map((table) =>
        gone(table, 'client_id = :clientId', { clientId: change.clientId }),
      )
    case 'everything':
      return TABLES.map((table) => ({ sql: `DELETE FROM ${table}` }))
  }
}

function queuedWrite<Device>(change: StateChange<Device> & { kind: 'queued' }): Write {
  const { clientId, sequence, message } = change
  if (!message)
    return gone('mqtt_queued', 'sequence = :sequence AND client_id = :clientId', { sequence, clientId })
  const { messageId, released } = message
  return {
    sql: PUT_QUEUED,
    params: { ...messageOf(message), sequence, clientId, messageId, released: released ? 1 : 0 },
  }
}

function willWrite<Device>({ clientId, will }: StateChange<Device> & { kind: 'will' }): Write {
  if (!will) return gone('mqtt_will', 'client_id = :clientId', { clientId })
  return {
    sql: PUT_WILL,
    params: {
      ...messageOf(will),
      clientId,
      device: JSON.stringify(will.device),
      retain: will.retain ? 1 : 0,
    },
  }
}

function messageOf({ topic, payload, qos }: Message): SqlParams {
  return { topic, payload, qos }
}

function gone(table: string, where: string, params: SqlParams): Write {
  return { sql: `DELETE FROM ${table} WHERE ${where}`, params }
}
