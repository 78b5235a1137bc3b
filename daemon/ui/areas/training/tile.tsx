/** One camera in the grid; its picture is fetched only while the tile is on screen and the camera runs. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../app.ts'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import type { Camera } from './answers.ts'
import { Condition, ConditionAge, whyDark } from './condition.tsx'
import type { Still, Stills } from './picture/stills.ts'
import { useTraining } from './training.ts'

const STALE_MS = 10_000

export function Tile({ camera, stills }: { camera: Camera; stills: Stills }): JSX.Element {
  const { clock } = useApp()
  const { w } = useTraining()
  const still = useSignal<Still | null>(null)
  const onScreen = useSignal(false)
  const frame = useRef<HTMLDivElement>(null)
  const isLive = camera.status === 'online'
  // The hub hands out no older picture; a device that sends one now and then stays online between them.
  const hasPicture = camera.stream?.codec !== 'landmarks'
  const isFresh = isLive && hasPicture && clock.tick.value - Date.parse(camera.last_frame_at ?? '') < STALE_MS
  useEffect(() => {
    const seen = new IntersectionObserver(([entry]) => {
      onScreen.value = entry?.isIntersecting ?? false
    })
    if (frame.current) seen.observe(frame.current)
    return () => seen.disconnect()
  }, [])
  useEffect(() => {
    if (!onScreen.value || !isFresh) return
    const unwatch = stills.watch(camera.id, (newer) => {
      still.value = newer
    })
    return () => {
      unwatch()
      still.value = null
    }
  }, [onScreen.value, isFresh, camera.id])
  const dark = whyDark(w, camera)
  return (
    <Link to={`/training/cameras/${camera.id}`} class="camera-tile">
      <div ref={frame} class="camera-picture">
        {isFresh && still.value !== null ? (
          <img src={still.value.url} alt={w('grid.picture', { name: camera.name })} />
        ) : (
          <span class="camera-dark">
            <Icon name={camera.kind === 'phone' ? 'phone' : 'camera'} size={32} />
            <span>
              {w(isFresh ? 'live.opening' : isLive && !hasPicture ? 'grid.joints' : 'grid.noPicture')}
            </span>
          </span>
        )}
      </div>
      <div class="camera-text">
        <span class="row-title">{camera.name}</span>
        <span class="row-more">
          <Condition camera={camera} />
          <span>
            {isFresh && still.value ? <StillAge still={still.value} /> : <ConditionAge camera={camera} />}
          </span>
        </span>
        {dark && <span class="camera-why">{dark.what}</span>}
      </div>
    </Link>
  )
}

function StillAge({ still }: { still: Still }): JSX.Element {
  const { format, clock } = useApp()
  const { w } = useTraining()
  const ageMs = still.capturedAtMs === null ? 0 : clock.tick.value - still.capturedAtMs
  return <>{w('grid.pictureAge', { age: format.age(ageMs) })}</>
}
