/** How a camera is doing: a shape, a word, since when, and in plain words why there is no picture. */
import type { JSX } from 'preact'
import { useApp } from '../../app.ts'
import { StateMark, type StateName } from '../../parts/state-mark.tsx'
import type { Camera } from './answers.ts'
import { useTraining, type Words } from './training.ts'

const MARKS = {
  online: 'ok',
  connecting: 'watch',
  offline: 'alert',
  disabled: 'none',
} as const satisfies Record<Camera['status'], StateName>

const CODES = [
  'unreachable',
  'unauthorized',
  'not-found',
  'unsupported',
  'too-large',
  'malformed',
  'stalled',
  'ended',
] as const

export interface Reason {
  what: string
  todo: string
}

/** What a failure means and what to do about it. */
export function reasonText(w: Words, code: string): Reason {
  const known = CODES.find((one) => one === code) ?? 'other'
  return { what: w(`reason.${known}`), todo: w(`reason.${known}.do`) }
}

/** Why this camera gives no picture; null while it gives one or is about to. */
export function whyDark(w: Words, camera: Camera): Reason | null {
  const { status, kind, reason } = camera
  if (status === 'disabled') return { what: w('reason.off'), todo: w('reason.off.do') }
  if (status === 'online') return null
  if (kind === 'phone') return { what: w('reason.phone'), todo: w('reason.phone.do') }
  if (reason) return reasonText(w, reason.code)
  if (kind === 'mqtt' || kind === 'push') return { what: w('reason.waits'), todo: w('reason.waits.do') }
  return status === 'offline' ? reasonText(w, 'other') : null
}

export function Condition({ camera }: { camera: Camera }): JSX.Element {
  const { w } = useTraining()
  return <StateMark state={MARKS[camera.status]} word={w(`status.${camera.status}`)} />
}

/** Below this an age is written as now. */
const NOW_MS = 3_000

/** The age that goes with the state: of the last picture, or since when it is as it is. */
export function ConditionAge({ camera }: { camera: Camera }): JSX.Element | null {
  const { format, clock } = useApp()
  const { w } = useTraining()
  if (camera.status === 'disabled') return null
  if (camera.last_frame_at === null) return <>{w('status.noPictureYet')}</>
  const ageMs = clock.tick.value - Date.parse(camera.last_frame_at)
  return <>{ageMs < NOW_MS ? w('status.lastNow') : w('status.lastPicture', { age: format.age(ageMs) })}</>
}
