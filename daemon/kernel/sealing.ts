/** Encrypts what must not be read from a copied database alone: AES-256-GCM under a key derived from the hub's secret. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey } from './secrets.ts'

export interface Sealing {
  /** `owner` is what the content belongs to: moved to another one, it does not open. */
  close(owner: string, content: unknown): Uint8Array
  /** Null when this hub did not seal it for this owner. */
  open(owner: string, sealed: Uint8Array): unknown
}

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Each purpose has a key of its own. */
export function createSealing(secret: Uint8Array, purpose: string): Sealing {
  const key = deriveKey(secret, purpose)
  return {
    close(owner, content) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(owner))
      const hidden = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]
      return Buffer.concat([nonce, ...hidden, cipher.getAuthTag()])
    },
    open(owner, sealed) {
      const bytes = Buffer.from(sealed)
      try {
        const nonce = bytes.subarray(0, NONCE_BYTES)
        const plain = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(owner))
          .setAuthTag(bytes.subarray(-TAG_BYTES))
        const text = [plain.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), plain.final()]
        return JSON.parse(Buffer.concat(text).toString('utf8')) as unknown
      } catch {
        return null
      }
    },
  }
}
