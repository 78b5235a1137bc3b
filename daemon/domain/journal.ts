import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { FUTURE_TOLERANCE_MS } from './intake.ts'
import { type Rejection, rejection } from './intake-value.ts'
import { Day, OPEN_OBJECT_BYTES, OpenObject } from './person.ts'
import { known, maybe, orNull, outOfLimits, type RecordKind, shaped } from './record.ts'
import { isDay, localDay, wallTimeToMs } from './zone.ts'

const TAGS_MAX = 50

const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: TAGS_MAX })
const sent = {
  /** The local day that it is about; absent: today. */
  date: maybe(Day),
  /** 0 (none) to 10. */
  energy: maybe(Type.Number()),
  /** 0 (none) to 10. */
  soreness: maybe(Type.Number()),
  /** How the night felt, 0 (bad) to 10. */
  sleep_feeling: maybe(Type.Number()),
  /** Answers to questions that the asking program chose, by their names. */
  answers: maybe(OpenObject),
  tags: maybe(Tags),
  notes: maybe(Type.String({ maxLength: 4000 })),
}
const Sent = Type.Object(sent, { additionalProperties: false })
const validator = Compile(Sent)

const SCALE = [0, 10] as const
const LIMITS = { energy: SCALE, soreness: SCALE, sleep_feeling: SCALE } as const

/** What somebody writes down about a day: one a day and source, told anew a revision of it. */
export const journal: RecordKind = {
  name: 'journal',
  path: '/journal',
  class: 'wellness',
  sent,
  shown: {
    date: Day,
    energy: orNull(Type.Number()),
    soreness: orNull(Type.Number()),
    sleep_feeling: orNull(Type.Number()),
    answers: orNull(OpenObject),
    tags: Tags,
    notes: orNull(Type.String()),
  },
  read(body, { nowMs, zone }) {
    const shape = shaped(validator, body)
    if ('code' in shape) return shape
    const { fields } = shape
    const date = fields.date ?? localDay(nowMs, zone)
    const noonMs = isDay(date) ? wallTimeToMs(`${date}T12:00`, zone) : null
    if (noonMs === null) return rejection('VALIDATION_ERROR', 'date', 'is no calendar day')
    const wrong = outOfLimits(fields, LIMITS) ?? unfit(fields, date, { nowMs, zone })
    if (wrong) return wrong
    const tags = fields.tags && fields.tags.length > 0 ? { tags: [...new Set(fields.tags)] } : {}
    const { tags: _sent, ...rest } = fields
    // The key is the date itself, so that a day stays one entry wherever its writer travels.
    const startMs = Date.parse(`${date}T00:00:00Z`)
    return { startMs, endMs: startMs, dayMs: noonMs, fields: known({ ...rest, ...tags, date }), values: [] }
  },
  show(fields) {
    const blank = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]))
    return { ...blank, answers: null, tags: [], notes: null, ...fields }
  },
}

function unfit(
  fields: Static<typeof Sent>,
  date: string,
  { nowMs, zone }: { nowMs: number; zone: string },
): Rejection | null {
  // What is stored is read again without a clock.
  if (nowMs < 8e15 && date > localDay(nowMs + FUTURE_TOLERANCE_MS, zone))
    return rejection('FUTURE_TIMESTAMP', 'date', "lies ahead of the hub's clock")
  if (Buffer.byteLength(JSON.stringify(fields.answers ?? null)) > OPEN_OBJECT_BYTES)
    return rejection('TOO_LARGE', 'answers', 'are larger than 16 KB')
  return null
}
