import type { Decoded, Sample } from '../message.ts'
import { KG_PER_LB, tidy } from './number.ts'
import { OutOfDefinition, type Reader } from './reader.ts'

const TEMPERATURE_SITES: Readonly<Record<number, string>> = {
  1: 'armpit',
  2: 'body',
  3: 'ear',
  4: 'finger',
  5: 'gastrointestinal',
  6: 'mouth',
  7: 'rectum',
  8: 'toe',
  9: 'tympanum',
}
const METRES_PER_INCH = 0.0254

/** Temperature Measurement (2A1C), Fahrenheit converted. */
export function thermometer(read: Reader): Decoded {
  const flags = read.u8()
  const measured = read.float()
  const localTime = flags & 0x02 ? read.dateTime() : null
  const type = flags & 0x04 ? read.u8() : null
  if (measured === null) return { samples: [], reason: 'no_measurement' }
  const celsius = flags & 0x01 ? tidy((measured - 32) / 1.8) : measured
  const sample: Sample = { metric: 'body_temp', value: celsius, unit: 'degC' }
  if (localTime !== null) sample.local_time = localTime
  const site = type === null ? undefined : TEMPERATURE_SITES[type]
  if (site) sample['site'] = site
  if (type !== null) sample['type_code'] = type
  return { samples: [sample] }
}

/** Running Speed and Cadence Measurement (2A53). Cadence is per minute, total distance in decimetres. */
export function runningSpeed(read: Reader): Decoded {
  const flags = read.u8()
  const samples: Sample[] = [
    { metric: 'speed', value: read.u16() / 256, unit: 'm/s' },
    { metric: 'cadence', value: read.u8(), unit: '1/min' },
  ]
  if (flags & 0x01) samples.push({ metric: 'stride_length', value: read.u16() / 100, unit: 'm' })
  if (flags & 0x02) samples.push({ metric: 'distance_total', value: read.u32() / 10, unit: 'm' })
  samples.push({ metric: 'activity', value: flags & 0x04 ? 'running' : 'walking', unit: 'state' })
  return { samples }
}

/** Battery Level (2A19): 0–100, everything else is reserved. */
export function battery(read: Reader): Decoded {
  const percent = read.u8()
  if (percent > 100) throw new OutOfDefinition(`battery level ${percent}`)
  return { samples: [{ metric: 'battery', value: percent, unit: '%' }] }
}

/** Weight Measurement (2A9D), SI or imperial. FFFF means that the scale could not measure. */
export function scale(read: Reader): Decoded {
  const flags = read.u8()
  const imperial = (flags & 0x01) !== 0
  const raw = read.u16()
  const localTime = flags & 0x02 ? read.dateTime() : null
  const userId = flags & 0x04 ? read.u8() : null
  const samples: Sample[] = []
  if (raw !== 0xffff) {
    const weight: Sample = {
      metric: 'weight',
      value: tidy(imperial ? raw * 0.01 * KG_PER_LB : raw * 0.005),
      unit: 'kg',
    }
    if (localTime !== null) weight.local_time = localTime
    // 255 stands for an unknown user.
    if (userId !== null && userId !== 0xff) weight['user_id'] = userId
    samples.push(weight)
  }
  if (flags & 0x08) {
    samples.push({ metric: 'bmi', value: read.u16() / 10, unit: 'kg/m2' })
    const height = read.u16()
    samples.push({
      metric: 'height',
      value: tidy(imperial ? height * 0.1 * METRES_PER_INCH : height / 1000),
      unit: 'm',
    })
  }
  return samples.length > 0 ? { samples } : { samples, reason: 'no_measurement' }
}

/** InfiniTime's step counter: cumulative since midnight or boot. */
export function stepCounter(read: Reader): Decoded {
  return { samples: [{ metric: 'steps_counter', value: read.u32(), unit: 'count' }] }
}
