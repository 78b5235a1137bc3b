import type { LocalClock } from '../local-clock.ts'
import { readAppleHealth } from './apple-health.ts'
import { readClarity } from './clarity.ts'
import { readDexcom } from './dexcom.ts'
import { readFit } from './fit.ts'
import { readFitbit } from './fitbit.ts'
import { readGpx } from './gpx.ts'
import { readHealthAutoExport } from './health-auto-export.ts'
import type { ImportKind } from './kinds.ts'
import { type DateOrder, readLibreView } from './libreview.ts'
import { createMemory } from './memory.ts'
import { readNightscout } from './nightscout.ts'
import { readNightscoutRequests } from './nightscout-requests.ts'
import { readOura } from './oura.ts'
import type { Emit, Reading } from './record.ts'
import { readTcx } from './tcx.ts'
import { readWhoop } from './whoop.ts'

export interface ReadingOptions {
  /** Wall clock of the person whose file it is, for formats without a zone. */
  clock: LocalClock
  /** Some formats say what they are in their name alone. */
  fileName?: string
  /** Whether 03-04 is the third of April, where the file does not give it away. */
  dateOrder?: DateOrder
}

/** Kinds that are read as one stream. Health Connect is a database in a zip and is not. */
export type StreamKind = Exclude<ImportKind, 'health-connect'>

/** Reads a file of the kind from its chunks, front to back, and emits records as they come. */
export function createReading(kind: StreamKind, options: ReadingOptions, emit: Emit): Reading {
  const once = withoutRepeats(emit)
  switch (kind) {
    case 'apple-health':
      // It looks after its repeats itself, and a gigabyte of beats has none.
      return readAppleHealth(emit)
    case 'health-auto-export':
      return readHealthAutoExport(once)
    case 'clarity':
      return readClarity(options, once)
    case 'libreview':
      return readLibreView(options, once)
    case 'dexcom':
      return readDexcom(once)
    case 'fit':
      return readFit(emit)
    case 'gpx':
      return readGpx(emit)
    case 'tcx':
      return readTcx(emit)
    case 'fitbit':
      return readFitbit(options, once)
    case 'oura':
      return readOura(once)
    case 'whoop':
      return readWhoop(once)
    case 'nightscout':
      return readNightscoutFile(once)
  }
}

const MAX_HEAD = 4096

/** A list of documents, or a capture of the requests that brought them. */
function readNightscoutFile(emit: Emit): Reading {
  let head = Buffer.alloc(0)
  let reading: Reading | null = null
  const begin = () => {
    const isCapture =
      /^\s*\{/.test(head.toString('latin1')) && /"requests"|"api_secret/.test(head.toString('latin1'))
    const begun = isCapture ? readNightscoutRequests(emit) : readNightscout(emit)
    begun.push(head)
    return begun
  }
  return {
    push(chunk) {
      if (reading) return reading.push(chunk)
      head = Buffer.concat([head, chunk])
      if (head.length >= MAX_HEAD) reading = begin()
    },
    end() {
      reading ??= begin()
      reading.end()
    },
  }
}

const MAX_REMEMBERED = 50_000

/** Lists a record that stands in the file twice as skipped. It remembers the newest, the store all. */
function withoutRepeats(emit: Emit): Emit {
  const memory = createMemory(MAX_REMEMBERED)
  let count = 0
  return (record) => {
    if (record.kind === 'finding' || record.kind === 'skipped') return emit(record)
    count++
    const known = memory.knows(JSON.stringify(record))
    emit(known ? { kind: 'skipped', where: `record ${count}`, reason: 'the same record once more' } : record)
  }
}
