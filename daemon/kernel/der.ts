/** Writes the few ASN.1 DER shapes (X.690) that our certificates are made of. Nothing here reads. */

type Bytes = Uint8Array

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const CONTEXT = 0x80
const CONSTRUCTED = 0x20

function tlv(tag: number, content: Bytes): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes])
  const hex = bytes.toString(16)
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits])
}

export function sequence(...parts: Bytes[]): Buffer {
  return tlv(TAG.sequence, Buffer.concat(parts))
}

export function set(...parts: Bytes[]): Buffer {
  return tlv(TAG.set, Buffer.concat(parts))
}

/** A positive INTEGER from its big-endian bytes. */
export function integer(bytes: Bytes): Buffer {
  const first = bytes[0] ?? 0
  return tlv(TAG.integer, first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

export function yes(): Buffer {
  return tlv(TAG.boolean, Buffer.from([0xff]))
}

/** `unused` is how many of the last byte's low bits do not count. */
export function bitString(bytes: Bytes, unused = 0): Buffer {
  return tlv(TAG.bitString, Buffer.concat([Buffer.from([unused]), bytes]))
}

export function octetString(bytes: Bytes): Buffer {
  return tlv(TAG.octetString, bytes)
}

export function utf8(text: string): Buffer {
  return tlv(TAG.utf8, Buffer.from(text, 'utf8'))
}

/** From dotted text, such as `2.5.29.17`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(TAG.oid, Buffer.concat([base128(first * 40 + second), ...rest.map(base128)]))
}

function base128(value: number): Buffer {
  const digits = [value & 0x7f]
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
  return Buffer.from(digits)
}

/** UTCTime up to 2049, GeneralizedTime from 2050, as RFC 5280 4.1.2.5 demands; whole seconds. */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  const utc = atMs < Date.UTC(2050, 0, 1)
  return tlv(utc ? TAG.utcTime : TAG.generalizedTime, Buffer.from(utc ? digits.slice(2) : digits, 'ascii'))
}

/** `[number]` around other values, or in place of the tag of a list. */
export function constructed(number: number, ...parts: Bytes[]): Buffer {
  return tlv(CONTEXT | CONSTRUCTED | number, Buffer.concat(parts))
}

/** `[number]` in place of a plain value's own tag. */
export function primitive(number: number, content: Bytes): Buffer {
  return tlv(CONTEXT | number, content)
}
