/** The recording of one camera for one session: cuts what comes into files of about a minute, and says why nothing is written. */
import type {
  CameraRecording,
  CodedUnit,
  RecordingReason,
  Segment,
  UnitSource,
} from '../../domain/recording.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'

/** A file that is being written; `toAtMs` is known once its bytes have ended. */
export interface ToKeep {
  cameraId: string
  mediaType: string
  extension: string
  fromAtMs: number
  toAtMs: () => number
  body: Segment['output']
}

export interface CameraRecorderDeps {
  cameraId: string
  clock: Clock
  log: Log
  /** What gives the camera's coded pictures now; null while it does not run. */
  source: () => (UnitSource & { online: boolean }) | null
  /** Resolves with the bytes once the file is on disk and entered. */
  keep: (file: ToKeep) => Promise<number>
}

export interface CameraRecorder {
  state(): CameraRecording
  /** Looks whether the camera is there; call it about once a second. */
  follow(): void
  /** Ends the file and writes nothing until `release`. */
  hold(reason: RecordingReason): void
  release(): void
  /** The same as `hold`, and what is in the open file goes; resolves with 1 when there was one, once nothing is being written. */
  discard(reason: RecordingReason): Promise<number>
  /** Ends for good; resolves once what was begun is on disk. */
  stop(): Promise<void>
}

export const SEGMENT_MS = 60_000
/** Nothing for this long: the camera is away, and its file is finished. */
const SILENT_MS = 5000
const CUT_BYTES = 256 * 1024 ** 2
/** A camera that sends no keyframe is cut here all the same. */
const MOST_BYTES = 400 * 1024 ** 2
/** Files that are being finished; above this, pictures are left out. */
const MOST_FINISHING = 2
const FINISH_MS = 8000
const AGAIN_MS = 10_000

interface Open {
  segment: Segment
  fromMs: number
  lastMs: number
  bytes: number
  isDiscarded: boolean
}

export function createCameraRecorder({
  cameraId,
  clock,
  log,
  source,
  keep,
}: CameraRecorderDeps): CameraRecorder {
  const finishing = new Set<Promise<void>>()
  let heard: UnitSource | null = null
  let forget = () => {}
  let open: Open | null = null
  let held: RecordingReason | null = null
  let waitsFor: RecordingReason | null = 'camera_away'
  let stopped = false
  let lastUnitMs = clock.monotonic()
  let againMs = 0
  let files = 0
  let bytes = 0
  let lost = 0

  function begin(from: UnitSource, unit: CodedUnit): Open | null {
    if (finishing.size >= MOST_FINISHING || clock.monotonic() < againMs) return null
    const segment = from.segment(unit)
    if (!segment) return null
    const begun: Open = {
      segment,
      fromMs: unit.capturedAtMs,
      lastMs: unit.capturedAtMs,
      bytes: 0,
      isDiscarded: false,
    }
    const kept = keep({
      ...{ cameraId, mediaType: segment.mediaType, extension: segment.extension, body: segment.output },
      fromAtMs: begun.fromMs,
      toAtMs: () => begun.lastMs,
    }).then(
      (size) => {
        files += 1
        bytes += size
      },
      (cause: unknown) => failed(begun, cause),
    )
    const entry = kept.finally(() => finishing.delete(entry))
    finishing.add(entry)
    waitsFor = null
    return begun
  }

  function failed(begun: Open, cause: unknown): void {
    begun.segment.abandon()
    if (open === begun) open = null
    if (begun.isDiscarded) return
    waitsFor = cause instanceof HubError && cause.code === 'DISK_FULL' ? 'no_space' : 'not_written'
    againMs = clock.monotonic() + AGAIN_MS
    log.error({ cameraId, reason: messageOf(cause) }, 'a minute of video could not be kept')
  }

  function cut(): void {
    const ended = open
    open = null
    if (!ended) return
    ended.segment.end()
    const giveUp = clock.after(FINISH_MS, ended.segment.abandon)
    void Promise.all(finishing).then(giveUp)
  }

  function take(from: UnitSource, unit: CodedUnit): void {
    lastUnitMs = clock.monotonic()
    if (held !== null) return
    if (open && endsBefore(open, unit)) cut()
    if (!open && unit.keyframe) open = begin(from, unit)
    if (!open?.segment.feed(unit)) {
      lost += 1
      return
    }
    open.lastMs = Math.max(open.lastMs, unit.capturedAtMs)
    open.bytes += unit.data.length
  }

  return {
    state() {
      const reason = held ?? (open ? null : waitsFor)
      const state = held === 'minor_joined' ? 'stopped' : open ? 'recording' : 'waiting'
      return { cameraId, state, reason, files, bytes, lost }
    },
    follow() {
      if (stopped) return
      const now = source()
      if (now?.onUnit !== heard?.onUnit) {
        forget()
        cut()
        heard = now
        forget = now ? now.onUnit((unit) => take(now, unit)) : () => {}
      }
      if (clock.monotonic() - lastUnitMs < SILENT_MS) return
      cut()
      if (waitsFor === 'not_written' || waitsFor === 'no_space') return
      // A phone that looks by itself is there without a picture.
      waitsFor = now?.online ? 'no_coded_video' : 'camera_away'
    },
    hold(reason) {
      if (held !== 'minor_joined') held = reason
      cut()
    },
    async discard(reason) {
      const discarded = open
      open = null
      if (held !== 'minor_joined') held = reason
      if (discarded) {
        discarded.isDiscarded = true
        discarded.segment.abandon()
      }
      await Promise.all(finishing)
      return discarded ? 1 : 0
    },
    release() {
      if (held !== 'minor_joined') held = null
      if (waitsFor === 'no_space') waitsFor = 'camera_away'
    },
    async stop() {
      stopped = true
      forget()
      cut()
      await Promise.all(finishing)
    },
  }
}

function endsBefore({ segment, fromMs, lastMs, bytes }: Open, unit: CodedUnit): boolean {
  if (bytes >= MOST_BYTES || unit.capturedAtMs < fromMs - SEGMENT_MS) return true
  if (!unit.keyframe) return false
  const isLong = unit.capturedAtMs - fromMs >= SEGMENT_MS || bytes >= CUT_BYTES
  const hasHole = Math.abs(unit.capturedAtMs - lastMs) > SILENT_MS
  return isLong || hasHole || !segment.fits(unit)
}
