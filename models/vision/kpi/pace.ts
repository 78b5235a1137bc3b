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

/** What one track tells of a player, in columns: hours of it are hundreds of thousands of slots. */
export interface SlotSpeeds {
  slots: ArrayLike<number>
  speedsMps: ArrayLike<number>
}

/** Speeds of several tracks by their slot; where two have the same, the first given counts. */
export interface SpeedTable {
  /** Null while there is nothing. */
  ends(): { first: number; last: number } | null
  /** In the order of the slots. */
  each(take: (slot: number, speedMps: number) => void): void
}

/** Slots lie in blocks, so that what lies hours apart takes no room in between. */
const BLOCK_SLOTS = 4096

export function speedTable(tracks: readonly SlotSpeeds[]): SpeedTable {
  const blocks = new Map<number, Float64Array>()
  for (const { slots, speedsMps } of tracks)
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] ?? 0
      const index = Math.floor(slot / BLOCK_SLOTS)
      let block = blocks.get(index)
      if (!block) {
        block = new Float64Array(BLOCK_SLOTS).fill(Number.NaN)
        blocks.set(index, block)
      }
      const within = slot - index * BLOCK_SLOTS
      if (Number.isNaN(block[within])) block[within] = speedsMps[at] ?? Number.NaN
    }
  const inOrder = [...blocks].sort(([one], [other]) => one - other)
  const each: SpeedTable['each'] = (take) => {
    for (const [index, block] of inOrder)
      for (let within = 0; within < BLOCK_SLOTS; within++) {
        const speed = block[within] ?? Number.NaN
        if (!Number.isNaN(speed)) take(index * BLOCK_SLOTS + within, speed)
      }
  }
  return {
    each,
    ends() {
      const [from, to] = [inOrder[0], inOrder.at(-1)]
      if (!from || !to) return null
      const first = from[1].findIndex((speed) => !Number.isNaN(speed))
      const last = to[1].findLastIndex((speed) => !Number.isNaN(speed))
      return { first: from[0] * BLOCK_SLOTS + first, last: to[0] * BLOCK_SLOTS + last }
    },
  }
}

/** The KPIs of what several tracks tell of a player. */
export function paceOf(tracks: readonly SlotSpeeds[], settings: Omit<GpsSettings, 'hz'>): PaceKpis {
  const pace = createPlayerPace(settings)
  speedTable(tracks).each(pace.add)
  return pace.result()
}
