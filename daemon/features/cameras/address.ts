/** A camera's address as people type it, taken apart into what may be shown and what must not. */
import type { CameraKind } from '../../domain/camera.ts'
import { HubError } from '../../kernel/errors.ts'

/** How to sign in to a camera. */
export interface Credentials {
  username: string
  password: string
}

export interface Address {
  kind: CameraKind
  /** Whole, without user information. */
  url: string
  /** As it may be shown: the values of secret query fields are hidden. */
  shown: string
  /** From the address itself, when it carries some. */
  credentials: Credentials | null
}

const KIND_OF: Readonly<Record<string, CameraKind>> = {
  'http:': 'mjpeg',
  'https:': 'mjpeg',
  'rtsp:': 'rtsp',
  'rtsps:': 'rtsp',
  'file:': 'file',
}
const URL_CHARACTERS = 1024
const SECRET_FIELD = /^(?:.*(?:pass|pwd|token|secret|auth|key).*|usr|user|username|login)$/i
const HIDDEN = 'hidden'

/** Reads an address. Throws VALIDATION_ERROR, whose message never repeats the address. */
export function readAddress(text: string): Address {
  const url = text.length <= URL_CHARACTERS ? parsed(text) : null
  const kind = url && KIND_OF[url.protocol]
  if (!url || !kind) throw wrong('is no address of a camera: rtsp://, rtsps://, http:// or https://')
  if (kind === 'file' ? url.host !== '' : url.hostname === '') throw wrong('names no camera')
  const credentials = credentialsOf(url)
  url.username = ''
  url.password = ''
  url.hash = ''
  return { kind, url: url.href, shown: shownOf(url), credentials }
}

/** Whether two addresses reach the same machine by the same door: only then may a password be kept for both. */
export function isSameDoor(one: string, other: string): boolean {
  const [a, b] = [parsed(one), parsed(other)]
  return a !== null && b !== null && a.protocol === b.protocol && a.host === b.host
}

function parsed(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

function credentialsOf({ username, password }: URL): Credentials | null {
  if (username === '' && password === '') return null
  return { username: decoded(username), password: decoded(password) }
}

/** People type passwords with a bare percent sign into addresses; those are taken as they stand. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Many cameras want user and password as query fields. */
function shownOf(url: URL): string {
  const shown = new URL(url)
  for (const name of new Set(shown.searchParams.keys()))
    if (SECRET_FIELD.test(name)) shown.searchParams.set(name, HIDDEN)
  return shown.href
}

function wrong(message: string): HubError {
  return new HubError('VALIDATION_ERROR', `The camera cannot be kept: url ${message}.`, {
    details: [{ path: 'url', message }],
  })
}
