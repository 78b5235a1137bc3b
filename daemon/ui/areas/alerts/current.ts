/** Keeps what a screen of this area shows as new as the hub's own knowledge. */
import { useEffect, useMemo } from 'preact/hooks'
import { type App, useApp } from '../../app.ts'
import { createResource, type Resource } from '../../state/resource.ts'
import type { AlertDetail } from './answers.ts'

/** Fetched now and after every word on an alert that `concerns` this screen. */
export function useCurrent<Value>(
  fetch: (app: App) => Promise<Value>,
  concerns: (alertId: string) => boolean,
  of: string,
): Resource<Value> {
  const app = useApp()
  const resource = useMemo(() => createResource(() => fetch(app)), [app, of])
  useEffect(() => {
    const reload = () => void resource.reload()
    reload()
    return app.following.follow('alerts', {
      onEvent({ data }) {
        // The hub's own event, shaped by its schema.
        if (concerns((data as { id: string }).id)) reload()
      },
      onGap: reload,
    })
  }, [resource])
  return resource
}

export function useAlert(id: string): Resource<AlertDetail> {
  return useCurrent(
    ({ api }) => api.get<AlertDetail>(pathOf(id)),
    (other) => other === id,
    id,
  )
}

export function pathOf(alertId: string): string {
  return `/alerts/${encodeURIComponent(alertId)}`
}

/** The name of a person whose data this user may see. */
export function nameIn({ household }: App, personId: string): string | null {
  return household.people.state.value.value?.find(({ id }) => id === personId)?.name ?? null
}
