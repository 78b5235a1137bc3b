/** An answer of the hub that stays readable without the hub: the last one of its kind is kept, sealed, and told with its age. */
import { type Signal, signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp } from '../../app.ts'
import { ApiError } from '../../net/api.ts'
import { Empty, errorText, Failed, Notice, Skeleton } from '../../parts/feedback.tsx'
import { asApiError, createResource, type Resource } from '../../state/resource.ts'
import { useSay } from './health.ts'

export interface Kept<Value> extends Resource<Value> {
  /** When what is shown was known; null while the hub itself has just said it. */
  keptAtMs: Signal<number | null>
}

interface KeptAnswer<Value> {
  key: string
  atMs: number
  value: Value
}

/** `slot` names a place that the next answer of the same screen takes over; `key` says what exactly was asked. */
export function useKept<Value>(slot: string, key: string, fetch: () => Promise<Value>): Kept<Value> {
  const { vault, clock, session, link } = useApp()
  const kept = useMemo<Kept<Value>>(() => {
    const keptAtMs = signal<number | null>(null)
    const resource = createResource(async () => {
      try {
        // Back in touch, the sign-in is renewed first; asking before would only be refused.
        if (session.state.peek().kind !== 'signed-in') throw new ApiError('OFFLINE', '')
        const value = await fetch()
        keptAtMs.value = null
        const answer: KeptAnswer<Value> = { key, atMs: clock.nowMs(), value }
        // Nothing is kept for somebody who has just signed out, nor where the browser has no room.
        if (session.state.peek().kind === 'signed-in')
          vault.write(`health.${slot}`, answer).catch(() => undefined)
        return value
      } catch (cause) {
        const answer =
          asApiError(cause).code === 'OFFLINE' ? await vault.read<KeptAnswer<Value>>(`health.${slot}`) : null
        if (answer?.key !== key) throw cause
        keptAtMs.value = answer.atMs
        return answer.value
      }
    })
    return { ...resource, keptAtMs }
  }, [slot, key])
  const touch = `${link.state.value.kind} ${session.state.value.kind}`
  useEffect(() => {
    const { value, error, loading } = kept.state.peek()
    const isFresh = value !== null && error === null && kept.keptAtMs.peek() === null
    if (!loading && !isFresh) void kept.reload()
  }, [kept, touch])
  return kept
}

export interface KnownProps<Value> {
  of: Kept<Value>
  loading?: ComponentChildren
  children: (value: Value) => ComponentChildren
}

/** Loading, there, there from before, not shared, or failed. */
export function Known<Value>({ of, loading, children }: KnownProps<Value>): JSX.Element {
  const { t, format, clock } = useApp()
  const say = useSay()
  const { value, error } = of.state.value
  const keptAtMs = of.keptAtMs.value
  if (value !== null)
    return (
      <>
        {keptAtMs !== null && (
          <p class="holes" role="status">
            {say('kept.from', { when: format.moment(keptAtMs, undefined, clock.nowMs()) })}
          </p>
        )}
        {error !== null && (
          <Notice tone="watch" icon="warning" live>
            {errorText(t, error)}
          </Notice>
        )}
        {children(value)}
      </>
    )
  if (error === null) return <>{loading ?? <Skeleton rows={2} tall />}</>
  if (error.code === 'FORBIDDEN' || error.code === 'NOT_FOUND')
    return <Empty icon="shield" title={say('kept.notShared')} text={say('kept.notSharedText')} />
  return <Failed error={error} onRetry={() => void of.reload()} />
}
