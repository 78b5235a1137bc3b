/** What a look through a camera means for whoever put it up: a value, a sentence, and whether something should be done. */
import type { CameraStream } from '../answers.ts'
import type { Words } from '../training.ts'

export interface Finding {
  name: string
  value: string
  text: string
  /** `do`: the sentence says what to change. */
  grade: 'good' | 'do' | 'open'
}

/** Below this width players at the far side are a few pixels high. */
const SMALL_WIDTH = 640
const LARGE_WIDTH = 1920
const GOOD_FPS = 20
const FAIR_FPS = 10
const GOOD_KEYFRAME_S = 4

export function findingsOf(w: Words, stream: CameraStream): Finding[] {
  return [codec(w, stream), size(w, stream), fps(w, stream), keyframe(w, stream), clock(w, stream)]
}

function codec(w: Words, { codec: name }: CameraStream): Finding {
  return {
    name: w('found.codec'),
    value: w(`codec.${name}`),
    text: w(`codec.${name}.text`),
    grade: name === 'hevc' ? 'do' : 'good',
  }
}

function size(w: Words, { width, height }: CameraStream): Finding {
  const name = w('found.size')
  if (width === null || height === null)
    return { name, value: w('found.unknown'), text: w('fps.unknown'), grade: 'open' }
  const value = `${width} × ${height}`
  if (width < SMALL_WIDTH) return { name, value, text: w('size.small'), grade: 'do' }
  if (width > LARGE_WIDTH) return { name, value, text: w('size.large'), grade: 'do' }
  return { name, value, text: w('size.good'), grade: 'good' }
}

function fps(w: Words, { fps: measured, declared_fps: declared }: CameraStream): Finding {
  const name = w('found.fps')
  const rate = measured ?? declared
  if (rate === null) return { name, value: w('found.unknown'), text: w('fps.unknown'), grade: 'open' }
  const value = String(Math.round(rate * 10) / 10)
  if (rate < FAIR_FPS) return { name, value, text: w('fps.slow'), grade: 'do' }
  return { name, value, text: w(rate < GOOD_FPS ? 'fps.fair' : 'fps.good'), grade: 'good' }
}

function keyframe(w: Words, { codec: format, keyframe_interval_s: interval }: CameraStream): Finding {
  const name = w('found.keyframe')
  if (format === 'jpeg' || format === 'raw')
    return { name, value: w('found.always'), text: w('keyframe.always'), grade: 'good' }
  if (interval === null)
    return { name, value: w('found.unknown'), text: w('keyframe.unknown'), grade: 'open' }
  const seconds = Math.round(interval * 10) / 10
  const value = w('found.seconds', { seconds })
  if (interval <= GOOD_KEYFRAME_S) return { name, value, text: w('keyframe.good'), grade: 'good' }
  return { name, value, text: w('keyframe.long', { seconds }), grade: 'do' }
}

function clock(w: Words, { clock: quality }: CameraStream): Finding {
  return {
    name: w('found.clock'),
    value: w(`clock.${quality}`),
    text: w(`clock.${quality}.text`),
    grade: 'good',
  }
}
