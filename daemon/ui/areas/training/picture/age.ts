/** How old a picture or what was seen in it is, as a number a person reads. */
export type Age = { ms: number } | { seconds: number }

/** Below a second in steps of ten milliseconds, then in tenths of a second; a clock slightly ahead makes no age below zero. */
export function ageOf(atMs: number, nowMs: number): Age {
  const ms = Math.max(0, nowMs - atMs)
  const steps = Math.round(ms / 10) * 10
  return steps < 1000 ? { ms: steps } : { seconds: Math.round(ms / 100) / 10 }
}

const SILENT_MS = 6_000
const PICTURES_LATE = 3

/** After how long without a picture a stream is broken: a slow camera is not. */
export function silentAfterMs(fps: number | null): number {
  return fps !== null && fps > 0 ? Math.max(SILENT_MS, (PICTURES_LATE * 1000) / fps) : SILENT_MS
}
