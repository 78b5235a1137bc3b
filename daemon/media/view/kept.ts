/** Pictures that came decoded, coded for whoever keeps video: of a phone's stream the hub only has what WebRTC unpacked. */
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { AccessUnit } from '../source.ts'
import type { Pictures } from './pictures.ts'

/** More would make files that a card does not take for long. */
const MOST_FPS = 10
/** Pictures may come this much earlier than the rate allows, so that a stream of that very rate is not halved. */
const EARLY = 0.8

export interface KeptPicturesDeps {
  pictures: Pick<Pictures, 'newest' | 'onPicture'>
  clock: Clock
  log: Log
}

/**
 * Tells each listener JPEGs, at most ten a second, for as long as there is one; the same that viewers are shown. One is made at a time,
 * and what comes meanwhile is passed over.
 */
export function createKeptPictures({ pictures, clock, log }: KeptPicturesDeps) {
  const listeners = new Set<(unit: AccessUnit) => void>()
  let unhear: (() => void) | null = null
  let isMaking = false
  let lastSeq = 0
  let lastMs = Number.NEGATIVE_INFINITY

  async function make(): Promise<void> {
    isMaking = true
    lastMs = clock.monotonic()
    try {
      const picture = await pictures.newest()
      if (!picture || picture.seq === lastSeq) return
      lastSeq = picture.seq
      const { jpeg: data, capturedAtMs } = picture
      const unit: AccessUnit = {
        ...{ codec: 'jpeg', keyframe: true, data, capturedAtMs, arrivedAtMs: clock.now() },
      }
      for (const listener of [...listeners]) listener(unit)
    } catch (cause) {
      log.warn({ reason: messageOf(cause) }, 'a picture to keep could not be made')
    } finally {
      isMaking = false
    }
  }

  return {
    onUnit(listener: (unit: AccessUnit) => void): () => void {
      listeners.add(listener)
      unhear ??= pictures.onPicture(() => {
        if (!isMaking && clock.monotonic() - lastMs >= (EARLY * 1000) / MOST_FPS) void make()
      })
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        unhear?.()
        unhear = null
      }
    },
  }
}
