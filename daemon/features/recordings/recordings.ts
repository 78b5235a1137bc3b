/** Which sessions are recorded: every camera of theirs, while the disk has room. */
import type { CameraRecording, UnitSource } from '../../domain/recording.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { type CameraRecorder, createCameraRecorder, type ToKeep } from './camera.ts'

export interface RecordedSession {
  id: string
  key: number
  createdBy: string | null
  cameraIds: readonly string[]
}

export interface Recordings {
  /** Throws DISK_FULL when the disk has no room for video. */
  refuseWithoutRoom(): Promise<void>
  /** Bytes that the disk has, and how many of them recording leaves free. */
  room(): Promise<{ freeBytes: number; keptFreeBytes: number }>
  /** Begins, or goes on after a start of the hub; what hinders it is told by `state`. */
  start(session: RecordedSession): void
  /** Somebody of whom no video may be made takes part from now on: nothing more is written. */
  holdForMinor(sessionId: string): void
  /**
   * The same, and what shows a time since then is erased, whether it is being written or on disk: somebody was in the picture already
   * before it was said who. Resolves with the number of files that went.
   */
  endForMinor(session: Pick<RecordedSession, 'id' | 'key'>, sinceMs: number): Promise<number>
  /** Resolves once what was begun is on disk. */
  stop(sessionId: string): Promise<void>
  /** Null for a session that is not recorded. */
  state(sessionId: string): CameraRecording[] | null
}

export interface RecordingsDeps {
  clock: Clock
  log: Log
  /** What gives a camera's coded pictures now; null while it does not run. */
  sourceOf: (cameraId: string) => (UnitSource & { online: boolean }) | null
  /** Keeps a file with its session; resolves with its bytes once it is on disk. */
  keep: (session: RecordedSession, file: ToKeep) => Promise<number>
  /** Takes away recorded files of a session that show a time since then; resolves with their number. */
  erase: (sessionKey: number, sinceMs: number) => Promise<number>
  disk: () => Promise<{ freeBytes: number; totalBytes: number }>
}

const TICK_MS = 1000
/** The disk is looked at once in so many ticks. */
const DISK_TICKS = 5
const RESERVE_BYTES = 2 * 1024 ** 3
const RESERVE_SHARE = 0.1
/** So much above the reserve recording goes on, so that it does not begin and end every few seconds. */
const MARGIN_BYTES = 512 * 1024 ** 2

interface Recorded {
  cameras: readonly CameraRecorder[]
  /** Stops looking after it. */
  end: () => void
}

/** Bytes that recording leaves free: 2 GB or a tenth of the disk, whichever is more. */
export function reserveOf(totalBytes: number): number {
  return Math.max(RESERVE_BYTES, totalBytes * RESERVE_SHARE)
}

export function createRecordings(deps: RecordingsDeps): Recordings {
  const { clock, log, disk } = deps
  const recorded = new Map<string, Recorded>()

  async function hasRoom(marginBytes: number): Promise<boolean> {
    const { freeBytes, totalBytes } = await disk()
    return freeBytes >= reserveOf(totalBytes) + marginBytes
  }

  async function heedRoom(sessionId: string, cameras: readonly CameraRecorder[]): Promise<void> {
    const isFull = !(await hasRoom(0))
    if (isFull && cameras.some((camera) => camera.state().reason !== 'no_space'))
      log.warn({ sessionId }, 'recording waits: the disk is down to what is kept free')
    for (const camera of cameras) {
      if (isFull) camera.hold('no_space')
      else if (camera.state().reason === 'no_space' && (await hasRoom(MARGIN_BYTES))) camera.release()
    }
  }

  return {
    async refuseWithoutRoom() {
      if (!(await hasRoom(0)))
        throw new HubError(
          'DISK_FULL',
          'The disk has no room for video. Make room, or start without recording.',
        )
    },
    async room() {
      const { freeBytes, totalBytes } = await disk()
      return { freeBytes, keptFreeBytes: reserveOf(totalBytes) }
    },
    start(session) {
      if (recorded.has(session.id)) return
      const cameras = session.cameraIds.map((cameraId) =>
        createCameraRecorder({
          ...{ cameraId, clock, log },
          source: () => deps.sourceOf(cameraId),
          keep: (file) => deps.keep(session, file),
        }),
      )
      let ticks = 0
      const look = () => {
        for (const camera of cameras) camera.follow()
        if (ticks++ % DISK_TICKS !== 0) return
        heedRoom(session.id, cameras).catch((cause: unknown) =>
          log.warn({ reason: messageOf(cause) }, 'the room on the disk could not be read'),
        )
      }
      recorded.set(session.id, { cameras, end: clock.every(TICK_MS, look) })
      look()
      log.info({ sessionId: session.id, cameras: cameras.length }, 'recording started')
    },
    holdForMinor(sessionId) {
      for (const camera of recorded.get(sessionId)?.cameras ?? []) camera.hold('minor_joined')
    },
    async endForMinor({ id, key }, sinceMs) {
      const cameras = recorded.get(id)?.cameras ?? []
      const discarded = await Promise.all(cameras.map((camera) => camera.discard('minor_joined')))
      const files = (await deps.erase(key, sinceMs)) + discarded.reduce((sum, count) => sum + count, 0)
      if (files > 0) log.info({ sessionId: id, files }, 'video of a minor erased')
      return files
    },
    async stop(sessionId) {
      const one = recorded.get(sessionId)
      if (!one) return
      recorded.delete(sessionId)
      one.end()
      await Promise.all(one.cameras.map((camera) => camera.stop()))
      const files = one.cameras.reduce((sum, camera) => sum + camera.state().files, 0)
      log.info({ sessionId, files }, 'recording ended')
    },
    state: (sessionId) => recorded.get(sessionId)?.cameras.map((camera) => camera.state()) ?? null,
  }
}
