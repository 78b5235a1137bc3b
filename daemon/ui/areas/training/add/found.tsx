/** What one look through a camera gave: its picture and what each fact means, or what went wrong and what to do. */
import type { JSX } from 'preact'
import { Notice } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import type { CameraReason, Looked } from '../answers.ts'
import { reasonText } from '../condition.tsx'
import { useTraining } from '../training.ts'
import { type Finding, findingsOf } from './probe-words.ts'

export function Found({ looked }: { looked: Extract<Looked, { ok: true }> }): JSX.Element {
  const { w } = useTraining()
  const seconds = Math.round(looked.first_frame_ms / 100) / 10
  return (
    <div class="found">
      <figure class="found-picture">
        <img src={`data:image/jpeg;base64,${looked.preview_jpeg_base64}`} alt={w('found.preview')} />
        <figcaption>{w('found.first', { seconds })}</figcaption>
      </figure>
      <ul class="findings">
        {findingsOf(w, looked.stream).map((finding) => (
          <FindingRow key={finding.name} finding={finding} />
        ))}
      </ul>
    </div>
  )
}

const ICONS = { good: 'check', do: 'warning', open: 'refresh' } as const

function FindingRow({ finding: { name, value, text, grade } }: { finding: Finding }): JSX.Element {
  return (
    <li class={`finding ${grade}`}>
      <Icon name={ICONS[grade]} size={20} />
      <div>
        <p>
          {name}: <strong>{value}</strong>
        </p>
        <p class="finding-text">{text}</p>
      </div>
    </li>
  )
}

export function Problem({ problem }: { problem: CameraReason }): JSX.Element {
  const { w } = useTraining()
  const { what, todo } = reasonText(w, problem.code)
  return (
    <Notice tone="alert" icon="warning" live>
      <strong>{what}</strong> {todo}
      <br />
      <small>{w('reason.hubSays', { message: problem.message })}</small>
    </Notice>
  )
}
