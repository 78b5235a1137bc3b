import { SaxesParser } from 'saxes'
import { createLanding, type Landed } from '../../daemon/features/imports/landing.ts'
import { readAppleHealth } from '../../firmware-bridge/import/apple-health.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { shortNumber } from './table.ts'

const RECORDS = 60_000
const CHUNK = 65_536
const ROUNDS = 3
const FIRST_MS = Date.UTC(2026, 0, 1)
const MIB = 1024 * 1024

/** What reading an Apple Health export costs above a bare XML parser: times, units, judgement, everything short of the disk. */
export async function healthRows(): Promise<Row[]> {
  const chunks = documentOf(RECORDS)
  const bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const { hub, bare } = await interleaved(ROUNDS, {
    hub: async () => timed(bytes, () => readInto(chunks)),
    bare: async () => timed(bytes, () => parse(chunks)),
  })
  const peakMib = process.resourceUsage().maxRSS / 1024
  return [
    {
      name: `Apple Health, ${shortNumber(bytes / MIB)} MiB, read and judged`,
      hub: `${shortNumber(median(hub))} MB/s, peak ${shortNumber(peakMib)} MiB`,
      beside: `bare saxes: ${shortNumber(median(bare))} MB/s`,
      ratio: pairedRatio(hub, bare),
      target: '',
      met: null,
    },
  ]
}

function timed(bytes: number, work: () => void): number {
  const fromMs = performance.now()
  work()
  return bytes / 1e6 / ((performance.now() - fromMs) / 1000)
}

function readInto(chunks: readonly Uint8Array[]): void {
  const landing = createLanding({
    ...{ path: '', kind: 'apple-health', fileName: null, scratch: '', fromBatch: 0, dateOrder: null },
    ...{ personId: 'person', zone: 'Europe/Berlin', classes: ['wellness', 'glucose'], nowMs: Date.now() },
  })
  let landed: Landed = { observations: [], records: [], notes: [], skipped: [] }
  let count = 0
  const reading = readAppleHealth((record) => landing.take(record, landed))
  for (const chunk of chunks) {
    reading.push(chunk)
    count += landed.observations.length
    landed = { observations: [], records: [], notes: [], skipped: [] }
  }
  reading.end()
  if (count !== RECORDS) throw new Error(`${count} of ${RECORDS} records were read`)
}

function parse(chunks: readonly Uint8Array[]): void {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const decoder = new TextDecoder()
  for (const chunk of chunks) parser.write(decoder.decode(chunk, { stream: true }))
  parser.close()
}

/** Heart rates and steps as a watch and a phone write them. */
function documentOf(records: number): Uint8Array[] {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="de_DE">']
  for (let index = 0; index < records; index += 1) {
    const at = new Date(FIRST_MS + index * 60_000)
    const text = `${at.toISOString().slice(0, 19).replace('T', ' ')} +0000`
    const [type, unit, value] =
      index % 4 === 0 ? ['StepCount', 'count', index % 200] : ['HeartRate', 'count/min', 60 + (index % 80)]
    lines.push(
      ` <Record type="HKQuantityTypeIdentifier${type}" sourceName="Watch" sourceVersion="11.2" device="&lt;&lt;HKDevice: 0x1&gt;, name:Watch&gt;" unit="${unit}" creationDate="${text}" startDate="${text}" endDate="${text}" value="${value}"/>`,
    )
  }
  lines.push('</HealthData>')
  const all = Buffer.from(lines.join('\n'))
  const count = Math.ceil(all.byteLength / CHUNK)
  return Array.from({ length: count }, (_, index) => all.subarray(index * CHUNK, (index + 1) * CHUNK))
}
