/** Players who were lost, such as in a restart of the hub, and whom somebody new in the picture may be: said with one tap. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText, Notice } from '../../../parts/feedback.tsx'
import type { SeenTrack } from './answers.ts'
import { useNames, useSessionWords } from './sessions.ts'
import { nameTrack } from './who.tsx'

export interface FoundProps {
  sessionId: string
  tracks: readonly SeenTrack[]
  onDone: () => void
}

/** More than a few at once are named in the picture. */
const MOST_ASKED = 3

export function Found({ tracks, ...rest }: FoundProps): JSX.Element {
  const asked = tracks.filter(({ player_id: id, maybe }) => id === null && maybe.length > 0)
  return (
    <>
      {asked.slice(0, MOST_ASKED).map((track) => (
        <Question key={`${track.camera_id}/${track.track_id}`} track={track} {...rest} />
      ))}
    </>
  )
}

function Question({
  track,
  sessionId,
  onDone,
}: Omit<FoundProps, 'tracks'> & { track: SeenTrack }): JSX.Element {
  const { t, api, said } = useApp()
  const w = useSessionWords()
  const nameOf = useNames()
  const action = useAction()
  const { maybe, track_id: number } = track
  const [only, ...others] = maybe
  const say = (personId: string | null) =>
    void action.run(async () => {
      said.value = await nameTrack({ api, w, nameOf }, { sessionId, track, personId })
      onDone()
    })
  const { value: error } = action.error
  const isClear = only !== undefined && others.length === 0
  return (
    <Notice tone="watch" icon="eye" live>
      <strong>
        {isClear
          ? w('found.isIt', { track: number, name: nameOf(only) })
          : w('who.titleOf', { track: number })}
      </strong>
      <br />
      {w('found.text')}
      <div class="phone-answers">
        {maybe.map((id) => (
          <button
            key={id}
            type="button"
            class={isClear ? 'button primary compact' : 'button compact'}
            disabled={action.busy.value}
            onClick={() => say(id)}
          >
            {isClear ? w('found.yes', { name: nameOf(id) }) : nameOf(id)}
          </button>
        ))}
        <button type="button" class="button compact" disabled={action.busy.value} onClick={() => say(null)}>
          {w('found.no')}
        </button>
      </div>
      {error && <ErrorLine>{errorText(t, error)}</ErrorLine>}
    </Notice>
  )
}
