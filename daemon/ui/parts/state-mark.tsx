/** A state is never colour alone: a shape, a word, then a colour. */
import type { JSX } from 'preact'

export type StateName = 'ok' | 'watch' | 'alert' | 'urgent' | 'stale' | 'none'

function Shape({ state }: { state: StateName }): JSX.Element {
  switch (state) {
    case 'ok':
      return <circle cx="8" cy="8" r="5.5" />
    case 'watch':
      return <path d="M8 1.5 14.5 8 8 14.5 1.5 8Z" />
    case 'alert':
      return <path d="M8 2 15 14H1Z" />
    case 'urgent':
      return <path d="M4.5 2h7L15 8l-3.500 6h-7L1 8Z" />
    case 'stale':
      return <circle class="dotted" cx="8" cy="8" r="5.5" />
    case 'none':
      return <circle class="hollow" cx="8" cy="8" r="5.5" />
  }
}

export function StateMark({ state, word }: { state: StateName; word: string }): JSX.Element {
  return (
    <span class={`mark mark-${state}`}>
      <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <Shape state={state} />
      </svg>
      {word}
    </span>
  )
}
