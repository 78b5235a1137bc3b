/** The picture of one of a session's cameras, in which people are tapped to say who they are. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { Select } from '../../../parts/fields.tsx'
import { whyDark } from '../condition.tsx'
import { useTraining } from '../training.ts'
import { Viewer } from '../viewer.tsx'
import type { SeenCamera, SeenTrack } from './answers.ts'
import { useNames, useSessionWords } from './sessions.ts'
import type { Meant } from './who.tsx'

export interface StageProps {
  /** Tells what is seen; absent: the topic of each camera. */
  topic?: string
  cameras: readonly SeenCamera[]
  /** Who is seen now. */
  tracks: readonly SeenTrack[]
  /** Absent: nobody is named here. */
  onPerson?: (person: Meant) => void
}

const liveFirst = ({ status }: SeenCamera) => (status === 'online' ? 0 : 1)

export function Stage({ topic, cameras, tracks, onPerson }: StageProps): JSX.Element {
  const w = useSessionWords()
  const training = useTraining()
  const known = training.cameras.state.value.value ?? []
  const nameOf = (id: string) => known.find((camera) => camera.id === id)?.name ?? '?'
  const [first] = cameras.toSorted((one, other) => liveFirst(one) - liveFirst(other))
  const shown = useSignal(first?.camera_id ?? '')
  const isThere = cameras.some(({ camera_id: id }) => id === shown.value)
  // Phones come and go while it runs.
  useEffect(() => {
    if (!isThere && first) shown.value = first.camera_id
  }, [isThere, first?.camera_id])
  const camera = known.find(({ id }) => id === shown.value)
  const playerName = useNames()
  const nameOfTrack = (trackId: number) => {
    const known = tracks.find((track) => track.camera_id === shown.value && track.track_id === trackId)
    return known?.player_id ? playerName(known.player_id) : null
  }
  const why = camera ? whyDark(training.w, camera) : null
  return (
    <>
      {cameras.length > 1 && (
        <Select
          label={w('live.camera')}
          value={shown}
          options={cameras.map(({ camera_id: id }) => ({ value: id, label: nameOf(id) }))}
        />
      )}
      {camera?.status === 'online' ? (
        <>
          <Viewer
            key={camera.id}
            camera={camera}
            nameOf={nameOfTrack}
            {...(topic !== undefined && { topic })}
            {...(onPerson && { onPerson: (trackId: number) => onPerson({ cameraId: camera.id, trackId }) })}
          />
          {onPerson && <p class="small">{w('live.tapPerson')}</p>}
        </>
      ) : (
        <div class="viewer dark" role="status">
          <div class="viewer-words">
            <strong>{camera ? why?.what : w('live.cameraGone')}</strong>
            {why && <span>{why.todo}</span>}
          </div>
        </div>
      )}
    </>
  )
}
