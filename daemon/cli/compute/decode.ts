/** `compute decode`: the device decoders on a file of captured bytes or messages. */
import { decodeGatt } from '../../../firmware-bridge/gatt/decode.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation } from './computation.ts'
import { decodeMessages } from './messages.ts'

/** `--set zone=` wins over the zone that a file of messages names. */
export const decode: Computation = async (file, set) => {
  const zone = set.text('zone', '')
  return computeDecode(await file.json(), zone === '' ? undefined : zone)
}

interface GattCase {
  id: string
  char: string
  hex: string
}

/**
 * Decodes `{cases:[{id,char,hex}]}` to `{cases:[{id,samples|error,reason?}]}`, and `{messages:[{id,topic,payload}]}` to
 * `{messages:[…]}`, in the same order. Throws HubError VALIDATION_ERROR for a file of another shape.
 */
export function computeDecode(input: unknown, zone?: string): { cases: object[] } | { messages: object[] } {
  if (isObject(input) && 'messages' in input) return decodeMessages(input, zone)
  return {
    cases: gattCases(input).map(({ id, char, hex }) => ({
      id,
      ...decodeGatt(char, Buffer.from(hex, 'hex')),
    })),
  }
}

function gattCases(input: unknown): GattCase[] {
  const cases = isObject(input) ? input['cases'] : undefined
  if (!Array.isArray(cases)) {
    throw new HubError(
      'VALIDATION_ERROR',
      'decode reads {"cases":[{"id","char","hex"}]} or {"messages":[{"id","topic","payload"}]}; this file has no list of cases.',
    )
  }
  return cases.map((entry: unknown, index) => {
    if (!isGattCase(entry)) {
      throw new HubError(
        'VALIDATION_ERROR',
        `cases[${index}] needs id and char as text and hex as pairs of hex digits.`,
      )
    }
    return entry
  })
}

function isGattCase(entry: unknown): entry is GattCase {
  if (!isObject(entry)) return false
  const { id, char, hex } = entry
  return (
    typeof id === 'string' &&
    typeof char === 'string' &&
    typeof hex === 'string' &&
    /^(?:[0-9a-f]{2})*$/i.test(hex)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
