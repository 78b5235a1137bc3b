/** Five faces with words stand for the hub's scale of ten. */
export const FACES = ['awful', 'low', 'okay', 'good', 'great'] as const
export type Face = (typeof FACES)[number]

const RATINGS: Readonly<Record<Face, number>> = { awful: 2, low: 4, okay: 6, good: 8, great: 10 }

export function ratingOf(face: Face): number {
  return RATINGS[face]
}

/** The nearest face, the better one in between. */
export function faceOf(rating: number): Face {
  const index = Math.round(rating / 2) - 1
  return FACES[Math.min(4, Math.max(0, index))] ?? 'okay'
}
