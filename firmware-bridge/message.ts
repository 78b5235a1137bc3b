/** What every decoder hands over. Decoders are pure: bytes or JSON in, samples or a named error out, never an exception. */

export interface Position {
  lat: number
  lon: number
  /** Radius in metres that the device believes in. */
  accuracy?: number
}

export type SampleValue = number | string | readonly number[] | Position

/** One measured value in the device's own words; further facts stand beside it under the names of their format. */
export interface Sample {
  metric: string
  value: SampleValue
  unit: string
  /** The device's wall clock, `YYYY-MM-DDTHH:MM:SS`, where its format has no zone. */
  local_time?: string
  [fact: string]: unknown
}

/** Why a message gave nothing: cut short, checksum wrong, a field outside its definition, not JSON or CBOR, or a kind nobody here reads. */
export type DecodeError =
  | 'truncated'
  | 'crc'
  | 'range'
  | 'json'
  | 'cbor'
  | 'unsupported'
  | 'malformed'
  | 'too_large'

export interface Undecodable {
  error: DecodeError
  detail?: string
}

export type Decoded = { samples: Sample[]; reason?: string } | Undecodable
