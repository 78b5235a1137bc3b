import { createHash } from 'node:crypto'

/** The part of a publish that tells a message from its repetition. */
export interface ArrivingPacket {
  topic: string
  payload: Uint8Array
  dup: boolean
  messageId: number | undefined
  /** Number of the connection it came on. */
  connection: number
}

/** When messages without a time of their own came. */
export interface Arrivals {
  /** Arrival in ms UTC: a repeated packet keeps its first one, and no two packets of a device share one. */
  stamp(deviceId: string, packet: ArrivingPacket, nowMs: number): number
}

/** Behind a clock that was set back further than this, new stamps start afresh instead of queueing behind the old ones. */
const MAX_LEAD_MS = 1000

/** A client that reconnects sends again what was not acknowledged, and many leave out the DUP flag that they owe. */
const RESENT_WITHIN_MS = 60_000

interface Kept {
  atMs: number
  connection: number
}

/** Remembers the last `kept` packets, so that a redelivery after a lost acknowledgement lands on the same rows. */
export function createArrivals(kept = 4096): Arrivals {
  const packets = new Map<string, Kept>()
  const lastOf = new Map<string, number>()
  return {
    stamp(deviceId, packet, nowMs) {
      const key = packet.messageId === undefined ? null : keyOf(deviceId, packet.messageId, packet)
      const before = key === null ? undefined : packets.get(key)
      if (before && isSentAgain(before, packet, nowMs)) return before.atMs
      const lastMs = lastOf.get(deviceId) ?? 0
      const atMs = lastMs >= nowMs && lastMs - nowMs < MAX_LEAD_MS ? lastMs + 1 : nowMs
      remember(lastOf, deviceId, atMs, kept)
      if (key !== null) remember(packets, key, { atMs, connection: packet.connection }, kept)
      return atMs
    },
  }
}

function isSentAgain(before: Kept, packet: ArrivingPacket, nowMs: number): boolean {
  return packet.dup || (before.connection !== packet.connection && nowMs - before.atMs < RESENT_WITHIN_MS)
}

function keyOf(deviceId: string, messageId: number, { topic, payload }: ArrivingPacket): string {
  return `${deviceId}/${messageId}/${createHash('sha1').update(topic).update('\0').update(payload).digest('base64')}`
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, kept: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > kept) map.delete(map.keys().next().value ?? '')
}
