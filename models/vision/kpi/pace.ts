/** The KPIs of one player from the slots of any number of tracks: the accumulator of GPS series, fed with the holes told as holes. */
import { createGpsAccumulator, type GpsKpis, type GpsSettings } from '../../series/gps.ts'
import { MOTION } from './motion.ts'

export interface PlayerPace {
  /** Takes the speed of a slot; one that is not after the last is another camera's view of the same moment and counts once. */
  add(slot: number, speedMps: number): void
  result(): PaceKpis
}

export interface PaceKpis extends GpsKpis {
  /** Seconds with a speed. */
  seenS: number
  /** Seconds between the first and the last slot without one. */
  missedS: number
  currentMps: number | null
  averageMps: number | null
  lastSlot: number | null
}

/** Holes longer than every window of the accumulator are all the same to it. */
const MOST_HOLE = 3 * MOTION.hz

export function createPlayerPace(settings: Omit<GpsSettings, 'hz'>): PlayerPace {
  const accumulator = createGpsAccumulator({ ...settings, hz: MOTION.hz })
  let lastSlot: number | null = null
  let missed = 0
  let currentMps: number | null = null
  return {
    add(slot, speedMps) {
      if (lastSlot !== null) {
        if (slot <= lastSlot) return
        const hole = slot - lastSlot - 1
        missed += hole
        for (let at = 0; at < Math.min(hole, MOST_HOLE); at++) accumulator.add(Number.NaN)
      }
      lastSlot = slot
      currentMps = speedMps
      accumulator.add(speedMps)
    },
    result() {
      const kpis = accumulator.result()
      const seenS = kpis.samples / MOTION.hz
      return {
        ...kpis,
        seenS,
        missedS: missed / MOTION.hz,
        currentMps,
        averageMps: seenS > 0 ? kpis.distanceM / seenS : null,
        lastSlot,
      }
    },
  }
}

/** The KPIs of stored slots of several tracks; where two have the same slot, the first given counts. */
export function paceOf(
  tracks: readonly (readonly { slot: number; speedMps: number }[])[],
  settings: Omit<GpsSettings, 'hz'>,
): PaceKpis {
  const bySlot = new Map<number, number>()
  for (const track of tracks)
    for (const { slot, speedMps } of track) if (!bySlot.has(slot)) bySlot.set(slot, speedMps)
  const pace = createPlayerPace(settings)
  for (const [slot, speedMps] of [...bySlot].sort(([one], [other]) => one - other)) pace.add(slot, speedMps)
  return pace.result()
}
