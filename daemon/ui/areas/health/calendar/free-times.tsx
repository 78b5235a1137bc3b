/** Asks the hub for times that suit and shows what speaks for each, with the figures that it is from. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import { ApiError } from '../../../net/api.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Empty } from '../../../parts/feedback.tsx'
import { useHealth } from '../health.ts'
import { Chips } from '../note/inputs.tsx'
import type { Kind, Reason, Recommendation, Suggestion } from './answers.ts'
import { words } from './words.ts'

export interface FreeTimesProps {
  onClose: () => void
  onTake: (startMs: number, endMs: number, kind: Kind, drills: readonly unknown[]) => void
}

const FOR = ['training', 'match', 'recovery'] as const
const LENGTHS = ['30', '45', '60', '90', '120'] as const
const HARD = ['low', 'none', 'high'] as const
const WITHIN = ['7', '14'] as const
const DAY_MS = 86_400_000
/** When the live channel is silent the job itself is asked. */
const LOOK_MS = [1000, 2000, 4000, 8000, 15_000] as const
const GUIDELINES = [
  'hours_over_age',
  'over_16h',
  'no_rest_day',
  'over_5_days',
  'under_48h_between_high',
] as const

export function FreeTimes({ onClose, onTake }: FreeTimesProps): JSX.Element {
  const { api, clock } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const action = useAction()
  const kind = useSignal<(typeof FOR)[number] | ''>('training')
  const length = useSignal<(typeof LENGTHS)[number] | ''>('60')
  const hard = useSignal<(typeof HARD)[number] | ''>('none')
  const within = useSignal<(typeof WITHIN)[number] | ''>('7')
  const found = useSignal<Recommendation | null>(null)
  const answer = useAnswer()
  return (
    <section class="day">
      <h2>{say('free.title')}</h2>
      <p class="small">{say('free.lead', { name: person.name })}</p>
      <Form
        action={action}
        submit={say('free.ask')}
        onSubmit={async () => {
          found.value = null
          const { job_id: jobId } = await api.post<{ job_id: string }>('/calendar/recommend', {
            player_id: person.id,
            event_type: kind.value,
            duration_minutes: Number(length.value),
            to: new Date(clock.nowMs() + Number(within.value) * DAY_MS).toISOString(),
            ...(hard.value === 'none' || hard.value === '' ? {} : { intensity: hard.value }),
          })
          found.value = await answer(jobId, say('free.failed'))
        }}
        aside={
          <button type="button" class="button" onClick={onClose}>
            {say('form.cancel')}
          </button>
        }
      >
        <Chips
          legend={say('free.kind')}
          value={kind}
          options={FOR.map((value) => ({ value, label: say(`kind.${value}`) }))}
        />
        <Chips
          legend={say('free.length')}
          value={length}
          options={LENGTHS.map((value) => ({ value, label: say('free.minutes', { count: value }) }))}
        />
        <Chips
          legend={say('free.hard')}
          value={hard}
          options={HARD.map((value) => ({ value, label: say(`free.hard.${value}`) }))}
        />
        <Chips
          legend={say('free.within')}
          value={within}
          options={WITHIN.map((value) => ({ value, label: say(`free.within.${value}`) }))}
        />
      </Form>
      <div aria-live="polite">
        {action.busy.value && <p class="small">{say('free.looking')}</p>}
        {found.value && <Found found={found.value} onTake={take} />}
      </div>
    </section>
  )

  function take({ start_time: start, end_time: end }: Suggestion): void {
    const drills = hard.value === 'low' || hard.value === 'high' ? [{ intensity: hard.value }] : []
    onTake(Date.parse(start), Date.parse(end), kind.value === '' ? 'training' : kind.value, drills)
  }
}

