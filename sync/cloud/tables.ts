/** Writes rows that only their own hub changes: whole batches at a time, each row only if it is newer than what is there. */
import type { RawChunk, Rollup, SubjectKey } from '../rows.ts'
import type { SyncRow } from '../wire.ts'
import { subjectOf } from './batch.ts'
import { binaryRows } from './copy.ts'
import type { Transaction } from './database.ts'
import { HAPPENING_TABLES } from './schema.ts'

export interface Origin {
  household: string
  hub: string
  epoch: number
}

export type RowWriter = (queries: Transaction, origin: Origin, rows: readonly SyncRow[]) => Promise<void>

/** A replay and a late copy are older or equal, and change nothing. */
const NEWER = '(t.epoch, t.seq) < (excluded.epoch, excluded.seq)'
/** Across epochs the fuller bucket stays: a hub that was restored cannot shrink what it once told. */
const NEWER_OR_FULLER = `((t.epoch = excluded.epoch AND t.seq < excluded.seq)
  OR (t.epoch < excluded.epoch AND (t.n IS NULL OR excluded.n IS NULL OR excluded.n >= t.n)))`

/** From here on it pays to load rows with COPY and to merge them from there: about as fast as COPY alone. */
const LOADED_ROWS = 300
/** Rows of one statement: beyond this Postgres spends more on the statement's parameters than it saves. */
const ROWS_A_STATEMENT = 1000

/** Of several versions of one key in a batch the last one counts; Postgres refuses to write a row twice in one statement. */
function lastOfEach(rows: readonly SyncRow[], nameOf: (row: SyncRow) => string): SyncRow[] {
  const last = new Map<string, SyncRow>()
  for (const row of rows) last.set(nameOf(row), row)
  return [...last.values()]
}

async function inPieces(rows: readonly SyncRow[], write: (piece: readonly SyncRow[]) => Promise<unknown>) {
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT)
    await write(rows.slice(from, from + ROWS_A_STATEMENT))
}

function happenings(table: string): RowWriter {
  const sql = `
    INSERT INTO ${table} AS t (household_id, hub_id, epoch, key, subject, v, seq, body)
    SELECT $1, $2, $3, r.* FROM unnest($4::text[], $5::text[], $6::int[], $7::bigint[], $8::jsonb[]) r
    ON CONFLICT (household_id, hub_id, key) DO UPDATE
      SET subject = coalesce(excluded.subject, t.subject), v = excluded.v, epoch = excluded.epoch, seq = excluded.seq,
        body = excluded.body, applied_at = now()
      WHERE ${NEWER}`
  return (queries, { household, hub, epoch }, rows) =>
    inPieces(
      lastOfEach(rows, ({ key }) => key),
      (piece) =>
        queries.query(sql, [
          household,
          hub,
          epoch,
          piece.map(({ key }) => key),
          piece.map(subjectOf),
          piece.map(({ v }) => v),
          piece.map(({ seq }) => seq),
          piece.map(({ body }) => (body === null ? null : JSON.stringify(body))),
        ]),
    )
}

const others: RowWriter = (queries, { household, hub, epoch }, rows) =>
  inPieces(
    lastOfEach(rows, ({ kind, key }) => `${kind} ${key}`),
    (piece) =>
      queries.query(
        `INSERT INTO other_row AS t (household_id, hub_id, epoch, kind, key, subject, v, seq, body)
         SELECT $1, $2, $3, r.* FROM unnest($4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[], $9::jsonb[]) r
         ON CONFLICT (household_id, hub_id, kind, key) DO UPDATE
           SET subject = coalesce(excluded.subject, t.subject), v = excluded.v, epoch = excluded.epoch, seq = excluded.seq,
             body = excluded.body, applied_at = now()
           WHERE ${NEWER}`,
        [
          household,
          hub,
          epoch,
          piece.map(({ kind }) => kind),
          piece.map(({ key }) => key),
          piece.map(subjectOf),
          piece.map(({ v }) => v),
          piece.map(({ seq }) => seq),
          piece.map(({ body }) => (body === null ? null : JSON.stringify(body))),
        ],
      ),
  )

const STATISTICS = [
  'n',
  'scale',
  'sum',
  'sum_sq',
  'min',
  'min_at',
  'max',
  'max_at',
  'first',
  'first_at',
  'last',
  'last_at',
  'covered_ms',
  'sum_v_dt',
  'n_diff',
  'sum_sq_diff',
] as const satisfies readonly (keyof Rollup)[]

