import { addSample, binOf, emptyBucket } from '../../models/series/rollup.ts'
import { type OpenSeries, openSeriesOf } from './open-series.ts'
import {
  addToQuarter,
  type DueHour,
  draftOf,
  emptyDraft,
  isLate,
  isLateHour,
  minuteName,
  type OpenMinute,
  type Series,
  uncountAll,
} from './rollup-draft.ts'
import {
  HOUR_MS,
  hourName,
  MINUTE_MS,
  type PlacedBucket,
  quantumOf,
  type SeriesHour,
  type SeriesKeys,
  scaledValue,
  seriesName,
  startOf,
} from './rollup-rows.ts'
import type { RollupTables } from './rollup-tables.ts'

/**
 * Keeps the roll-ups current with the rows of each commit. The newest minute of a series grows in memory and is stored when
 * the series or the clock leaves it; late and corrected rows remake their minute from the raw rows in the same transaction.
 * Quarters, hours and days follow from the minutes when an hour is over; until then the hour stands in `rollup_pending`, so
 * that nothing depends on memory surviving.
 */
export interface Rollups {
  /** A row was inserted. */
  add(series: SeriesKeys, atMs: number, value: number): void
  /** The value of a row was replaced. */
  change(series: SeriesKeys, atMs: number): void
  /** A row was taken out. */
  remove(series: SeriesKeys, atMs: number): void
  /** Rows may have changed behind the roll-ups: minutes in memory are read again from the raw rows. */
  distrust(): void
  /** Stores what is due, before COMMIT. */
  settle(nowMs: number): void
  /** Stores everything, before the last COMMIT. */
  settleAll(): void
  committed(): void
  rolledBack(): void
  open(person: number, metric: number | null): OpenSeries[]
  /** Series in memory. */
  readonly openCount: number
  /** Finished hours that wait for a later commit, because one commit stores only so many. */
  readonly dueCount: number
}

export interface RollupLimits {
  /** Series kept in memory; beyond it the one that was silent longest is stored and dropped. */
  openSeries: number
  /** Finished hours that one commit stores beside one for each row that it inserts: a bulk of old rows leaves no bulk of hours. */
  hoursPerCommit: number
  /** Finished hours that may wait; beyond it a commit stores more. */
  dueHours: number
}

export const ROLLUP_LIMITS: RollupLimits = { openSeries: 4096, hoursPerCommit: 16, dueHours: 4096 }

/** A minute stays open this long after its end, so that a row which travels a little late is no late row. */
const GRACE_MS = 15_000
const SWEEP_EVERY_MS = 10_000

