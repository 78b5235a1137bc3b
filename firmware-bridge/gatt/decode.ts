import type { Decoded } from '../message.ts'
import { polarAdvert, xiaomiScale } from './advert.ts'
import { battery, runningSpeed, scale, stepCounter, thermometer } from './body.ts'
import { bthome } from './bthome.ts'
import { glucoseMeter, glucoseSensor } from './glucose.ts'
import { heartRate, oximeterContinuous, oximeterSpot } from './heart.ts'
import { createReader, OutOfDefinition, type Reader, Truncated } from './reader.ts'

type Decoder = (read: Reader, bytes: Uint8Array) => Decoded

/** Characteristic, `svc:` service data or `mfr:` manufacturer data → how its bytes read. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  '2a37': heartRate,
  '2a5e': oximeterSpot,
  '2a5f': oximeterContinuous,
  '2a18': glucoseMeter,
  '2aa7': (_read, bytes) => glucoseSensor(bytes),
  '2a1c': thermometer,
  '2a53': runningSpeed,
  '2a19': battery,
  '2a9d': scale,
  '00030001-78fc-48fe-8e23-433b3a1942d0': stepCounter,
  'svc:fcd2': bthome,
  'svc:181b': xiaomiScale,
  'mfr:006b': polarAdvert,
}

const BLUETOOTH_BASE = /^0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb$/
/** A characteristic value is 512 bytes at most (Core specification, Vol 3, Part F, 3.2.9). */
const MAX_BYTES = 512

/** Decodes one characteristic value or advert. `characteristic` is a 16-bit or 128-bit UUID in hex, `svc:fcd2` or `mfr:006b`. */
export function decodeGatt(characteristic: string, bytes: Uint8Array): Decoded {
  const name = canonicalName(characteristic)
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined
  if (!decoder) return { error: 'unsupported', detail: `no decoder for ${name.slice(0, 64)}` }
  if (bytes.byteLength > MAX_BYTES)
    return { error: 'too_large', detail: `${bytes.byteLength} bytes, ${MAX_BYTES} at most` }
  try {
    return decoder(createReader(bytes), bytes)
  } catch (cause) {
    if (cause instanceof Truncated) return { error: 'truncated' }
    if (cause instanceof OutOfDefinition) return { error: 'range', detail: cause.message }
    throw cause
  }
}

/** `0x2A37` and the 128-bit form of an assigned number are the same characteristic as `2a37`. */
function canonicalName(characteristic: string): string {
  const lower = characteristic.toLowerCase().replace(/^0x/, '')
  return BLUETOOTH_BASE.exec(lower)?.[1] ?? lower
}
