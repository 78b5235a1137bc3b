import { randomBytes } from 'node:crypto'

/** UUIDv7 (RFC 9562, 5.7): sorts by creation time. `random` is an argument so that tests can fix it. */
export function newId(nowMs: number, random: (bytes: number) => Uint8Array = randomBytes): string {
  const bytes = new Uint8Array(16)
  bytes.set(random(16))
  new DataView(bytes.buffer).setBigUint64(
    0,
    (BigInt(nowMs) << 16n) | BigInt(((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)),
  )
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
