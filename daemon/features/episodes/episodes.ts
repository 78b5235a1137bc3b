/** Episodes: what was noticed about a person, from the first evidence until somebody resolves it. */
import type { DataClass } from '../../domain/access.ts'
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { type AlertPort, type Course, createCourse } from './course.ts'
import { episodeRoutes } from './routes.ts'
import { createEpisodeTable, episodeView, type StoredEpisode } from './table.ts'

export type { Sighting } from './course.ts'

export interface EpisodesDeps {
  store: Store
  clock: Clock
  log: Log
  newId: () => string
  alerts: AlertPort
  personIds: () => readonly string[]
  nameOf: (by: string) => string | null
  zoneOf: (personId: string) => string
  /** What the household reads glucose in. */
  glucoseUnit: () => GlucoseUnit
  notify: (
    topic: string,
    type: string,
    data: unknown,
    audience: { personId: string; class: DataClass },
  ) => void
  publish: (topic: string, payload: string, options: { retain: boolean; qos: 0 | 1 }) => Promise<void>
}

export interface Episodes extends Pick<Course, 'open' | 'remark' | 'planFollow'> {
  feature: Feature
  /** The unresolved one of this kind, else the one that was resolved last. */
  newest(
    personId: string,
    kind: string,
  ): Pick<StoredEpisode, 'state' | 'severity' | 'originId' | 'resolvedAtMs'> | undefined
  /** Those with evidence at or after `fromMs`, the oldest first. */
  since(
    personId: string,
    kind: string,
    fromMs: number,
  ): readonly Pick<StoredEpisode, 'startedAtMs' | 'lastEvidenceAtMs'>[]
}

export function createEpisodes(deps: EpisodesDeps): Episodes {
  const table = createEpisodeTable(deps.store)
  const course = createCourse({ ...deps, table, onChanged: changed })

  /** Tells the app and the house; both carry the whole episode, so that the newest word is all one needs. */
  function changed(episodeId: string): void {
    const episode = table.find(episodeId)
    if (!episode) return
    const view = episodeView(episode)
    deps.notify(`person:${episode.personId}`, 'episode', view, episode)
    deps.publish('hf/out/episode', JSON.stringify(view), { retain: true, qos: 1 }).catch((cause: unknown) => {
      deps.log.warn({ episodeId, cause: messageOf(cause) }, 'the house was not told of an episode')
    })
  }

  return {
    open: course.open,
    remark: course.remark,
    planFollow: course.planFollow,
    newest: table.newest,
    since: table.since,
    feature: {
      name: 'episodes',
      routes: (http) =>
        episodeRoutes(http, { ...deps, observations: deps.store.observations, table, course }),
    },
  }
}
