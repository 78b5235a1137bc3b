/** Recorded series as files: what was measured, turned into the messages a device would have sent. */
import { parseInstant } from '../domain/instant.ts'
import { resolveMetric } from '../domain/metric.ts'
import { HubError, messageOf } from '../kernel/errors.ts'

/** One message of the recording. */
export interface Recorded {
  /** From the start of the recording. */
  offsetMs: number
  /** Below `hf/<deviceId>/`. */
  topic: 'obs' | 'raw/gatt/2a37'
  /** What is sent when the message is played at that instant. */
  payload(atMs: number): Uint8Array
  /** For the one who watches. */
  heartRate: number | null
}

export interface Series {
  messages: Recorded[]
  /** Until the first message of the next round would come. */
  durationMs: number
  /** Columns of the file that are no metric of ours. */
  leftOut: string[]
}

const TIME_COLUMNS: Readonly<Record<string, number>> = {
  minute: 60_000,
  second: 1000,
  ts: 1000,
  t: 1000,
  time: 1000,
  timestamp: 1000,
}
/** A strap notifies about once a second; nine beats fill the 20 bytes of a packet. */
const PACKET_MS = 1000
const MAX_BEATS = 9
const MAX_SAMPLES = 100

/**
 * Reads csv with a header (`rr_ms`; or a time column and metrics) or a JSON list of samples. With `only`, other metrics are left out.
 * Throws HubError VALIDATION_ERROR naming the line that cannot be read.
 */
export function readSeries(text: string, only: readonly string[] = []): Series {
  const content = text.replace(/^\uFEFF/, '').trim()
  if (content.startsWith('[')) return fromJson(content, only)
  const [head = '', ...lines] = content.split(/\r?\n/)
  const columns = cellsOf(head).map((name) => name.toLowerCase())
  const beats = columns.indexOf('rr_ms')
  return beats >= 0 ? fromBeats(lines, beats) : fromTable(lines, columns, only)
}

function fromBeats(lines: readonly string[], column: number): Series {
  const messages: Recorded[] = []
  let packet: number[] = []
  let packetMs = 0
  let offsetMs = 0
  const close = () => {
    if (packet.length > 0) messages.push(strapPacket(packet, offsetMs))
    packet = []
    packetMs = 0
  }
  for (const [index, line] of lines.entries()) {
    const intervalMs = Number(cellsOf(line)[column])
    if (!(intervalMs > 0 && intervalMs < 60_000)) throw unreadable(index, 'rr_ms is a beat interval in ms')
    packet.push(intervalMs)
    packetMs += intervalMs
    offsetMs += intervalMs
    if (packetMs >= PACKET_MS || packet.length === MAX_BEATS) close()
  }
  close()
  return series(messages, [])
}

/** Heart Rate Measurement (2A37): contact detected, beat intervals in 1/1024 s. */
function strapPacket(intervalsMs: readonly number[], offsetMs: number): Recorded {
  const bpm = Math.round(
    (60_000 * intervalsMs.length) / intervalsMs.reduce((sum, interval) => sum + interval, 0),
  )
  const wide = bpm > 255
  const bytes = Buffer.alloc((wide ? 3 : 2) + 2 * intervalsMs.length)
  bytes.writeUInt8(0x16 | (wide ? 1 : 0))
  let at = wide ? bytes.writeUInt16LE(bpm, 1) : bytes.writeUInt8(bpm, 1)
  for (const intervalMs of intervalsMs)
    at = bytes.writeUInt16LE(Math.min(0xffff, Math.round((intervalMs * 1024) / 1000)), at)
  return { offsetMs, topic: 'raw/gatt/2a37', payload: () => bytes, heartRate: bpm }
}

