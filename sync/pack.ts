/** Roll-ups column by column: numbers of one sort side by side pack several times better than rows. */
import { type Static, Type } from 'typebox'
import { type Rollup, seriesKey } from './rows.ts'

const Column = Type.Array(Type.Integer())
const HoledColumn = Type.Array(Type.Union([Type.Integer(), Type.Null()]))

export const ROLLUP_KINDS = ['rollup_minute', 'rollup_hour', 'rollup_day'] as const
export type RollupKind = (typeof ROLLUP_KINDS)[number]

/**
 * Roll-ups of one kind. `seq` and `start` hold the difference to the row before (the first: to 0), instants of extremes the
 * difference to `start`; `series` points into the list of series.
 */
export const RollupPack = Type.Object({
  kind: Type.Enum([...ROLLUP_KINDS]),
  v: Type.Integer({ minimum: 1 }),
  list: Type.Array(
    Type.Object({
      subject: Type.String(),
      device: Type.String(),
      metric: Type.String(),
      scale: Type.Integer({ minimum: 1 }),
    }),
  ),
  series: Column,
  seq: Column,
  start: Column,
  n: Column,
  sum: Column,
  sum_sq: HoledColumn,
  min: Column,
  min_at: Column,
  max: Column,
  max_at: Column,
  first: Column,
  first_at: Column,
  last: Column,
  last_at: Column,
  covered_ms: Column,
  sum_v_dt: HoledColumn,
  n_diff: Column,
  sum_sq_diff: HoledColumn,
  bins: Type.Array(Type.String()),
})
export type RollupPack = Static<typeof RollupPack>

export interface PackedRow {
  seq: number
  body: Rollup
}

const PLAIN = [
  'n',
  'sum',
  'sum_sq',
  'min',
  'max',
  'first',
  'last',
  'covered_ms',
  'sum_v_dt',
  'n_diff',
  'sum_sq_diff',
] as const
const INSTANTS = ['min_at', 'max_at', 'first_at', 'last_at'] as const
const COLUMNS = ['series', 'seq', 'start', ...PLAIN, ...INSTANTS, 'bins'] as const

/** Packs roll-ups of one kind, in the order given: by series and time they pack best. */
export function packRollups(kind: RollupKind, rows: readonly PackedRow[]): RollupPack {
  const pack = emptyPack(kind)
  const places = new Map<string, number>()
  let [seq, start] = [0, 0]
  for (const row of rows) {
    const { subject, device, metric, scale } = row.body
    const name = JSON.stringify([subject, device, metric, scale])
    let place = places.get(name)
    if (place === undefined) {
      place = pack.list.push({ subject, device, metric, scale }) - 1
      places.set(name, place)
    }
    pack.series.push(place)
    pack.seq.push(row.seq - seq)
    pack.start.push(row.body.start - start)
    seq = row.seq
    start = row.body.start
    for (const column of PLAIN) (pack[column] as (number | null)[]).push(row.body[column])
    for (const column of INSTANTS) pack[column].push(row.body[column] - start)
    pack.bins.push(row.body.bins)
  }
  return pack
}

/** The rows of a pack, keys included. Throws RangeError when its columns do not fit together. */
export function unpackRollups(
  pack: RollupPack,
): (PackedRow & { kind: RollupKind; v: number; key: string })[] {
  const { length } = pack.seq
  for (const column of COLUMNS)
    if (pack[column].length !== length) throw new RangeError(`Column ${column} has another length`)
  let [seq, start] = [0, 0]
  return pack.seq.map((step, index) => {
    const series = pack.list[pack.series[index] ?? -1]
    if (!series) throw new RangeError(`Row ${index} names a series that is not in the list`)
    seq += step
    start += pack.start[index] ?? 0
    const body = bodyAt(pack, index, series, start)
    return { seq, kind: pack.kind, v: pack.v, key: seriesKey(body), body }
  })
}

function bodyAt(pack: RollupPack, index: number, series: RollupPack['list'][number], start: number): Rollup {
  const at = (column: readonly number[]) => column[index] ?? 0
  const holed = (column: readonly (number | null)[]) => column[index] ?? null
  return {
    subject: series.subject,
    device: series.device,
    metric: series.metric,
    scale: series.scale,
    start,
    n: at(pack.n),
    sum: at(pack.sum),
    sum_sq: holed(pack.sum_sq),
    min: at(pack.min),
    min_at: start + at(pack.min_at),
    max: at(pack.max),
    max_at: start + at(pack.max_at),
    first: at(pack.first),
    first_at: start + at(pack.first_at),
    last: at(pack.last),
    last_at: start + at(pack.last_at),
    covered_ms: at(pack.covered_ms),
    sum_v_dt: holed(pack.sum_v_dt),
    n_diff: at(pack.n_diff),
    sum_sq_diff: holed(pack.sum_sq_diff),
    bins: pack.bins[index] ?? '',
  }
}

function emptyPack(kind: RollupKind): RollupPack {
  return {
    kind,
    v: 1,
    list: [],
    series: [],
    seq: [],
    start: [],
    n: [],
    sum: [],
    sum_sq: [],
    min: [],
    min_at: [],
    max: [],
    max_at: [],
    first: [],
    first_at: [],
    last: [],
    last_at: [],
    covered_ms: [],
    sum_v_dt: [],
    n_diff: [],
    sum_sq_diff: [],
    bins: [],
  }
}
