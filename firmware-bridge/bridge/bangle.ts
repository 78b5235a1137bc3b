import { type Arrival, type BridgeAnswer, type BridgeSample, ignored } from './answer.ts'
import { deviceName } from './device-name.ts'
import type { Lines } from './lines.ts'
import { type JsonObject, numberOf, readObject } from './read-json.ts'

/** A history record of the watch covers ten minutes and carries the time of their end. */
const BLOCK_MS = 10 * 60_000
const MAX_LINES = 256

/** Lines of a Bangle.js as they are meant for Gadgetbridge, on `…/nus/<device>/rx`; null for any other topic. */
export function readBangle(arrival: Arrival, lines: Lines): BridgeAnswer | null {
  const mark = arrival.topic.lastIndexOf('nus')
  if (mark < 0 || mark !== arrival.topic.length - 3 || arrival.topic.at(-1) !== 'rx') return null
  const device = deviceName(arrival.topic[mark + 1])
  if (device === null) return ignored('device_unnamed')
  const texts = lines.take(device, new TextDecoder().decode(arrival.payload), arrival.receivedAtMs)
  if (texts.length === 0) return ignored('line_incomplete')
  if (texts.length > MAX_LINES)
    return { kind: 'undecodable', error: 'too_large', detail: `${texts.length} lines` }
  const samples: BridgeSample[] = []
  const reasons: string[] = []
  for (const text of texts) {
    const line = readLine(text)
    const read = line === null ? 'json' : samplesOf(line, device, arrival.receivedAtMs)
    if (typeof read === 'string') reasons.push(read)
    else samples.push(...read)
  }
  if (samples.length === 0 && reasons.every((reason) => reason === 'json'))
    return { kind: 'undecodable', error: 'json' }
  return { kind: 'samples', samples, ...(reasons[0] === undefined ? {} : { reason: reasons[0] }) }
}

/** Older firmware writes its keys without quotes. */
function readLine(text: string): JsonObject | null {
  const quoted = () => text.replace(/([{,]\s*)([A-Za-z_]\w*)\s*:/g, '$1"$2":')
  for (const form of [text, quoted()]) {
    const read = readObject(Buffer.from(form))
    if ('object' in read) return read.object
  }
  return null
}

function samplesOf(line: JsonObject, device: string, receivedAtMs: number): BridgeSample[] | string {
  if (line['t'] === 'status') {
    const percent = numberOf(line['bat'])
    return percent === null
      ? 'no_value'
      : [{ device, metric: 'battery', value: percent, unit: '%', atMs: receivedAtMs }]
  }
  if (line['t'] !== 'act') return 'not_a_measurement'
  const end = numberOf(line['ts'])
  const block = end === null ? { atMs: receivedAtMs } : { atMs: end - BLOCK_MS, endMs: end }
  const samples: BridgeSample[] = []
  const steps = numberOf(line['stp'])
  if (steps !== null && steps >= 0)
    samples.push({ device, metric: 'steps', value: steps, unit: 'count', ...block })
  const rate = numberOf(line['hrm'])
  if (rate !== null && rate > 0)
    samples.push({ device, metric: 'heart_rate', value: rate, unit: 'bpm', ...block })
  return samples.length > 0 ? samples : 'no_value'
}
