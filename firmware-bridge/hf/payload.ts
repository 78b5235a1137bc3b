import { isAscii } from 'node:buffer'
import { decode as decodeCbor, Tokenizer } from 'cborg'
import type { Undecodable } from '../message.ts'

/** What a payload may hold at most, so that a small message cannot become a large or deep value. */
export interface PayloadLimits {
  maxBytes: number
  maxDepth: number
  /** Values of every kind: numbers, texts, keys, lists, objects. */
  maxItems: number
}

export const PAYLOAD_LIMITS: PayloadLimits = { maxBytes: 1_048_576, maxDepth: 5, maxItems: 50_000 }

const COMMA = 0x2c
const COLON = 0x3a
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Reads a payload that is JSON when it starts with `{` or `[`, else CBOR: no CBOR list or map starts with those bytes. */
export function readPayload(
  payload: Uint8Array,
  limits: PayloadLimits = PAYLOAD_LIMITS,
): { value: unknown } | Undecodable {
  if (payload.byteLength > limits.maxBytes) {
    return { error: 'too_large', detail: `${payload.byteLength} bytes, ${limits.maxBytes} at most` }
  }
  if (payload.byteLength === 0) return { error: 'truncated', detail: 'empty payload' }
  let first = 0
  while (isSpace(payload[first])) first++
  return isOpening(payload[first]) ? readJson(payload, limits) : readCbor(payload, limits)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

function isOpening(byte: number | undefined): boolean {
  return byte === 0x5b || byte === 0x7b
}

function isClosing(byte: number | undefined): boolean {
  return byte === 0x5d || byte === 0x7d
}

function readJson(payload: Uint8Array, limits: PayloadLimits): { value: unknown } | Undecodable {
  const excess = jsonExcess(payload, limits)
  if (excess) return { error: 'too_large', detail: excess }
  try {
    return { value: JSON.parse(textOf(payload)) }
  } catch (cause) {
    return { error: 'json', detail: messageOf(cause) }
  }
}

/** Firmware writes plain ASCII, which needs no decoder: making one costs more than reading the message. */
function textOf(payload: Uint8Array): string {
  return isAscii(payload)
    ? Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1')
    : new TextDecoder('utf-8', { fatal: true }).decode(payload)
}

/** Counts nesting and values before parsing, because the parser itself has no limits. */
function jsonExcess(payload: Uint8Array, { maxDepth, maxItems }: PayloadLimits): string | null {
  let depth = 0
  let items = 1
  let inText = false
  for (let at = 0; at < payload.byteLength; at++) {
    const byte = payload[at] ?? 0
    if (inText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) inText = true
    else if (isOpening(byte)) {
      depth++
      items++
    } else if (isClosing(byte)) depth--
    else if (byte === COMMA || byte === COLON) items++
    if (depth > maxDepth) return `nested deeper than ${maxDepth}`
    if (items > maxItems) return `more than ${maxItems} values`
  }
  return null
}

function readCbor(payload: Uint8Array, limits: PayloadLimits): { value: unknown } | Undecodable {
  const options = {
    allowIndefinite: false,
    allowUndefined: false,
    allowInfinity: false,
    allowNaN: false,
    allowBigInt: false,
    rejectDuplicateMapKeys: true,
    // Tags 0 and 1 mark RFC 3339 text and epoch seconds; 55799 says that this is CBOR.
    tags: { 0: untagged, 1: untagged, 55799: untagged },
  }
  try {
    return {
      value: decodeCbor(payload, { ...options, tokenizer: limited(new Tokenizer(payload, options), limits) }),
    }
  } catch (cause) {
    return cause instanceof Excess
      ? { error: 'too_large', detail: cause.message }
      : { error: 'cbor', detail: messageOf(cause) }
  }
}

const untagged = (content: () => unknown) => content()

class Excess extends Error {}

/** How many values follow the head of a list, a map or a tag. */
const HOLDS: Readonly<Record<string, (length: number) => number>> = {
  array: (length) => length,
  map: (length) => 2 * length,
  tag: () => 1,
}

/** Watches the tokens go by: depth as a stack of how many values each open list or map still expects. */
function limited(tokens: Tokenizer, { maxDepth, maxItems }: PayloadLimits): Tokenizer {
  const expected: number[] = []
  let items = 0
  const next = tokens.next.bind(tokens)
  tokens.next = () => {
    const token = next()
    if (++items > maxItems) throw new Excess(`more than ${maxItems} values`)
    while (expected.at(-1) === 0) expected.pop()
    if (expected.length > 0) expected.push((expected.pop() ?? 1) - 1)
    const holds = HOLDS[token.type.name]?.(Number(token.value))
    if (holds !== undefined) expected.push(holds)
    if (expected.length > maxDepth) throw new Excess(`nested deeper than ${maxDepth}`)
    return token
  }
  return tokens
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable'
}
