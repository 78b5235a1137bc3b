/** Families, care circles and teams: owners keep them, members see their own. */
import type { Grant } from '../../domain/access.ts'
import type { Group } from '../../domain/group.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import { createRegister, type Ladder } from './register.ts'
import { groupRoutes } from './routes.ts'

export interface GroupsDeps {
  store: Store
  clock: Clock
  newId: () => string
  /** The household's zone. */
  timezone: () => string
  /** Whether an alert about this person is climbing its ladder. */
  isClimbing: (personId: string) => boolean
}

export interface Groups {
  feature: Feature
  /** Whom to tell about a person, step by step; null where no family or care group looks after them. */
  ladderFor(personId: string, nowMs: number): Ladder | null
  /** What a user may read because of the teams that they coach. */
  grantsOf(userId: string): Grant[]
  onChanged(listener: () => void): () => void
  all(): Group[]
  get(groupId: string): Group | undefined
  /** Persons who play in the team; nobody for a group that is not there. */
  playersOf(groupId: string): string[]
  /** Reads again after another part changed persons or users. */
  reload(): void
}

export function createGroups(deps: GroupsDeps): Groups {
  const register = createRegister(deps)
  return {
    ladderFor: register.ladderFor,
    grantsOf: register.grantsOf,
    onChanged: register.onChanged,
    reload: register.reload,
    all: register.all,
    get: register.get,
    playersOf: (groupId) =>
      (register.get(groupId)?.members ?? []).flatMap(({ role, person_id: personId }) =>
        role === 'player' && personId !== null ? [personId] : [],
      ),
    feature: { name: 'groups', routes: (http) => groupRoutes(http, { ...deps, register }) },
  }
}
