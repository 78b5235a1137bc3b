import type { Decoded, Sample } from '../message.ts'
import { crc16 } from './crc.ts'
import { MG_PER_DL_PER_MMOL_PER_L, tidy } from './number.ts'
import { createReader, type Reader, Truncated } from './reader.ts'

const FLUIDS = [
  null,
  'capillary_whole_blood',
  'capillary_plasma',
  'venous_whole_blood',
  'venous_plasma',
  'arterial_whole_blood',
  'arterial_plasma',
  'undetermined_whole_blood',
  'undetermined_plasma',
  'interstitial_fluid',
  'control_solution',
] as const
const SITES: Readonly<Record<number, string>> = {
  1: 'finger',
  2: 'alternate_site',
  3: 'earlobe',
  4: 'control_solution',
}

/** Glucose Measurement (2A18). The user's time is the base time moved by the offset in minutes. */
export function glucoseMeter(read: Reader): Decoded {
  const flags = read.u8()
  const seq = read.u16()
  const baseTime = read.dateTime()
  const offsetMinutes = flags & 0x01 ? read.i16() : 0
  if (!(flags & 0x02)) return { samples: [], reason: 'no_concentration' }
  const concentration = read.sfloat()
  const kind = read.u8()
  if (concentration === null) return { samples: [], reason: 'no_concentration' }
  const mgPerDl = flags & 0x04 ? concentration * 1000 * MG_PER_DL_PER_MMOL_PER_L : concentration * 100_000
  const sample: Sample = { metric: 'glucose', value: tidy(mgPerDl), unit: 'mg/dL', seq }
  if (baseTime !== null) sample.local_time = moved(baseTime, offsetMinutes)
  const fluid = FLUIDS[kind & 0x0f]
  if (fluid) sample['fluid'] = fluid
  const site = SITES[kind >> 4]
  if (site) sample['site'] = site
  return { samples: [sample] }
}

function moved(wallTime: string, minutes: number): string {
  return new Date(Date.parse(`${wallTime}Z`) + minutes * 60_000).toISOString().slice(0, 19)
}

/**
 * CGM Measurement (2AA7): one or more records, each with its own size and, where the session has it on, E2E-CRC. The size
 * byte counts itself and the CRC; whether the CRC is there shows in the size alone.
 */
export function glucoseSensor(bytes: Uint8Array): Decoded {
  const samples: Sample[] = []
  let at = 0
  while (at < bytes.length) {
    const size = bytes[at] ?? 0
    if (size < 6 || at + size > bytes.length) throw new Truncated(`record of ${size} bytes at ${at}`)
    const record = sensorRecord(bytes.subarray(at, at + size))
    if (record === 'crc') return { error: 'crc' }
    if (record) samples.push(record)
    at += size
  }
  if (at === 0) throw new Truncated('no record')
  return { samples }
}

function sensorRecord(bytes: Uint8Array): Sample | null | 'crc' {
  const read = createReader(bytes)
  read.skip(1)
  const flags = read.u8()
  const glucose = read.sfloat()
  const minute = read.u16()
  // Which status octet comes first differs between readers in the field, so none of them is acted on.
  for (const octet of [0x20, 0x40, 0x80]) if (flags & octet) read.skip(1)
  const trend = flags & 0x01 ? read.sfloat() : null
  const quality = flags & 0x02 ? read.sfloat() : null
  const checked = read.left >= 2
  if (
    checked &&
    crc16(bytes.subarray(0, bytes.length - 2)) !== ((bytes.at(-1) ?? 0) << 8) + (bytes.at(-2) ?? 0)
  )
    return 'crc'
  if (glucose === null) return null
  const sample: Sample = { metric: 'glucose', value: glucose, unit: 'mg/dL', session_minute: minute }
  if (trend !== null) sample['trend_mgdl_min'] = trend
  if (quality !== null) sample['quality_pct'] = quality
  if (checked) sample['crc_ok'] = true
  return sample
}
