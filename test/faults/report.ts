/** What the faults came to, a line each: into the table of a long run, which `HOMEFIELD_FAULT_TABLE` names a file for, else beside the test. */
import { appendFileSync } from 'node:fs'
import type { TestContext } from 'node:test'

/** `null` where a column has no meaning. */
export interface FaultRow {
  fault: string
  rounds: number
  acknowledged: number | null
  lost: number | null
  doubled: number | null
  /** What else is worth knowing. */
  note?: string
}

export function report(t: TestContext, row: FaultRow): void {
  const path = process.env['HOMEFIELD_FAULT_TABLE']
  if (path === undefined) t.diagnostic(JSON.stringify(row))
  else appendFileSync(path, `${JSON.stringify(row)}\n`)
}

/** Rounds of a long run; few otherwise. */
export function roundsOr(few: number): number {
  return Number(process.env['HOMEFIELD_FAULT_ROUNDS'] ?? few)
}

/** Rounds of chaos between hubs and cloud: of their own, because they are as many as the rest has time for. */
export function syncRoundsOr(few: number): number {
  return Number(process.env['HOMEFIELD_SYNC_ROUNDS'] ?? roundsOr(few))
}

export const isLong = process.env['HOMEFIELD_FAULT_ROUNDS'] !== undefined
