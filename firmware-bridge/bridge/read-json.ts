import { readPayload } from '../hf/payload.ts'
import type { Undecodable } from './answer.ts'

/** Discovery of a large device has some hundred fields, six levels deep. */
const LIMITS = { maxBytes: 131_072, maxDepth: 8, maxItems: 5000 }

export type JsonObject = Record<string, unknown>

/** A payload that has to be one JSON object, within limits of size and depth. */
export function readObject(payload: Uint8Array): { object: JsonObject } | Undecodable {
  const first = payload.find((byte) => byte > 0x20)
  if (first !== 0x7b) return { kind: 'undecodable', error: 'json', detail: 'expected an object' }
  const read = readPayload(payload, LIMITS)
  if ('error' in read) return { kind: 'undecodable', ...read }
  return isObject(read.value)
    ? { object: read.value }
    : { kind: 'undecodable', error: 'json', detail: 'expected an object' }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The payload as text, without the zero bytes that some firmware sends along. */
export function textOf(payload: Uint8Array): string {
  return new TextDecoder().decode(payload).replaceAll('\u0000', '').trim()
}

/** A text that is not empty and not longer than `max`, else null. */
export function shortText(value: unknown, max: number): string | null {
  return typeof value === 'string' && value !== '' && value.length <= max ? value : null
}

const NUMBER = /^[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:e[+-]?\d{1,3})?$/i

/** A finite number, also when it came as text; null for everything else. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}
