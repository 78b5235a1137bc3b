/** Rules: what a value must do before somebody is told. Kept with their versions, judged live, tried on the past. */
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { createEvaluator, type EvaluatorStats } from './evaluator.ts'
import type { EpisodePort, NearDevice } from './ports.ts'
import { ruleRoutes } from './routes.ts'
import { createRuleTable } from './table.ts'

export interface RulesDeps {
  store: Pick<Store, 'all' | 'get' | 'write' | 'observations' | 'onCommitted'>
  clock: Clock
  log: Log
  newId: () => string
  episodes: EpisodePort
  personIds: () => readonly string[]
  isGrownUp: (personId: string) => boolean
  /** Devices that the person wears. */
  wornBy: (personId: string) => readonly NearDevice[]
  /** Whether the device is connected; null for one that keeps no connection. */
  isOnline: (deviceId: string) => boolean | null
  /** What the household reads glucose in; words of rules and alerts say it so. */
  glucoseUnit: () => GlucoseUnit
}

export interface Rules {
  feature: Feature
  /** Call after people were removed. */
  reload(): Promise<void>
  /** Resolves when everything that was noticed until now is said. */
  settled(): Promise<void>
  stats(): EvaluatorStats
}

export function createRules(deps: RulesDeps): Rules {
  const table = createRuleTable(deps.store)
  const evaluator = createEvaluator({ ...deps, table })
  return {
    reload: evaluator.reload,
    settled: evaluator.settled,
    stats: evaluator.stats,
    feature: {
      name: 'rules',
      routes: (http) => ruleRoutes(http, { ...deps, table, onChanged: evaluator.reload }),
      start: evaluator.start,
      stop: evaluator.stop,
    },
  }
}