interface Series {
  subject: string
  device: string
  metric: string
  start: number
}

/** Subject, device, metric and start, also of a row whose body is gone. */
function seriesOf({ key, body }: SyncRow): Series {
  if (body !== null) return body as unknown as Series
  const [subject = '', device = '', metric = '', start = ''] = key.split(':')
  return { subject, device, metric, start: Number(start) }
}

/** No part holds a zero: Postgres has no such texts. */
const seriesName = (row: SyncRow): string => {
  const { subject, device, metric, start } = seriesOf(row)
  return `${subject}\0${device}\0${metric}\0${start}`
}

function seriesColumns(piece: readonly SyncRow[]): unknown[] {
  const series = piece.map(seriesOf)
  return [
    series.map(({ subject }) => subject),
    series.map(({ device }) => device),
    series.map(({ metric }) => metric),
    series.map(({ start }) => start),
    piece.map(({ seq }) => seq),
  ]
}

const CONFLICT = 'ON CONFLICT (household_id, subject, metric, start, device, hub_id) DO UPDATE SET'

const LOADED = ['subject', 'device', 'metric', 'start', 'seq', ...STATISTICS, 'bins']

/**
 * Many rows: loaded with COPY, written from there. Where none of their keys is there yet, which the stretches of their series tell,
 * a plain INSERT does: nobody else writes rows of a hub while its lane is locked, and should one be there after all, Postgres refuses.
 */
function loading(table: string, sets: string) {
  const columns = LOADED.join(', ')
  const staged = `incoming_${table}`
  const stage = `CREATE TEMP TABLE IF NOT EXISTS ${staged} (subject text, device text, metric text, start bigint, seq bigint,
      ${STATISTICS.map((column) => `${column} bigint`).join(', ')}, bins bytea) ON COMMIT DELETE ROWS;
    DELETE FROM ${staged}`
  const insert = `INSERT INTO ${table} AS t (household_id, hub_id, epoch, ${columns})
    SELECT $1, $2, $3::int, ${columns} FROM ${staged}`
  const merge = `${insert} ${CONFLICT} ${sets} WHERE ${NEWER_OR_FULLER}`
  // One look into the index for each stretch, whatever the planner believes about a table that just grew.
  const known = `SELECT FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) AS s (subject, device, metric, low, high)
    WHERE (SELECT true FROM ${table} t WHERE t.household_id = $1 AND t.subject = s.subject AND t.metric = s.metric
      AND t.start BETWEEN s.low AND s.high AND t.device = s.device AND t.hub_id = $2 LIMIT 1) LIMIT 1`
  return async (queries: Transaction, { household, hub, epoch }: Origin, rows: readonly SyncRow[]) => {
    const stretches = stretchesOf(rows)
    await queries.query(stage)
    await queries.copyIn(`COPY ${staged} (${columns}) FROM STDIN (FORMAT binary)`, loadedRows(rows))
    const { rowCount } = await queries.query(known, [
      ...[household, hub],
      stretches.map(({ subject }) => subject),
      stretches.map(({ device }) => device),
      stretches.map(({ metric }) => metric),
      stretches.map(({ low }) => low),
      stretches.map(({ high }) => high),
    ])
    await queries.query(rowCount === 0 ? insert : merge, [household, hub, epoch])
  }
}

interface Stretch extends Omit<Series, 'start'> {
  low: number
  high: number
}

/** From the first to the last bucket of each series. */
function stretchesOf(rows: readonly SyncRow[]): Stretch[] {
  const stretches = new Map<string, Stretch>()
  for (const row of rows) {
    const { subject, device, metric, start } = seriesOf(row)
    const name = `${subject}\0${device}\0${metric}`
    const stretch = stretches.get(name)
    if (!stretch) stretches.set(name, { subject, device, metric, low: start, high: start })
    else if (start < stretch.low) stretch.low = start
    else if (start > stretch.high) stretch.high = start
  }
  return [...stretches.values()]
}

function loadedRows(rows: readonly SyncRow[]): Buffer {
  const texts = new Map<string, Buffer>()
  const bytesOf = (text: string): Buffer => {
    const known = texts.get(text)
    if (known) return known
    const bytes = Buffer.from(text)
    texts.set(text, bytes)
    return bytes
  }
  return binaryRows(rows, LOADED.length, (fields, row) => {
    const { subject, device, metric, start } = seriesOf(row)
    const body = row.body as unknown as Rollup | null
    fields.bytes(bytesOf(subject))
    fields.bytes(bytesOf(device))
    fields.bytes(bytesOf(metric))
    fields.number(start)
    fields.number(row.seq)
    for (const column of STATISTICS) fields.number(body === null ? null : body[column])
    fields.base64(body === null ? null : body.bins)
  })
}

