/** What a player did in a session, in metres and seconds, with the thresholds beside the numbers and a reason for every number that is missing. */
import { type Static, Type } from 'typebox'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const closed = { additionalProperties: false }
const NumberOrNull = orNull(Type.Number())

/** Why numbers are missing. */
export const KPI_REASONS = [
  'not_assigned',
  'not_seen',
  'uncalibrated',
  'camera_moved',
  'feet_hidden',
  'too_far',
  'off_pitch',
  'too_short',
  'no_pose',
  'ball_not_tracked',
  'too_few_repetitions',
  'below_noise_floor',
  'nothing_regular',
] as const
export type KpiReason = (typeof KPI_REASONS)[number]
const Reason = orNull(Type.Enum([...KPI_REASONS]))

/** In m/s; shown wherever a number is that depends on them. */
export const Thresholds = Type.Object(
  {
    basis: Type.Enum(['adult', 'age_group', 'own_best_second'], {
      description:
        'Football definitions for adults, those times a share by age, or 60 % and 80 % of the best second so far',
    }),
    age: orNull(Type.Integer()),
    high_speed: Type.Number(),
    sprint: Type.Number(),
    /** m/s², held for half a second. */
    acceleration: Type.Number(),
  },
  closed,
)
export type Thresholds = Static<typeof Thresholds>

const Zone = Type.Object(
  { from: Type.Number(), to: NumberOrNull, distance: Type.Number(), seconds: Type.Number() },
  closed,
)

export const Kpis = Type.Object(
  {
    speed: Type.Object(
      {
        max_speed: NumberOrNull,
        /** Best mean of one second, which one bad place does not reach. */
        best_second: NumberOrNull,
        avg_speed: NumberOrNull,
        current_speed: NumberOrNull,
        high_speed_efforts: orNull(Type.Integer()),
        sprints: orNull(Type.Integer()),
        thresholds: Thresholds,
        /** How speed is made from places. */
        filter: Type.Object(
          { cutoff_hz: Type.Number(), rate_hz: Type.Number(), delay_s: Type.Number() },
          closed,
        ),
        reason: Reason,
      },
      closed,
    ),
    distance: Type.Object(
      {
        total: NumberOrNull,
        high_speed: NumberOrNull,
        sprint: NumberOrNull,
        zones: orNull(Type.Array(Zone)),
        reason: Reason,
      },
      closed,
    ),
    physical: Type.Object(
      {
        accelerations: orNull(Type.Integer()),
        decelerations: orNull(Type.Integer()),
        seen_s: Type.Number(),
        missed_s: Type.Number(),
        reason: Reason,
      },
      closed,
    ),
    technical: Type.Object(
      {
        touches: Type.Null(),
        passes: Type.Null(),
        reason: Reason,
        movement: Type.Object(
          {
            poses: Type.Integer(),
            /** Steps a minute. */
            cadence: NumberOrNull,
            cadence_mean: NumberOrNull,
            cadence_reason: Reason,
            /** Degrees as one camera sees them, which is not what they are in space. */
            joint_angles: Type.Array(
              Type.Object(
                {
                  name: Type.String(),
                  kind: Type.Literal('2d-projection'),
                  now: NumberOrNull,
                  min: NumberOrNull,
                  mean: NumberOrNull,
                  max: NumberOrNull,
                },
                closed,
              ),
            ),
            knee_asymmetry_percent: NumberOrNull,
            asymmetry_reason: Reason,
            reason: Reason,
          },
          closed,
        ),
      },
      closed,
    ),
  },
  closed,
)
export type Kpis = Static<typeof Kpis>
