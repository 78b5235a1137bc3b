/** Something that is fetched: loading, there, there but old, or failed with a reason to show. */
import { type Signal, signal } from '@preact/signals'
import { ApiError } from '../net/api.ts'

export interface Loadable<Value> {
  value: Value | null
  error: ApiError | null
  loading: boolean
}

export interface Resource<Value> {
  state: Signal<Loadable<Value>>
  /** Fetches again; what is shown stays until the answer is there. Never rejects: the failure is in the state. */
  reload(): Promise<void>
  /** Puts in a value that is known by other means (cache, a write's answer). */
  set(value: Value): void
  clear(): void
}

export function createResource<Value>(fetch: () => Promise<Value>): Resource<Value> {
  const state = signal<Loadable<Value>>({ value: null, error: null, loading: false })
  let latest = 0
  return {
    state,
    async reload() {
      const mine = ++latest
      state.value = { ...state.peek(), loading: true }
      try {
        const value = await fetch()
        if (mine === latest) state.value = { value, error: null, loading: false }
      } catch (error) {
        if (mine === latest) state.value = { ...state.peek(), error: asApiError(error), loading: false }
      }
    },
    set(value) {
      latest += 1
      state.value = { value, error: null, loading: false }
    },
    clear() {
      latest += 1
      state.value = { value: null, error: null, loading: false }
    },
  }
}

/** What is not a refusal of the hub is a fault of the app; it is shown as one instead of being lost. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError('INTERNAL', error instanceof Error ? error.message : String(error))
}
