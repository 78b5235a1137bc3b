/** How fast two quartz clocks may drift apart, generously. */
const DRIFT = 0.0002
/** A step of the device's clock larger than this begins anew (it was restarted, or set). */
const MAX_STEP_MS = 10_000

/** Reads a camera's own clock, of which only differences mean something, as the hub's wall clock. */
export interface DeviceClock {
  /** When the picture was taken, as if the quickest of the recent pictures had needed no time. Never after it arrived. */
  capturedAtMs(deviceMs: number, arrivedAtMs: number): number
}

export function createDeviceClock(): DeviceClock {
  let offsetMs = 0
  let last: { deviceMs: number; arrivedAtMs: number } | null = null
  return {
    capturedAtMs(deviceMs, arrivedAtMs) {
      const seenMs = arrivedAtMs - deviceMs
      const stepMs = last === null ? 0 : deviceMs - last.deviceMs
      if (last === null || stepMs < 0 || Math.abs(seenMs - offsetMs) > MAX_STEP_MS) offsetMs = seenMs
      else offsetMs = Math.min(seenMs, offsetMs + stepMs * DRIFT)
      last = { deviceMs, arrivedAtMs }
      return Math.round(deviceMs + offsetMs)
    },
  }
}
