/** Brings in a file of another app: chosen, sent, read by a job, with what came of it and what was left out. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { ApiError } from '../../../net/api.ts'
import { ErrorLine } from '../../../parts/action.tsx'
import { errorText, Show, Skeleton } from '../../../parts/feedback.tsx'
import { Select } from '../../../parts/fields.tsx'
import { LineIcon } from '../../../parts/icon.tsx'
import { Section } from '../../../parts/screen.tsx'
import { StateMark, type StateName } from '../../../parts/state-mark.tsx'
import { asApiError, createResource } from '../../../state/resource.ts'
import type { Import, JobEvent, Skipped } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { type Kept, Known, useKept } from '../kept.tsx'
import { Progress } from './progress.tsx'
import { type Upload, upload } from './upload.ts'
import { Uploaders } from './uploaders.tsx'

const KINDS = [
  'auto',
  'apple-health',
  'health-auto-export',
  'clarity',
  'libreview',
  'dexcom',
  'fit',
  'gpx',
  'tcx',
  'health-connect',
  'fitbit',
  'oura',
  'whoop',
  'nightscout',
] as const
type Kind = (typeof KINDS)[number]
const ORDERS = ['', 'DMY', 'MDY'] as const
const UPLOAD_ICON = 'M12 16V5m-4.500 4L12 4.500 16.500 9M5 15.500V19h14v-3.500'
const ENDED: ReadonlySet<string> = new Set(['finished', 'failed', 'cancelled'])

export function Imports(): JSX.Element {
  const { api, following } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const jobs = useSignal<Readonly<Record<string, JobEvent>>>({})
  const kept = useKept(`imports.${person.id}`, 'all', async () =>
    (await api.get<Import[]>('/imports?per_page=50')).filter((one) => one.person_id === person.id),
  )
  useEffect(
    () =>
      following.follow('jobs', {
        onEvent({ data }) {
          // The hub's own event, shaped by its schema.
          const job = data as JobEvent
          if (job.kind !== 'import') return
          jobs.value = { ...jobs.peek(), [job.id]: job }
          if (ENDED.has(job.status)) void kept.reload()
        },
        onGap: () => void kept.reload(),
      }),
    [kept],
  )
  return (
    <>
      <Choose onEntered={() => void kept.reload()} />
      <Section title={say('import.earlier')}>
        <Known of={kept}>
          {(imports) =>
            imports.length === 0 ? (
              <p class="small">{say('import.none')}</p>
            ) : (
              <ul class="rows">
                {imports.map((one) => (
                  <ImportRow key={one.id} entry={one} job={jobs.value[one.job_id] ?? null} of={kept} />
                ))}
              </ul>
            )
          }
        </Known>
      </Section>
      <Uploaders />
    </>
  )
}

function Choose({ onEntered }: { onEntered: () => void }): JSX.Element {
  const { t, session, said } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const kind = useSignal<Kind>('auto')
  const order = useSignal<(typeof ORDERS)[number]>('')
  const file = useSignal<File | null>(null)
  const sent = useSignal<number | null>(null)
  const error = useSignal<ApiError | null>(null)
  const running = useRef<Upload | null>(null)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => () => running.current?.abort(), [])
  return (
    <div class="day">
      <p>{say('import.lead', { name: person.name })}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <Select
          label={say('import.kind')}
          value={kind}
          options={KINDS.map((value) => ({ value, label: say(`import.kind.${value}`) }))}
          hint={say(`import.hint.${hintOf(kind.value)}`)}
        />
        {kind.value === 'libreview' && (
          <Select
            label={say('import.order')}
            value={order}
            options={ORDERS.map((value) => ({
              value,
              label: say(`import.order.${value === '' ? 'auto' : value}`),
            }))}
          />
        )}
        <label class={file.value ? 'drop has-file' : 'drop'}>
          <LineIcon path={UPLOAD_ICON} />
          <span>{file.value ? `${file.value.name} (${sizeText(file.value.size)})` : say('import.file')}</span>
          <input
            ref={input}
            class="visually-hidden"
            type="file"
            disabled={sent.value !== null}
            onChange={(event) => {
              file.value = event.currentTarget.files?.[0] ?? null
              error.value = null
            }}
          />
        </label>
        {error.value && <ErrorLine>{errorText(t, error.value)}</ErrorLine>}
        {sent.value === null ? (
          <div class="form-actions">
            <button type="submit" class="button primary" disabled={file.value === null}>
              {say('import.send')}
            </button>
          </div>
        ) : (
          <div class="sending">
            <Progress label={say('import.sending')} fraction={sent.value} />
            <button type="button" class="button compact" onClick={() => running.current?.abort()}>
              {say('import.stop')}
            </button>
          </div>
        )}
      </form>
    </div>
  )

  async function send(): Promise<void> {
    const chosen = file.peek()
    if (!chosen || sent.peek() !== null) return
    sent.value = 0
    error.value = null
    try {
      const token = await session.freshToken(false)
      if (token === null) throw new ApiError('OFFLINE', '')
      const query = new URLSearchParams({
        ...{ kind: kind.peek(), person_id: person.id, file_name: chosen.name.slice(0, 255) },
        ...(kind.peek() === 'libreview' && order.peek() !== '' ? { date_order: order.peek() } : {}),
      })
      running.current = upload({
        path: `/imports?${query}`,
        file: chosen,
        token,
        onProgress(fraction) {
          sent.value = fraction
        },
      })
      await running.current.done
      said.value = say('import.entered')
      file.value = null
      if (input.current) input.current.value = ''
      onEntered()
    } catch (cause) {
      const failed = asApiError(cause)
      if (failed.code !== 'CANCELLED') error.value = failed
    } finally {
      running.current = null
      sent.value = null
    }
  }
}

function hintOf(kind: Kind): 'apple' | 'libreview' | 'auto' | 'other' {
  if (kind === 'auto') return 'auto'
  if (kind === 'apple-health') return 'apple'
  return kind === 'libreview' ? 'libreview' : 'other'
}

function sizeText(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))} KB`
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`
}

const STATES: Readonly<Record<string, StateName>> = {
  finished: 'ok',
  failed: 'alert',
  cancelled: 'stale',
  started: 'watch',
}

interface ImportRowProps {
  entry: Import
  job: JobEvent | null
  of: Kept<Import[]>
}

function ImportRow({ entry, job, of }: ImportRowProps): JSX.Element {
  const { t, api, format, clock } = useApp()
  const say = useSay()
  const error = useSignal<ApiError | null>(null)
  const open = useSignal(false)
  // The row learns of its end a little later than the live event.
  const status =
    entry.status !== null && ENDED.has(entry.status) ? entry.status : (job?.status ?? entry.status)
  const ended = status === null || ENDED.has(status)
  const why = entry.error ?? job?.error ?? null
  return (
    <li class="row import-row">
      <span class="row-text">
        <span class="row-title">{entry.file_name ?? kindText(entry.kind)}</span>
        <span class="row-more">
          <StateMark state={STATES[status ?? ''] ?? 'none'} word={statusText(status)} />
          {format.moment(Date.parse(entry.created_at), undefined, clock.nowMs())} · {sizeText(entry.bytes)}
          {entry.kind !== 'auto' && ` · ${kindText(entry.kind)}`}
        </span>
        {!ended && (
          <Progress
            label={job?.stage?.replaceAll('_', ' ') ?? say('import.reading')}
            fraction={job?.progress ?? entry.progress ?? 0}
          />
        )}
        {ended && (
          <span class="counts">
            <Count word={say('import.accepted')} count={entry.accepted} />
            <Count word={say('import.duplicates')} count={entry.duplicates} />
            <Count word={say('import.revised')} count={entry.revised} />
            <Count word={say('import.skipped')} count={entry.skipped} />
          </span>
        )}
        {why !== null && <span class="row-more warn">{why}</span>}
        {error.value && <span class="row-more warn">{errorText(t, error.value)}</span>}
        <span class="row-buttons">
          {!ended && (
            <button type="button" class="button compact" onClick={() => void act('cancel')}>
              {say('import.stop')}
            </button>
          )}
          {(status === 'failed' || status === 'cancelled') && (
            <button type="button" class="button compact" onClick={() => void act('retry')}>
              {say('import.retry')}
            </button>
          )}
          {entry.skipped > 0 && (
            <button
              type="button"
              class="button compact"
              aria-expanded={open.value}
              onClick={() => {
                open.value = !open.value
              }}
            >
              {say(open.value ? 'import.hideSkipped' : 'import.showSkipped')}
            </button>
          )}
        </span>
        {open.value && <SkippedList importId={entry.id} />}
      </span>
    </li>
  )

  async function act(what: 'cancel' | 'retry'): Promise<void> {
    error.value = null
    try {
      await api.post(`/jobs/${encodeURIComponent(entry.job_id)}/${what}`)
      await of.reload()
    } catch (cause) {
      error.value = asApiError(cause)
    }
  }

  function kindText(kind: string): string {
    const known = KINDS.find((one) => one === kind)
    return known === undefined ? kind : say(`import.kind.${known}`)
  }

  function statusText(known: string | null): string {
    switch (known) {
      case 'finished':
      case 'failed':
      case 'cancelled':
      case 'started':
        return say(`import.status.${known}`)
      default:
        return say('import.status.waiting')
    }
  }
}

function Count({ word, count }: { word: string; count: number }): JSX.Element {
  return (
    <span>
      <strong>{count.toLocaleString()}</strong> {word}
    </span>
  )
}

/** What was left out, most of it first as the hub lists it. */
function SkippedList({ importId }: { importId: string }): JSX.Element {
  const { api } = useApp()
  const say = useSay()
  const skipped = useMemo(
    () => createResource(() => api.all<Skipped>(`/imports/${encodeURIComponent(importId)}/skipped`)),
    [importId],
  )
  useEffect(() => void skipped.reload(), [skipped])
  return (
    <Show of={skipped} loading={<Skeleton rows={1} />}>
      {(list) => (
        <table class="table">
          <caption>{say('import.skippedTable')}</caption>
          <thead>
            <tr>
              <th scope="col">{say('import.where')}</th>
              <th scope="col">{say('import.why')}</th>
              <th scope="col">{say('import.count')}</th>
            </tr>
          </thead>
          <tbody>
            {list.map(({ where, reason, count }, index) => (
              <tr key={index}>
                <th scope="row">{where}</th>
                <td>{reason}</td>
                <td>{count.toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Show>
  )
}
