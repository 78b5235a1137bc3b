import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { SaxesParser } from 'saxes'
import { temporaryData } from './hub-process.ts'
import type { Row } from './row.ts'
import { openSite, type Site } from './site.ts'
import { shortNumber } from './table.ts'

const MEGABYTES = 50
const LOOK_EVERY_MS = 100
const FIRST_MS = Date.UTC(2020, 0, 1)
const LOT = 2000

/** Brings a made-up Apple Health export into a running hub: from the job's first look at the file to its last commit. */
export async function healthImportRows(megabytes = MEGABYTES): Promise<Row[]> {
  const path = join(temporaryData(), 'export.xml')
  const records = await writeExport(path, megabytes * 1e6)
  const bytes = statSync(path).size
  const bare = await timed(bytes, () => parse(path))
  const site = await openSite({ persons: 1, watches: 1 })
  try {
    const idleMb = memoryOf(site).now
    const first = await timed(bytes, () => bring(site, path, records))
    const { peak } = memoryOf(site)
    const again = await timed(bytes, () => bring(site, path, 0))
    return [
      {
        name: `Apple Health, ${shortNumber(bytes / 1e6)} MB into a running hub`,
        hub: `${shortNumber(first)} MB/s, peak ${shortNumber(peak)} MB (idle ${shortNumber(idleMb)} MB); once more ${shortNumber(again)} MB/s, 0 added`,
        beside: `bare saxes: ${shortNumber(bare)} MB/s`,
        ratio: first / bare,
        target: '',
        met: null,
      },
    ]
  } finally {
    await site.stop()
  }
}

async function timed(bytes: number, work: () => Promise<void>): Promise<number> {
  const fromMs = performance.now()
  await work()
  return bytes / 1e6 / ((performance.now() - fromMs) / 1000)
}

async function bring({ hub, household }: Site, path: string, expected: number): Promise<void> {
  const query = `person_id=${household.persons[0]}&kind=apple-health`
  const sent = await hub.control.send(`/imports?${query}`, createReadStream(path), statSync(path).size)
  const { import_id: id } = sent as { import_id: string }
  for (;;) {
    const state = (await hub.control.call('GET', `/imports/${id}`)) as { status: string; accepted: number }
    if (state.status === 'finished' && state.accepted === expected) return
    if (['finished', 'failed', 'cancelled'].includes(state.status)) throw new Error(JSON.stringify(state))
    await sleep(LOOK_EVERY_MS)
  }
}

/** Megabytes that the hub's process holds now, and held at most. */
function memoryOf({ hub }: Site): { now: number; peak: number } {
  const status = readFileSync(`/proc/${hub.json.pid}/status`, 'utf8')
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

async function parse(path: string): Promise<void> {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const decoder = new TextDecoder()
  for await (const chunk of createReadStream(path))
    parser.write(decoder.decode(chunk as Buffer, { stream: true }))
  parser.close()
}

/** As a phone writes them: type by type, each ascending in time. Returns how many records there are. */
async function writeExport(path: string, bytes: number): Promise<number> {
  let records = 0
  function* lines(): Generator<string> {
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="de_DE">\n'
    for (const [share, type, unit, everyMs] of [
      [0.6, 'HeartRate', 'count/min', 150_000],
      [0.2, 'ActiveEnergyBurned', 'kcal', 300_000],
      [0.2, 'StepCount', 'count', 600_000],
    ] as const) {
      let written = 0
      for (let atMs = FIRST_MS; written < bytes * share; ) {
        let lot = ''
        for (let index = 0; index < LOT; index += 1, atMs += everyMs, records += 1)
          lot += recordLine(type, unit, atMs, 50 + (records % 90))
        written += lot.length
        yield lot
      }
    }
    yield '</HealthData>\n'
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
  return records
}

function recordLine(type: string, unit: string, atMs: number, value: number): string {
  const at = `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} +0000`
  return ` <Record type="HKQuantityTypeIdentifier${type}" sourceName="Watch" sourceVersion="11.2" device="&lt;&lt;HKDevice: 0x1&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,2, software:11.2&gt;" unit="${unit}" creationDate="${at}" startDate="${at}" endDate="${at}" value="${value}"/>\n`
}
