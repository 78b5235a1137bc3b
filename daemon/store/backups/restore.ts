/** Puts a backup into the data directory of a box that is nobody's yet. */
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import Database from 'better-sqlite3'
import { ensurePrivateFolder, PRIVATE_FILE, writeFileAtomic } from '../../kernel/atomic-file.ts'
import { HubError } from '../../kernel/errors.ts'
import { makeDurable } from '../snapshot-files.ts'
import { DATABASE, isManifest, KEPT_FILES, KEPT_FOLDERS, MANIFEST } from './contents.ts'
import { type OpenWith, opened } from './seal.ts'
import { type TarSink, unpackTar } from './tar.ts'

export interface RestoreOrder {
  file: string
  dataDir: string
  open: OpenWith
  nowMs: number
  /** Newest schema that this program can open. */
  schema: number
}

export interface Restored {
  hubId: string
  madeAt: string
  version: string
  files: number
}

/** What the hub finds at its next start, so that its log says that it was restored. */
export const RESTORED_NOTE = 'restored.json'
const FOLDER = 'restoring'
const FILES_MAX = 200_000
/** Media of years on a large disk; the file itself cannot promise less. */
const BYTES_MAX = 4 * 1024 ** 4

/**
 * Unpacks beside what is there, checks the database, then moves everything into place. Throws CONFLICT where a claimed hub lies,
 * VALIDATION_ERROR for a file that is no whole backup; what was there is then untouched. No hub may run on the directory.
 */
export async function restoreBackup(order: RestoreOrder): Promise<Restored> {
  const { dataDir, nowMs } = order
  refuseOwned(join(dataDir, DATABASE))
  const folder = join(dataDir, FOLDER)
  await rm(folder, { recursive: true, force: true })
  await ensurePrivateFolder(folder)
  try {
    const files = await unpack(order, folder)
    const restored = await check(folder, order.schema)
    await putAside(dataDir, nowMs)
    await putInPlace(folder, dataDir)
    const note = { at: new Date(nowMs).toISOString(), made_at: restored.madeAt }
    await writeFileAtomic(join(dataDir, RESTORED_NOTE), JSON.stringify(note))
    return { ...restored, files }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A hub that was started once and never claimed holds nothing of anybody. */
function refuseOwned(path: string): void {
  if (!existsSync(path)) return
  const db = new Database(path, { readonly: true })
  try {
    const claimed = db.prepare(`SELECT 1 FROM meta WHERE name = 'claimed_at'`).get()
    if (claimed === undefined) return
  } catch {
    // Not a database of ours: not ours to replace.
  } finally {
    db.close()
  }
  throw new HubError(
    'CONFLICT',
    `${path} belongs to somebody already. Restore into an empty data directory, or move this one away first.`,
  )
}

async function unpack({ file, open: key }: RestoreOrder, folder: string): Promise<number> {
  let files = 0
  let total = 0
  const pieces = await opened(createReadStream(file), key)
  await unpackTar(pieces, {
    async onFile(path, bytes) {
      files += 1
      total += bytes
      if (files > FILES_MAX || total > BYTES_MAX)
        throw new HubError('TOO_LARGE', 'The backup holds more than a hub can have.')
      if (files === 1 && path !== MANIFEST) throw foreign('it does not begin with what it is')
      return sinkFor(join(folder, placeOf(path)))
    },
  })
  return files - 1
}

/** Names come from outside: only those that this program itself writes, and never out of the folder. */
function placeOf(path: string): string {
  const parts = path.split('/')
  const [first = ''] = parts
  const known =
    path === MANIFEST ||
    path === DATABASE ||
    KEPT_FILES.some((name) => name === path) ||
    (parts.length > 1 && KEPT_FOLDERS.some((name) => name === first))
  const plain = parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(part) && part !== '..')
  if (!known || !plain) throw foreign('it holds files of other names')
  return parts.join(sep)
}

async function sinkFor(path: string): Promise<TarSink> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', PRIVATE_FILE)
  return {
    async write(piece) {
      await file.write(piece)
    },
    async end() {
      await file.sync()
      await file.close()
    },
  }
}

async function check(folder: string, newest: number): Promise<Omit<Restored, 'files'>> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'))
  if (!isManifest.Check(manifest)) throw foreign('it does not say what it is')
  const needed = [DATABASE, join('secrets', 'hub.key'), join('tls', 'ca-key.pem'), join('tls', 'ca.pem')]
  for (const name of needed) if (!existsSync(join(folder, name))) throw foreign(`${name} is missing`)
  const db = new Database(join(folder, DATABASE), { readonly: true })
  try {
    const found = String(db.pragma('integrity_check(1)', { simple: true }))
    if (found !== 'ok') throw foreign(`its database is damaged: ${found}`)
    const schema = Number(db.pragma('user_version', { simple: true }))
    if (schema > newest)
      throw new HubError(
        'CONFLICT',
        `The backup is of version ${manifest.version}. Install that version or a newer one.`,
      )
  } finally {
    db.close()
  }
  const { hub_id: hubId, made_at: madeAt, version } = manifest
  return { hubId, madeAt, version }
}

/** What an unclaimed hub had made for itself stays in a folder of its own. */
async function putAside(dataDir: string, nowMs: number): Promise<void> {
  const names = await readdir(dataDir)
  const ours = names.filter(
    (name) =>
      name.startsWith(DATABASE) ||
      name === 'snapshots' ||
      [...KEPT_FILES, ...KEPT_FOLDERS].some((kept) => kept === name),
  )
  if (ours.length === 0) return
  const aside = join(dataDir, `before-restore-${nowMs}`)
  await ensurePrivateFolder(aside)
  for (const name of ours) await rename(join(dataDir, name), join(aside, name))
}

/** The database last: with it the box is the restored hub. */
async function putInPlace(folder: string, dataDir: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== MANIFEST && name !== DATABASE)
  for (const name of [...names, DATABASE]) await rename(join(folder, name), join(dataDir, name))
  makeDurable(dataDir)
}

function foreign(why: string): HubError {
  return new HubError('VALIDATION_ERROR', `This is not a backup of a hub: ${why}.`)
}