export function createRollups(tables: RollupTables, limits: RollupLimits): Rollups {
  /** Least recently committed first. */
  const open = new Map<string, Series>()
  const due = new Map<string, DueHour>()
  const pending = new Set<string>()
  let draft = emptyDraft()
  let sweptMs = Number.NEGATIVE_INFINITY
  let sweepMs = sweptMs

  function current(name: string): Series | undefined {
    return draft.series.get(name) ?? (draft.dropped.has(name) ? undefined : open.get(name))
  }

  function isDue(name: string): boolean {
    return !draft.dueDone.has(name) && (draft.dueAdded.has(name) || due.has(name))
  }

  /** Series in memory as the transaction sees them, least recently committed first. */
  function names(): Set<string> {
    const all = new Set([...open.keys(), ...draft.series.keys()])
    for (const name of draft.dropped) all.delete(name)
    return all
  }

  /** The transaction's own copy of a series; `withBucket` when samples will be added to it. */
  function edit(name: string, keys: SeriesKeys, withBucket: boolean): Series {
    const known = draft.series.get(name)
    if (known) return known
    const base = current(name)
    const series: Series = base ? draftOf(base, withBucket) : loaded(keys)
    draft.series.set(name, series)
    draft.dropped.delete(name)
    return series
  }

  function loaded({ person, metric, device }: SeriesKeys): Series {
    const keys = { person, metric, device }
    let lastMs = tables.newestAt(keys) ?? Number.NEGATIVE_INFINITY
    // Days do not know yet what lies in an hour that waits to be stored.
    for (const hour of [...due.values(), ...draft.dueAdded.values()]) {
      if (hour.person === person && hour.metric === metric && hour.device === device)
        lastMs = Math.max(lastMs, tables.newestInHour(hour) ?? lastMs)
    }
    return { ...keys, lastMs, minute: null, hour: null, quarters: null, ownsQuarter: false }
  }

  function add(keys: SeriesKeys, atMs: number, value: number): void {
    const series = edit(seriesName(keys), keys, true)
    draft.rows += 1
    if (atMs <= series.lastMs) {
      slipIn(series, atMs)
      return
    }
    const startMs = startOf(atMs, MINUTE_MS)
    if (series.minute?.startMs !== startMs) openMinute(series, startMs)
    series.lastMs = atMs
    if (series.minute && !series.minute.stale) {
      const [scaled, quantum] = [scaledValue(series.metric, value), quantumOf(series.metric)]
      series.minute.rev += 1
      addSample(series.minute.bucket, atMs, scaled, quantum)
      draft.countedIn.push(series.minute.bucket.bins)
      draft.countedBins.push(binOf(scaled, quantum))
    }
  }

  function openMinute(series: Series, startMs: number): void {
    closeMinute(series)
    const hour = startOf(startMs, HOUR_MS)
    if (series.hour !== hour) {
      if (series.hour !== null) addDue({ ...series, hour: series.hour }, series.quarters)
      series.hour = hour
      // Nothing of the hour is stored when all that the series has lies before it.
      series.quarters = series.lastMs < hour && !isLateHour(draft, { ...series, hour }) ? [] : null
      touch({ ...series, hour })
    }
    series.minute =
      startMs === startOf(series.lastMs, MINUTE_MS)
        ? resumed(series, startMs)
        : { startMs, rev: 0, bucket: emptyBucket(), stale: isLate(draft, series, startMs) }
  }

  /** The stored minute of the newest sample grows on, for instance after a restart. */
  function resumed(series: Series, startMs: number): OpenMinute {
    const stored = tables.minute(series, startMs)
    const stale = stored === null || isLate(draft, series, startMs)
    // It counted when it was closed.
    series.quarters = null
    return { startMs, rev: stored?.rev ?? 0, bucket: stored?.bucket ?? emptyBucket(), stale }
  }

  function closeMinute(series: Series): void {
    const { minute } = series
    if (!minute) return
    if (minute.stale) {
      addLate(series, minute.startMs)
      series.quarters = null
    } else {
      draft.closed.push({ series, startMs: minute.startMs, bucket: minute.bucket, rev: minute.rev })
      addToQuarter(series, minute)
    }
    series.minute = null
  }

  function slipIn(series: Series, atMs: number): void {
    const startMs = startOf(atMs, MINUTE_MS)
    if (series.hour === startOf(startMs, HOUR_MS)) series.quarters = null
    if (series.minute?.startMs === startMs) series.minute.stale = true
    else addLate(series, startMs)
  }

  function addLate(keys: SeriesKeys, startMs: number): void {
    draft.late.set(minuteName(keys, startMs), { series: keys, startMs })
    draft.lateHours.add(hourName({ ...keys, hour: startOf(startMs, HOUR_MS) }))
  }

  function touch({ person, metric, device, hour }: SeriesHour): void {
    const keys = { person, metric, device, hour }
    draft.touched.set(hourName(keys), keys)
  }

  /** Without `quarters` the hour is put together from its stored minutes. */
  function addDue(
    { person, metric, device, hour }: SeriesHour,
    quarters: readonly PlacedBucket[] | null = null,
  ): void {
    const keys = { person, metric, device, hour }
    draft.dueAdded.set(hourName(keys), { ...keys, quarters })
    draft.dueDone.delete(hourName(keys))
    touch(keys)
  }

  function storeClosedMinutes(): void {
    for (const { series, startMs, bucket, rev } of draft.closed)
      tables.writeMinute(series, startMs, bucket, rev)
    draft.closed = []
  }

  /** Buckets that nothing is left of must go at once: a reader pages by the buckets that are stored. */
  function dropMinute({ person, metric, device }: SeriesKeys, startMs: number): void {
    const keys = { person, metric, device }
    tables.dropMinute(keys, startMs)
    const hour = { ...keys, hour: startOf(startMs, HOUR_MS) }
    draft.emptied.set(hourName(hour), hour)
  }

  function storeEmptiedHours(): void {
    tables.writeHours([...draft.emptied.values()])
    draft.emptied.clear()
  }

  function storeLateMinutes(): void {
    for (const { series, startMs } of draft.late.values()) {
      const bucket = tables.minuteFromRaw(series, startMs)
      if (bucket === null) continue
      if (bucket.n === 0) dropMinute(series, startMs)
      else tables.writeMinute(series, startMs, bucket, 1)
      const hour = startOf(startMs, HOUR_MS)
      if (current(seriesName(series))?.hour !== hour) addDue({ ...series, hour })
    }
    draft.late.clear()
  }

  function refreshStaleMinutes(): void {
    for (const [name, series] of draft.series) {
      const { minute } = series
      if (!minute?.stale) continue
      const bucket = tables.minuteFromRaw(series, minute.startMs)
      if (bucket === null) {
        forget(name, series)
      } else if (bucket.n > 0) {
        series.minute = { ...minute, bucket, rev: minute.rev + 1, stale: false }
        series.lastMs = bucket.lastAt
      } else {
        dropMinute(series, minute.startMs)
        forget(name, series)
      }
    }
  }

  /** The rows may be gone, hence also what we believed to be the newest sample: the next row loads the series anew. */
  function forget(name: string, series: Series): void {
    if (series.hour !== null) addDue({ ...series, hour: series.hour })
    draft.series.delete(name)
    draft.dropped.add(name)
  }

  function sweep(nowMs: number): void {
    sweepMs = nowMs
    for (const name of names()) {
      const { minute = null, hour = null } = current(name) ?? {}
      const minuteOver = minute && minute.startMs + MINUTE_MS + GRACE_MS <= nowMs
      const hourOver = hour !== null && hour + HOUR_MS + GRACE_MS <= nowMs
      if (minuteOver || hourOver) closeSeries(name, Boolean(hourOver))
    }
  }

  function closeSeries(name: string, withHour: boolean): void {
    const base = current(name)
    if (!base) return
    const series = edit(name, base, false)
    closeMinute(series)
    if (withHour && series.hour !== null) addDue({ ...series, hour: series.hour }, series.quarters)
    if (withHour) series.hour = null
  }

  /** Stores and drops series beyond the limit, those silent longest first. */
  function evict(): void {
    if (open.size + draft.series.size <= limits.openSeries) return
    const kept = names()
    for (const name of [...kept].slice(0, Math.max(0, kept.size - limits.openSeries))) {
      closeSeries(name, true)
      draft.series.delete(name)
      draft.dropped.add(name)
    }
  }

  function storeDueHours(atMost: number): void {
    const count = Math.max(atMost, due.size + draft.dueAdded.size - limits.dueHours)
    const hours: DueHour[] = []
    for (const [name, hour] of [...due, ...draft.dueAdded]) {
      if (hours.length >= count) break
      // A series that went on in this hour has taken it back.
      if (!isDue(name) || current(seriesName(hour))?.hour === hour.hour) continue
      hours.push(hour)
      draft.dueDone.add(name)
      touch(hour)
    }
    tables.writeHours(hours)
  }

  function writePending(): void {
    for (const [name, hour] of draft.touched) {
      const isOpen = current(seriesName(hour))?.hour === hour.hour
      if (isOpen) draft.dueDone.add(name)
      const wanted = isOpen || isDue(name)
      if (wanted && !pending.has(name)) {
        tables.addPending(hour)
        draft.pendingAdded.push(name)
      }
      if (!wanted && pending.has(name)) {
        tables.dropPending(hour)
        draft.pendingDropped.push(name)
      }
    }
  }

  function store(hoursAtMost: number): void {
    storeClosedMinutes()
    storeLateMinutes()
    storeEmptiedHours()
    storeDueHours(hoursAtMost)
    writePending()
  }

  return {
    add,
    change(keys, atMs) {
      slipIn(edit(seriesName(keys), keys, true), atMs)
    },
    remove(keys, atMs) {
      const name = seriesName(keys)
      const series = edit(name, keys, true)
      slipIn(series, atMs)
      // With no minute open all is stored or late, and the newest sample may be the one that went.
      if (!series.minute) forget(name, series)
    },
    distrust() {
      for (const minute of draft.closed) addLate(minute.series, minute.startMs)
      draft.closed = []
      for (const name of names()) {
        const base = current(name)
        const series = base && edit(name, base, false)
        if (series?.minute) {
          series.minute.stale = true
          series.quarters = null
        } else if (series) forget(name, series)
      }
      for (const hour of [...due.values(), ...draft.dueAdded.values()])
        if (hour.quarters && isDue(hourName(hour))) addDue(hour)
    },
    settle(nowMs) {
      refreshStaleMinutes()
      if (nowMs >= sweptMs + SWEEP_EVERY_MS || nowMs < sweptMs) sweep(nowMs)
      evict()
      store(limits.hoursPerCommit + draft.rows)
    },
    settleAll() {
      refreshStaleMinutes()
      for (const name of names()) closeSeries(name, true)
      store(Number.POSITIVE_INFINITY)
    },
    committed() {
      for (const name of draft.dropped) open.delete(name)
      for (const [name, series] of draft.series) {
        open.delete(name)
        open.set(name, series)
      }
      for (const [name, hour] of draft.dueAdded) due.set(name, hour)
      for (const name of draft.dueDone) due.delete(name)
      for (const name of draft.pendingAdded) pending.add(name)
      for (const name of draft.pendingDropped) pending.delete(name)
      sweptMs = sweepMs
      draft = emptyDraft()
    },
    rolledBack() {
      uncountAll(draft)
      sweepMs = sweptMs
      draft = emptyDraft()
    },
    open: (person, metric) => openSeriesOf(open.values(), person, metric),
    get openCount() {
      return open.size
    },
    get dueCount() {
      return due.size
    },
  }
}
