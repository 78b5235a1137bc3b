/** What is known of one minute of a person; null for what was not measured. */
export interface VitalMinute {
  /** Whole minutes from local midnight, 0 to 1439. */
  minuteOfDay: number
  /** Beats per minute. */
  hr: number | null
  /** Heart rate variability (RMSSD), ms. */
  hrv: number | null
  steps: number | null
  /** Oxygen saturation, percent. */
  spo2: number | null
  /** Skin or body temperature, °C. */
  temp: number | null
}

/** Channels that the model judges, in the order in which everything about them is kept. */
export const CHANNELS = ['hr', 'hrv', 'spo2', 'temp'] as const
export type Channel = (typeof CHANNELS)[number]

/** The value as the model sees it: HRV by its logarithm, because its spread grows with it. Null when missing or impossible. */
export function seenValue(minute: VitalMinute, channel: Channel): number | null {
  const value = minute[channel]
  if (value === null || !Number.isFinite(value)) return null
  if (channel !== 'hrv') return value
  return value > 0 ? Math.log(value) : null
}

/** The other way: from what the model sees to the unit of the channel. */
export function spokenValue(value: number, channel: Channel): number {
  return channel === 'hrv' ? Math.exp(value) : value
}
