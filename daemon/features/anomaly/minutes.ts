/** The minutes of a person as the model reads them, from the store's minute roll-ups. */
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import type { Level, LevelPoint } from '../../domain/observation.ts'
import { wallClockMs } from '../../domain/zone.ts'
import type { Store } from '../../store/store.ts'

export const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const QUARTER_MS = 15 * MINUTE_MS
/** Two hours are read at one go: of a watch that tells every second that is seven thousand values, and everybody else waits for so long. */
const PAGE_ROWS = 120
/** What a minute of full activity counts as where a watch tells no steps: a brisk run. */
const STEPS_OF_ACTIVITY = 150
const SOURCES = ['heart_rate', 'hrv_rmssd', 'spo2', 'skin_temp', 'body_temp', 'steps', 'activity'] as const
type Source = (typeof SOURCES)[number]

export interface MinutesDeps {
  observations: Pick<Store['observations'], 'level'>
  zoneOf: (personId: string) => string
}

/** What a person's devices tell, and which of two ways of measuring is read; it must not change between learning and judging. */
export interface Choice {
  hrv: boolean
  spo2: boolean
  temp: 'skin_temp' | 'body_temp' | null
  motion: 'steps' | 'activity' | null
}

export interface Minutes {
  /** Every minute of `[fromMs, toMs)`, both whole minutes, with nothing where nothing was measured. */
  read(personId: string, fromMs: number, toMs: number, choice: Choice): Promise<VitalMinute[]>
  /** What this person's devices tell, judged by a stretch of time. */
  choose(personId: string, fromMs: number, toMs: number): Promise<Choice>
  /** The hour of the first heart rate in a stretch of time; null when there is none. */
  firstHeart(personId: string, fromMs: number, toMs: number): Promise<number | null>
}

export function createMinutes({ observations, zoneOf }: MinutesDeps): Minutes {
  async function pointsOf(
    personId: string,
    metric: Source,
    fromMs: number,
    toMs: number,
    level: Level = '1m',
  ) {
    const points: LevelPoint[] = []
    let next: number | null = fromMs
    while (next !== null) {
      const range = { personId, metric, fromMs: next, toMs, limit: PAGE_ROWS, level }
      const page = await observations.level(range)
      points.push(...page.points)
      next = page.nextFromMs
    }
    return points
  }

  return {
    async choose(personId, fromMs, toMs) {
      const count = async (metric: Source) =>
        (await pointsOf(personId, metric, fromMs, toMs, '1h')).reduce((sum, hour) => sum + hour.count, 0)
      const [skin, body] = [await count('skin_temp'), await count('body_temp')]
      const [steps, activity] = [await count('steps'), await count('activity')]
      return {
        hrv: (await count('hrv_rmssd')) > 0,
        spo2: (await count('spo2')) > 0,
        temp: skin + body === 0 ? null : skin >= body ? 'skin_temp' : 'body_temp',
        motion: steps + activity === 0 ? null : steps >= activity ? 'steps' : 'activity',
      }
    },
    async firstHeart(personId, fromMs, toMs) {
      const range = { personId, metric: 'heart_rate', fromMs, toMs, limit: 1, level: '1h' as const }
      return (await observations.level(range)).points[0]?.atMs ?? null
    },
    async read(personId, fromMs, toMs, { hrv, spo2, temp, motion }) {
      const minuteOf = clockOf(zoneOf(personId), fromMs)
      const minutes = Array.from({ length: Math.max(0, (toMs - fromMs) / MINUTE_MS) }, (_, at) => ({
        ...{ minuteOfDay: minuteOf(fromMs + at * MINUTE_MS) },
        ...{ hr: null, hrv: null, steps: null, spo2: null, temp: null },
      })) as VitalMinute[]
      const put = async (metric: Source, set: (minute: VitalMinute, point: LevelPoint) => void) => {
        for (const point of await pointsOf(personId, metric, fromMs, toMs)) {
          const minute = minutes[Math.floor((point.atMs - fromMs) / MINUTE_MS)]
          if (minute) set(minute, point)
        }
      }
      await put('heart_rate', (minute, { mean }) => {
        minute.hr = mean
        // Whoever tells a heart rate and no step stood still.
        if (motion !== null) minute.steps = 0
      })
      if (hrv)
        await put('hrv_rmssd', (minute, { mean }) => {
          minute.hrv = mean
        })
      if (spo2)
        await put('spo2', (minute, { mean }) => {
          minute.spo2 = mean
        })
      if (temp !== null)
        await put(temp, (minute, { mean }) => {
          minute.temp = mean
        })
      if (motion !== null)
        await put(motion, (minute, { mean, count }) => {
          minute.steps = motion === 'steps' ? mean * count : mean * STEPS_OF_ACTIVITY
        })
      return minutes
    },
  }
}

/** Minutes from local midnight; asked anew each quarter, because clocks change at whole quarters. */
function clockOf(zone: string, fromMs: number): (atMs: number) => number {
  let quarter = Number.NaN
  let offsetMs = 0
  return (atMs) => {
    const found = Math.floor(atMs / QUARTER_MS)
    if (found !== quarter) {
      quarter = found
      offsetMs = wallClockMs(Math.max(atMs, fromMs), zone) - atMs
    }
    return Math.floor((((atMs + offsetMs) / MINUTE_MS) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES
  }
}
