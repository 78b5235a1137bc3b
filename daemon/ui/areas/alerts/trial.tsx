/** A rule tried on the past: when it would have rung, drawn over what was measured, with a list for whoever cannot see it. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { metricNamed } from '../../../domain/metric.ts'
import type { Condition } from '../../../domain/rule.ts'
import { type App, useApp, useWords } from '../../app.ts'
import type { LevelPoint, Observations } from '../../net/answers.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'
import type { Tried } from './answers.ts'
import { drawTrial, type Hour } from './trial-plot.ts'
import { words } from './words.ts'

const TRIED_MS = 14 * 86_400_000
/** Hours of fourteen days, and one that has begun. */
const HOURS_MOST = 337
const SHOWN = 5
const SIZE = { width: 640, height: 150 }

interface Found {
  tried: Tried
  hours: Hour[]
  fromMs: number
  toMs: number
}

export function Trial({ personId, condition }: { personId: string; condition: Condition }): JSX.Element {
  const app = useApp()
  const { format, zone, clock, t } = app
  const say = useWords(words)
  const action = useAction()
  const found = useSignal<Found | null>(null)
  const asked = JSON.stringify(condition)
  useEffect(() => {
    found.value = null
  }, [asked])
  const run = () =>
    action.run(async () => {
      found.value = await tryOn(app, personId, condition)
    })
  const { value } = found
  return (
    <div class="trial">
      <button type="button" class="button compact" disabled={action.busy.value} onClick={() => void run()}>
        {say('rules.test')}
      </button>
      {value !== null && (
        <div role="status">
          <p>
            <strong>{say('rules.fired', { count: value.tried.total })}</strong>{' '}
            {say('rules.firedOf', { values: value.tried.values })}
          </p>
          <Plot found={value} condition={condition} />
          <ul>
            {value.tried.firings.slice(-SHOWN).map((one) => (
              <li key={one.fired_at} class="small">
                {format.moment(Date.parse(one.fired_at), zone, clock.nowMs())}
              </li>
            ))}
          </ul>
        </div>
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </div>
  )
}

async function tryOn({ api, clock }: App, personId: string, condition: Condition): Promise<Found> {
  const toMs = clock.nowMs()
  const fromMs = toMs - TRIED_MS
  const from = new Date(fromMs).toISOString()
  const metric = metricOf(condition)
  const [tried, hours] = await Promise.all([
    api.post<Tried>('/rules/test', { person_id: personId, condition, from }),
    metricNamed(metric)?.kind === 'number' ? hoursOf() : [],
  ])
  return { tried, hours, fromMs, toMs }

  async function hoursOf(): Promise<Hour[]> {
    const query = new URLSearchParams({ metric, level: '1h', from, limit: String(HOURS_MOST) })
    const path = `/people/${encodeURIComponent(personId)}/observations?${query}`
    const { points } = await api.get<Observations<LevelPoint>>(path)
    return points.map(({ ts, min, max }) => ({ atMs: Date.parse(ts), min, max }))
  }
}

function Plot({ found, condition }: { found: Found; condition: Condition }): JSX.Element | null {
  const { format, zone } = useApp()
  const say = useWords(words)
  const { tried, hours, fromMs, toMs } = found
  const metric = metricOf(condition)
  const spans = tried.firings.map(({ fired_at: from, ended_at: to }) => ({
    fromMs: Date.parse(from),
    toMs: to === null ? toMs : Date.parse(to),
  }))
  const drawing = drawTrial(hours, spans, limitOf(condition), { fromMs, toMs, ...SIZE })
  if (drawing === null) return <p class="small">{say('rules.plotNone')}</p>
  const { strokes, limitY, low, high } = drawing
  const told = (value: number) => `${format.value(metric, value)} ${format.unit(metric)}`.trim()
  const label = say('rules.plot', {
    ...{ metric: format.metric(metric), low: told(low), high: told(high), count: tried.total },
  })
  const { width, height } = SIZE
  return (
    <figure class="trial-plot">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {drawing.spans.map((span) => (
          <rect key={span.x} class="trial-span" x={span.x} y="0" width={span.width} height={height} />
        ))}
        <path class="trial-values" d={strokes} />
        {limitY !== null && <path class="trial-limit" d={`M0 ${limitY}H${width}`} />}
      </svg>
      <figcaption class="small">
        <span>{format.moment(fromMs, zone, toMs)}</span>
        <span>
          {told(low)} – {told(high)}
        </span>
        <span>{format.time(toMs, zone)}</span>
      </figcaption>
      <p class="small">{say(limitY === null ? 'rules.plotKey' : 'rules.plotKeyLimit')}</p>
    </figure>
  )
}

function metricOf(condition: Condition): string {
  return condition.type === 'battery' ? 'battery' : condition.metric
}

function limitOf(condition: Condition): number | null {
  if (condition.type === 'battery') return condition.below_percent
  return condition.type === 'above' || condition.type === 'below' ? condition.threshold : null
}
