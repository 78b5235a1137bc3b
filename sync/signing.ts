/** How hub and cloud prove to each other who speaks: Ed25519 over a text that names everything that matters. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'

/** Request headers. A registration has `new` for the hub. */
export const HUB_HEADER = 'homefield-hub'
export const TIME_HEADER = 'homefield-time'
/** Random, 8–200 characters; or the challenge of a 401 `clock`, with which the hub's time does not matter. */
export const NONCE_HEADER = 'homefield-nonce'
export const SIGNATURE_HEADER = 'homefield-signature'
/** Headers of an answer. Streams (shape over SSE) sign their head only: status, nonce and an empty body. */
export const SERVER_TIME_HEADER = 'homefield-server-time'
export const SERVER_SIGNATURE_HEADER = 'homefield-server-signature'
/** How far the hub's clock may be off before it is asked to answer a challenge. */
export const MAX_SKEW_MS = 5 * 60_000

export interface SignedRequest {
  /** Upper case. */
  method: string
  /** Path and query as sent. */
  path: string
  /** The bytes on the wire, compressed as they are; empty for GET. */
  body: Uint8Array
  timeMs: number
  nonce: string
  hub: string
}

export interface SignedAnswer {
  status: number
  /** That of the request it answers. */
  nonce: string
  /** After undoing any content-encoding: a proxy may compress. */
  body: Uint8Array
  timeMs: number
}

export function requestText({ method, path, body, timeMs, nonce, hub }: SignedRequest): string {
  return ['homefield-request-1', method, path, sha256(body), timeMs, nonce, hub].join('\n')
}

export function answerText({ status, nonce, body, timeMs }: SignedAnswer): string {
  return ['homefield-answer-1', status, nonce, sha256(body), timeMs].join('\n')
}

/** What the new key signs when a hub changes its key. */
export function rotationText(hub: string, oldKey: string, newKey: string): string {
  return ['homefield-rotation-1', hub, oldKey, newKey].join('\n')
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export interface SigningKey {
  /** Raw 32 bytes, base64url: what the other side keeps. */
  publicKey: string
  /** PKCS #8 PEM: what this side keeps secret. */
  pem: string
}

export function newSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  return signingKeyOf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}

/** Throws when the text is no Ed25519 private key. */
export function signingKeyOf(pem: string): SigningKey {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('The key must be an Ed25519 key')
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return { publicKey: String(x), pem }
}

/** Base64url. */
export function signText(pem: string | KeyObject, text: string): string {
  return sign(null, Buffer.from(text), pem).toString('base64url')
}

/** False for anything that is not a good signature, malformed keys included. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}

/** Letters and digits that are not mistaken for each other, whether they are typed large or small. */
export const CODE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const FINGERPRINT_LETTERS = 16

/**
 * The part of an enrolment code behind the dot: says which key the service must show, so that nobody in between can stand in for it.
 * 80 bits of the key's hash, in groups that can be typed off a screen.
 */
export function keyFingerprint(publicKey: string): string {
  const hash = createHash('sha256').update(publicKey).digest()
  const letters = Array.from({ length: FINGERPRINT_LETTERS }, (_, at) => {
    const bit = at * 5
    const pair = hash.readUInt16BE(Math.floor(bit / 8))
    return CODE_LETTERS[(pair >> (11 - (bit % 8))) & 31]
  }).join('')
  return letters.replace(/(.{4})(?=.)/g, '$1-')
}

/** As letters are compared: case, spaces and dashes do not matter. */
export function plainLetters(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}

/** Whether somebody typed the whole of a code, with the part that says which key the service must have. */
export function isWholeCode(code: string): boolean {
  const [spoken = '', fingerprint = ''] = code.split('.')
  return plainLetters(spoken).length >= 8 && plainLetters(fingerprint).length === FINGERPRINT_LETTERS
}
