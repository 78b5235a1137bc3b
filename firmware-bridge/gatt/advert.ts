import type { Decoded, Sample } from '../message.ts'
import { tidy } from './number.ts'
import { OutOfDefinition, type Reader } from './reader.ts'

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
