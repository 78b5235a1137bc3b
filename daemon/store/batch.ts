import { metricNamed } from '../domain/metric.ts'
import type { Observation } from '../domain/observation.ts'
import { type Batch, FIELD, ROW_LENGTH, UNIT, type Unit } from './protocol.ts'

/** What one caller wants done in one commit. */
export type Work = { kind: 'append'; rows: readonly Observation[] } | { kind: 'unit'; unit: Unit }

/** Packs calls for the writer thread: rows as numbers, each id once. */
export function packBatch(works: readonly Work[], nowMs: number): Batch {
  const calls = new Int32Array(works.length)
  const units: Unit[] = []
  const names = new Map<string, number>()
  const extras: [number, string][] = []
  const count = works.reduce((sum, work) => sum + (work.kind === 'append' ? work.rows.length : 0), 0)
  const rows = new Float64Array(count * ROW_LENGTH)
  const nameOf = (name: string) => {
    const known = names.get(name)
    if (known !== undefined) return known
    names.set(name, names.size)
    return names.size - 1
  }
  let row = 0
  works.forEach((work, call) => {
    if (work.kind === 'unit') {
      calls[call] = UNIT
      units.push(work.unit)
      return
    }
    calls[call] = work.rows.length
    for (const observation of work.rows) {
      const at = row * ROW_LENGTH
      rows[at + FIELD.at] = observation.atMs
      rows[at + FIELD.person] = nameOf(observation.personId)
      rows[at + FIELD.metric] = metricNamed(observation.metric)?.key ?? 0
      rows[at + FIELD.device] = nameOf(observation.deviceId)
      rows[at + FIELD.value] = observation.value
      rows[at + FIELD.source] = nameOf(observation.source)
      rows[at + FIELD.quality] = observation.quality ?? Number.NaN
      if (observation.extra) extras.push([row, JSON.stringify(observation.extra)])
      row += 1
    }
  })
  return { nowMs, calls, units, names: [...names.keys()], rows, extras }
}
