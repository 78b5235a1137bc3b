/** Values that a sensor gives in words, because they lie outside what it can measure (Dexcom 40–400, Libre 40–500 mg/dL). */
export interface Censored {
  mgPerDl: number
  censored: 'low' | 'high'
}

const LOW: ReadonlySet<string> = new Set(['low', 'lo', 'niedrig', 'bas', 'bajo', 'basso', 'laag'])
const HIGH: ReadonlySet<string> = new Set(['high', 'hi', 'hoch', 'haut', 'élevé', 'alto', 'hoog'])

/** The number that stands for such a word, one beyond the range of the maker's sensors; null when it is no such word. */
export function censoredValue(word: string, maker: 'dexcom' | 'libre'): Censored | null {
  const lower = word.trim().toLowerCase()
  if (LOW.has(lower)) return { mgPerDl: 39, censored: 'low' }
  if (HIGH.has(lower)) return { mgPerDl: maker === 'dexcom' ? 401 : 501, censored: 'high' }
  return null
}
