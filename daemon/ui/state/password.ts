/** A first opinion on a new password while it is typed; the hub decides. */

export interface Strength {
  /** 1 too weak, 2 enough, 3 strong. */
  level: 1 | 2 | 3
  enough: boolean
  /** Characters short of the least length. */
  missing: number
}

const LEAST = 12
const LONG = 18
/** Fewer different characters than this in twelve is a pattern such as `aaaaaaaaaaaa` or `121212121212`. */
const LEAST_DIFFERENT = 5
const WELL_KNOWN = /password|passwort|123456|qwert|homefield|letmein|iloveyou/i

export function strengthOf(password: string): Strength {
  const missing = Math.max(0, LEAST - [...password].length)
  const different = new Set(password).size
  const poor = different < LEAST_DIFFERENT || (WELL_KNOWN.test(password) && password.length < LONG + 4)
  const enough = missing === 0 && !poor
  const strong = enough && (password.length >= LONG || (different >= 10 && /[^A-Za-z]/.test(password)))
  return { level: strong ? 3 : enough ? 2 : 1, enough, missing }
}
