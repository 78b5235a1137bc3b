/** The calendar: what players and groups plan, judged by published guidelines, shown to other calendars. */
import type { CalendarEvent } from '../../domain/calendar.ts'
import type { Feature } from '../../domain/route.ts'
import type { Store } from '../../store/store.ts'
import { createFeeds } from './feeds.ts'
import { type CalendarParts, plannedOf } from './parts.ts'
import { type Asked, LOAD_DAYS, type RatedSession, recommend } from './recommend.ts'
import type { Recommendation } from './recommended.ts'
import { eventRoutes, shownEvent } from './routes.ts'
import { type FeedRoutesDeps, feedRoutes } from './routes-feed.ts'
import { type RecommendRoutesDeps, recommendRoutes } from './routes-recommend.ts'
import { createEventTable } from './table.ts'

export interface CalendarDeps extends Omit<CalendarParts, 'table' | 'tell'> {
  store: Pick<Store, 'all' | 'get' | 'write'>
  /** Sends a change to whoever may read the training of one of these. */
  publish: (data: object, personIds: readonly string[]) => void
  /** A user as they may ask now; null for one who is gone. */
  readerOf: FeedRoutesDeps['readerOf']
  ask: RecommendRoutesDeps['ask']
  /** Sessions that a player has rated since then. */
  ratedSince: (personId: string, fromMs: number) => readonly RatedSession[]
}

export interface Calendar {
  feature: Feature
  /** Looks for times that suit; null for a player who is gone. */
  recommend(asked: Asked): Recommendation | null
}

/** A week before and after what is asked for decides with it. */
const AROUND_MS = 8 * 86_400_000

export function createCalendar({
  store,
  publish,
  readerOf,
  ask,
  ratedSince,
  ...deps
}: CalendarDeps): Calendar {
  const tell = (action: string, event: CalendarEvent) => {
    const { personId, groupId } = event
    const about = personId === null ? deps.groups.playersOf(groupId ?? '') : [personId]
    publish({ action, event: shownEvent(event) }, about)
  }
  const parts: CalendarParts = { ...deps, table: createEventTable({ store }), tell }
  const feeds = createFeeds({ store, now: deps.now, newId: deps.newId })
  return {
    feature: {
      name: 'calendar',
      routes(http) {
        eventRoutes(http, parts)
        feedRoutes(http, { ...parts, feeds, readerOf })
        recommendRoutes(http, { ...parts, ask })
      },
    },
    recommend(asked) {
      const player = deps.person(asked.playerId)
      if (player === null) return null
      const window = { fromMs: asked.fromMs - AROUND_MS, toMs: asked.toMs + AROUND_MS }
      const nowMs = deps.now()
      const rated = ratedSince(player.id, nowMs - LOAD_DAYS * 86_400_000)
      return recommend(player, asked, { planned: plannedOf(player, window, parts), rated, nowMs })
    },
  }
}