function fromTable(lines: readonly string[], columns: readonly string[], only: readonly string[]): Series {
  const timeColumn = columns.findIndex((name) => Object.hasOwn(TIME_COLUMNS, name))
  if (timeColumn < 0) {
    throw new HubError(
      'VALIDATION_ERROR',
      `The first line must name rr_ms, or one of ${Object.keys(TIME_COLUMNS).join(', ')} and metrics.`,
    )
  }
  const known = columns.flatMap((name, index) =>
    index !== timeColumn && isMetric(name) ? [{ name, index }] : [],
  )
  const wanted = known.filter(({ name }) => isWanted(name, only))
  if (wanted.length === 0)
    throw new HubError('VALIDATION_ERROR', 'No column of the file is a metric that was asked for.')
  const unitMs = TIME_COLUMNS[columns[timeColumn] ?? ''] ?? 1000
  const rows = lines.map((line, index) => {
    const cells = cellsOf(line)
    const values = wanted.flatMap(({ name, index: at }) => {
      const value = Number(cells[at])
      return cells[at] === undefined || cells[at] === '' || Number.isNaN(value)
        ? []
        : [{ metric: name, value }]
    })
    return { atMs: timeOf(cells[timeColumn] ?? '', unitMs, index), values }
  })
  const leftOut = columns.filter(
    (name, index) => index !== timeColumn && !wanted.some((column) => column.name === name),
  )
  return fromRows(rows, leftOut)
}

function fromJson(content: string, only: readonly string[]): Series {
  const samples = listIn(content)
  const rows: Row[] = []
  for (const [index, sample] of samples.entries()) {
    const { ts, t, timestamp, ...rest } = Object(sample) as Record<string, unknown>
    const parsed = parseInstant(ts ?? t ?? timestamp, 'UTC')
    if ('wrong' in parsed) throw unreadable(index - 1, parsed.wrong)
    if (typeof rest['metric'] === 'string' && !isWanted(rest['metric'], only)) continue
    rows.push({ atMs: parsed.atMs, values: [rest] })
  }
  return fromRows(rows, [])
}

function listIn(content: string): unknown[] {
  try {
    const samples: unknown = JSON.parse(content)
    if (Array.isArray(samples)) return samples
  } catch (cause) {
    throw new HubError('VALIDATION_ERROR', `The file is not JSON: ${messageOf(cause)}`, { cause })
  }
  throw new HubError('VALIDATION_ERROR', 'The file is not a list of samples.')
}

interface Row {
  atMs: number
  values: Record<string, unknown>[]
}

/** Values of one instant go in one message. */
function fromRows(rows: Row[], leftOut: string[]): Series {
  const sorted = rows.filter((row) => row.values.length > 0).sort((a, b) => a.atMs - b.atMs)
  const startMs = sorted[0]?.atMs ?? 0
  const messages: Recorded[] = []
  let open: Row | null = null
  for (const row of sorted) {
    if (open && open.atMs === row.atMs && open.values.length + row.values.length <= MAX_SAMPLES) {
      open.values.push(...row.values)
      continue
    }
    open = { atMs: row.atMs, values: [...row.values] }
    messages.push(observations(open.values, row.atMs - startMs))
  }
  return series(messages, leftOut)
}

function observations(values: readonly Record<string, unknown>[], offsetMs: number): Recorded {
  const rate = values.find(
    ({ metric }) => typeof metric === 'string' && resolveMetric(metric)?.name === 'heart_rate',
  )?.['value']
  return {
    offsetMs,
    topic: 'obs',
    payload: (atMs) => Buffer.from(JSON.stringify(values.map((value) => ({ ts: atMs, ...value })))),
    heartRate: typeof rate === 'number' ? rate : null,
  }
}

function series(messages: Recorded[], leftOut: string[]): Series {
  const last = messages.at(-1)
  if (!last) throw new HubError('VALIDATION_ERROR', 'The file holds nothing to play.')
  const stepMs = messages.length > 1 ? last.offsetMs / (messages.length - 1) : PACKET_MS
  return { messages, durationMs: last.offsetMs + Math.max(1, Math.round(stepMs)), leftOut }
}

function timeOf(cell: string, unitMs: number, index: number): number {
  const value = cell === '' ? Number.NaN : Number(cell)
  // Small numbers count from the start of the recording; what could be a date is one.
  if (value >= 0 && value < 1e9) return value * unitMs
  const parsed = parseInstant(cell, 'UTC')
  if ('wrong' in parsed) throw unreadable(index, parsed.wrong)
  return parsed.atMs
}

function isMetric(name: string): boolean {
  return name === 'hrv' || resolveMetric(name) !== undefined
}

function isWanted(name: string, only: readonly string[]): boolean {
  const canonical = (metric: string) => resolveMetric(metric)?.name ?? metric
  return only.length === 0 || only.some((metric) => canonical(metric) === canonical(name))
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
}

/** Lines count from 1, the header is the first. */
function unreadable(index: number, why: string): HubError {
  return new HubError('VALIDATION_ERROR', `Line ${index + 2} cannot be played: ${why}.`)
}
