/** Files of sessions: rows in the database, bytes in the data directory, with limits and room left on the disk. */
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { HubError, isMissing } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

export interface StoredFile {
  id: string
  sessionKey: number
  name: string
  mediaType: string
  bytes: number
  /** The camera that it was recorded from; null for what somebody sent. */
  camera: string | null
  fromAtMs: number | null
  toAtMs: number | null
  createdBy: string | null
  createdAtMs: number
}

export interface Files {
  list(sessionKey: number): StoredFile[]
  get(sessionKey: number, id: string): StoredFile | null
  /** Writes the bytes, then the row. Rejects with TOO_LARGE, DISK_FULL, OVERLOADED or CONFLICT, leaving nothing behind. */
  receive(file: Omit<StoredFile, 'bytes'>, body: Readable, announcedBytes: number | null): Promise<StoredFile>
  /** The same for what the hub records: the end is known once the bytes have ended. */
  record(
    file: Omit<StoredFile, 'bytes' | 'toAtMs'>,
    body: Readable,
    toAtMs: () => number,
  ): Promise<StoredFile>
  /** Bytes `from` to `to`, both included. */
  read(file: StoredFile, range: { from: number; to: number }): Readable
  remove(file: StoredFile): Promise<void>
  removeAll(sessionKey: number): Promise<void>
  /** Removes what the hub recorded and that shows a time since then; resolves with the number of files. */
  removeRecorded(sessionKey: number, sinceMs: number): Promise<number>
  /** Takes away bytes that no row names: a hub that was cut off left them. */
  sweep(): Promise<void>
}

export interface FilesDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  folder: string
  limits?: Partial<FileLimits>
  /** Bytes that are free; the disk's own unless a test says otherwise. */
  freeBytes?: () => Promise<number>
}

export interface FileLimits {
  fileBytes: number
  filesInSession: number
  /** Recorded by the hub, in one session: four cameras for eight hours. */
  recordingsInSession: number
  /** Bytes of the disk that no file takes. */
  reserveBytes: number
}

const LIMITS: FileLimits = {
  ...{ fileBytes: 500 * 1024 ** 2, filesInSession: 100, recordingsInSession: 2000 },
  reserveBytes: 1024 ** 3,
}
const LOOK_BYTES = 16 * 1024 ** 2
/** Files that come in at a time: each holds a connection. */
const AT_ONCE = 4
const SELECT = `SELECT id, session_key AS sessionKey, name, media_type AS mediaType, bytes, camera, from_at AS fromAtMs,
    to_at AS toAtMs, created_by AS createdBy, created_at AS createdAtMs
  FROM session_attachment`
const INSERT = `INSERT INTO session_attachment (id, session_key, name, media_type, bytes, camera, from_at, to_at, created_by, created_at)
  VALUES (:id, :sessionKey, :name, :mediaType, :bytes, :camera, :fromAtMs, :toAtMs, :createdBy, :createdAtMs)`

export function createFiles({ store, folder, freeBytes, ...deps }: FilesDeps): Files {
  const limits = { ...LIMITS, ...deps.limits }
  const arriving = new Set<string>()
  let sending = 0
  const pathOf = (id: string) => join(folder, id)
  const free =
    freeBytes ??
    (async () => {
      const { bavail, bsize } = await statfs(folder)
      return bavail * bsize
    })
  const list = (sessionKey: number) =>
    store.all<StoredFile>(`${SELECT} WHERE session_key = :sessionKey ORDER BY created_at, id`, { sessionKey })
  const count = (sessionKey: number, which: 'camera IS NULL' | 'camera IS NOT NULL') =>
    store.get<{ files: number }>(
      `SELECT count(*) AS files FROM session_attachment WHERE session_key = :sessionKey AND ${which}`,
      { sessionKey },
    )?.files ?? 0

  async function refuseWithoutRoom(wantedBytes: number): Promise<void> {
    if ((await free()) - wantedBytes < limits.reserveBytes)
      throw new HubError('DISK_FULL', 'The disk has no room for this file. Make room and send it again.')
  }

  async function write(id: string, body: Readable): Promise<number> {
    const file = await open(pathOf(id), 'wx', 0o600)
    let bytes = 0
    let looked = 0
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > limits.fileBytes) throw tooLarge(limits.fileBytes)
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

  /** Writes the bytes and enters them, or leaves nothing behind. */
  async function keep(
    file: Omit<StoredFile, 'bytes' | 'toAtMs'>,
    body: Readable,
    toAtMs: () => number | null,
  ): Promise<StoredFile> {
    arriving.add(file.id)
    try {
      const bytes = await write(file.id, body)
      const whole = { ...file, bytes, toAtMs: toAtMs() }
      await store.write([{ sql: INSERT, params: { ...whole }, expect: 1 }])
      return whole
    } catch (cause) {
      await rm(pathOf(file.id), { force: true })
      throw cause
    } finally {
      arriving.delete(file.id)
    }
  }

  async function remove({ id }: StoredFile): Promise<void> {
    await store.write([{ sql: 'DELETE FROM session_attachment WHERE id = :id', params: { id } }])
    await rm(pathOf(id), { force: true })
  }

  return {
    list,
    get: (sessionKey, id) =>
      store.get<StoredFile>(`${SELECT} WHERE session_key = :sessionKey AND id = :id`, { sessionKey, id }) ??
      null,
    async receive(file, body, announcedBytes) {
      if (sending >= AT_ONCE)
        throw new HubError('OVERLOADED', 'Other files are still coming in. Send it in a minute.', {
          retryAfterS: 60,
        })
      if (count(file.sessionKey, 'camera IS NULL') >= limits.filesInSession)
        throw new HubError(
          'CONFLICT',
          `A session has at most ${limits.filesInSession} files. Remove one first.`,
        )
      if ((announcedBytes ?? 0) > limits.fileBytes) throw tooLarge(limits.fileBytes)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await refuseWithoutRoom(announcedBytes ?? 0)
      sending += 1
      return keep(file, body, () => file.toAtMs).finally(() => {
        sending -= 1
      })
    },
    async record(file, body, toAtMs) {
      if (count(file.sessionKey, 'camera IS NOT NULL') >= limits.recordingsInSession)
        throw new HubError('CONFLICT', 'The session has as many recordings as one may have.')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await refuseWithoutRoom(0)
      return keep(file, body, toAtMs)
    },
    read: ({ id }, { from, to }) => createReadStream(pathOf(id), { start: from, end: to }),
    remove,
    async removeAll(sessionKey) {
      for (const file of list(sessionKey)) await remove(file)
    },
    async removeRecorded(sessionKey, sinceMs) {
      const shows = list(sessionKey).filter(
        ({ camera, toAtMs }) => camera !== null && (toAtMs ?? sinceMs) >= sinceMs,
      )
      for (const file of shows) await remove(file)
      return shows.length
    },
    async sweep() {
      const names = await readdir(folder).catch((cause: unknown) => {
        if (isMissing(cause)) return []
        throw cause
      })
      for (const id of names)
        if (!arriving.has(id) && !store.get('SELECT 1 FROM session_attachment WHERE id = :id', { id }))
          await rm(pathOf(id), { force: true })
    },
  }
}

function tooLarge(maxBytes: number): HubError {
  return new HubError('TOO_LARGE', `A file of a session is at most ${Math.round(maxBytes / 1024 ** 2)} MB.`)
}
