/** The calendar: what players and groups plan, judged by published guidelines, shown to other calendars. */
import type { CalendarEvent } from '../../domain/calendar.ts'
import type { Feature } from '../../domain/route.ts'
import type { Store } from '../../store/store.ts'
import { createFeeds } from './feeds.ts'
import type { CalendarParts } from './parts.ts'
import { eventRoutes, shownEvent } from './routes.ts'
import { type FeedRoutesDeps, feedRoutes } from './routes-feed.ts'
import { createEventTable } from './table.ts'

export interface CalendarDeps extends Omit<CalendarParts, 'table' | 'tell'> {
  store: Pick<Store, 'all' | 'get' | 'write'>
  /** Sends a change to whoever may read the training of one of these. */
  publish: (data: object, personIds: readonly string[]) => void
  /** A user as they may ask now; null for one who is gone. */
  readerOf: FeedRoutesDeps['readerOf']
}

export function createCalendar({ store, publish, readerOf, ...deps }: CalendarDeps): Feature {
  const tell = (action: string, event: CalendarEvent) => {
    const { personId, groupId } = event
    const about = personId === null ? deps.groups.playersOf(groupId ?? '') : [personId]
    publish({ action, event: shownEvent(event) }, about)
  }
  const parts: CalendarParts = { ...deps, table: createEventTable({ store }), tell }
  const feeds = createFeeds({ store, now: deps.now, newId: deps.newId })
  return {
    name: 'calendar',
    routes(http) {
      eventRoutes(http, parts)
      feedRoutes(http, { ...parts, feeds, readerOf })
    },
  }
}
