/** Keeps the three lanes going: one request at a time in each, patience that grows with every failure, and no end to trying. */
import { planFeed, type SyncState } from './hub-state.ts'
import type { SyncPorts } from './ports.ts'
import type { Pushed } from './push.ts'
import { isKnownKind, LANE_OF, LANES, type Lane } from './rows.ts'

export interface Lanes {
  /** Looks for work from now on; the returned function ends that. */
  start(): () => void
  /** Looks at once. */
  kick(): void
  /** Resolves when nothing is in hand. */
  settled(): Promise<void>
  /** What became of the last try of a lane. */
  last(lane: Lane): { why: string | null; nextTryMs: number | null; failures: number }
}

export interface LanesDeps extends Pick<SyncPorts, 'store' | 'clock' | 'log' | 'random' | 'told'> {
  state: Pick<SyncState, 'maxSeq'>
  push(lane: Lane): Promise<Pushed>
  stamp(): Promise<boolean>
  isOn(): boolean
}

interface Run {
  busy: Promise<void> | null
  failures: number
  dueMs: number
  why: string | null
  /** Everything up to this number was sent or needs no sending. */
  doneSeq: number
}

/** How soon a change is seen: what people must hear of leaves within a third of a second. One read of one row each time. */
const LOOK_MS = 60
const FIRST_WAIT_MS = 1000
const MOST_WAIT_MS = 5 * 60_000
/** Alerts and withdrawn consents do not wait five minutes for a network that is back. */
const MOST_WAIT_NOW_MS = 30_000
const HELD_MS = 60_000
const LATER_MS = 30_000
const LATER_AT_ONCE = 500

export function createLanes(deps: LanesDeps): Lanes {
  const { state, clock } = deps
  const runs = new Map<Lane, Run>(
    LANES.map((lane) => [lane, { busy: null, failures: 0, dueMs: 0, why: null, doneSeq: -1 }]),
  )
  let stamping: Promise<void> | null = null
  let stampedSeq = -1
  let laterMs = 0
  let isRunning = false

  async function work(lane: Lane, run: Run, seq: number): Promise<void> {
    for (;;) {
      const pushed = await deps.push(lane)
      if (pushed.kind === 'sent') {
        if (run.failures > 0) deps.log.info({ lane }, 'the cloud takes this lane again')
        run.failures = 0
        run.why = null
        deps.told()
        if (isRunning && deps.isOn()) continue
        return
      }
      if (pushed.kind === 'done') {
        run.doneSeq = seq
        return
      }
      settle(lane, run, pushed)
      return
    }
  }

  function settle(lane: Lane, run: Run, pushed: Exclude<Pushed, { kind: 'done' | 'sent' }>): void {
    run.why = pushed.why
    if (pushed.kind === 'failed') {
      if (run.failures === 0) deps.log.info({ lane, why: pushed.why }, 'the cloud could not take a batch')
      run.failures = Math.min(run.failures + 1, 30)
      run.dueMs = clock.monotonic() + (pushed.waitMs ?? patience(lane, run.failures))
    } else run.dueMs = clock.monotonic() + HELD_MS
    deps.told()
  }

  function patience(lane: Lane, failures: number): number {
    const most = lane === 'now' ? MOST_WAIT_NOW_MS : MOST_WAIT_MS
    return deps.random() * Math.min(most, FIRST_WAIT_MS * 2 ** (failures - 1))
  }

  async function broughtBack(): Promise<void> {
    const due = deps.store.all<{ kind: string; key: string }>(
      'SELECT kind, key FROM sync_later WHERE due_at <= :nowMs ORDER BY due_at LIMIT :limit',
      { nowMs: clock.now(), limit: LATER_AT_ONCE },
    )
    if (due.length === 0) return
    await deps.store.write([
      ...due.flatMap(({ kind, key }) => (isKnownKind(kind) ? planFeed(LANE_OF[kind], kind, key) : [])),
      ...due.map((params) => ({ sql: 'DELETE FROM sync_later WHERE kind = :kind AND key = :key', params })),
    ])
  }

  async function stampAll(seq: number): Promise<void> {
    while (await deps.stamp()) {
      // Some hundred edits at a time.
    }
    stampedSeq = seq
  }

  function lookSafely(): void {
    if (!isRunning) return
    try {
      look()
    } catch (cause) {
      // The database is closing.
      deps.log.info({ cause: String(cause) }, 'the feed could not be looked at')
    }
  }

  function look(): void {
    const seq = state.maxSeq()
    const nowMs = clock.monotonic()
    if (nowMs >= laterMs) {
      laterMs = nowMs + LATER_MS
      broughtBack().catch((cause: unknown) =>
        deps.log.warn({ cause: String(cause) }, 'rows that are due now wait'),
      )
    }
    if (seq !== stampedSeq) {
      // Edits get their instant also while there is no network, or while it is paused.
      stamping ??= stampAll(seq)
        .catch((cause: unknown) => deps.log.warn({ cause: String(cause) }, 'edits could not be stamped'))
        .finally(() => {
          stamping = null
          // The lane that waited for it does not wait for the next look.
          if (stampedSeq === seq) lookSafely()
        })
      if (stampedSeq < 0) return
    }
    if (!deps.isOn()) return
    for (const [lane, run] of runs) {
      if (run.busy || nowMs < run.dueMs || (run.doneSeq === seq && run.why === null)) continue
      if (lane === 'now' && stamping) continue
      run.busy = work(lane, run, seq)
        .catch((cause: unknown) => settle(lane, run, { kind: 'failed', why: String(cause), waitMs: null }))
        .finally(() => {
          run.busy = null
        })
    }
  }

  return {
    start() {
      isRunning = true
      for (const run of runs.values()) Object.assign(run, { failures: 0, dueMs: 0, why: null, doneSeq: -1 })
      stampedSeq = -1
      const stop = clock.every(LOOK_MS, lookSafely)
      return () => {
        isRunning = false
        stop()
      }
    },
    kick() {
      for (const run of runs.values()) Object.assign(run, { dueMs: 0, doneSeq: -1 })
    },
    async settled() {
      await Promise.all([...runs.values()].map(({ busy }) => busy))
      await stamping
    },
    last(lane) {
      const run = runs.get(lane)
      const waits = run !== undefined && run.dueMs > clock.monotonic()
      return {
        why: run?.why ?? null,
        failures: run?.failures ?? 0,
        nextTryMs: waits ? Math.round(run.dueMs - clock.monotonic()) : null,
      }
    },
  }
}
