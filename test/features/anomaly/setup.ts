/** Mia, her watch, and the watch over her vitals behind real parts; closing and opening the folder again is a restart. */
import type { TestContext } from 'node:test'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { type AnomalyWatch, createAnomalyWatch } from '../../../daemon/features/anomaly/anomaly.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { loadPulseNet } from '../../../models/pulsenet.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { createDraw } from '../../../models/training/random.ts'
import { drawPerson } from '../../../models/training/vitals-events.ts'
import { type FakeClock, fakeClock } from '../../fakes/clock.ts'
import { family, MINUTE, type Options, open } from '../alerts/setup.ts'

export const HEART = 'heart_rate'

function watching(clock: FakeClock, watches: AnomalyWatch[]): NonNullable<Options['beside']> {
  return (store, alarms) => {
    const watch = createAnomalyWatch({
      ...{ store, clock, log: createLog('silent'), model: loadPulseNet(), episodes: alarms.episodes },
      personIds: () => ['mia', 'leo'],
      zoneOf: () => 'Europe/Berlin',
    })
    watches.push(watch)
    return [watch.feature]
  }
}

type Home = Awaited<ReturnType<typeof open>>

function around(home: Home, clock: FakeClock, vitals: AnomalyWatch) {
  /** A minute of wearing it, told when it is over. */
  const wear = async (ones: readonly VitalMinute[]) => {
    for (const one of ones) {
      const atMs = clock.now()
      clock.advance(MINUTE)
      await home.store.observations.append(said(one, atMs))
      await vitals.settled()
    }
    await home.settle()
  }
  const data = async (path: string) => (await home.call('GET', path, { token: await home.again() })).body.data
  const state = (personId = 'mia') => data(`/people/${personId}/anomaly`)
  const episodes = () =>
    data('/episodes') as Promise<{ id: string; state: string; title: string; kind: string; origin: string }[]>
  return { ...home, vitals, wear, data, state, episodes }
}

/** Mia's watch as of a local midnight in Berlin (22:00 UTC in summer), four ordinary days behind her. */
export async function setup(t: TestContext, days = 4) {
  const startMs = Date.parse('2026-06-01T22:00:00Z')
  const clock = fakeClock(startMs)
  const watches: AnomalyWatch[] = []
  const home = await family(t, { clock, beside: watching(clock, watches) })
  await home.wears('watch-mia', 'mia')
  const { minutes } = drawPerson(
    { days: days + 1, quietDays: days + 1, eventsPerDay: 0, isPlain: true },
    createDraw(31_338),
  )
  const history = minutes.slice(0, days * 1440)
  clock.advance(history.length * MINUTE)
  await home.store.observations.append(history.flatMap((one, at) => said(one, startMs + at * MINUTE)))
  return { ...around(home, clock, watches[0]!), night: minutes.slice(days * 1440), startMs }
}

/** The hub as it starts on this folder at this time. */
export async function startAgain(t: TestContext, folder: string, clock: FakeClock) {
  const watches: AnomalyWatch[] = []
  const home = await open(t, { folder, clock, beside: watching(clock, watches) })
  await watches[0]!.begin()
  return around(home, clock, watches[0]!)
}

export function said(minute: VitalMinute, atMs: number): Observation[] {
  const values = [
    [HEART, minute.hr],
    ['hrv_rmssd', minute.hrv],
    ['steps', minute.steps],
  ] as const
  return values.flatMap(([metric, value]) =>
    value === null
      ? []
      : [
          {
            ...{ personId: 'mia', deviceId: 'watch-mia', metric, atMs, value, source: 'obs' },
            ...{ quality: null, extra: null },
          },
        ],
  )
}

/** Asleep, with a heart that races. */
export const racing = (minute: VitalMinute, at: number): VitalMinute => ({
  ...minute,
  hr: 118 + (at % 4),
  hrv: 30,
  steps: 0,
})
