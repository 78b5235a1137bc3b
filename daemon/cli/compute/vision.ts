/** `compute track`, `mot-metrics`, `triangulate` and `fit-body`: the vision algorithms on files. */
import { motMetrics } from '../../../models/vision/mot/metrics.ts'
import { formatMot, type MotFrames, parseMot } from '../../../models/vision/mot/text.ts'
import { BYTETRACK, createTracker, type TrackedBox } from '../../../models/vision/track/tracker.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, InputFile, PlainText, Settings } from './computation.ts'

/** MOT detections to a MOT result. Settings carry the reference's names and defaults. */
export const track: Computation = async (file, set) => {
  const detections = await readMot(file)
  return { plainText: formatMot(trackFrames(detections, set)) } satisfies PlainText
}

/** A MOT result against `--set gt=FILE`. */
export const motMetricsOfFiles: Computation = async (file, set) => {
  const truth = await readMot(required(set, 'gt'))
  const result = await readMot(file)
  return readable(file.path, () => motMetrics(truth, result))
}

function trackFrames(detections: MotFrames, set: Settings): MotFrames {
  const frameRateHz = set.number('frame_rate', BYTETRACK.frameRateHz)
  if (frameRateHz <= 0) throw new HubError('VALIDATION_ERROR', 'frame_rate must be above 0.')
  const trackThreshold = set.number('track_thresh', BYTETRACK.trackThreshold)
  const tracker = createTracker({
    frameRateHz,
    trackThreshold,
    newTrackThreshold: set.number('new_track_thresh', trackThreshold + 0.1),
    lowThreshold: set.number('low_thresh', BYTETRACK.lowThreshold),
    matchLimit: set.number('match_thresh', BYTETRACK.matchLimit),
    // The reference counts its buffer in frames of a 30 Hz stream.
    bufferMs: (set.number('track_buffer', 30) * 1000) / 30,
  })
  const smallestPx = set.number('min_box_area', 100)
  const widest = set.number('max_w_over_h', 1.6)
  const plausible = ({ w, h }: TrackedBox) => w * h > smallestPx && w / h <= widest
  return detections.map((boxes, index) => {
    const detected = boxes.map(({ x, y, w, h, confidence }) => ({ x, y, w, h, score: confidence }))
    const { tracks } = tracker.update(detected, (index * 1000) / frameRateHz)
    return tracks
      .filter(plausible)
      .map(({ trackId, x, y, w, h, score }) => ({ id: trackId, x, y, w, h, confidence: score }))
  })
}

async function readMot(file: InputFile): Promise<MotFrames> {
  const text = await file.text()
  return readable(file.path, () => parseMot(text))
}

function required(set: Settings, name: string): InputFile {
  const file = set.file(name)
  if (!file) throw new HubError('VALIDATION_ERROR', `Say which file: --set ${name}=FILE`)
  return file
}

/** Runs a parser or a computation and says of which file it complains. */
function readable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof UnreadableInput)
      throw new HubError('VALIDATION_ERROR', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}
