/** A running session for who looks on: the picture where they may see it, else the skeletons of the players who are open to them. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { paint } from '../overlay/paint.ts'
import { type Overlay, overlayOf } from '../overlay/pose.ts'
import { useTraining } from '../training.ts'
import { isYoung } from '../viewer-look.ts'
import type { LiveMetrics } from './answers.ts'
import { useNames, useSessionWords } from './sessions.ts'
import { Stage } from './stage.tsx'

export interface OnlookerProps {
  sessionId: string
  metrics: LiveMetrics
}

export function Onlooker({ sessionId, metrics }: OnlookerProps): JSX.Element {
  const { cameras } = useTraining()
  const open = new Set(cameras.state.value.value?.map(({ id }) => id))
  const seen = metrics.cameras.filter(({ camera_id: id }) => open.has(id))
  if (seen.length > 0) return <Stage cameras={seen} tracks={metrics.tracks} />
  return <Skeletons sessionId={sessionId} playerIds={metrics.players.map(({ player_id: id }) => id)} />
}

/** How often what has grown old is taken away. */
const LOOK_AGAIN_MS = 500

function Skeletons({
  sessionId,
  playerIds,
}: {
  sessionId: string
  playerIds: readonly string[]
}): JSX.Element {
  const { following, clock } = useApp()
  const w = useSessionWords()
  const nameOf = useNames()
  const names = useRef(nameOf)
  names.current = nameOf
  const canvas = useRef<HTMLCanvasElement>(null)
  const shape = useSignal<string | null>(null)
  const isSeen = useSignal(false)
  const all = playerIds.join(' ')
  useEffect(() => {
    const newest = new Map<string, Overlay>()
    const repaint = () => {
      const young = [...newest].filter(([, overlay]) => isYoung(overlay, clock.nowMs()))
      const [latest] = young.toSorted(([, one], [, other]) => other.capturedAtMs - one.capturedAtMs)
      isSeen.value = latest !== undefined
      if (!canvas.current) return
      // Places of one camera mean nothing in the picture of another one.
      const same = young.filter(([, { cameraId }]) => cameraId === latest?.[1].cameraId)
      const who = new Map(
        same.flatMap(([id, { people }]) => people.map(({ trackId }) => [trackId, id] as const)),
      )
      if (latest) shape.value = `${latest[1].width} / ${latest[1].height}`
      paint({
        ...{ canvas: canvas.current, picture: null, boxes: true, blur: 'off' },
        overlay: latest ? { ...latest[1], people: same.flatMap(([, { people }]) => people) } : null,
        nameOf(trackId) {
          const id = who.get(trackId)
          return id === undefined ? null : names.current(id)
        },
      })
    }
    const unfollows = playerIds.map((id) =>
      following.follow(`session:${sessionId}:${id}`, {
        onEvent(event) {
          const told = overlayOf(event)
          if (!told) return
          newest.set(id, told)
          requestAnimationFrame(repaint)
        },
        onGap: () => undefined,
      }),
    )
    const timer = setInterval(repaint, LOOK_AGAIN_MS)
    return () => {
      for (const unfollow of unfollows) unfollow()
      clearInterval(timer)
    }
  }, [sessionId, all])
  return (
    <div class="viewer">
      <div class="viewer-stage" style={{ aspectRatio: shape.value ?? '16 / 9' }}>
        <canvas ref={canvas} role="img" aria-label={w('onlook.picture')} />
        {!isSeen.value && (
          <div class="viewer-words" role="status">
            <span>{w('onlook.nobody')}</span>
          </div>
        )}
      </div>
      <p class="small">{w('onlook.text')}</p>
    </div>
  )
}
