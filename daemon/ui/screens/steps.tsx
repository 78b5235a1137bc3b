/** How far along a short sequence of screens one is. */
import type { JSX } from 'preact'
import { useApp } from '../app.ts'

export function Steps({ at, of }: { at: number; of: number }): JSX.Element {
  const { t } = useApp()
  return (
    <div class="steps">
      {Array.from({ length: of }, (_, index) => (
        <span key={index} class={index < at ? 'step done' : 'step'} aria-hidden="true" />
      ))}
      <span class="steps-text">{t('steps.text', { at, of })}</span>
    </div>
  )
}
