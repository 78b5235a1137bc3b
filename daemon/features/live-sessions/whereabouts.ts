/** Who somebody new in the picture may be: players who were lost before, nearest first, so that a coach says it with one tap. */

interface Place {
  x: number
  y: number
}

export interface LostPlayer {
  personId: string
  lastAtMs: number
  /** In metres; null: never on a calibrated pitch. */
  place: Place | null
}

export interface NewTrack {
  key: string
  firstAtMs: number
  /** Where it was first; null without metres. */
  place: Place | null
}

/** Nobody is a stranger to their own place for longer. */
const MOST_GAP_MS = 10 * 60_000
/** Somebody may be found by one camera a moment before another one has lost them. */
const EARLY_MS = 1500
/** Faster is nobody. */
const MOST_MPS = 10
/** A place is known this well, and players stand apart by more. */
const NEAR_M = 3

/**
 * For each track the players whom it may be. One alone: it is much nearer to the place where that player was lost than to any other's,
 * and no other new track is near there. Several, nearest first: nobody but a person can say. None: it is no player who was named before.
 */
export function mayBe(tracks: readonly NewTrack[], lost: readonly LostPlayer[]): Map<string, string[]> {
  const fits = new Map(
    tracks.map((track) => [
      track.key,
      lost
        .map((player) => ({ player, metres: metresBetween(track, player) }))
        .filter((fit): fit is { player: LostPlayer; metres: number } => fit.metres !== null)
        .sort((one, other) => one.metres - other.metres),
    ]),
  )
  const isClear = (distances: readonly number[]) => {
    const [first = Infinity, second = Infinity] = distances.toSorted((one, other) => one - other)
    return second >= 2 * first + NEAR_M
  }
  return new Map(
    [...fits].map(([key, near]) => {
      const [nearest] = near
      if (!nearest) return [key, []]
      const rivals = [...fits].flatMap(([other, theirs]) =>
        theirs.filter(({ player }) => player === nearest.player).map(({ metres }) => ({ other, metres })),
      )
      const isNearest = rivals.every(({ other, metres }) => other === key || metres > nearest.metres)
      const alone =
        isNearest && isClear(near.map(({ metres }) => metres)) && isClear(rivals.map(({ metres }) => metres))
      return [key, (alone ? [nearest] : near).map(({ player }) => player.personId)]
    }),
  )
}

/** Null where one cannot be the other. Without places everybody is as near as anybody. */
function metresBetween(track: NewTrack, player: LostPlayer): number | null {
  const gapMs = track.firstAtMs - player.lastAtMs
  if (gapMs < -EARLY_MS || gapMs > MOST_GAP_MS) return null
  if (!track.place || !player.place) return 0
  const metres = Math.hypot(track.place.x - player.place.x, track.place.y - player.place.y)
  return metres <= NEAR_M + (MOST_MPS * Math.max(0, gapMs)) / 1000 ? metres : null
}
