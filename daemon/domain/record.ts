/** What a household records as a whole: a mood, a night, a run, a meal, a day's journal. Each kind says how it is read and what it adds to. */
import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import type { Validator } from 'typebox/compile'
import type { DataClass } from './access.ts'
import { EARLIEST_MS, parseInstant } from './instant.ts'
import { FUTURE_TOLERANCE_MS } from './intake.ts'
import { isNumberWithin, type Rejection, rejection } from './intake-value.ts'
import type { ObservationExtra } from './observation.ts'
import { SOURCE_PATTERN } from './source.ts'

export const RECORD_KINDS = ['mood', 'sleep', 'activity', 'meal', 'journal'] as const
export type RecordKindName = (typeof RECORD_KINDS)[number]

/** What is needed to understand what was sent. */
export interface RecordContext {
  nowMs: number
  /** Of times without an offset. */
  zone: string
}

/** A record understood and judged. */
export interface RecordDraft {
  startMs: number
  endMs: number
  /** Whose local day it counts on. */
  dayMs: number
  /** As sent, without what is null, instants as RFC 3339 UTC. */
  fields: Readonly<Record<string, unknown>>
  /** Values that are metrics too. */
  values: readonly { metric: string; atMs: number; value: number; extra?: ObservationExtra }[]
}

/** One kind of record. */
export interface RecordKind {
  name: RecordKindName
  /** Where it lives in the API. */
  path: string
  class: DataClass
  /** Fields of a new record beside person and source. */
  sent: TProperties
  /** Fields that stay when the same source tells the record anew, of the same time, without them; they are cleared by a change. */
  detail?: readonly string[]
  /** Fields that are shown: those sent, and what follows from them. */
  shown: TProperties
  read(sent: unknown, context: RecordContext): RecordDraft | Rejection
  /** The shown fields of a stored record. */
  show(
    fields: Readonly<Record<string, unknown>>,
    zone: string,
    beside: { hasPhoto: boolean },
  ): Record<string, unknown>
}

export const Instant = Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
  description: "RFC 3339 (without offset: the person's zone), or epoch seconds or milliseconds",
})
export const Source = Type.String({ pattern: SOURCE_PATTERN, description: 'apple_watch, oura, manual, …' })

/** A field that may be left out, or sent as null to say that there is none. */
export function maybe<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(Type.Union([schema, Type.Null()]))
}

export function orNull<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()])
}

/** The instant in a field, from 2000 on and not ahead of the hub's clock. */
export function instantIn(
  path: string,
  value: unknown,
  { nowMs, zone }: RecordContext,
): { atMs: number } | Rejection {
  const parsed = parseInstant(value, zone)
  if ('wrong' in parsed) return rejection('VALIDATION_ERROR', path, parsed.wrong)
  if (parsed.atMs < EARLIEST_MS) return rejection('OUT_OF_RANGE', path, 'lies before 2000-01-01')
  if (parsed.atMs <= nowMs + FUTURE_TOLERANCE_MS) return parsed
  return rejection('FUTURE_TIMESTAMP', path, "lies ahead of the hub's clock")
}

/** The first number outside of its limits. */
export function outOfLimits(
  fields: Readonly<Record<string, unknown>>,
  limits: Readonly<Record<string, readonly [min: number, max: number]>>,
): Rejection | null {
  for (const [path, [min, max]] of Object.entries(limits)) {
    const value = fields[path]
    if (typeof value === 'number' && !isNumberWithin(value, min, max))
      return rejection('OUT_OF_RANGE', path, `is ${min} to ${max}`)
  }
  return null
}

/** The fields that say something, in an order of their own: what is sent twice must come out the same twice. */
export function known(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const said = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Shape by schema; what is stored or merged is checked as what is sent. */
export function shaped<Schema extends TSchema>(
  validator: Validator<TProperties, Schema>,
  sent: unknown,
): { fields: Static<Schema> } | Rejection {
  if (validator.Check(sent)) return { fields: sent }
  const [fault] = validator.Errors(sent)
  const path = fault?.instancePath.slice(1).replaceAll('/', '.') ?? ''
  return rejection('VALIDATION_ERROR', path, fault?.message ?? 'does not fit')
}
