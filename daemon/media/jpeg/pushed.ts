import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { checkSize } from '../decoder/picture-size.ts'
import { type Source, SourceFailure, type SourceSink, type Times } from '../source.ts'
import { createDeviceClock } from './device-clock.ts'
import { jpegHeader } from './header.ts'

/** No camera's JPEG is larger; a 4K picture of high quality has 3 MB. */
export const MAX_JPEG_BYTES = 4 * 1024 ** 2

/** A camera that hands its pictures over: by MQTT or by POST. `deviceMs` is its own clock, of which only differences count. */
export interface PushedSource extends Source {
  /** Throws HubError VALIDATION_ERROR or TOO_LARGE for what is not a usable JPEG. Takes the array as its own. */
  push(jpeg: Uint8Array, times?: Partial<Times> & { deviceMs?: number }): void
}

export function createPushedSource({ clock }: { clock: Clock }): PushedSource {
  const device = createDeviceClock()
  let sink: SourceSink | null = null
  return {
    passive: true,
    start(to) {
      sink = to
      to.described({ codec: 'jpeg', width: null, height: null, declaredFps: null, clock: 'arrival' })
      return () => {
        if (sink === to) sink = null
      }
    },
    push(jpeg, times = {}) {
      checkJpeg(jpeg)
      const arrivedAtMs = times.arrivedAtMs ?? clock.now()
      const { deviceMs } = times
      const takenAtMs = deviceMs === undefined ? arrivedAtMs : device.capturedAtMs(deviceMs, arrivedAtMs)
      sink?.unit({
        codec: 'jpeg',
        data: jpeg,
        keyframe: true,
        arrivedAtMs,
        capturedAtMs: times.capturedAtMs ?? takenAtMs,
      })
    },
  }
}

/** What a route or a topic refuses at once. Throws HubError VALIDATION_ERROR or TOO_LARGE. */
export function checkJpeg(jpeg: Uint8Array): void {
  if (jpeg.length > MAX_JPEG_BYTES) {
    throw new HubError(
      'TOO_LARGE',
      `The JPEG has ${jpeg.length} bytes; up to ${MAX_JPEG_BYTES} are taken. Send a smaller picture.`,
    )
  }
  const header = jpegHeader(jpeg)
  if ('problem' in header) throw new HubError('VALIDATION_ERROR', `${header.problem} Send one whole JPEG.`)
  try {
    checkSize(header)
  } catch (cause) {
    if (!(cause instanceof SourceFailure)) throw cause
    throw new HubError(cause.code === 'too-large' ? 'TOO_LARGE' : 'VALIDATION_ERROR', cause.message)
  }
}
