/** A file in memory through which pictures reach the models' process: it has no name, and is gone with the last who holds it. */
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where a picture lies in the file. */
export interface Place {
  at: number
  bytes: number
}

export interface PictureFile {
  /** For the process that reads. */
  readonly descriptor: number
  /** Copies a picture in, where none lies that is still needed. Throws when there is no memory for it. */
  put(data: Uint8Array): Place
  /** The picture there is not needed any more. */
  free(place: Place): void
  close(): void
}

/** Linux keeps what lies here in memory. */
const IN_MEMORY = '/dev/shm'

export function openPictureFile(folder = existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir()): PictureFile {
  const descriptor = openNameless(folder)
  const taken = new Set<Place>()

  /** The first gap between the pictures that is wide enough. */
  function gapOf(bytes: number): number {
    let at = 0
    for (const place of [...taken].sort((a, b) => a.at - b.at)) {
      if (place.at - at >= bytes) return at
      at = place.at + place.bytes
    }
    return at
  }

  return {
    descriptor,
    put(data) {
      const place = { at: gapOf(data.length), bytes: data.length }
      for (let done = 0; done < data.length; )
        done += writeSync(descriptor, data, done, data.length - done, place.at + done)
      taken.add(place)
      return place
    },
    free: (place) => void taken.delete(place),
    close: () => closeSync(descriptor),
  }
}

/** Reads pictures in the process that was given the descriptor. */
export function createPictureReader(descriptor: number): (place: Place) => Uint8Array {
  let room = new Uint8Array(0)
  return ({ at, bytes }) => {
    if (room.length < bytes) room = new Uint8Array(bytes)
    for (let done = 0; done < bytes; ) {
      const read = readSync(descriptor, room, done, bytes - done, at + done)
      if (read === 0) throw new Error('the picture is not whole')
      done += read
    }
    return room.subarray(0, bytes)
  }
}

function openNameless(folder: string): number {
  const made = mkdtempSync(join(folder, 'homefield-'))
  try {
    return openSync(join(made, 'pictures'), 'wx+', 0o600)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
