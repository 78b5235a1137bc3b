import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { Id } from './id.ts'
import { localDay } from './zone.ts'

export const PERSON_KINDS = ['child', 'teen', 'adult'] as const
export type PersonKind = (typeof PERSON_KINDS)[number]

export const DIABETES_TYPES = ['type1', 'type2', 'prediabetes', 'gestational', 'other'] as const
export type DiabetesType = (typeof DIABETES_TYPES)[number]

/** The range of the CGM consensus, which a person has until they are given their own. */
export const USUAL_TARGET = { minMgPerDl: 70, maxMgPerDl: 180 } as const

/** An object kept as its sender wrote it, up to OPEN_OBJECT_BYTES. */
export const OpenObject = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Kept as sent, up to 16 KB',
})
export const OPEN_OBJECT_BYTES = 16 * 1024

/** What a school announced, each entry a text or an object of the family's own making. */
export const SchoolEvents = Type.Array(Type.Unknown(), {
  maxItems: 1000,
  description: 'Kept as sent, up to 16 KB',
})

export const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'Calendar day, YYYY-MM-DD' })

/** Somebody whose data the hub keeps, as the API shows them. */
export const Person = Type.Object(
  {
    id: Id,
    name: Type.String(),
    /** The same name, as one of the seeds calls it. */
    full_name: Type.String(),
    kind: Type.Enum([...PERSON_KINDS]),
    birth_date: Type.Union([Day, Type.Null()]),
    /** Whole years today in the person's zone, or as told when no birth date is known. */
    age: Type.Union([Type.Integer(), Type.Null()]),
    timezone: Type.String(),
    baseline_stress: Type.Union([Type.Number(), Type.Null()]),
    diabetes_type: Type.Union([Type.Enum([...DIABETES_TYPES]), Type.Null()]),
    /** mg/dL; what the person aims at, both ends included. */
    target_glucose_min: Type.Number(),
    target_glucose_max: Type.Number(),
    school_events: SchoolEvents,
    preferences: OpenObject,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type Person = Static<typeof Person>

/** Whole years between a birth date and the local day of `nowMs`. */
export function ageOn(birthDate: string, nowMs: number, timezone: string): number {
  const today = localDay(nowMs, timezone)
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years
}

/** Under 13 a child, under 18 a teen; an unknown age counts as adult, whose screens promise the least. */
export function kindForAge(age: number | null): PersonKind {
  if (age === null || age >= 18) return 'adult'
  return age >= 13 ? 'teen' : 'child'
}
