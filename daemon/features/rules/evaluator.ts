/** Judges rules while values are committed: one look-up and constant work an observation, state rebuilt from the store. */

import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import { metricNamed } from '../../domain/metric.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import { episodeKind, type Listening, memoryMs, metricOf } from '../../domain/rule.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import type { EpisodePort } from './ports.ts'
import type { RuleTable, StoredRule } from './table.ts'
import { createWatch, type Watch } from './watch.ts'

export interface EvaluatorDeps {
  store: Pick<Store, 'observations' | 'onCommitted'>
  clock: Clock
  log: Log
  table: Pick<RuleTable, 'all'>
  episodes: EpisodePort
  /** Whether the device is connected; null for one that keeps no connection. */
  isOnline: (deviceId: string) => boolean | null
  /** What the household reads glucose in. */
  glucoseUnit: () => GlucoseUnit
}

export interface Evaluator {
  /** Reads the rules and works out where each stands; resolves when all are judged live. */
  start(): Promise<void>
  stop(): void
  /** Judges the rules as they are stored now; those that have not changed keep what they remember. */
  reload(): Promise<void>
  /** Resolves when everything that was noticed until now is said. */
  settled(): Promise<void>
  stats(): EvaluatorStats
}

/** Counters from the start of the program. */
export interface EvaluatorStats {
  rules: number
  judged: number
  /** Values that were too old to say anything about now. */
  late: number
}

/** What is known of one metric of a person, and the rules about it. */
interface Series {
  watches: Watch[]
  arrivedMs: number | null
  measuredMs: number | null
  devices: Set<string>
}

const LOOK_EVERY_MS = 5000
/** A look that comes this late means that the box slept: what it missed is nobody's silence. */
const SLEPT_MS = 60_000
const PAGE_ROWS = 5000
/** As much of the past as a start reads for one rule; what a longer rule remembered before that is lost with a restart. */
const REBUILD_ROWS = 100_000
const DEVICES_KEPT = 16

