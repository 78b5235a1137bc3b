/** The values around an episode, drawn with lines where something was done. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { metricNamed } from '../../../domain/metric.ts'
import { localDay } from '../../../domain/zone.ts'
import { useApp, useWords } from '../../app.ts'
import type { LevelPoint, Observations } from '../../net/answers.ts'
import { Show } from '../../parts/feedback.tsx'
import { Section } from '../../parts/screen.tsx'
import type { CurveProps, Pointed } from '../../screens/curve.tsx'
import { lazyPart } from '../../screens/lazy.tsx'
import { seriesOf, summaryOf } from '../../state/day-series.ts'
import { createResource } from '../../state/resource.ts'
import type { EpisodeDetail } from './answers.ts'
import { type Around, aroundOf } from './around.ts'
import { words } from './words.ts'

const Curve = lazyPart<CurveProps>(async () => (await import('../../screens/curve.tsx')).Curve)
const MINUTE_MS = 60_000

export function Vitals({ episode }: { episode: EpisodeDetail }): JSX.Element {
  const say = useWords(words)
  const around = useMemo(() => aroundOf(episode), [episode.id, episode.timeline.length])
  return (
    <Section title={say('episode.around')}>
      {around.metrics.map((metric) => (
        <Vital key={metric} personId={episode.person_id} metric={metric} around={around} />
      ))}
    </Section>
  )
}

function Vital(props: { personId: string; metric: string; around: Around }): JSX.Element {
  const { personId, metric, around } = props
  const { api } = useApp()
  const { fromMs, toMs } = around
  const points = useMemo(
    () =>
      createResource(async () => {
        const query = new URLSearchParams({
          ...{ metric, level: '1m' },
          ...{ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() },
        })
        const path = `/people/${encodeURIComponent(personId)}/observations?${query}`
        return (await api.get<Observations<LevelPoint>>(path)).points
      }),
    [personId, metric, fromMs],
  )
  useEffect(() => void points.reload(), [points])
  return <Show of={points}>{(found) => <Drawn {...props} points={found} />}</Show>
}

interface DrawnProps {
  personId: string
  metric: string
  around: Around
  points: LevelPoint[]
}

function Drawn({ personId, metric, around, points }: DrawnProps): JSX.Element {
  const { household, format, clock, zone: own } = useApp()
  const say = useWords(words)
  const pointed = useSignal<Pointed | null>(null)
  const zone = household.people.state.value.value?.find(({ id }) => id === personId)?.timezone ?? own
  const series = useMemo(() => seriesOf(points, MINUTE_MS, metricNamed(metric)?.maxGapMs ?? 0), [points])
  const sums = useMemo(() => summaryOf(points), [points])
  const { fromMs, toMs } = around
  const label = say(sums === null ? 'episode.curveNone' : 'episode.curve', {
    ...{ metric: format.metric(metric), from: format.time(fromMs, zone), to: format.time(toMs, zone) },
    ...{ low: format.value(metric, sums?.min ?? 0), high: format.value(metric, sums?.max ?? 0) },
  })
  return (
    <Curve
      metric={metric}
      series={series}
      sums={sums}
      stretch={{ day: localDay(fromMs, zone), span: 'day', fromMs, toMs, search: '' }}
      zone={zone}
      nowMs={clock.nowMs()}
      marksMs={around.marksMs}
      pointed={pointed}
      label={label}
    />
  )
}
