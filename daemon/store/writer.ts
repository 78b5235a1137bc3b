import type { Observation, Outcome } from '../domain/observation.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import { packBatch } from './batch.ts'
import { type Call, createCalls, landed, outcomesOf, refusalsOf, resultsOf, retractedBy } from './calls.ts'
import { createCounters } from './counters.ts'
import type { OpenSeries } from './open-series.ts'
import type { Committed, FromThread, Unit } from './protocol.ts'
import type { CommitListener, RetractListener, StoreLimits, StoreStats, WriteResult } from './store.ts'
import type { Thread } from './thread.ts'
import type { UpkeepDone, UpkeepOrder } from './upkeep-order.ts'

/**
 * The queue before the writer thread. One commit is under way at a time; what queued meanwhile is the next one, with no timer
 * in between, so a slow disk makes commits larger instead of later.
 */
export interface Writer {
  append(rows: readonly Observation[]): Promise<Outcome[]>
  run(unit: Unit): Promise<WriteResult[]>
  /** Series in the writer's memory, at least as new as everything acknowledged before the call. */
  open(person: number, metric: number | null): Promise<OpenSeries[]>
  /** Packs and lets go between commits; resolves when nothing is left to do. */
  upkeep(order: UpkeepOrder): Promise<UpkeepDone>
  onCommitted(listener: CommitListener): () => void
  onRetracted(listener: RetractListener): () => void
  stats(): StoreStats
  close(): Promise<void>
}

export interface WriterDeps {
  thread: Thread
  now: () => number
  clock: Pick<Clock, 'monotonic' | 'after' | 'every'>
  limits: Pick<StoreLimits, 'queuedRows' | 'commitCalls' | 'commitRows'>
  onFailure: (cause: unknown) => void
}

/** First and longest wait before a commit that found no room is tried again; it doubles in between. */
const RETRY_FIRST_MS = 100
const RETRY_LONGEST_MS = 5000
/** With nobody calling, the thread is asked this often to store minutes and hours that are over. */
const TIDY_EVERY_MS = 30_000

interface Question<Answer> {
  resolve: (answer: Answer) => void
  reject: (cause: HubError) => void
}

