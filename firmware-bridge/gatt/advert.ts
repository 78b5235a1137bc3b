import type { Decoded, Sample } from '../message.ts'
import { tidy } from './number.ts'
import { OutOfDefinition, type Reader } from './reader.ts'

interface BthomeObject {
  bytes: number
  signed?: boolean
  /** Absent where the hub has no metric for the object: it is stepped over. */
  metric?: string
  unit?: string
  factor?: number
}

/** The fixed-width objects of BTHome v2 that a household meets; without the width of an object nothing behind it can be read. */
const BTHOME: Readonly<Record<number, BthomeObject>> = {
  0: { bytes: 1 },
  1: { bytes: 1, metric: 'battery', unit: '%', factor: 1 },
  2: { bytes: 2, signed: true, metric: 'ambient_temp', unit: 'degC', factor: 0.01 },
  3: { bytes: 2, metric: 'humidity', unit: '%', factor: 0.01 },
  4: { bytes: 3 },
  5: { bytes: 3 },
  6: { bytes: 2, metric: 'weight', unit: 'kg', factor: 0.01 },
  8: { bytes: 2, signed: true },
  9: { bytes: 1 },
  10: { bytes: 3 },
  11: { bytes: 3 },
  12: { bytes: 2 },
  13: { bytes: 2 },
  14: { bytes: 2 },
  15: { bytes: 1 },
  16: { bytes: 1 },
  17: { bytes: 1 },
  18: { bytes: 2 },
  19: { bytes: 2 },
  20: { bytes: 2 },
  21: { bytes: 1 },
  22: { bytes: 1 },
  26: { bytes: 1 },
  27: { bytes: 1 },
  33: { bytes: 1 },
  45: { bytes: 1 },
  46: { bytes: 1, metric: 'humidity', unit: '%', factor: 1 },
  47: { bytes: 1 },
  58: { bytes: 1 },
  61: { bytes: 2 },
  62: { bytes: 4 },
  69: { bytes: 2, signed: true, metric: 'ambient_temp', unit: 'degC', factor: 0.1 },
  87: { bytes: 1, signed: true, metric: 'ambient_temp', unit: 'degC', factor: 1 },
}

/** BTHome v2 service data (FCD2): a device byte, then objects of known width. Encrypted adverts need a key nobody gave us. */
export function bthome(read: Reader): Decoded {
  const device = read.u8()
  if (device >> 5 !== 2) return { error: 'unsupported', detail: `BTHome version ${device >> 5}` }
  if (device & 0x01) return { error: 'unsupported', detail: 'encrypted BTHome' }
  const samples: Sample[] = []
  while (read.left > 0) {
    const id = read.u8()
    const object = BTHOME[id]
    if (!object)
      return samples.length > 0
        ? { samples, reason: `object_${id.toString(16)}_unknown` }
        : { error: 'unsupported', detail: `BTHome object ${id}` }
    const raw = integer(read, object)
    if (object.metric && object.unit && object.factor) {
      samples.push({ metric: object.metric, value: tidy(raw * object.factor), unit: object.unit })
    }
  }
  return { samples }
}

function integer(read: Reader, { bytes, signed = false }: BthomeObject): number {
  let value = 0
  for (let place = 0; place < bytes; place++) value += read.u8() * 256 ** place
  return signed && value >= 2 ** (bytes * 8 - 1) ? value - 2 ** (bytes * 8) : value
}

/**
 * Xiaomi body composition scale (service data 181B): control u16, date-time(7), impedance u16, weight u16. Only a settled
 * weight is a measurement; weight is u16/200 kg, in catty and pound mode u16/100 of that unit.
 */
export function xiaomiScale(read: Reader): Decoded {
  const units = read.u8()
  const state = read.u8()
  // The clock of a scale that was never paired is wrong, and its advert is sent while the person stands on it.
  read.skip(7)
  const impedance = read.u16()
  const raw = read.u16()
  const settled = (state & 0x20) !== 0
  const removed = (state & 0x80) !== 0
  if (!settled || removed) return { samples: [], reason: removed ? 'load_removed' : 'not_settled' }
  const kg = units & 0x01 ? (raw / 100) * 0.45359237 : units & 0x10 ? (raw / 100) * 0.5 : raw / 200
  const sample: Sample = { metric: 'weight', value: tidy(kg), unit: 'kg' }
  const impedanceMeasured = (state & 0x02) !== 0 && impedance > 0 && impedance < 3000
  if (impedanceMeasured) sample['impedance_ohm'] = impedance
  return { samples: [sample] }
}

/** Polar straps (manufacturer 006B) put the heart rate in the last byte of their advert. */
export function polarAdvert(read: Reader): Decoded {
  if (read.u16() !== 0x006b) throw new OutOfDefinition('company identifier is not Polar')
  if (read.left < 4) read.skip(4)
  read.skip(read.left - 1)
  const rate = read.u8()
  return rate === 0
    ? { samples: [], reason: 'no_heart_rate' }
    : { samples: [{ metric: 'heart_rate', value: rate, unit: 'bpm' }] }
}