/** Waits for the word of the live channel, or asks the job now and then; gives up after half a minute. */
function useAnswer(): (jobId: string, failed: string) => Promise<Recommendation> {
  const { api, following } = useApp()
  const heard = useRef(new Map<string, Recommendation>())
  const wake = useRef<() => void>(() => undefined)
  useEffect(
    () =>
      following.follow('calendar', {
        onEvent({ type, data }) {
          if (type !== 'recommendation_ready') return
          // The hub's own event, shaped by its schema.
          const told = data as Recommendation & { job_id: string }
          heard.current.set(told.job_id, told)
          wake.current()
        },
        onGap: () => wake.current(),
      }),
    [],
  )
  return async (jobId, failed) => {
    for (const waitMs of LOOK_MS) {
      const told = heard.current.get(jobId)
      if (told) return told
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        wake.current = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      const live = heard.current.get(jobId)
      if (live) return live
      const job = await api.get<{ status: string; result: Recommendation | null }>(
        `/jobs/${encodeURIComponent(jobId)}`,
      )
      if (job.status === 'finished' && job.result !== null) return job.result
      if (job.status === 'failed' || job.status === 'cancelled') break
    }
    throw new ApiError('FAILED', failed)
  }
}

function Found({
  found,
  onTake,
}: {
  found: Recommendation
  onTake: (suggestion: Suggestion) => void
}): JSX.Element {
  const { format } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const zone = person.timezone
  const left = found.left_out.map(({ reason, times: count }) => {
    const why = GUIDELINES.find((one) => one === reason)
    return why ? say('left.guideline', { count, why: say(`why.${why}`) }) : say('left.planned', { count })
  })
  return (
    <>
      {found.suggestions.length === 0 && (
        <Empty icon="table" title={say('free.none')} text={say('free.noneText')} />
      )}
      <ul class="rows">
        {found.suggestions.map((one) => {
          const startMs = Date.parse(one.start_time)
          const when = `${format.moment(startMs, zone)}–${format.time(Date.parse(one.end_time), zone)}`
          return (
            <li key={one.start_time} class="row suggestion">
              <span class="row-text">
                <span class="row-title">{when}</span>
                {one.reasons.map((reason) => (
                  <span key={reason.code} class="row-more">
                    {reasonText(reason, startMs)}
                  </span>
                ))}
              </span>
              <button
                type="button"
                class="button compact"
                aria-label={say('free.takeAt', { when })}
                onClick={() => onTake(one)}
              >
                {say('free.take')}
              </button>
            </li>
          )
        })}
      </ul>
      {left.length > 0 && <p class="small">{say('free.left', { parts: left.join(', ') })}</p>}
    </>
  )

  function reasonText({ code, figure, from }: Reason, startMs: number): string {
    const [one, other] = from
    switch (code) {
      case 'free':
        return freeText(figure, startMs, one, other)
      case 'rest_to_nearest':
        return one?.kind === 'session'
          ? say('reason.restSession', {
              hours: figure ?? 0,
              when: one.at === null ? '' : format.moment(Date.parse(one.at), zone),
            })
          : say('reason.restEvent', { hours: figure ?? 0, title: one?.title ?? '' })
      case 'only_sport_that_day':
        return say('reason.onlySport')
      case 'school_event_that_day':
        return say('reason.school', { titles: from.map(({ title }) => title ?? '').join(', ') })
      case 'after_school_assumed':
        return say('reason.afterSchool', { time: `${figure ?? 15}:00` })
      case 'load_rising':
        return say('reason.loadRising', { ratio: figure ?? 0, count: from.length })
    }
  }

  function freeText(
    minutes: number | null,
    startMs: number,
    one?: Reason['from'][number],
    other?: Reason['from'][number],
  ) {
    if (!one) return say('reason.free')
    if (minutes !== null && other)
      return say('reason.freeBetween', {
        minutes: format.span(minutes * 60_000),
        before: one.title ?? '',
        after: other.title ?? '',
      })
    const isBefore = one.at !== null && Date.parse(one.at) < startMs
    return isBefore
      ? say('reason.freeAfter', { before: one.title ?? '' })
      : say('reason.freeBefore', { after: one.title ?? '' })
  }
}