export function createWriter({ thread, now, clock, limits, onFailure }: WriterDeps): Writer {
  const calls = createCalls(limits)
  const listeners = new Set<CommitListener>()
  const retractListeners = new Set<RetractListener>()
  const questions = new Map<number, Question<OpenSeries[]>>()
  const upkeeps = new Map<number, Question<UpkeepDone>>()
  const counters = createCounters()
  let asked = 0
  let underWay: Call[] | null = null
  let scheduled = false
  let retryMs = RETRY_FIRST_MS
  let cancelRetry: (() => void) | null = null
  /** Why no call is taken any more; null while open. */
  let ended: HubError | null = null
  let closing: { promise: Promise<void>; resolve: () => void } | null = null
  let closeSent = false
  const stopTidying = clock.every(TIDY_EVERY_MS, () => {
    if (!underWay) dispatch()
  })

  function enqueue(call: Call): void {
    if (ended) call.reject(ended)
    else if (calls.push(call)) schedule()
    else {
      counters.overloaded += 1
      call.reject(
        new HubError('OVERLOADED', 'The hub has more to store than it can hold. Send it again in a moment.', {
          retryAfterS: 1,
        }),
      )
    }
  }

  /**
   * Waits until the event loop has asked the sockets once more, so that what has arrived by now shares the commit: a commit
   * costs more than what is in it. The first immediate runs before that question, the second after it.
   */
  function schedule(): void {
    if (scheduled || underWay || closeSent) return
    scheduled = true
    setImmediate(() =>
      setImmediate(() => {
        scheduled = false
        if (!underWay && !closeSent) dispatch()
      }),
    )
  }

  function dispatch(): void {
    if (closing && calls.waiting === 0) {
      sendClose()
      return
    }
    underWay = calls.take()
    const works = underWay.map((call) => call.work)
    thread.post({ kind: 'commit', batch: packBatch(works, now()) })
  }

  function sendClose(): void {
    closeSent = true
    stopTidying()
    thread.post({ kind: 'close' })
  }

  function committedNow(committed: Committed): void {
    const done = underWay ?? []
    retryMs = RETRY_FIRST_MS
    counters.diskFull = false
    counters.committed(committed, done.length)
    const { observations, revised, duplicates } = landed(done, committed)
    counters.rows += observations.length
    counters.revised += revised
    counters.duplicates += duplicates
    if (observations.length > 0) tell(listeners, observations)
    const retracted = retractedBy(done, committed)
    if (retracted.length > 0) tell(retractListeners, retracted)
    answer(done, committed)
    release(done)
    if (calls.waiting > 0 || committed.more || closing) schedule()
  }

  function tell<News>(listening: ReadonlySet<(news: News) => void>, news: News): void {
    for (const listener of listening) {
      try {
        listener(news)
      } catch {
        // The rows are stored and their senders wait; a listener's fault is its own.
        counters.listenerFailures += 1
      }
    }
  }

  function answer(done: readonly Call[], committed: Committed): void {
    const refusals = refusalsOf(committed)
    const nowMs = clock.monotonic()
    let row = 0
    done.forEach((call, number) => {
      const refusal = refusals.get(number)
      counters.acknowledge.count(nowMs - call.queuedMs)
      if (refusal) {
        counters.refused += 1
        call.reject(refusal)
      } else call.settle(committed, row, number)
      if (call.work.kind === 'append') row += call.work.rows.length
    })
  }

  function release(done: readonly Call[]): void {
    calls.finished(done)
    underWay = null
  }

  /** Nothing of the commit is stored: its callers wait until it is, or until the store closes. */
  function stalledNow(full: boolean): void {
    counters.diskFull = full
    if (closing) {
      giveUp()
      return
    }
    cancelRetry = clock.after(retryMs, () => {
      cancelRetry = null
      counters.retries += 1
      thread.post({ kind: 'retry' })
    })
    retryMs = Math.min(retryMs * 2, RETRY_LONGEST_MS)
  }

  function giveUp(): void {
    cancelRetry?.()
    cancelRetry = null
    rejectAll(
      counters.diskFull
        ? new HubError('DISK_FULL', 'The disk is full, so this was not stored. Make room and send it again.')
        : new HubError('OVERLOADED', 'The database was locked, so this was not stored. Send it again.'),
    )
    sendClose()
  }

  function rejectAll(cause: HubError): void {
    for (;;) {
      const rejected = underWay ?? calls.take()
      if (rejected.length === 0 && !underWay) return
      for (const call of rejected) call.reject(cause)
      release(rejected)
    }
  }

  function failedNow(message: string): void {
    const failed = underWay ?? []
    const cause = new HubError('INTERNAL', `The store failed: ${message}.`)
    for (const call of failed) call.reject(cause)
    counters.refused += failed.length
    release(failed)
    if (calls.waiting > 0 || closing) schedule()
  }

  function died(cause: unknown): void {
    ended = new HubError('SHUTTING_DOWN', 'The store stopped working. The hub has to start again.', { cause })
    closeSent = true
    stopTidying()
    cancelRetry?.()
    rejectAll(ended)
    for (const question of questions.values()) question.reject(ended)
    questions.clear()
    endUpkeeps()
    closing?.resolve()
    onFailure(cause)
  }

  /** What was begun goes on at the next start, where it stands. */
  function endUpkeeps(): void {
    for (const upkeep of upkeeps.values()) upkeep.reject(shuttingDown())
    upkeeps.clear()
  }

  function upkept({ question, done, message }: Extract<FromThread, { kind: 'upkept' }>): void {
    counters.upkept(done)
    const asked = question === null ? undefined : upkeeps.get(question)
    if (question !== null) upkeeps.delete(question)
    if (done) asked?.resolve(done)
    else asked?.reject(new HubError('INTERNAL', `The upkeep of the store failed: ${message}.`))
  }

  function receive(message: FromThread): void {
    if (message.kind === 'committed') committedNow(message.committed)
    else if (message.kind === 'stalled') stalledNow(message.full)
    else if (message.kind === 'failed') failedNow(message.message)
    else if (message.kind === 'closed') {
      endUpkeeps()
      closing?.resolve()
    } else if (message.kind === 'upkept') upkept(message)
    else if (message.kind === 'open') {
      questions.get(message.question)?.resolve(message.series)
      questions.delete(message.question)
    }
  }

  thread.listen({ message: receive, died })

  return {
    append(rows) {
      if (rows.length === 0) return Promise.resolve([])
      return new Promise((resolve, reject) =>
        enqueue({
          work: { kind: 'append', rows },
          weight: rows.length,
          queuedMs: clock.monotonic(),
          settle: (committed, row) => resolve(outcomesOf(committed, row, rows.length)),
          reject,
        }),
      )
    },
    run: (unit) =>
      new Promise((resolve, reject) =>
        enqueue({
          work: { kind: 'unit', unit },
          weight: 1,
          queuedMs: clock.monotonic(),
          settle: (committed, _row, call) => resolve(resultsOf(committed, call)),
          reject,
        }),
      ),
    open(person, metric) {
      if (closeSent) return Promise.reject(ended ?? shuttingDown())
      asked += 1
      const question = asked
      return new Promise((resolve, reject) => {
        questions.set(question, { resolve, reject })
        thread.post({ kind: 'open', question, person, metric })
      })
    },
    upkeep(order) {
      if (closeSent) return Promise.reject(ended ?? shuttingDown())
      asked += 1
      const question = asked
      return new Promise((resolve, reject) => {
        upkeeps.set(question, { resolve, reject })
        thread.post({ kind: 'upkeep', question, order })
      })
    },
    onCommitted(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onRetracted(listener) {
      retractListeners.add(listener)
      return () => void retractListeners.delete(listener)
    },
    stats: () => counters.read(calls.weight),
    close() {
      if (closing) return closing.promise
      if (ended) return Promise.resolve()
      ended = shuttingDown()
      let resolve = () => {}
      const promise = new Promise<void>((done) => {
        resolve = done
      })
      closing = { promise, resolve }
      if (cancelRetry) giveUp()
      else schedule()
      return promise
    },
  }
}

function shuttingDown(): HubError {
  return new HubError('SHUTTING_DOWN', 'The hub is stopping. Send it again when it is back.')
}
