/** Watches over everybody's vitals with PulseNet: learns each person every night, goes on after a start, judges every minute. */
import type { PulseNet } from '../../../models/pulsenet.ts'
import { type AnomalyProfile, calibrating } from '../../../models/series/anomaly.ts'
import type { InPieces } from '../../../models/series/anomaly-expected.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { createKept } from './kept.ts'
import { type Known, LEAST_HEART_MINUTES, LEAST_MINUTES } from './known.ts'
import { type Choice, createMinutes, MINUTE_MS } from './minutes.ts'
import type { AnomalyEpisodes } from './ports.ts'
import { anomalyRoutes } from './routes.ts'
import { createVitalWatch, type Standing } from './watch.ts'
import { KIND } from './words.ts'

export interface AnomalyFeatureDeps {
  store: Pick<Store, 'observations' | 'get' | 'write'>
  clock: Clock
  log: Log
  model: PulseNet
  episodes: AnomalyEpisodes
  personIds: () => readonly string[]
  zoneOf: (personId: string) => string
}

export interface AnomalyWatch {
  feature: Feature
  /** Goes on with what is kept, as the start of the feature does; resolves when everybody is known who can be. */
  begin(): Promise<void>
  /** Learns everybody anew; resolves with how many people are judged and how many have too few minutes. */
  calibrate(
    progress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<{ judged: number; waiting: number }>
  /** Resolves when every minute that is over was judged. */
  settled(): Promise<void>
  /** The last minute in which something was judged, and how many ordinary hours of 1 hold such a minute. */
  rarityOf(personId: string): { atMs: number; p: number } | null
  stats(): { people: number; judged: number; failures: number }
}

const DAY_MS = 1440 * MINUTE_MS
const LEARN_DAYS = 14
/** So many episodes of those days are not learnt from; somebody who has more of them is often like that. */
const EPISODES_LEFT_OUT = 3
/** What precedes the first evidence, and what follows the last, belongs to an episode. */
const BEFORE_MS = 30 * MINUTE_MS
const AFTER_MS = 60 * MINUTE_MS
/** Fading means reach two hours back; before judging, a watch is given twice as much. */
const WARM_UP_MS = 240 * MINUTE_MS
/** Watches send late: a minute is judged once it has been over for so long. */
const GRACE_MS = 20_000
const LOOK_EVERY_MS = 15_000
/** A hub that slept or was off for longer does not go through the time between minute by minute: the fading means begin anew. */
const CATCH_UP_MS = 6 * 60 * MINUTE_MS
/** Where a watch stands is kept this often; the minutes since then are read again from the store. */
const KEEP_EVERY_MS = 30 * MINUTE_MS

export function createAnomalyWatch(deps: AnomalyFeatureDeps): AnomalyWatch {
  const { store, clock, log, model, episodes, zoneOf } = deps
  const minutes = createMinutes({ observations: store.observations, zoneOf })
  const kept = createKept({ store, model })
  const known = new Map<string, Known>()
  let keptAtMs = clock.now()
  const counters = { judged: 0, failures: 0 }
  let stops: (() => void)[] = []
  let isStopped = false
  let busy: Promise<unknown> = Promise.resolve()

  /** One after the other: a look in the middle of learning would judge by what is being replaced. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = busy.then(work)
    busy = done.catch(() => undefined)
    return done
  }

  async function learn(personId: string): Promise<boolean> {
    const nowMs = wholeMinute(clock.now())
    const fromMs = nowMs - LEARN_DAYS * DAY_MS
    const firstMs = await minutes.firstHeart(personId, fromMs, nowMs)
    if (firstMs === null || nowMs - firstMs < LEAST_MINUTES * MINUTE_MS) return unlearn(personId)
    const choice = await minutes.choose(personId, fromMs, nowMs)
    const all = await minutes.read(personId, fromMs, nowMs, choice)
    const first = all.findIndex(({ hr }) => hr !== null)
    const learnt = first < 0 ? [] : all.slice(first)
    const withHeart = learnt.filter(({ hr }) => hr !== null).length
    if (learnt.length < LEAST_MINUTES || withHeart < LEAST_HEART_MINUTES) return unlearn(personId)
    const profile = await inPieces(
      calibrating(model.net, learnt, ordinaryIn(personId, fromMs + first * MINUTE_MS)),
    )
    const watch = watchFrom(personId, profile, choice, nowMs - WARM_UP_MS)
    // Learnt from until now: nothing of it is told.
    await watch.take(all.slice(-WARM_UP_MS / MINUTE_MS), Number.POSITIVE_INFINITY)
    const found = { watch, profile, learntAtMs: clock.now(), learntMinutes: withHeart }
    known.set(personId, found)
    await store.write([kept.learnt(personId, found)])
    return true
  }

  async function unlearn(personId: string): Promise<false> {
    known.delete(personId)
    await store.write([kept.forget(personId)])
    return false
  }

  function watchFrom(personId: string, profile: AnomalyProfile, choice: Choice, from: number | Standing) {
    return createVitalWatch({ personId, model, profile, choice, episodes, from })
  }

  /** Goes on with what an earlier start of the hub has kept; false where there is nothing to go on with. */
  async function resume(personId: string): Promise<boolean> {
    const found = kept.read(personId)
    // Kept by a clock that was ahead: it would be silent until then.
    if (!found || found.standing.nextMs > clock.now()) return false
    const { choice, profile, standing, ...learnt } = found
    known.set(personId, { ...learnt, profile, watch: watchFrom(personId, profile, choice, standing) })
    return true
  }

  /** After a long pause: what is usual stays known, the last hours are read for the fading means and not told. */
  async function rejoin(personId: string, one: Known, toMs: number): Promise<void> {
    const fromMs = toMs - WARM_UP_MS
    const { choice } = one.watch
    const watch = watchFrom(personId, one.profile, choice, fromMs)
    await watch.take(await minutes.read(personId, fromMs, toMs, choice), Number.POSITIVE_INFINITY)
    known.set(personId, { ...one, watch })
  }

  /** By the place of a minute counted from `fromMs`. */
  function ordinaryIn(personId: string, fromMs: number): (t: number) => boolean {
    const had = episodes.since(personId, KIND, fromMs)
    if (had.length > EPISODES_LEFT_OUT) return () => true
    return (t) => {
      const atMs = fromMs + t * MINUTE_MS
      return !had.some(
        ({ startedAtMs, lastEvidenceAtMs }) =>
          atMs >= startedAtMs - BEFORE_MS && atMs <= lastEvidenceAtMs + AFTER_MS,
      )
    }
  }

  async function inPieces<Result>(work: InPieces<Result>): Promise<Result> {
    for (;;) {
      const { done, value } = work.next()
      if (done) return value
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  async function calibrate(progress = (_: number) => {}, signal?: AbortSignal) {
    const people = deps.personIds()
    for (const personId of known.keys()) if (!people.includes(personId)) known.delete(personId)
    let judged = 0
    for (const [at, personId] of people.entries()) {
      if (isStopped || signal?.aborted) break
      if (await inTurn(() => learn(personId))) judged += 1
      progress((at + 1) / people.length)
    }
    return { judged, waiting: people.length - judged }
  }

  async function judgeOne(personId: string, one: Known): Promise<void> {
    const { watch } = one
    const nowMs = clock.now()
    const toMs = wholeMinute(nowMs - GRACE_MS)
    const behindMs = toMs - watch.nextMs()
    // Behind by a long pause, or ahead because the clock was put back.
    if (behindMs > CATCH_UP_MS || behindMs < -CATCH_UP_MS) return rejoin(personId, one, toMs)
    if (behindMs <= 0) return
    await watch.take(await minutes.read(personId, watch.nextMs(), toMs, watch.choice), nowMs)
    counters.judged += 1
  }

  async function keep(): Promise<void> {
    keptAtMs = clock.now()
    if (known.size > 0) await store.write([...known].map(([personId, one]) => kept.stands(personId, one)))
  }

  /** Everybody of whom something is kept goes on; the others are learnt, one after the other. */
  async function begin(): Promise<void> {
    const people = deps.personIds()
    for (const personId of people) await inTurn(() => resume(personId))
    await inTurn(look)
    for (const personId of people) if (!isStopped && !known.has(personId)) await inTurn(() => learn(personId))
  }

  async function look(): Promise<void> {
    const people = new Set(deps.personIds())
    for (const [personId, one] of [...known]) {
      if (isStopped) return
      if (!people.has(personId)) {
        known.delete(personId)
        continue
      }
      try {
        await judgeOne(personId, one)
      } catch (cause) {
        if (isStopped) return
        counters.failures += 1
        log.warn({ cause: messageOf(cause) }, 'vitals of a minute were not judged')
      }
    }
    if (clock.now() - keptAtMs >= KEEP_EVERY_MS) await keepOrSay()
  }

  /** What is not kept is read again from the store, or learnt anew: no reason to stop. */
  function keepOrSay(): Promise<void> {
    return keep().catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'where the watch over vitals stands was not kept')
    })
  }

  return {
    begin,
    calibrate,
    settled: () => inTurn(look),
    rarityOf(personId) {
      const last = known.get(personId)?.watch.last()
      return last ? { atMs: last.atMs, p: last.step.p } : null
    },
    stats: () => ({ people: known.size, ...counters }),
    feature: {
      name: 'anomaly',
      routes: (http) => anomalyRoutes(http, { ...deps, minutes, known: (personId) => known.get(personId) }),
      start() {
        isStopped = false
        stops = [clock.every(LOOK_EVERY_MS, () => void inTurn(look))]
        begin().catch((cause: unknown) => {
          if (!isStopped) log.warn({ cause: messageOf(cause) }, 'what is usual was not learnt at the start')
        })
      },
      async stop() {
        isStopped = true
        for (const stop of stops) stop()
        await busy
        await keepOrSay()
      },
    },
  }
}

function wholeMinute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS
}
