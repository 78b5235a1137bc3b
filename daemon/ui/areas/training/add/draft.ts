/** A camera that is being added, as far as it is known. */
import type { CameraReason, Looked } from '../answers.ts'

export type Way = 'address' | 'seek' | 'device' | 'phone'

/** How the hub reaches the camera: what `POST /cameras` needs beside name and people. */
export type Source =
  | { kind: 'fetched'; url: string; username: string; password: string }
  | { kind: 'mqtt'; device_id: string }
  | { kind: 'phone' }

export interface Draft {
  source: Source
  looked: Looked | null
  name: string
}

export function sourceBody(source: Source): Record<string, string> {
  switch (source.kind) {
    case 'fetched':
      return { url: source.url, ...signIn(source) }
    case 'mqtt':
      return { kind: 'mqtt', device_id: source.device_id }
    case 'phone':
      return { kind: 'phone' }
  }
}

/** Empty fields are not sent, so that a name and password within the address count. */
export function signIn({
  username,
  password,
}: {
  username: string
  password: string
}): Record<string, string> {
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) }
}

const SCHEMES = /^(?:rtsps?|https?):\/\/[^/\s]+/i

export function isAddress(text: string): boolean {
  return SCHEMES.test(text)
}

/** A refusal of the request itself, told like a failure of the camera. */
export function problemOf(code: string, message: string): CameraReason {
  return { code, message }
}
