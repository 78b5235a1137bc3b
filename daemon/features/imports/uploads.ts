/** Files on their way in: written to the data directory as they come, with a limit and room left on the disk. */
import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HubError, isMissing } from '../../kernel/errors.ts'

export interface Uploads {
  pathOf(id: string): string
  /** Resolves with the size once all of it is on disk. Rejects with TOO_LARGE or DISK_FULL, leaving nothing behind. */
  receive(id: string, body: AsyncIterable<Buffer>, announcedBytes: number | null): Promise<number>
  remove(id: string): Promise<void>
  /** Takes away files that nobody needs any more. */
  sweep(isNeeded: (id: string) => boolean): Promise<void>
  exists(id: string): Promise<boolean>
}

export interface UploadsDeps {
  folder: string
  maxBytes: number
  /** Bytes of the disk that an upload never takes. */
  reserveBytes: number
  /** Bytes that are free; the disk's own unless a test says otherwise. */
  freeBytes?: () => Promise<number>
}

/** How often the disk is looked at. */
const LOOK_BYTES = 64 * 1024 * 1024

export function createUploads({ folder, maxBytes, reserveBytes, freeBytes }: UploadsDeps): Uploads {
  const pathOf = (id: string) => join(folder, id)
  const free = freeBytes ?? (async () => freeOf(await statfs(folder)))

  async function refuseWithoutRoom(wantedBytes: number): Promise<void> {
    if ((await free()) - wantedBytes < reserveBytes)
      throw new HubError('DISK_FULL', 'The disk has no room for this file. Make room and send it again.')
  }

  async function write(id: string, body: AsyncIterable<Buffer>): Promise<number> {
    const file = await open(pathOf(id), 'wx', 0o600)
    let bytes = 0
    let looked = 0
    try {
      for await (const chunk of body) {
        bytes += chunk.length
        if (bytes > maxBytes) throw tooLarge(maxBytes)
        if (bytes - looked >= LOOK_BYTES) {
          looked = bytes
          await refuseWithoutRoom(0)
        }
        await file.write(chunk)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    if (bytes === 0) throw new HubError('VALIDATION_ERROR', 'The file is empty.')
    return bytes
  }

  return {
    pathOf,
    async receive(id, body, announcedBytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      if ((announcedBytes ?? 0) > maxBytes) throw tooLarge(maxBytes)
      await refuseWithoutRoom(announcedBytes ?? 0)
      try {
        return await write(id, body)
      } catch (cause) {
        await rm(pathOf(id), { force: true })
        throw isDiskFull(cause)
          ? new HubError('DISK_FULL', 'The disk is full. Make room and send it again.', { cause })
          : cause
      }
    },
    async remove(id) {
      for (const path of [pathOf(id), `${pathOf(id)}.unpacked`])
        await rm(path, { recursive: true, force: true })
    },
    async sweep(isNeeded) {
      const names = await readdir(folder).catch((cause: unknown) => {
        if (isMissing(cause)) return []
        throw cause
      })
      for (const name of names)
        if (!isNeeded(name.replace(/\.unpacked$/, '')))
          await rm(join(folder, name), { recursive: true, force: true })
    },
    exists: (id) =>
      stat(pathOf(id)).then(
        () => true,
        () => false,
      ),
  }
}

function freeOf({ bavail, bsize }: { bavail: number; bsize: number }): number {
  return bavail * bsize
}

function tooLarge(maxBytes: number): HubError {
  return new HubError('TOO_LARGE', `A file is at most ${Math.round(maxBytes / 1024 ** 3)} GB.`)
}

function isDiskFull(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
}
