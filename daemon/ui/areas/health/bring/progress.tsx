/** How far something is, as a bar and in percent. */
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

export function Progress({ label, fraction }: { label: string; fraction: number }): JSX.Element {
  const id = useId()
  const percent = Math.round(100 * Math.min(1, Math.max(0, fraction)))
  return (
    <span class="progress">
      <span class="progress-words">
        <label for={id}>{label}</label>
        <span>{percent} %</span>
      </span>
      <progress id={id} max={100} value={percent} />
    </span>
  )
}
