import type { Decoded, Sample } from '../message.ts'
import { KG_PER_LB, tidy } from './number.ts'
import type { Reader } from './reader.ts'

/** Objects of more than one byte by their width. Without the width of an object nothing behind it can be read. */
const WIDE: Readonly<Record<number, readonly number[]>> = {
  2: [
    0x02, 0x03, 0x06, 0x07, 0x08, 0x0c, 0x0d, 0x0e, 0x12, 0x13, 0x14, 0x3c, 0x3d, 0x3f, 0x40, 0x41, 0x43,
    0x44, 0x45, 0x47, 0x48, 0x49, 0x4a, 0x51, 0x52, 0x56, 0x5a, 0x5d, 0x5e, 0x5f, 0x61, 0xf0,
  ],
  3: [0x04, 0x05, 0x0a, 0x0b, 0x42, 0x4b, 0xf2],
  4: [0x3e, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x55, 0x5b, 0x5c, 0x62, 0x63, 0xf1],
}
const WIDTHS: ReadonlyMap<number, number> = new Map(
  Object.entries(WIDE).flatMap(([width, ids]) => ids.map((id) => [id, Number(width)] as const)),
)
/** Text and raw bytes say their own length. */
const COUNTED: ReadonlySet<number> = new Set([0x53, 0x54])

interface Measured {
  metric: string
  unit: string
  factor: number
  signed?: true
}

const TEMPERATURE = { metric: 'ambient_temp', unit: 'degC', signed: true } as const
/** The objects that are a metric of the hub; the others are stepped over. */
const MEASURED: Readonly<Record<number, Measured>> = {
  1: { metric: 'battery', unit: '%', factor: 1 },
  2: { ...TEMPERATURE, factor: 0.01 },
  3: { metric: 'humidity', unit: '%', factor: 0.01 },
  6: { metric: 'weight', unit: 'kg', factor: 0.01 },
  7: { metric: 'weight', unit: 'kg', factor: 0.01 * KG_PER_LB },
  46: { metric: 'humidity', unit: '%', factor: 1 },
  69: { ...TEMPERATURE, factor: 0.1 },
  87: { ...TEMPERATURE, factor: 1 },
  88: { ...TEMPERATURE, factor: 0.35 },
}

/**
 * BTHome v2 service data (FCD2): a device byte, then objects of known width (bthome.io/format). An encrypted advert is
 * refused: its key lies with whoever set the sensor up.
 */
export function bthome(read: Reader): Decoded {
  const device = read.u8()
  if (device >> 5 !== 2) return { error: 'unsupported', detail: `BTHome version ${device >> 5}` }
  if (device & 0x01) return { error: 'unsupported', detail: 'encrypted BTHome' }
  const samples: Sample[] = []
  while (read.left > 0) {
    const id = read.u8()
    const width = COUNTED.has(id) ? read.u8() : widthOf(id)
    if (width === null)
      return samples.length > 0
        ? { samples, reason: `object_${id.toString(16)}_unknown` }
        : { error: 'unsupported', detail: `BTHome object ${id}` }
    const measured = MEASURED[id]
    if (!measured) read.skip(width)
    else {
      const { metric, unit, factor, signed } = measured
      samples.push({ metric, value: tidy(integer(read, width, signed === true) * factor), unit })
    }
  }
  return { samples }
}

function widthOf(id: number): number | null {
  const listed = WIDTHS.get(id)
  if (listed !== undefined) return listed
  const single = id <= 0x2f || id === 0x3a || (id >= 0x46 && id <= 0x64)
  return single ? 1 : null
}

function integer(read: Reader, bytes: number, signed: boolean): number {
  let value = 0
  for (let place = 0; place < bytes; place++) value += read.u8() * 256 ** place
  return signed && value >= 2 ** (bytes * 8 - 1) ? value - 2 ** (bytes * 8) : value
}
