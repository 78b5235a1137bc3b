import type { Decoded, Sample } from '../message.ts'
import { KCAL_PER_KJ, tidy } from './number.ts'
import type { Reader } from './reader.ts'

/** Heart Rate Measurement (2A37): rate, energy in kJ since reset, beat intervals in 1/1024 s, oldest first. */
export function heartRate(read: Reader): Decoded {
  const flags = read.u8()
  const contactSupported = (flags & 0x04) !== 0
  const contact = (flags & 0x02) !== 0
  if (contactSupported && !contact) return { samples: [], reason: 'no_skin_contact' }
  const samples: Sample[] = [
    { metric: 'heart_rate', value: flags & 0x01 ? read.u16() : read.u8(), unit: 'bpm' },
  ]
  if (flags & 0x08) {
    const kj = read.u16()
    samples.push({ metric: 'energy_expended', value: tidy(kj * KCAL_PER_KJ), unit: 'kcal', raw_kj: kj })
  }
  if (flags & 0x10) {
    const beats: number[] = []
    while (read.left > 0) beats.push(tidy((read.u16() * 1000) / 1024))
    if (beats.length > 0) samples.push({ metric: 'rr_intervals', value: beats, unit: 'ms' })
  }
  return { samples }
}

/** PLX Spot-Check (2A5E): saturation and pulse, optionally with the device's wall clock. */
export function oximeterSpot(read: Reader): Decoded {
  const flags = read.u8()
  const saturation = read.sfloat()
  const pulse = read.sfloat()
  const localTime = flags & 0x01 ? read.dateTime() : null
  return { samples: oximeter(saturation, pulse, localTime) }
}

/** PLX Continuous (2A5F): the normal pair comes first; the fast and slow pairs tell the same with other filters. */
export function oximeterContinuous(read: Reader): Decoded {
  const flags = read.u8()
  const saturation = read.sfloat()
  const pulse = read.sfloat()
  if (flags & 0x01) read.skip(4)
  if (flags & 0x02) read.skip(4)
  return { samples: oximeter(saturation, pulse, null) }
}

function oximeter(saturation: number | null, pulse: number | null, localTime: string | null): Sample[] {
  const when = localTime === null ? {} : { local_time: localTime }
  const samples: Sample[] = []
  if (saturation !== null) samples.push({ metric: 'spo2', value: saturation, unit: '%', ...when })
  if (pulse !== null) samples.push({ metric: 'pulse_rate', value: pulse, unit: 'bpm', ...when })
  return samples
}
