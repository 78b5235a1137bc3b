/** The archive of one person: everything recorded about them, as files that other programs and people can read. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { METRICS, metricNamed } from '../../domain/metric.ts'
import { readingOf } from '../../domain/reading.ts'
import { iso } from '../../kernel/envelope.ts'
import type { ZipEntry } from '../../kernel/zip.ts'
import { readPaths } from '../../store/session-paths.ts'
import type { Store } from '../../store/store.ts'
import { gather } from './gather.ts'

export interface ArchiveDeps {
  store: Pick<Store, 'all' | 'get' | 'observations'>
  now: () => number
  /** Pictures and files that are this person's alone, with the name that each gets in the archive. */
  mediaOf: (personId: string) => readonly { path: string; file: string }[]
}

const ROWS_AT_ONCE = 5000
const HEAD = 'timestamp,metric,value,unit,source,device,quality,revision\r\n'
const README = `Everything that this hub has recorded about one person.

data/*.json         what people and programs wrote down: who you are, notes, meals, sleep, alerts, sessions, who may see what
observations/*.csv  every single value that a device measured, one file for each kind (UTC times)
training/paths.json places on the pitch, ten times a second, in metres
media/              photos of meals, and files of sessions in which nobody else took part

Left out: secrets (keys, passwords), sums that follow from the values, and videos that show others as well.
`

/** One entry after the other; the next is read when the one before has been written. */
export async function* archiveOf(
  personId: string,
  deps: ArchiveDeps,
  progress: (fraction: number, stage: string) => void,
): AsyncGenerator<ZipEntry> {
  const { store } = deps
  yield { path: 'README.txt', content: [Buffer.from(README)] }
  progress(0.05, 'records')
  for (const { table, rows } of gather(store, personId)) {
    yield { path: `data/${table}.json`, content: jsonList(rows()) }
  }
  const metrics = METRICS.map(({ name }) => name)
  for (const [index, metric] of metrics.entries()) {
    progress(0.1 + (0.6 * index) / metrics.length, 'values')
    const first = await store.observations.range({ personId, metric, ...ALL_TIME, limit: 1 })
    if (first.points.length > 0)
      yield { path: `observations/${metric}.csv`, content: values(personId, metric, store) }
  }
  progress(0.7, 'training')
  yield { path: 'training/paths.json', content: jsonList(pathsOf(personId, store)) }
  progress(0.75, 'media')
  for (const { path, file } of deps.mediaOf(personId)) {
    if ((await stat(file).catch(() => null))?.isFile() === true)
      yield { path: `media/${path}`, content: createReadStream(file) }
  }
}

const ALL_TIME = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }

async function* values(
  personId: string,
  metric: string,
  store: Pick<Store, 'observations'>,
): AsyncGenerator<Buffer> {
  yield Buffer.from(HEAD)
  const unit = metricNamed(metric)?.unit ?? ''
  let fromMs: number | null = ALL_TIME.fromMs
  while (fromMs !== null) {
    const range = { personId, metric, fromMs, toMs: ALL_TIME.toMs, limit: ROWS_AT_ONCE }
    const page = await store.observations.range(range)
    const lines = page.points.map((point) => {
      const reading = readingOf(point)
      const value = typeof reading === 'object' ? `${reading.lat} ${reading.lon ?? ''}` : reading
      const { atMs, source, deviceId, quality, revision } = point
      return `${[iso(atMs), metric, value, unit, source, deviceId, quality, revision].map(cell).join(',')}\r\n`
    })
    yield Buffer.from(lines.join(''))
    fromMs = page.nextFromMs
    await setImmediate()
  }
}

/** A text that a spreadsheet would take for a formula is set behind an apostrophe. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function* pathsOf(personId: string, store: Pick<Store, 'all'>): Generator<Record<string, unknown>> {
  const sessions = store.all<{ key: number; id: string; startedAtMs: number }>(
    `SELECT s.key, s.id, s.started_at AS startedAtMs FROM session s JOIN session_player p ON p.session_key = s.key
       JOIN person ON person.key = p.person_key WHERE person.id = :personId ORDER BY s.started_at, s.key`,
    { personId },
  )
  for (const { key, id, startedAtMs } of sessions)
    for (const { camera, track, samples } of readPaths(store, key, { players: [personId] }))
      yield { session: id, started_at: iso(startedAtMs), camera, track, samples }
}

function* jsonList(rows: Iterable<unknown>): Generator<Buffer> {
  let isFirst = true
  for (const row of rows) {
    yield Buffer.from(`${isFirst ? '[\n' : ',\n'}${JSON.stringify(row)}`)
    isFirst = false
  }
  yield Buffer.from(isFirst ? '[]\n' : '\n]\n')
}
