import { createPublicKey, type KeyObject } from 'node:crypto'

/** SubjectPublicKeyInfo in DER, what a pinning client hashes. */
export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}
