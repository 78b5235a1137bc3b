/** What happened when: marks and times without a picture on one line, and a moment that one moves along it. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import type { Timeline } from './answers.ts'
import { clockOf, useNames, useSessionWords } from './sessions.ts'

const GAPS = ['hub_off', 'camera_away', 'camera_moved'] as const
const STEP_MS = 1_000

export interface HappenedProps {
  timeline: Timeline
  fromMs: number
  toMs: number
  moment: Signal<number>
}

export function Happened({ timeline, fromMs, toMs, moment }: HappenedProps): JSX.Element {
  const { format } = useApp()
  const w = useSessionWords()
  const id = useId()
  const { tags, gaps } = timeline
  const spanMs = Math.max(STEP_MS, toMs - fromMs)
  const share = (atMs: number) => `${Math.min(1, Math.max(0, (atMs - fromMs) / spanMs)) * 100}%`
  const written = (atMs: number) => clockOf((atMs - fromMs) / 1000)
  return (
    <div class="happened">
      <div
        class="happened-line"
        role="img"
        aria-label={w('review.timelineText', {
          ...{ tags: tags.length, gaps: gaps.length },
          span: format.span(spanMs),
        })}
      >
        {gaps.map(({ from, to, reason }) => (
          <span
            key={`${from} ${reason}`}
            class="happened-gap"
            style={{
              insetInlineStart: share(Date.parse(from)),
              inlineSize: `${((to === null ? toMs : Date.parse(to)) - Date.parse(from)) / (spanMs / 100)}%`,
            }}
          />
        ))}
        {tags.map(({ id: key, ts }) => (
          <span key={key} class="happened-tag" style={{ insetInlineStart: share(Date.parse(ts)) }} />
        ))}
        <span class="happened-now" style={{ insetInlineStart: share(moment.value) }} />
      </div>
      <label for={id} class="happened-moment">
        {w('review.moment')} <strong>{written(moment.value)}</strong>
      </label>
      <input
        id={id}
        class="moment"
        type="range"
        min={fromMs}
        max={fromMs + spanMs}
        step={STEP_MS}
        value={moment.value}
        aria-valuetext={written(moment.value)}
        onInput={(event) => {
          moment.value = Number(event.currentTarget.value)
        }}
      />
      <Moments {...{ timeline, moment, written }} />
    </div>
  )
}

type MomentsProps = Pick<HappenedProps, 'timeline' | 'moment'> & { written: (atMs: number) => string }

function Moments({ timeline: { tags, gaps }, moment, written }: MomentsProps): JSX.Element {
  const w = useSessionWords()
  const nameOf = useNames()
  if (tags.length === 0 && gaps.length === 0) return <p class="small">{w('review.noTags')}</p>
  const moments = [
    ...tags.map(({ id, label, ts, player_id: personId }) => ({
      ...{ key: id, atMs: Date.parse(ts) },
      text: personId === null ? label : `${label}, ${nameOf(personId)}`,
    })),
    ...gaps.map(({ from, to, reason }) => {
      const known = GAPS.find((one) => one === reason) ?? 'other'
      const until = to === null || to === from ? '' : ` – ${written(Date.parse(to))}`
      return { key: `${from} ${reason}`, atMs: Date.parse(from), text: `${w(`review.gap.${known}`)}${until}` }
    }),
  ].sort((a, b) => a.atMs - b.atMs)
  return (
    <ul class="rows">
      {moments.map(({ key, atMs, text }) => (
        <li key={key}>
          <button
            type="button"
            class="row row-button"
            aria-pressed={moment.value === atMs}
            onClick={() => {
              moment.value = atMs
            }}
          >
            <span class="row-text">
              <span class="row-title">{text}</span>
            </span>
            <span class="moment-time">{written(atMs)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
