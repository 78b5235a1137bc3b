/** Recurring jobs: which hour was due last, which is next, and one catch-up after the hub was down. */
import { Cron } from 'croner'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'

/** A recurring job. */
export interface Schedule {
  /** Also its kind, and the key under which only one waits at a time. */
  kind: string
  /** Five fields in the hub's time zone, for instance `0 3 * * *`. */
  cron: string
  payload?: unknown
}

export interface Schedules {
  add(schedule: Schedule): void
  /** Enters what became due; however many hours were missed, once. Resolves with how many were entered. */
  enterDue(): Promise<number>
  /** When the next one is due; null without schedules. */
  nextMs(): number | null
}

export interface SchedulesDeps {
  store: Pick<Store, 'get' | 'write'>
  now: () => number
  zone: () => string
  enqueue(kind: string, payload: unknown, options: { uniqueKey: string }): Plan<{ id: string }>
}

const LAST = `SELECT last_at AS lastMs FROM job_schedule WHERE name = :name`
const SET = `INSERT INTO job_schedule (name, last_at) VALUES (:name, :lastMs)
  ON CONFLICT (name) DO UPDATE SET last_at = :lastMs`
/** A clock that was set back by more than this makes the stored hour worthless. */
const BACKWARDS_MS = 26 * 3_600_000

export function createSchedules({ store, now, zone, enqueue }: SchedulesDeps): Schedules {
  const schedules: Schedule[] = []

  function lastMs({ kind }: Schedule): number | null {
    const last = store.get<{ lastMs: number }>(LAST, { name: kind })?.lastMs
    return last === undefined || last > now() + BACKWARDS_MS ? null : last
  }

  const setting = (name: string, atMs: number): Write => ({ sql: SET, params: { name, lastMs: atMs } })

  async function enter(schedule: Schedule): Promise<boolean> {
    const last = lastMs(schedule)
    if (last === null) {
      // New here: nothing was missed.
      await store.write([setting(schedule.kind, now())])
      return false
    }
    const next = nextAfter(schedule, last, zone())
    if (next === null || next > now()) return false
    const plan = enqueue(schedule.kind, schedule.payload ?? null, { uniqueKey: `schedule ${schedule.kind}` })
    await store.write([...plan.writes, setting(schedule.kind, now())])
    plan.committed()
    return true
  }

  return {
    add: (schedule) => void schedules.push(schedule),
    async enterDue() {
      let entered = 0
      for (const schedule of schedules) if (await enter(schedule)) entered += 1
      return entered
    },
    nextMs() {
      const next = schedules.flatMap((one) => nextAfter(one, lastMs(one) ?? now(), zone()) ?? [])
      return next.length === 0 ? null : Math.min(...next)
    },
  }
}

/** The first hour after an instant; where clocks change, one that is skipped moves on by the jump and none comes twice. */
export function nextAfter({ cron }: Pick<Schedule, 'cron'>, afterMs: number, zone: string): number | null {
  return new Cron(cron, { timezone: zone, paused: true }).nextRun(new Date(afterMs))?.getTime() ?? null
}
