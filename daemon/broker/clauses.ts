/**
 * What MQTT 3.1.1 forbids in a packet and the parser lets through. Read from the bytes themselves, because decoding has
 * already replaced what is no UTF-8.
 */
import { isUtf8 } from 'node:buffer'

export interface PacketHead {
  cmd?: string | undefined
  qos: number
  dup: boolean
  length: number
}

/** A clause that was broken; with a return code the client hears it in a CONNACK before its connection ends. */
export interface Violation {
  clause: string
  returnCode?: 1 | 2
}

const FLAG = { clean: 0x02, will: 0x04, willQos: 0x18, willRetain: 0x20, password: 0x40, username: 0x80 }
/** The last number of the clauses [MQTT-3.1.2-1], [MQTT-3.1.2-2] and [MQTT-3.1.3-8]. */
const PROTOCOL_LEVEL = 4

/** The clause that a whole packet breaks, or null. `body` is what follows the fixed header. */
export function violationIn(head: PacketHead, body: Buffer): Violation | null {
  switch (head.cmd) {
    case 'connect':
      return inConnect(body)
    case 'publish':
      return inPublish(head, body)
    case 'subscribe':
      return inFilters(body, 1, '3.8.3-3')
    case 'unsubscribe':
      return inFilters(body, 0, '3.10.3-2')
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return body.length === 2 ? inPacketId(body, 0) : broken(`${head.cmd} is two bytes long`)
    case 'pingreq':
    case 'disconnect':
      return body.length === 0 ? null : broken(`${head.cmd} has no content`)
    default:
      return broken('only a server sends this packet')
  }
}

function inConnect(body: Buffer): Violation | null {
  const read = createReader(body)
  const protocol = read.text()
  if (protocol !== 'MQTT' && protocol !== 'MQIsdp') return broken('[MQTT-3.1.2-1] protocol name')
  const level = read.byte()
  if (protocol !== 'MQTT' || level !== PROTOCOL_LEVEL)
    return { clause: '[MQTT-3.1.2-2] protocol level', returnCode: 1 }
  const flags = read.byte()
  read.skip(2)
  const flaw = inConnectFlags(flags)
  if (flaw) return flaw
  const clientId = read.text()
  if (clientId === '' && (flags & FLAG.clean) === 0)
    return { clause: '[MQTT-3.1.3-8] empty client id without clean session', returnCode: 2 }
  if ((flags & FLAG.will) !== 0) {
    const topic = read.text()
    if (topic !== null && inTopic(topic)) return inTopic(topic)
    read.bytes()
  }
  if ((flags & FLAG.username) !== 0) read.text()
  if ((flags & FLAG.password) !== 0) read.bytes()
  return read.flaw() ?? (read.left() === 0 ? null : broken('bytes after the end of CONNECT'))
}

function inConnectFlags(flags: number): Violation | null {
  if ((flags & 1) !== 0) return broken('[MQTT-3.1.2-3] reserved flag')
  const willFlags = flags & (FLAG.willQos | FLAG.willRetain)
  if ((flags & FLAG.will) === 0 && willFlags !== 0) return broken('[MQTT-3.1.2-11] will QoS without a will')
  if ((flags & FLAG.willQos) === FLAG.willQos) return broken('[MQTT-3.1.2-14] will QoS 3')
  return (flags & FLAG.password) !== 0 && (flags & FLAG.username) === 0
    ? broken('[MQTT-3.1.2-22] password without user name')
    : null
}

function inPublish({ qos, dup }: PacketHead, body: Buffer): Violation | null {
  if (qos === 0 && dup) return broken('[MQTT-3.3.1-2] DUP on QoS 0')
  const read = createReader(body)
  const topic = read.text()
  return read.flaw() ?? inTopic(topic ?? '') ?? (qos > 0 ? inPacketId(body, read.at()) : null)
}

function inTopic(topic: string): Violation | null {
  if (topic === '') return broken('[MQTT-4.7.3-1] empty topic')
  return /[+#]/.test(topic) ? broken('[MQTT-3.3.2-2] wildcard in a topic') : null
}

function inPacketId(body: Buffer, at: number): Violation | null {
  if (body.length < at + 2) return broken('packet ends before its id')
  return body.readUInt16BE(at) === 0 ? broken('[MQTT-2.3.1-1] packet id 0') : null
}

/** SUBSCRIBE and UNSUBSCRIBE: an id, then filters with `after` bytes behind each. */
function inFilters(body: Buffer, after: 0 | 1, clause: string): Violation | null {
  const id = inPacketId(body, 0)
  if (id) return id
  const read = createReader(body)
  read.skip(2)
  if (read.left() === 0) return broken(`[MQTT-${clause}] no topic filter`)
  while (read.left() > 0) {
    const filter = read.text()
    const options = after === 1 ? read.byte() : 0
    if (read.flaw()) return read.flaw()
    if (!isFilter(filter ?? '')) return broken('[MQTT-4.7.1-2] bad topic filter')
    if (options > 2) return broken('[MQTT-3.8.3-4] requested QoS')
  }
  return null
}

function isFilter(filter: string): boolean {
  if (filter === '') return false
  const levels = filter.split('/')
  return levels.every(
    (level, index) => level === '+' || (level === '#' && index === levels.length - 1) || !/[+#]/.test(level),
  )
}

/** Reads fields one after the other; what is missing or malformed is told by `flaw`, the first one first. */
function createReader(body: Buffer) {
  let at = 0
  let flaw: Violation | null = null
  const take = (count: number): Buffer | null => {
    const end = at + count
    if (end > body.length) flaw ??= broken('packet ends within a field')
    const taken = body.subarray(at, end)
    at = Math.min(end, body.length)
    return flaw ? null : taken
  }
  const sized = (): Buffer | null => {
    const length = take(2)
    return length && take(length.readUInt16BE(0))
  }
  return {
    byte: (): number => take(1)?.[0] ?? 0,
    skip: (count: number): void => void take(count),
    bytes: (): void => void sized(),
    text(): string | null {
      const bytes = sized()
      if (!bytes) return null
      if (!isUtf8(bytes)) flaw ??= broken('[MQTT-1.5.3-1] ill-formed UTF-8')
      else if (bytes.includes(0)) flaw ??= broken('[MQTT-1.5.3-2] U+0000')
      return bytes.toString()
    },
    at: () => at,
    left: () => body.length - at,
    flaw: () => flaw,
  }
}

function broken(clause: string): Violation {
  return { clause }
}
