/** Keeping video: the choice before and during a session, the mark that everybody sees, and why nothing is kept. */
import type { Signal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { isOwner, useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText, Notice } from '../../../parts/feedback.tsx'
import { Checks } from '../../../parts/fields.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import { useTraining } from '../training.ts'
import type { LiveMetrics, Room } from './answers.ts'
import { useAnswer, useSessionWords } from './sessions.ts'

export type Kept = 'video' | 'minors'

const GB = 1e9

/** What is to be kept; minors only where an owner asks. */
export function RecordChoice({ kept }: { kept: Signal<readonly Kept[]> }): JSX.Element {
  const app = useApp()
  const w = useSessionWords()
  const { value: room } = useAnswer<Room>('/live/recording-room').state.value
  const figures = room && {
    free: Math.floor(room.free_bytes / GB),
    kept: Math.ceil(room.kept_free_bytes / GB),
  }
  const hasVideo = kept.value.includes('video')
  return (
    <div class="with-hint">
      <Checks
        legend={w('record.title')}
        values={kept}
        options={[
          { value: 'video' as const, label: w('record.keep'), text: w('record.keepText') },
          ...(hasVideo && isOwner(app)
            ? [{ value: 'minors' as const, label: w('record.minors'), text: w('record.minorsText') }]
            : []),
        ]}
      />
      {hasVideo && !isOwner(app) && <p class="hint">{w('record.ownerOnly')}</p>}
      {room && figures && <p class="hint">{w(room.has_room ? 'record.room' : 'record.noRoom', figures)}</p>}
    </div>
  )
}

/** What the hub is asked for. */
export function recordingWish(kept: readonly Kept[]): { record: boolean; record_minors: boolean } {
  const record = kept.includes('video')
  return { record, record_minors: record && kept.includes('minors') }
}

/** The mark in the head of a running session. */
export function RecordingMark({ isOn }: { isOn: boolean }): JSX.Element {
  const w = useSessionWords()
  return isOn ? (
    <span class="recording">
      <StateMark state="urgent" word={w('live.recording')} />
    </span>
  ) : (
    <StateMark state="none" word={w('live.notRecording')} />
  )
}

export interface RecordSwitchProps {
  sessionId: string
  metrics: LiveMetrics
  onDone: () => void
}

/** Begins and ends keeping while the session runs, and says why a camera's video is not kept. */
export function RecordSwitch({ sessionId, metrics, onDone }: RecordSwitchProps): JSX.Element {
  const { t, api } = useApp()
  const w = useSessionWords()
  const { cameras } = useTraining()
  const action = useAction()
  const kept = useSignal<readonly Kept[]>([])
  const isAsked = metrics.cameras.some(({ recording }) => recording !== 'off')
  const nameOf = (id: string) => cameras.state.value.value?.find((one) => one.id === id)?.name ?? '?'
  const change = (wish: { record: boolean; record_minors: boolean }) =>
    void action.run(async () => {
      await api.post(`/live/${encodeURIComponent(sessionId)}/recording`, wish)
      kept.value = []
      onDone()
    })
  const { value: error } = action.error
  return (
    <details class="more-kpis" open={isAsked}>
      <summary>{w('record.title')}</summary>
      <div class="with-hint">
        {isAsked ? (
          <button
            type="button"
            class="button"
            disabled={action.busy.value}
            onClick={() => change({ record: false, record_minors: false })}
          >
            {w('record.stop')}
          </button>
        ) : (
          <>
            <RecordChoice kept={kept} />
            <button
              type="button"
              class="button"
              disabled={action.busy.value || !kept.value.includes('video')}
              onClick={() => change(recordingWish(kept.value))}
            >
              {w('record.start')}
            </button>
          </>
        )}
        {error && (
          <ErrorLine>{error.code === 'FORBIDDEN' ? w('record.refused') : errorText(t, error)}</ErrorLine>
        )}
        {metrics.cameras.map(({ camera_id: id, recording_reason: reason, recording_lost: lost }) => (
          <div key={id} class="troubles">
            {reason !== null && (
              <Notice tone="watch" icon="warning" live>
                {w(`record.why.${reason}`, { name: nameOf(id) })}
              </Notice>
            )}
            {lost > 0 && (
              <Notice tone="watch" icon="warning" live>
                {w('record.lost', { name: nameOf(id), count: lost })}
              </Notice>
            )}
          </div>
        ))}
      </div>
    </details>
  )
}