export function createEvaluator(deps: EvaluatorDeps): Evaluator {
  const { store, clock, log } = deps
  const series = new Map<string, Series>()
  const watches = new Map<string, Watch>()
  const counters = { judged: 0, late: 0 }
  let sinceMs = clock.now()
  let lookedMs = clock.now()
  let stops: (() => void)[] = []
  let reloading: Promise<void> = Promise.resolve()

  function take(committed: readonly StoredObservation[]): void {
    const nowMs = clock.now()
    for (const value of committed) {
      const one = series.get(nameOf(value.personId, value.metric))
      if (!one) continue
      counters.judged += 1
      one.arrivedMs = nowMs
      if (value.atMs > (one.measuredMs ?? 0)) one.measuredMs = value.atMs
      if (one.devices.size < DEVICES_KEPT) one.devices.add(value.deviceId)
      for (const watch of one.watches) {
        if (!watch.take(value, nowMs)) counters.late += 1
        watch.look(listeningTo(one), nowMs)
      }
    }
  }

  function listeningTo({ arrivedMs, measuredMs, devices }: Series): Listening {
    const online = [...devices].map(deps.isOnline).filter((found) => found !== null)
    return { sinceMs, arrivedMs, measuredMs, offline: online.length > 0 && !online.includes(true) }
  }

  function look(): void {
    const nowMs = clock.now()
    if (Math.abs(nowMs - lookedMs) > SLEPT_MS) sinceMs = nowMs
    lookedMs = nowMs
    for (const one of series.values()) {
      for (const watch of one.watches) {
        watch.look(listeningTo(one), nowMs)
        void watch.drain()
      }
    }
  }

  async function seriesOf(personId: string, metric: string): Promise<Series> {
    const name = nameOf(personId, metric)
    const known = series.get(name)
    if (known) return known
    const made: Series = { watches: [], arrivedMs: null, measuredMs: null, devices: new Set() }
    series.set(name, made)
    const latest = await store.observations.latest(personId)
    const newest = latest.find((value) => value.metric === metric)
    if (newest) {
      made.measuredMs = Math.max(made.measuredMs ?? 0, newest.atMs)
      made.devices.add(newest.deviceId)
    }
    return made
  }

  /** The last read and the first live judgement are one step for the event loop: no value falls between them. */
  async function begin(rule: StoredRule): Promise<void> {
    const { condition } = rule.definition
    const metric = metricNamed(metricOf(condition))
    if (!metric) return
    const one = await seriesOf(rule.personId, metric.name)
    const isShared = () =>
      one.watches.some((other) => other.rule.id !== rule.id && other.kind === kind && other.isTold())
    const kind = episodeKind(condition)
    const watch = createWatch({
      ...{ rule, metric, episodes: deps.episodes, log, isShared },
      glucoseUnit: deps.glucoseUnit,
    })
    const fromMs = clock.now() - memoryMs(condition, metric)
    const values = await past(rule.personId, metric.name, fromMs)
    watch.rebuild(values, clock.now())
    one.watches.push(watch)
    watches.set(rule.id, watch)
  }

  async function past(personId: string, metric: string, fromMs: number): Promise<StoredObservation[]> {
    const found: StoredObservation[] = []
    let next: number | null = fromMs
    while (next !== null && found.length < REBUILD_ROWS) {
      const range = { personId, metric, fromMs: next, toMs: Number.MAX_SAFE_INTEGER, limit: PAGE_ROWS }
      const page = await store.observations.range(range)
      found.push(...page.points)
      next = page.nextFromMs
    }
    return found
  }

  /** Ends what a rule that is gone or has changed had opened, unless its successor is about the same thing. */
  async function retire(watch: Watch, successor: StoredRule | undefined): Promise<void> {
    const { rule, kind } = watch
    watches.delete(rule.id)
    const one = series.get(nameOf(rule.personId, metricOf(rule.definition.condition)))
    if (one) one.watches = one.watches.filter((other) => other !== watch)
    await watch.drain()
    const isSame = successor !== undefined && episodeKind(successor.definition.condition) === kind
    const known = deps.episodes.newest(rule.personId, kind)
    if (isSame || known?.originId !== rule.id || one?.watches.some((other) => other.kind === kind)) return
    const row = { kind: 'cleared', by: `rule:${rule.id}`, text: 'The rule was changed or removed.' } as const
    await deps.episodes.remark(rule.personId, kind, row, true)
  }

  async function reload(): Promise<void> {
    const wanted = new Map(
      deps.table
        .all()
        .filter(({ definition }) => definition.enabled)
        .map((rule) => [rule.id, rule]),
    )
    for (const watch of [...watches.values()]) {
      const now = wanted.get(watch.rule.id)
      if (now?.revision !== watch.rule.revision) await retire(watch, now)
    }
    for (const rule of wanted.values()) {
      if (!watches.has(rule.id)) await begin(rule)
    }
    for (const [name, one] of series) if (one.watches.length === 0) series.delete(name)
  }

  function reloadNext(): Promise<void> {
    reloading = reloading.then(reload).catch((cause: unknown) => {
      log.error({ cause: messageOf(cause) }, 'rules were not read again')
    })
    return reloading
  }

  return {
    async start() {
      sinceMs = clock.now()
      lookedMs = sinceMs
      stops = [store.onCommitted(take), clock.every(LOOK_EVERY_MS, look)]
      await reloadNext()
    },
    stop() {
      for (const stop of stops) stop()
      stops = []
    },
    reload: reloadNext,
    async settled() {
      await reloading
      await Promise.all([...watches.values()].map((watch) => watch.drain()))
    },
    stats: () => ({ rules: watches.size, ...counters }),
  }
}

function nameOf(personId: string, metric: string): string {
  return `${personId} ${metric}`
}