function rollups(table: string): RowWriter {
  const arrays = STATISTICS.map((_, index) => `$${index + 9}::bigint[]`).join(', ')
  const sets = [...STATISTICS, 'bins', 'epoch', 'seq']
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')
  const sql = `
    INSERT INTO ${table} AS t (household_id, hub_id, epoch, subject, device, metric, start, seq, ${STATISTICS.join(', ')}, bins)
    SELECT $1, $2, $3, subject, device, metric, start, seq, ${STATISTICS.join(', ')}, decode(bins, 'base64')
    FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], ${arrays}, $${STATISTICS.length + 9}::text[])
      AS r (subject, device, metric, start, seq, ${STATISTICS.join(', ')}, bins)
    ${CONFLICT} ${sets}
      WHERE ${NEWER_OR_FULLER}`
  const load = loading(table, sets)
  return async (queries, origin, all) => {
    const { household, hub, epoch } = origin
    const rows = lastOfEach(all, seriesName)
    if (rows.length >= LOADED_ROWS) return load(queries, origin, rows)
    return inPieces(rows, (piece) => {
      const bodies = piece.map(({ body }) => body as unknown as Rollup | null)
      return queries.query(sql, [
        household,
        hub,
        epoch,
        ...seriesColumns(piece),
        ...STATISTICS.map((column) => bodies.map((body) => body?.[column] ?? null)),
        bodies.map((body) => body?.bins ?? null),
      ])
    })
  }
}

const chunks: RowWriter = (queries, { household, hub, epoch }, rows) =>
  inPieces(lastOfEach(rows, seriesName), (piece) => {
    const bodies = piece.map(({ body }) => body as unknown as RawChunk | null)
    return queries.query(
      `INSERT INTO raw_chunk AS t (household_id, hub_id, epoch, subject, device, metric, start, seq, until, n, codec, bytes)
       SELECT $1, $2, $3, subject, device, metric, start, seq, until, n, codec, decode(enc, 'base64')
       FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[])
         AS r (subject, device, metric, start, seq, until, n, codec, enc)
       ${CONFLICT} until = excluded.until, n = excluded.n, codec = excluded.codec, bytes = excluded.bytes, epoch = excluded.epoch,
         seq = excluded.seq
         WHERE ${NEWER_OR_FULLER}`,
      [
        household,
        hub,
        epoch,
        ...seriesColumns(piece),
        bodies.map((body) => body?.end ?? null),
        bodies.map((body) => body?.n ?? null),
        bodies.map((body) => body?.codec ?? null),
        bodies.map((body) => body?.enc ?? null),
      ],
    )
  })

/** The first one of a household's hubs to name a person names the key; keys that come later are kept for opening. */
const keys: RowWriter = async (queries, { household }, rows) => {
  const named = rows.flatMap(({ body }) => (body === null ? [] : [body as unknown as SubjectKey]))
  for (const { subject, key, others = [] } of named)
    await queries.query(
      `INSERT INTO vault.subject_key AS t (household_id, subject, key, others)
       VALUES ($1, $2, decode($3, 'base64'), (SELECT coalesce(array_agg(DISTINCT decode(o, 'base64')), '{}') FROM unnest($4::text[]) o WHERE o <> $3))
       ON CONFLICT (household_id, subject) DO UPDATE
         SET others = (SELECT array_agg(DISTINCT k) FROM unnest(t.others || excluded.key || excluded.others) k WHERE k <> t.key)
         WHERE NOT (t.key || t.others) @> (excluded.key || excluded.others)`,
      [household, subject, key, [...others]],
    )
}

const WRITERS: ReadonlyMap<string, RowWriter> = new Map<string, RowWriter>([
  ...HAPPENING_TABLES.map((table): [string, RowWriter] => [table, happenings(table)]),
  ['rollup_minute', rollups('rollup_minute')],
  ['rollup_hour', rollups('rollup_hour')],
  ['rollup_day', rollups('rollup_day')],
  ['raw_chunk', chunks],
  ['subject_key', keys],
])

/** How rows of that kind are written; kinds that are not known are kept as they came. */
export function writerOf(kind: string): RowWriter {
  return WRITERS.get(kind) ?? others
}
