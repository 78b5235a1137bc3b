/** MQTT packets made by hand, for what a well-behaved client library would never send. */
import { connect, type Socket } from 'node:net'

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([u16(bytes.length), bytes])
}

export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])

/** A packet with its remaining length; `announced` lies about it. */
export function packet(header: number, body: Buffer, announced = body.length): Buffer {
  const length: number[] = []
  let left = announced
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return Buffer.concat([Buffer.from([header, ...length]), body])
}

export interface ConnectFields {
  clientId?: string
  username?: string
  password?: string
  clean?: boolean
  keepalive?: number
  will?: { topic: string; payload: string; retain?: boolean }
  level?: number
  protocol?: string
}

export function connectPacket(id: string, key: string, fields: ConnectFields = {}): Buffer {
  const {
    clientId = id,
    username = id,
    password = key,
    clean = true,
    keepalive = 60,
    will,
    level = 4,
    protocol = 'MQTT',
  } = fields
  const flags = 0xc0 | (clean ? 2 : 0) | (will ? 4 | (will.retain ? 0x20 : 0) : 0)
  const body = [text(protocol), Buffer.from([level, flags]), u16(keepalive), text(clientId)]
  if (will) body.push(text(will.topic), text(will.payload))
  return packet(0x10, Buffer.concat([...body, text(username), text(password)]))
}

export interface PublishFields {
  qos?: 0 | 1 | 2
  retain?: boolean
  dup?: boolean
  messageId?: number
}

export function publishPacket(topic: string, payload: string | Buffer, fields: PublishFields = {}): Buffer {
  const { qos = 1, retain = false, dup = false, messageId = 1 } = fields
  const header = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  return packet(
    header,
    Buffer.concat([text(topic), qos > 0 ? u16(messageId) : Buffer.alloc(0), Buffer.from(payload)]),
  )
}

export function subscribePacket(filters: readonly string[], messageId = 1, qos = 1): Buffer {
  return packet(
    0x82,
    Buffer.concat([
      u16(messageId),
      ...filters.map((filter) => Buffer.concat([text(filter), Buffer.from([qos])])),
    ]),
  )
}

export const PINGREQ = Buffer.from([0xc0, 0])
export const DISCONNECT = Buffer.from([0xe0, 0])
export const CONNACK = 2
export const PUBLISH = 3
export const PUBACK = 4
export const SUBACK = 9
export const PINGRESP = 13

export interface Received {
  type: number
  body: Buffer
}

export interface RawClient {
  socket: Socket
  send(...packets: Buffer[]): void
  /** The next packet from the broker; rejects when the connection ends before one comes. */
  next(): Promise<Received>
  /** Resolves when the connection has ended. */
  ended: Promise<void>
  /** Packets not yet asked for. */
  waiting(): Received[]
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const waiting: Received[] = []
  const asking: { resolve(packet: Received): void; reject(cause: Error): void }[] = []
  let rest = Buffer.alloc(0)
  let over = false
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let cut = split(rest); cut; cut = split(rest)) {
      rest = rest.subarray(cut.bytes)
      const asker = asking.shift()
      if (asker) asker.resolve(cut.packet)
      else waiting.push(cut.packet)
    }
  })
  socket.on('error', () => {})
  const ended = new Promise<void>((resolve) =>
    socket.once('close', () => {
      over = true
      for (const asker of asking) asker.reject(new Error('connection ended'))
      resolve()
    }),
  )
  return {
    socket,
    send: (...packets) => void socket.write(Buffer.concat(packets)),
    next() {
      const first = waiting.shift()
      if (first) return Promise.resolve(first)
      if (over) return Promise.reject(new Error('connection ended'))
      return new Promise((resolve, reject) => asking.push({ resolve, reject }))
    },
    ended,
    waiting: () => waiting,
  }
}

function split(bytes: Buffer): { packet: Received; bytes: number } | null {
  let length = 0
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    const byte = bytes[at]!
    length += (byte & 0x7f) * 128 ** (at - 1)
    if (byte & 0x80) continue
    const end = at + 1 + length
    return bytes.length < end
      ? null
      : { packet: { type: bytes[0]! >> 4, body: bytes.subarray(at + 1, end) }, bytes: end }
  }
  return null
}
