/** Puts the NAL units of one picture together and lets through only what a decoder can use. */
import { SourceFailure } from '../source.ts'
import type { NalSyntax } from './nal.ts'

export interface Picture {
  data: Uint8Array
  keyframe: boolean
  timestamp: number
}

export interface Depacketiser {
  /** One packet in order of arrival. `gap`: packets before this one are missing. Throws SourceFailure 'too-large'. */
  push(packet: { payload: Uint8Array; marker: boolean; timestamp: number }, gap: boolean): void
  stats(): { dropped: number }
}

export const MAX_PICTURE_BYTES = 8 * 1024 * 1024
const MAX_PARAMETER_SETS = 32
const MAX_PARAMETER_BYTES = 4096
const START_CODE = [0, 0, 0, 1]

/** Collects bytes of one picture in a buffer that is used again for the next. */
export function createCollector() {
  let buffer = new Uint8Array(64 * 1024)
  let length = 0
  return {
    get length() {
      return length
    },
    /** Forgets what stands behind `to`. */
    cut(to: number): void {
      length = to
    },
    add(bytes: ArrayLike<number>): void {
      const needed = length + bytes.length
      if (needed > MAX_PICTURE_BYTES)
        throw new SourceFailure(
          'too-large',
          'One picture of this camera is larger than 8 MB. Choose a smaller picture in its settings.',
        )
      if (needed > buffer.length) {
        const larger = new Uint8Array(Math.min(MAX_PICTURE_BYTES, 2 * needed))
        larger.set(buffer.subarray(0, length))
        buffer = larger
      }
      buffer.set(bytes, length)
      length = needed
    },
    from: (start: number): Uint8Array => buffer.subarray(start, length),
  }
}

export interface AssemblyDeps {
  syntax: NalSyntax
  /** Parameter sets that the session description gave. */
  parameterSets: readonly Uint8Array[]
  onPicture(picture: Picture): void
}

export interface Assembly {
  /** Opens the picture of this packet; ends the one before if its marker did not come. */
  packet(timestamp: number, gap: boolean): void
  /** Starts a NAL unit with these bytes. */
  begin(bytes: Uint8Array): void
  /** Adds to the NAL unit that was begun; false when none is open, because its beginning was lost. */
  append(bytes: Uint8Array): boolean
  /** The NAL unit is whole. */
  end(): void
  /** Something of this picture is missing. */
  damaged(): void
  /** The marker: the picture is whole. */
  finish(): void
  dropped(): number
}

/**
 * After a loss everything up to the next keyframe is dropped, counted: a decoder would show its errors on top of each other.
 * Parameter sets are kept and put before every keyframe, so that each is a place to start.
 */
export function createAssembly({ syntax, parameterSets, onPicture }: AssemblyDeps): Assembly {
  const sets = new Map<string, Uint8Array>()
  const body = createCollector()
  let open: {
    timestamp: number
    keyframe: boolean
    pictures: number
    sets: boolean
    damaged: boolean
  } | null = null
  let nalStart: number | null = null
  let waiting = true
  let lost = false
  let dropped = 0
  for (const nal of parameterSets) keep(nal)

  function keep(nal: Uint8Array): void {
    if (nal.length < 4 || nal.length > MAX_PARAMETER_BYTES) return
    const key = syntax.parameterKey(nal)
    if (!sets.has(key) && sets.size === MAX_PARAMETER_SETS) {
      const [oldest] = sets.keys()
      if (oldest !== undefined) sets.delete(oldest)
    }
    sets.set(key, nal.slice())
  }

  /** A keyframe whose parameter sets never came is no place to start. */
  const decodable = (): boolean =>
    syntax.parameterKinds.every((kind) => [...sets.keys()].some((key) => key.startsWith(kind)))

  function close(): void {
    const picture = open
    open = null
    if (picture === null) return
    if (nalStart !== null) {
      nalStart = null
      picture.damaged = true
    }
    if (picture.damaged) waiting = true
    if (picture.keyframe && !picture.damaged && decodable()) waiting = false
    if (picture.pictures > 0 || picture.damaged) {
      if (waiting) dropped++
      else onPicture({ data: whole(picture), keyframe: picture.keyframe, timestamp: picture.timestamp })
    }
    body.cut(0)
  }

  function whole({ keyframe, sets: withSets }: { keyframe: boolean; sets: boolean }): Uint8Array {
    const before =
      keyframe || withSets ? [...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, nal]) => nal) : []
    const bytes = body.from(0)
    const data = new Uint8Array(before.reduce((sum, nal) => sum + 4 + nal.length, bytes.length))
    let at = 0
    for (const nal of before) {
      data.set(START_CODE, at)
      data.set(nal, at + 4)
      at += 4 + nal.length
    }
    data.set(bytes, at)
    return data
  }

  return {
    packet(timestamp, gap) {
      if (gap) {
        waiting = true
        if (open !== null) open.damaged = true
        nalStart = null
      }
      if (open !== null && open.timestamp !== timestamp) close()
      if (open === null) {
        open = { timestamp, keyframe: false, pictures: 0, sets: false, damaged: false }
        lost = gap
      }
    },
    begin(bytes) {
      if (nalStart !== null && open !== null) {
        body.cut(nalStart)
        open.damaged = true
      }
      nalStart = body.length
      body.add(START_CODE)
      body.add(bytes)
    },
    append(bytes) {
      if (nalStart === null) return false
      body.add(bytes)
      return true
    },
    end() {
      if (nalStart === null || open === null) return
      const nal = body.from(nalStart + START_CODE.length)
      const role = syntax.role(nal)
      if (role === 'parameters') {
        keep(nal)
        open.sets = true
      }
      if (role === 'keyframe' || role === 'recovery') open.keyframe = true
      if (role === 'keyframe' || role === 'picture') {
        // What is missing before a picture may have been its own beginning.
        if (lost && open.pictures === 0 && !syntax.firstSlice(nal)) open.damaged = true
        open.pictures++
      }
      if (role === 'parameters' || role === 'skip' || nal.length === 0) body.cut(nalStart)
      nalStart = null
    },
    damaged() {
      if (open !== null) open.damaged = true
    },
    finish: close,
    dropped: () => dropped,
  }
}
