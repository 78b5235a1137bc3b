/** Any two metrics of one person over the same time: both courses, one against the other with a lag, and honest figures. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import type { Latest, LevelPoint, Observations } from '../../../net/answers.ts'
import type { Api } from '../../../net/api.ts'
import { Show } from '../../../parts/feedback.tsx'
import { Select } from '../../../parts/fields.tsx'
import { createResource } from '../../../state/resource.ts'
import { useHealth } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { Courses, rangeOf, Scatter } from './plots.tsx'
import { type Mean, pairsOf, type Relation, relationOf } from './relation.ts'
import { words } from './words.ts'

const SPANS = ['7', '30', '90', '365'] as const
const HOURLY_DAYS = 30
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LAG_STEPS = 14
const PAIRS_FEW = 10
/** Below this the one says less than a tenth of what the other does. */
const WEAK = 0.3

export function Explore(): JSX.Element {
  const { api } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const latest = useMemo(() => createResource(() => api.get<Latest>(`/people/${person.id}/latest`)), [])
  useEffect(() => void latest.reload(), [])
  return (
    <>
      <p class="lead">{say('lead')}</p>
      <Show of={latest}>
        {(values) => {
          const metrics = Object.keys(values).filter((name) => typeof values[name]?.value === 'number')
          return metrics.length < 2 ? <p>{say('few')}</p> : <Chosen metrics={metrics} />
        }}
      </Show>
    </>
  )
}

function Chosen({ metrics }: { metrics: readonly string[] }): JSX.Element {
  const { api, format, clock } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const first = useSignal(metrics[0] ?? '')
  const second = useSignal(metrics[1] ?? '')
  const span = useSignal<(typeof SPANS)[number]>('7')
  const options = metrics.map((value) => ({ value, label: format.metric(value) }))
  const both = useMemo(
    () =>
      createResource(() => {
        const toMs = clock.nowMs()
        const asked = { person: person.id, fromMs: toMs - Number(span.peek()) * DAY_MS, toMs }
        const level = Number(span.peek()) > HOURLY_DAYS ? '1d' : '1h'
        return Promise.all(
          [first, second].map((metric) => means(api, { ...asked, level, metric: metric.peek() })),
        )
      }),
    [],
  )
  useEffect(() => void both.reload(), [first.value, second.value, span.value])
  return (
    <>
      <div class="form">
        <Select label={say('first')} value={first} options={options} />
        <Select label={say('second')} value={second} options={options} />
        <Select
          label={say('span')}
          value={span}
          options={SPANS.map((value) => ({ value, label: say(`span.${value}`) }))}
        />
      </div>
      <Show of={both}>
        {([a = [], b = []]) => (
          <Together
            names={[format.measured(first.value), format.measured(second.value)]}
            series={[a, b]}
            daily={Number(span.value) > HOURLY_DAYS}
          />
        )}
      </Show>
    </>
  )
}

interface TogetherProps {
  names: readonly [string, string]
  series: readonly [readonly Mean[], readonly Mean[]]
  daily: boolean
}

function Together({ names, series: [first, second], daily }: TogetherProps): JSX.Element {
  const { format } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const lag = useSignal(0)
  const pairs = pairsOf(first, second, lag.value * (daily ? DAY_MS : HOUR_MS))
  const [a, b] = names
  const table = {
    caption: say('table.caption'),
    head: [say('table.when'), a, b],
    rows: pairs.map((pair) => [
      format.moment(pair.atMs, person.timezone ?? undefined),
      round(pair.a),
      round(pair.b),
    ]),
    none: say('none'),
  }
  return (
    <>
      <p class="course-names small">
        <span class="course-a">
          {a} {reach(first)}
        </span>{' '}
        <span class="course-b">
          {b} {reach(second)}
        </span>
      </p>
      <Figure label={say('plot.label', { a, b })} table={table}>
        {(width) => <Courses a={first} b={second} width={width} />}
      </Figure>
      <Lag value={lag.value} daily={daily} onChange={(steps) => (lag.value = steps)} />
      <Figure label={say('scatter.label', { a, b, count: pairs.length })} table={table}>
        {(width) => <Scatter pairs={pairs} width={width} />}
      </Figure>
      <Figures of={relationOf(pairs)} />
    </>
  )
}

function Lag({
  value,
  daily,
  onChange,
}: {
  value: number
  daily: boolean
  onChange: (steps: number) => void
}): JSX.Element {
  const say = useWords(words)
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{say(daily ? 'lag.days' : 'lag.hours', { count: value })}</label>
      <input
        id={id}
        type="range"
        class="lag"
        min={0}
        max={LAG_STEPS}
        value={value}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </div>
  )
}

function Figures({ of }: { of: Relation }): JSX.Element {
  const say = useWords(words)
  const written = (value: number | null) => (value === null ? say('unknown') : value.toFixed(2))
  return (
    <>
      <dl class="facts">
        {(['pairs', 'pearson', 'spearman'] as const).map((name) => (
          <div key={name}>
            <dt>{say(name)}</dt>
            <dd>{name === 'pairs' ? of.pairs : written(of[name])}</dd>
          </div>
        ))}
      </dl>
      <p role="status">{say(`says.${verdictOf(of)}`)}</p>
      <p class="small">{say('cause')}</p>
    </>
  )
}

function verdictOf({ pairs, spearman }: Relation): 'few' | 'still' | 'none' | 'up' | 'down' {
  if (pairs < PAIRS_FEW) return 'few'
  if (spearman === null) return 'still'
  if (Math.abs(spearman) < WEAK) return 'none'
  return spearman > 0 ? 'up' : 'down'
}

interface Asked {
  person: string
  metric: string
  level: '1h' | '1d'
  fromMs: number
  toMs: number
}

async function means(api: Api, { person, metric, level, fromMs, toMs }: Asked): Promise<Mean[]> {
  const query = new URLSearchParams({ metric, level, from: String(fromMs), to: String(toMs) })
  const { points } = await api.get<Observations<LevelPoint>>(`/people/${person}/observations?${query}`)
  return points.map(({ ts, mean }) => ({ atMs: Date.parse(ts), value: mean }))
}

/** From the lowest to the highest value, which are the foot and the head of the drawing. */
function reach(series: readonly Mean[]): string {
  if (series.length === 0) return ''
  const [low, high] = rangeOf(series.map(({ value }) => value))
  return `${round(low)}–${round(high)}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
