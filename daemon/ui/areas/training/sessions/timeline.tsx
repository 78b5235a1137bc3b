/** What happened when: marks and times without a picture on one line, and a moment that one moves along it. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import type { Timeline } from './answers.ts'
import { clockOf, useNames, useSessionWords } from './sessions.ts'

const GAPS = ['hub_off', 'camera_away', 'camera_moved'] as const
const STEP_MS = 1_000

export interface HappenedProps {
  timeline: Timeline
  fromMs: number
  toMs: number
  moment: Signal<number>
  /** Of the session, below `/api/v1`. */
  path: string
  /** Whether marks may be taken away. */
  mayUnmark: boolean
  /** A mark was taken away. */
  onChange: () => void
}

export function Happened(props: HappenedProps): JSX.Element {
  const { timeline, fromMs, toMs, moment } = props
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
      <Moments {...props} written={written} />
    </div>
  )
}

type MomentsProps = Pick<HappenedProps, 'timeline' | 'moment' | 'path' | 'mayUnmark' | 'onChange'> & {
  written: (atMs: number) => string
}

function Moments({
  timeline: { tags, gaps },
  moment,
  written,
  path,
  mayUnmark,
  onChange,
}: MomentsProps): JSX.Element {
  const { t, api, said } = useApp()
  const action = useAction()
  const w = useSessionWords()
  const nameOf = useNames()
  if (tags.length === 0 && gaps.length === 0) return <p class="small">{w('review.noTags')}</p>
  const moments = [
    ...tags.map(({ id, label, ts, player_id: personId }) => ({
      ...{ key: id, atMs: Date.parse(ts), tag: { id, label } },
      text: personId === null ? label : `${label}, ${nameOf(personId)}`,
    })),
    ...gaps.map(({ from, to, reason }) => {
      const known = GAPS.find((one) => one === reason) ?? 'other'
      const until = to === null || to === from ? '' : ` – ${written(Date.parse(to))}`
      const text = `${w(`review.gap.${known}`)}${until}`
      return { key: `${from} ${reason}`, atMs: Date.parse(from), tag: null, text }
    }),
  ].sort((a, b) => a.atMs - b.atMs)
  const remove = ({ id, label }: { id: string; label: string }) =>
    void action.run(async () => {
      await api.remove(`${path}/tags/${encodeURIComponent(id)}`)
      said.value = w('review.unmarked', { label })
      onChange()
    })
  const { value: error } = action.error
  return (
    <>
      {error && (
        <ErrorLine>{error.code === 'FORBIDDEN' ? w('review.notYours') : errorText(t, error)}</ErrorLine>
      )}
      <ul class="rows">
        {moments.map(({ key, atMs, text, tag }) => (
          <li key={key} class="moment-row">
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
            {tag && mayUnmark && (
              <button
                type="button"
                class="icon-button"
                aria-label={w('review.unmark', { label: tag.label })}
                disabled={action.busy.value}
                onClick={() => remove(tag)}
              >
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
