/** One look through a camera before it is kept: asked for, waited for, given up, shown. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import type { Looked } from '../answers.ts'
import { useTraining } from '../training.ts'
import { Found, Problem } from './found.tsx'

/** The hub gives up before this. */
const LIMIT_MS = 60_000

export interface Look {
  state: Signal<{ kind: 'none' } | { kind: 'looking' } | { kind: 'done'; looked: Looked }>
  start(body: Record<string, string>): Promise<void>
  stop(): void
}

/** `start` throws what the hub refuses; a camera that fails is an answer. */
export function useLook(): Look {
  const { api } = useApp()
  const state = useSignal<Look['state']['value']>({ kind: 'none' })
  const asking = useRef<AbortController | null>(null)
  useEffect(() => () => asking.current?.abort(), [])
  return {
    state,
    async start(body) {
      const mine = new AbortController()
      asking.current?.abort()
      asking.current = mine
      const limit = setTimeout(() => mine.abort(), LIMIT_MS)
      state.value = { kind: 'looking' }
      try {
        const looked = await api.post<Looked>('/cameras/probe', body, { signal: mine.signal })
        if (asking.current === mine) state.value = { kind: 'done', looked }
      } catch (cause) {
        if (asking.current === mine) state.value = { kind: 'none' }
        if (!mine.signal.aborted) throw cause
      } finally {
        clearTimeout(limit)
      }
    },
    stop() {
      asking.current?.abort()
      asking.current = null
      state.value = { kind: 'none' }
    },
  }
}

export function LookResult({ look }: { look: Look }): JSX.Element | null {
  const { w } = useTraining()
  const state = look.state.value
  if (state.kind === 'none') return null
  if (state.kind === 'looking')
    return (
      <div class="looking" role="status">
        <div class="looking-bar" aria-hidden="true" />
        <p>{w('address.looking')}</p>
        <button type="button" class="button compact" onClick={look.stop}>
          {w('address.stop')}
        </button>
      </div>
    )
  return state.looked.ok ? <Found looked={state.looked} /> : <Problem problem={state.looked.problem} />
}
