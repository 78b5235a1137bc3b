/** The computations of wellness, glucose and training metrics, by their names on the command line. */
import { cgm } from './cgm.ts'
import type { Computation } from './computation.ts'
import { daily } from './daily.ts'
import { hrv } from './hrv.ts'
import { gpsKpisOfFile, loadRules, youthRules } from './training.ts'

export const METRICS = {
  cgm,
  hrv,
  daily,
  'load-rules': loadRules,
  'youth-rules': youthRules,
  'gps-kpis': gpsKpisOfFile,
} as const satisfies Readonly<Record<string, Computation>>
