/** How a camera is reached, encrypted at rest: whoever copies the database alone learns no password. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey } from '../../kernel/secrets.ts'
import type { Credentials } from './address.ts'

/** What is sealed: the whole address and how to sign in there. */
export interface Secret {
  url: string
  credentials: Credentials | null
}

export interface Seal {
  close(cameraId: string, secret: Secret): Uint8Array
  /** Null when it was not sealed by this hub for this camera. */
  open(cameraId: string, sealed: Uint8Array): Secret | null
}

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Bound to the camera's id, so that a row moved to another camera does not open. */
export function createSeal(secret: Uint8Array): Seal {
  const key = deriveKey(secret, 'camera credentials')
  return {
    close(cameraId, content) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(cameraId))
      const hidden = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]
      return Buffer.concat([nonce, ...hidden, cipher.getAuthTag()])
    },
    open(cameraId, sealed) {
      const bytes = Buffer.from(sealed)
      try {
        const plain = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        })
          .setAAD(Buffer.from(cameraId))
          .setAuthTag(bytes.subarray(-TAG_BYTES))
        const text = [plain.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), plain.final()]
        // Authenticated: nobody but this hub wrote it.
        return JSON.parse(Buffer.concat(text).toString('utf8')) as Secret
      } catch {
        return null
      }
    },
  }
}
