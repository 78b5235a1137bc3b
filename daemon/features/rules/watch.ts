/** One rule at work: what it remembers of each device, and what it still has to say about its person. */
import type { Evidence } from '../../domain/episode.ts'
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import type { Metric } from '../../domain/metric.ts'
import type { Observation } from '../../domain/observation.ts'
import {
  type Condition,
  episodeKind,
  freshState,
  inWords,
  isSilent,
  type Listening,
  lateAfterMs,
  observe,
  type Point,
  type RuleState,
  type Verdict,
} from '../../domain/rule.ts'
import { type Told, toldIn } from '../../domain/unit.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { EpisodePort, RuleSighting } from './ports.ts'
import type { StoredRule } from './table.ts'

export interface WatchDeps {
  rule: StoredRule
  metric: Metric
  episodes: EpisodePort
  log: Log
  /** Whether another rule about the same thing holds: then its episode is not over when this one is. */
  isShared: () => boolean
  /** What the household reads glucose in. */
  glucoseUnit: () => GlucoseUnit
}

type Value = Pick<Observation, 'deviceId' | 'atMs' | 'value'>

export interface Watch {
  readonly rule: StoredRule
  readonly kind: string
  /** The rule holds, and whoever has to know is told or about to be. */
  isTold(): boolean
  /** Takes one value, in constant work; false when it came too late to say anything about now. */
  take(value: Value, nowMs: number): boolean
  /** Looks at the silence of its metric. */
  look(listening: Listening, nowMs: number): void
  /** Works out from stored values, ascending, where the rule stands after a start or a change. */
  rebuild(values: readonly Value[], nowMs: number): void
  /** Says what waits; what cannot be said now is tried at the next call. */
  drain(): Promise<void>
}

/** What waits to be said: at most a return, a breach and its return. */
type Step = { type: 'open'; sighting: RuleSighting; isNew: boolean } | { type: 'clear'; evidence: Evidence }

const DEVICES_MAX = 8

export function createWatch({ rule, metric, episodes, log, isShared, glucoseUnit }: WatchDeps): Watch {
  const { personId, definition } = rule
  const { condition } = definition
  const kind = episodeKind(condition)
  const devices = new Map<string, RuleState>()
  const waiting: Step[] = []
  let told = false
  let running: Promise<void> | null = null

  function stateOf(deviceId: string): RuleState {
    // Where the rule holds already, what a device says first can end it.
    const state = devices.get(deviceId) ?? { ...freshState(), firing: told }
    devices.delete(deviceId)
    devices.set(deviceId, state)
    if (devices.size > DEVICES_MAX) devices.delete(devices.keys().next().value ?? '')
    return state
  }

  /** A device that fell silent does not keep a rule up that the others say is over. */
  function holdsAt(atMs: number): boolean {
    return [...devices.values()].some(({ firing, newestMs }) => firing && atMs - newestMs <= metric.maxGapMs)
  }

  /** A breach takes the place of a return that still waits: for those outside it never was over. */
  function open(sighting: RuleSighting): void {
    if (waiting.at(-1)?.type === 'clear' && waiting.length > (running ? 1 : 0)) waiting.pop()
    else waiting.push({ type: 'open', sighting, isNew: !told })
    told = true
    void drain()
  }

  function clear(evidence: Evidence): void {
    told = false
    waiting.push({ type: 'clear', evidence })
    void drain()
  }

  function judge(verdict: Verdict, atMs: number): void {
    if (verdict === null) return
    if ('fired' in verdict) open(breach(rule, metric, verdict.fired, toldIn(metric, glucoseUnit())))
    else if (told && !holdsAt(atMs)) clear(evidenceOf(metric, verdict.cleared))
  }

  async function say(step: Step): Promise<void> {
    const known = episodes.newest(personId, kind)
    const by = `rule:${rule.id}`
    if (step.type === 'open') {
      // Somebody took care of what is over by now: this is new, and has to be told again.
      if (step.isNew && known?.state === 'acknowledged' && !isShared()) {
        await episodes.remark(personId, kind, { kind: 'cleared', by, text: null }, true)
      }
      await episodes.open({ ...step.sighting, kind })
      return
    }
    if (!known || known.state === 'resolved') return
    // An urgent one that nobody has answered stays: that it is over does not mean that nobody has to look.
    const isOver = !isShared() && (known.severity === 'warning' || known.state === 'acknowledged')
    await episodes.remark(
      personId,
      kind,
      { kind: 'cleared', by, text: null, evidence: [step.evidence] },
      isOver,
    )
  }

  async function sayAll(): Promise<void> {
    try {
      for (let step = waiting[0]; step; step = waiting[0]) {
        await say(step)
        waiting.shift()
      }
    } catch (cause) {
      // A person who is gone has nobody to be told.
      if (cause instanceof HubError && cause.code === 'NOT_FOUND') waiting.length = 0
      else log.warn({ ruleId: rule.id, cause: messageOf(cause) }, 'a rule could not speak yet')
    } finally {
      running = null
    }
  }

  function drain(): Promise<void> {
    if (waiting.length > 0) running ??= sayAll()
    return running ?? Promise.resolve()
  }

  return {
    rule,
    kind,
    isTold: () => told,
    drain,
    take(value, nowMs) {
      if (nowMs - value.atMs > lateAfterMs(metric)) return false
      judge(observe(condition, stateOf(value.deviceId), value, metric.maxGapMs), value.atMs)
      return true
    },
    look(listening, nowMs) {
      if (condition.type !== 'no_data' && condition.type !== 'stale') return
      if (isSilent(condition, listening, nowMs)) {
        if (!told) open(silence(rule, metric, listening, nowMs, toldIn(metric, glucoseUnit())))
      } else if (told && speaksAgain(condition, listening, nowMs)) {
        clear({ metric: metric.name, ts: iso(listening.measuredMs ?? nowMs), note: 'It speaks again.' })
      }
    },
    rebuild(values, nowMs) {
      const known = episodes.newest(personId, kind)
      told = known !== undefined && known.state !== 'resolved' && known.originId === rule.id
      if (isAboutSilence(condition)) return
      let last: Verdict = null
      for (const value of values)
        last = observe(condition, stateOf(value.deviceId), value, metric.maxGapMs) ?? last
      const newest = values.at(-1)
      if (!newest) return
      if (!holdsAt(newest.atMs)) {
        if (told) clear(evidenceOf(metric, newest))
        return
      }
      if (last === null || !('fired' in last)) return
      const { atMs } = last.fired
      if (known?.state === 'resolved' && (known.resolvedAtMs ?? 0) >= atMs) told = true
      else if (nowMs - newest.atMs > lateAfterMs(metric)) devices.clear()
      else open(breach(rule, metric, last.fired, toldIn(metric, glucoseUnit())))
    },
  }
}

