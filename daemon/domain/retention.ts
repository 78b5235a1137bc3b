import { type Static, Type } from 'typebox'
import type { DataClass } from './access.ts'

const Days = (minimum: number) => Type.Integer({ minimum, maximum: 36_500 })

/**
 * For how many days what is kept. Hours, quarter hours and the person's local days are kept for ever: they are small, and an older day cannot be
 * made again without them.
 */
export const RetentionLimits = Type.Object(
  {
    /** Every single value, by class. */
    raw_days: Type.Object(
      { wellness: Days(7), glucose: Days(7), training: Days(7) },
      { additionalProperties: false },
    ),
    /** Minutes as rows of their own, quickest to read. */
    minute_row_days: Days(3),
    /** Minutes at all: beyond their rows they are kept packed. */
    minute_days: Days(7),
    /** Boxes and joints that cameras saw. */
    movement_days: Days(1),
    /** Pictures of persons who are under age. */
    minors_video_days: Days(1),
    quarantine_days: Days(1),
    audit_days: Days(365),
  },
  { additionalProperties: false },
)
export type RetentionLimits = Static<typeof RetentionLimits>

/** What the household is told at first. */
export const USUAL_RETENTION: RetentionLimits = {
  raw_days: { wellness: 400, glucose: 400, training: 400 },
  minute_row_days: 90,
  minute_days: 730,
  movement_days: 365,
  minors_video_days: 14,
  quarantine_days: 30,
  audit_days: 2192,
}

/** Why these cannot all hold; null when they can. */
export function retentionConflict({
  raw_days,
  minute_row_days,
  minute_days,
}: RetentionLimits): string | null {
  const longestRaw = Math.max(...Object.values(raw_days))
  if (minute_days < minute_row_days) return 'minute_days must not be below minute_row_days'
  if (minute_days < longestRaw) return 'minute_days must not be below raw_days'
  return null
}

/** Days that single values of a class are kept; media are files and have a limit of their own. */
export function rawDays(limits: RetentionLimits, of: DataClass): number {
  return of === 'media' ? Math.max(...Object.values(limits.raw_days)) : limits.raw_days[of]
}
