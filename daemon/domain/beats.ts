/** One beat interval of a packet with the instant at which its beat came. */
export interface Beat {
  index: number
  atMs: number
  intervalMs: number
}

/**
 * Stamps the beats of a packet that was made at `packetMs`: beat k at packet time minus the sum of the later intervals,
 * rounded to ms, one later if that millisecond is taken. Depends on the packet alone, so a replay gives the same stamps.
 */
export function stampBeats(intervalsMs: readonly number[], packetMs: number): Beat[] {
  const beats: Beat[] = []
  const taken = new Set<number>()
  let laterMs = intervalsMs.reduce((sum, interval) => sum + interval, 0)
  intervalsMs.forEach((intervalMs, index) => {
    laterMs -= intervalMs
    let atMs = Math.round(packetMs - laterMs)
    while (taken.has(atMs)) atMs++
    taken.add(atMs)
    beats.push({ index, atMs, intervalMs })
  })
  return beats
}
