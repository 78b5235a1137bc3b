/** The browser's refresh token: a cookie that no script sees, that only comes back to this very origin. */
import { SLIDING_MS } from './sign-ins.ts'

export const COOKIE = '__Host-hf'
/** A browser asks for the cookie with this header, which a foreign page cannot send unnoticed. */
export const COOKIE_HEADER = 'x-homefield-cookie'

const FLAGS = 'Path=/; HttpOnly; Secure; SameSite=Strict'

export function refreshCookie(token: string): string {
  return `${COOKIE}=${token}; Max-Age=${SLIDING_MS / 1000}; ${FLAGS}`
}

export const CLEARED_COOKIE = `${COOKIE}=; Max-Age=0; ${FLAGS}`

/** The token in a Cookie header, null when there is none. */
export function tokenFromCookies(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (pair.slice(0, at).trim() === COOKIE) return pair.slice(at + 1).trim() || null
  }
  return null
}
