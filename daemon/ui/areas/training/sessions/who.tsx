/** Asks who a person in the picture is. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { type App, useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { type SessionWords, useNames, useSessionWords } from './sessions.ts'

/** A track of one camera that somebody pointed at. */
export interface Meant {
  cameraId: string
  trackId: number
}

export interface WhoProps {
  /** Null closes the question. */
  meant: Signal<Meant | null>
  sessionId: string
  /** Players of the session come first. */
  playerIds: readonly string[]
  onDone: () => void
}

/** Says who a track is; answers what came of it in words. */
export async function nameTrack(
  { api, w, nameOf }: Pick<App, 'api'> & { w: SessionWords; nameOf: (personId: string) => string },
  said: { sessionId: string; track: { camera_id: string; track_id: number }; personId: string | null },
): Promise<string> {
  const { camera_id, track_id } = said.track
  const path = `/live/${encodeURIComponent(said.sessionId)}/assign`
  const { erased_files: erased } = await api.post<{ erased_files: number }>(path, {
    ...{ camera_id, track_id, player_id: said.personId },
  })
  if (said.personId === null) return w('who.undone', { track: track_id })
  const done = w('who.done', { track: track_id, name: nameOf(said.personId) })
  return erased > 0 ? `${done}. ${w('who.erased')}` : done
}

export function Who({ meant, sessionId, playerIds, onDone }: WhoProps): JSX.Element {
  const { t, api, said, household } = useApp()
  const w = useSessionWords()
  const nameOf = useNames()
  const dialog = useRef<HTMLDialogElement>(null)
  const action = useAction()
  const { value } = meant
  useEffect(() => {
    if (value) dialog.current?.showModal()
    else dialog.current?.close()
  }, [value])
  const others = (household.people.state.value.value ?? []).filter(({ id }) => !playerIds.includes(id))
  const choose = (personId: string | null) =>
    void action.run(async () => {
      if (!value) return
      const track = { camera_id: value.cameraId, track_id: value.trackId }
      said.value = await nameTrack({ api, w, nameOf }, { sessionId, track, personId })
      meant.value = null
      onDone()
    })
  const title = value ? w('who.titleOf', { track: value.trackId }) : w('who.title')
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-label={title}
      onClose={() => {
        meant.value = null
        action.error.value = null
      }}
    >
      <h2>{title}</h2>
      <div class="who-choices">
        {[...playerIds, ...others.map(({ id }) => id)].map((id) => (
          <button
            key={id}
            type="button"
            class="button"
            disabled={action.busy.value}
            onClick={() => choose(id)}
          >
            {nameOf(id)}
          </button>
        ))}
        <button type="button" class="button" disabled={action.busy.value} onClick={() => choose(null)}>
          {w('who.nobody')}
        </button>
      </div>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <div class="dialog-actions">
        <button type="button" class="button quiet" onClick={() => dialog.current?.close()}>
          {w('who.cancel')}
        </button>
      </div>
    </dialog>
  )
}