function isAboutSilence({ type }: Condition): boolean {
  return type === 'no_data' || type === 'stale'
}

function speaksAgain(
  { type, after_seconds: afterS }: Extract<Condition, { type: 'no_data' | 'stale' }>,
  { arrivedMs, measuredMs }: Listening,
  nowMs: number,
): boolean {
  const lastMs = type === 'no_data' ? arrivedMs : measuredMs
  return lastMs !== null && nowMs - lastMs < afterS * 1000
}

function sightingOf(
  rule: StoredRule,
  metric: Metric,
  atMs: number,
  message: string,
  evidence: Evidence[],
): RuleSighting {
  const { id, personId, revision, definition } = rule
  return {
    ...{ personId, class: metric.class, severity: definition.severity, title: definition.name, message },
    ...{ origin: 'rule', originId: id, by: `rule:${id}`, atMs, evidence },
    metadata: { rule_revision: revision, condition: definition.condition },
  }
}

function breach(
  rule: StoredRule,
  metric: Metric,
  fired: Point & { sinceMs: number; expected: number },
  told: Told,
): RuleSighting {
  const { condition } = rule.definition
  const message = `${told.number(fired.value)} ${told.unit}, ${inWords(condition, told)}`
  const seen = { ...evidenceOf(metric, fired), expected: fired.expected }
  return sightingOf(rule, metric, fired.sinceMs, message, [seen])
}

function silence(
  rule: StoredRule,
  metric: Metric,
  listening: Listening,
  nowMs: number,
  told: Told,
): RuleSighting {
  const { measuredMs, offline } = listening
  const off = offline ? '; its device has signed off' : ''
  const message = `${metric.name.replaceAll('_', ' ')}: ${inWords(rule.definition.condition, told)}${off}`
  const last = measuredMs === null ? {} : { ts: iso(measuredMs) }
  const evidence = { metric: metric.name, value: null, ...last, note: message }
  return sightingOf(rule, metric, measuredMs ?? nowMs, message, [evidence])
}

function evidenceOf(metric: Metric, { atMs, value }: Point): Evidence {
  return { metric: metric.name, value, unit: metric.unit, ts: iso(atMs) }
}
