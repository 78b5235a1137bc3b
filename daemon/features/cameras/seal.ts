/** How a camera is reached, encrypted at rest: whoever copies the database alone learns no password. */
import { createSealing } from '../../kernel/sealing.ts'
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

/** Bound to the camera's id, so that a row moved to another camera does not open. */
export function createSeal(secret: Uint8Array): Seal {
  const sealing = createSealing(secret, 'camera credentials')
  return {
    close: sealing.close,
    // Authenticated: nobody but this hub wrote it, by `close`.
    open: (cameraId, sealed) => sealing.open(cameraId, sealed) as Secret | null,
  }
}
