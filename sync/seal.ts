/** Seals what is personal with a key per person: once the key is destroyed, copies in backups and logs are noise. */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'

export const SUBJECT_KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = 1

/** A sealed value inside a register or a job. */
export interface SealedValue {
  enc: string
}

/**
 * AES-256-GCM: one byte of form, 12 of nonce, the text, 16 of tag; the subject's id is authenticated with it. The nonce is drawn
 * from key and text, so that the same value seals to the same bytes: a batch that is sent again is the same batch, and an edit that
 * changes nothing shows as none. What it tells an onlooker is only that two values are equal.
 */
export function sealBytes(key: Uint8Array, subject: string, plain: Uint8Array): Buffer {
  const nonce = createHmac('sha256', key)
    .update(`nonce\n${subject}\n`)
    .update(plain)
    .digest()
    .subarray(0, NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(subject))
  const sealed = [cipher.update(plain), cipher.final()]
  return Buffer.concat([Buffer.of(FORM), nonce, ...sealed, cipher.getAuthTag()])
}

/** Throws when the bytes were not sealed with that key for that subject. */
export function openBytes(key: Uint8Array, subject: string, sealed: Uint8Array): Buffer {
  if (sealed[0] !== FORM || sealed.length < 1 + NONCE_BYTES + TAG_BYTES)
    throw new RangeError('These bytes are not sealed in a known form')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES))
  decipher.setAAD(Buffer.from(subject))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  return Buffer.concat([
    decipher.update(sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES)),
    decipher.final(),
  ])
}

/** A JSON value, sealed; null and undefined need no sealing and stay. */
export function sealJson(key: Uint8Array, subject: string, value: unknown): SealedValue {
  return { enc: sealBytes(key, subject, Buffer.from(JSON.stringify(value))).toString('base64') }
}

export function openJson(key: Uint8Array, subject: string, { enc }: SealedValue): unknown {
  return JSON.parse(openBytes(key, subject, Buffer.from(enc, 'base64')).toString('utf8'))
}

/** The same with the first of several keys that fits. Throws when none does. */
export function openJsonWith(keys: readonly Uint8Array[], subject: string, value: SealedValue): unknown {
  for (const key of keys.slice(0, -1)) {
    try {
      return openJson(key, subject, value)
    } catch {
      // Sealed with another one of them.
    }
  }
  const last = keys.at(-1)
  if (!last) throw new RangeError('There is no key for this subject')
  return openJson(last, subject, value)
}

export function isSealed(value: unknown): value is SealedValue {
  return typeof value === 'object' && value !== null && 'enc' in value && typeof value.enc === 'string'
}
