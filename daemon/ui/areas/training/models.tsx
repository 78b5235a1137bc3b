/** Which models look through the cameras, and how a better pack gets here. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp } from '../../app.ts'
import { CopyLine, ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { Job, ListedModel, Models as Shelf } from './answers.ts'
import { useTraining } from './training.ts'

const PACK = 'training'
const HERE: ReadonlySet<string> = new Set(['bundled', 'pulled', 'imported'])
const AGAIN_MS = 1_000
const ENDED: ReadonlySet<string> = new Set(['finished', 'failed', 'cancelled'])

export function Models(): JSX.Element {
  const { api } = useApp()
  const { w } = useTraining()
  const shelf = useMemo(() => createResource(() => api.get<Shelf>('/models')), [api])
  useEffect(() => void shelf.reload(), [shelf])
  return (
    <Screen title={w('models.title')} back="/training" narrow>
      <p class="lead">{w('models.lead')}</p>
      <Show of={shelf}>
        {({ models, hint, packs, unreadable }) => (
          <>
            {hint !== null && packs.includes(PACK) && (
              <Better hint={hint} onFetched={() => void shelf.reload()} />
            )}
            <ModelList title={w('models.here')} models={models.filter(({ state }) => HERE.has(state))} />
            <ModelList title={w('models.notHere')} models={models.filter(({ state }) => !HERE.has(state))} />
            {unreadable.length > 0 && (
              <Section title={w('models.unreadable')}>
                <ul>
                  {unreadable.map((line) => (
                    <li key={line} class="small">
                      {line}
                    </li>
                  ))}
                </ul>
              </Section>
            )}
          </>
        )}
      </Show>
    </Screen>
  )
}

function ModelList({ title, models }: { title: string; models: readonly ListedModel[] }): JSX.Element | null {
  const { w } = useTraining()
  if (models.length === 0) return null
  const known = (state: string) => (['bundled', 'pulled', 'imported'] as const).find((one) => one === state)
  return (
    <Section title={title}>
      <ul class="rows">
        {models.map((model) => {
          const state = known(model.state)
          return (
            <li key={model.name} class="row">
              <span class="row-text">
                <span class="row-title">
                  {model.name} {model.version}
                </span>
                <span class="row-more">
                  <span>{state ? w(`models.${state}`) : <code>{model.state}</code>}</span>
                  {model.bytes !== null && <span>{w('models.size', { mb: megabytes(model.bytes) })}</span>}
                  {model.licence !== null && <span>{w('models.licence', { licence: model.licence })}</span>}
                </span>
              </span>
            </li>
          )
        })}
      </ul>
    </Section>
  )
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10
}

/** The button that fetches, how far it is, and what to type on a hub without internet. */
function Better({ hint, onFetched }: { hint: string; onFetched: () => void }): JSX.Element {
  const app = useApp()
  const { t, api } = app
  const { w } = useTraining()
  const job = useSignal<Job | null>(null)
  const action = useAction()
  const runs = job.value !== null && !ENDED.has(job.value.status)
  useEffect(() => {
    const id = job.value?.id
    if (!runs || id === undefined) return
    const timer = setTimeout(() => {
      // An answer that fails is asked for again: the job goes on at the hub.
      api.get<Job>(`/jobs/${encodeURIComponent(id)}`).then(
        (newer) => {
          job.value = newer
          if (ENDED.has(newer.status)) onFetched()
        },
        () => {
          job.value = job.value && { ...job.value }
        },
      )
    }, AGAIN_MS)
    return () => clearTimeout(timer)
  }, [job.value])
  const fetchPack = () =>
    action.run(async () => {
      const { job_id: id, status } = await api.post<{ job_id: string; status: string }>('/models/pull', {
        pack: PACK,
      })
      job.value = { id, status, progress: 0, stage: null, error: null }
    })
  return (
    <Section title={w('models.better')}>
      <p>{hint.replace(/:.*$/, '.')}</p>
      {isOwner(app) ? (
        <div class="form-actions better">
          <button
            type="button"
            class="button primary"
            disabled={runs || action.busy.value}
            onClick={() => void fetchPack()}
          >
            {w('models.fetch')}
          </button>
        </div>
      ) : (
        <p class="small">{w('models.ownerOnly')}</p>
      )}
      {job.value && <Progress job={job.value} />}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <p class="small">{w('models.fetchText')}</p>
      <div class="copy-lines">
        <CopyLine label={w('models.command')} value={`homefield models pull ${PACK}`} />
        <CopyLine label={w('models.offline')} value="homefield models import FILE" />
      </div>
    </Section>
  )
}

function Progress({ job }: { job: Job }): JSX.Element {
  const { w } = useTraining()
  if (job.status === 'finished')
    return (
      <Notice tone="plain" icon="check" live>
        {w('models.done')}
      </Notice>
    )
  if (ENDED.has(job.status))
    return (
      <Notice tone="alert" icon="warning" live>
        <strong>{w('models.failed')}</strong> {job.error}
      </Notice>
    )
  const words = job.stage === null ? w('models.waiting') : w('models.fetching', { name: job.stage })
  return (
    <div class="looking" role="status">
      <progress max={1} value={job.progress} aria-label={words} />
      <p>{words}</p>
    </div>
  )
}
