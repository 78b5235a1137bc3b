/** The words and figures round a live picture. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../app.ts'
import { errorText } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import type { Camera } from './answers.ts'
import type { Overlay } from './overlay/pose.ts'
import { type Age, ageOf, silentAfterMs } from './picture/age.ts'
import { useTraining, type Words } from './training.ts'
import { isYoung, type Watched } from './viewer-look.ts'

export function peopleText(w: Words, overlay: Overlay | null, nowMs: number): string {
  if (!isYoung(overlay, nowMs)) return w('live.noBoxes')
  return overlay.people.length === 0
    ? w('live.peopleNone')
    : w('live.people', { count: overlay.people.length })
}

/** What stands where the picture is to come, or came. */
export function SightWords({
  sight,
  onAgain,
}: {
  sight: Watched['sight']
  onAgain: () => void
}): JSX.Element | null {
  const { t, link } = useApp()
  const { w } = useTraining()
  if (sight.kind === 'showing') return null
  const isAway =
    link.state.value.kind === 'lost' || (sight.kind === 'interrupted' && sight.error?.code === 'OFFLINE')
  return (
    <div class="viewer-words" role="status">
      {sight.kind === 'opening' && <span>{w('live.opening')}</span>}
      {sight.kind === 'interrupted' && <span>{w(isAway ? 'live.hubAway' : 'live.interrupted')}</span>}
      {sight.kind === 'ended' && (
        <>
          <strong>{w('live.ended')}</strong>
          <span>{errorText(t, sight.error)}</span>
          <button type="button" class="button compact" onClick={onAgain}>
            <Icon name="refresh" size={20} />
            {w('live.again')}
          </button>
        </>
      )}
    </div>
  )
}

interface BadgesProps {
  camera: Camera
  watched: { value: Watched }
  overlay: Signal<Overlay | null>
  nowMs: Signal<number>
}

export function Badges({ camera, watched, overlay, nowMs }: BadgesProps): JSX.Element {
  const { w } = useTraining()
  const { sight, measured } = watched.value
  // Its place is kept, so that nothing jumps when the picture comes.
  if (sight.kind !== 'showing') return <div class="badges" />
  const frozenMs = measured.drawnAtMs === null ? 0 : performance.now() - measured.drawnAtMs
  return (
    <ul class="badges">
      {frozenMs > silentAfterMs(camera.stream?.fps ?? null) / 2 ? (
        <li class="badge late">{w('live.frozen', { seconds: Math.round(frozenMs / 1000) })}</li>
      ) : (
        <>
          {measured.capturedAtMs !== null && (
            <li class="badge">{pictureAge(w, ageOf(measured.capturedAtMs, nowMs.value))}</li>
          )}
          {measured.delayMs !== null && <li class="badge">{w('live.delay', { ms: measured.delayMs })}</li>}
          {measured.fps !== null && (
            <li class="badge">{w('live.fps', { fps: Math.round(measured.fps * 10) / 10 })}</li>
          )}
        </>
      )}
      {camera.analyse && overlay.value !== null && (
        <OverlayBadge overlay={overlay.value} nowMs={nowMs.value} />
      )}
      <li class="badge quiet">{w(`live.by.${sight.way}`)}</li>
    </ul>
  )
}

function OverlayBadge({ overlay, nowMs }: { overlay: Overlay; nowMs: number }): JSX.Element {
  const { w } = useTraining()
  const ageMs = nowMs - overlay.capturedAtMs
  if (!isYoung(overlay, nowMs))
    return <li class="badge late">{w('live.boxesLate', { seconds: Math.round(ageMs / 100) / 10 })}</li>
  return (
    <>
      <li class="badge">
        {overlay.people.length === 0
          ? w('live.peopleNone')
          : w('live.people', { count: overlay.people.length })}
        {overlay.ball !== null && `, ${w('live.ball')}`}
      </li>
      <li class="badge">{boxesAge(w, ageOf(overlay.capturedAtMs, nowMs))}</li>
    </>
  )
}

function pictureAge(w: Words, age: Age): string {
  return 'ms' in age ? w('live.age', age) : w('live.ageLong', age)
}

function boxesAge(w: Words, age: Age): string {
  return 'ms' in age ? w('live.boxes', age) : w('live.boxesLong', age)
}
