/** People turned into what the net is trained on: rows of evidence, and what it should say about each. */
import { createEvidenceReader, EVIDENCE_SIZE, freshEvidence } from '../series/anomaly-evidence.ts'
import { contextRows, learnExpectations } from '../series/anomaly-expected.ts'
import type { VitalMinute } from '../series/anomaly-minute.ts'
import type { MadePerson, VitalEvent } from './vitals-events.ts'

/** Minutes that calibrate: three days. */
export const CALIBRATION_MINUTES = 4320
/** An event counts as much as this many ordinary minutes, however long it is. */
const EVENT_WEIGHT = 25
/** Until then nobody can tell; after the end, traces fade. Neither is taught. */
const UNTAUGHT_AFTER = 45

export interface Rows {
  count: number
  evidence: Float32Array
  /** 1 in an event, 0 outside. */
  wanted: Float32Array
  weight: Float32Array
}

/** Evidence of every minute, by expectations learnt from the first three days. */
export function evidenceOf(minutes: readonly VitalMinute[]): Float32Array {
  const early = minutes.slice(0, CALIBRATION_MINUTES)
  const reader = createEvidenceReader(learnExpectations(early, contextRows(early)))
  const state = freshEvidence()
  const row = new Float64Array(EVIDENCE_SIZE)
  const evidence = new Float32Array(minutes.length * EVIDENCE_SIZE)
  minutes.forEach((minute, t) => {
    reader.read(state, minute, row)
    evidence.set(row, t * EVIDENCE_SIZE)
  })
  return evidence
}

export function rowsOf({ minutes, events }: MadePerson): Rows {
  const evidence = evidenceOf(minutes)
  const wanted = new Float32Array(minutes.length)
  const weight = new Float32Array(minutes.length).fill(1)
  for (const event of events) {
    const { start, end } = event
    weight.fill(0, Math.max(0, start - 1), end + 1 + UNTAUGHT_AFTER)
    const from = start + untaughtAtStart(event)
    wanted.fill(1, from, end + 1)
    weight.fill(Math.min(3, EVENT_WEIGHT / (end + 1 - from)), from, end + 1)
  }
  // The first two hours belong to the fading means that are still filling.
  weight.fill(0, 0, 120)
  return { count: minutes.length, evidence, wanted, weight }
}

function untaughtAtStart({ kind, start, end }: VitalEvent): number {
  if (kind === 'fever_drift') return Math.round((end - start) * 0.3)
  return kind === 'sensor_frozen' ? 10 : 2
}
