/** Starting a live session: which cameras look, who plays, and what there will be no metres for. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Empty, Notice, Show, Skeleton } from '../../../parts/feedback.tsx'
import { Checks, Field } from '../../../parts/fields.tsx'
import { Link } from '../../../parts/link.tsx'
import { Screen } from '../../../parts/screen.tsx'
import type { Camera } from '../answers.ts'
import type { Calibration } from '../calibration/answers.ts'
import { pathOf, useTraining } from '../training.ts'
import { type Kept, RecordChoice, recordingWish } from './record.tsx'
import { useAnswer, useSessionWords } from './sessions.ts'

export function StartSession(): JSX.Element {
  const w = useSessionWords()
  const { cameras } = useTraining()
  return (
    <Screen title={w('start.title')} back="/training/sessions" narrow>
      <Show of={cameras} loading={<Skeleton rows={3} />}>
        {(all) => {
          const able = all.filter(({ enabled, analyse }) => enabled && analyse)
          return (
            <>
              {able.length === 0 && (
                <Empty icon="camera" title={w('start.noCamera')} text={w('start.noCameraText')}>
                  <Link to="/training" class="button primary">
                    {w('start.toCameras')}
                  </Link>
                </Empty>
              )}
              <Wishes cameras={able} />
            </>
          )
        }}
      </Show>
    </Screen>
  )
}

function Wishes({ cameras }: { cameras: readonly Camera[] }): JSX.Element {
  const { api, router, household } = useApp()
  const w = useSessionWords()
  const people = household.people.state.value.value ?? []
  const title = useSignal('')
  const [first] = cameras
  const chosen = useSignal<readonly string[]>(cameras.length === 1 && first ? [first.id] : [])
  const players = useSignal<readonly string[]>([])
  const kept = useSignal<readonly Kept[]>([])
  const action = useAction()
  return (
    <Form
      action={action}
      submit={w('start.go')}
      explain={({ code }) =>
        code === 'NOT_FOUND' ? w('start.noGrant') : code === 'FORBIDDEN' ? w('record.refused') : undefined
      }
      onSubmit={async () => {
        const { session_id: id } = await api.post<{ session_id: string }>('/live/start', {
          camera_ids: chosen.value,
          player_ids: players.value,
          ...recordingWish(kept.value),
          ...(title.value.trim() !== '' && { title: title.value.trim() }),
        })
        router.go(`/training/sessions/${id}`, { replace: true })
      }}
    >
      <Field label={w('start.name')} value={title} maxLength={200} autocomplete="off" />
      {cameras.length > 0 && (
        <Checks
          legend={w('start.cameras')}
          values={chosen}
          options={cameras.map(({ id, name, status }) => ({
            value: id,
            label: name,
            text: w(status === 'online' ? 'start.isLive' : 'start.isDark'),
          }))}
        />
      )}
      {chosen.value.length === 0 && <p class="small">{w('start.byPhones')}</p>}
      {cameras
        .filter(({ id }) => chosen.value.includes(id))
        .map((camera) => (
          <CalibrationNotice key={camera.id} camera={camera} />
        ))}
      {people.length === 0 ? (
        <p class="small">{w('start.noPlayers')}</p>
      ) : (
        <div class="with-hint">
          <Checks
            legend={w('start.players')}
            values={players}
            options={people.map(({ id, name }) => ({ value: id, label: name }))}
          />
          <p class="hint">{w('start.later')}</p>
        </div>
      )}
      <RecordChoice kept={kept} />
    </Form>
  )
}

/** What is missing without metres, before anybody relies on them. */
function CalibrationNotice({ camera: { id, name } }: { camera: Camera }): JSX.Element | null {
  const w = useSessionWords()
  const { value, error } = useAnswer<Calibration>(`${pathOf(id)}/calibration`).state.value
  const isMissing = error?.code === 'NOT_FOUND'
  if (!isMissing && (value === null || value.moved_at === null)) return null
  return (
    <Notice tone="watch" icon="warning" live>
      <strong>{w(isMissing ? 'start.uncalibrated' : 'start.moved', { name })}</strong>
      <br />
      {w('start.uncalibratedText')}
      <br />
      <Link to={`/training/cameras/${id}/calibrate`} class="button compact">
        {w('start.calibrate')}
      </Link>
    </Notice>
  )
}
