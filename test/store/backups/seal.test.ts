import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  newRecoveryKey,
  type OpenWith,
  opened,
  type SealFor,
  sealed,
} from '../../../daemon/store/backups/seal.ts'
import { packTar, type TarFile, unpackTar } from '../../../daemon/store/backups/tar.ts'

const FILES: Record<string, Buffer> = {
  'manifest.json': Buffer.from('{"Anna":1}'),
  'secrets/hub.key': randomBytes(32),
  'meal-photos/empty.jpg': Buffer.alloc(0),
  'sessions/long.mp4': randomBytes(300_001),
}

async function* files(): AsyncGenerator<TarFile> {
  for (const [path, content] of Object.entries(FILES))
    yield { path, bytes: content.length, content: [content] }
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

async function read(pieces: AsyncIterable<Uint8Array>): Promise<Record<string, Buffer>> {
  const found: Record<string, Buffer> = {}
  await unpackTar(pieces, {
    async onFile(path) {
      const parts: Uint8Array[] = []
      found[path] = Buffer.alloc(0)
      return {
        write: async (piece) => void parts.push(Buffer.from(piece)),
        end: async () => {
          found[path] = Buffer.concat(parts)
        },
      }
    },
  })
  return found
}

const seal = async (how: SealFor) => bytesOf(await sealed(packTar(files(), 0), how))
const open = async (bytes: Uint8Array, how: OpenWith) => read(await opened(Readable.from([bytes]), how))

test('what is sealed with the recovery key comes back byte by byte, and shows nothing before', async () => {
  const { key, recipient } = await newRecoveryKey()
  const bytes = await seal({ recipient })
  assert.equal(bytes.subarray(0, 21).toString(), 'age-encryption.org/v1')
  assert.equal(bytes.includes('Anna'), false)
  assert.deepEqual(await open(bytes, { key: ` ${key.toLowerCase()}\n` }), FILES)
})

test('a passphrase opens it as age writes it, another one does not', async () => {
  const bytes = await seal({ passphrase: 'lanterns over quiet water' })
  assert.deepEqual(await open(bytes, { passphrase: 'lanterns over quiet water' }), FILES)
  await assert.rejects(open(bytes, { passphrase: 'lanterns over quiet waters' }), /another key or passphrase/)
})

test('a byte changed or an end cut off anywhere is refused', async () => {
  const { key, recipient } = await newRecoveryKey()
  const bytes = await seal({ recipient })
  for (const at of [30, 120, 200, 70_000, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 4
    await assert.rejects(open(changed, { key }), { code: 'VALIDATION_ERROR' }, `byte ${at}`)
    await assert.rejects(open(bytes.subarray(0, at), { key }), { code: 'VALIDATION_ERROR' }, `cut at ${at}`)
  }
})

test('an archive of other kinds of files is refused', async () => {
  const tar = await bytesOf(packTar(files(), 0))
  const link = Buffer.from(tar)
  link.write('2', 156)
  let sum = 0
  link.fill(' ', 148, 156)
  for (const byte of link.subarray(0, 512)) sum += byte
  link.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1')
  await assert.rejects(read(Readable.from([link])), /not a plain file/)
  await assert.rejects(read(Readable.from([tar.subarray(0, 1000)])), /ends in the middle/)
})
