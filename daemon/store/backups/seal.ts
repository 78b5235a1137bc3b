/** Encrypts a stream as an age file (age-encryption.org/v1), which opens without this program too: `age -d FILE | tar xz`. */
import { createCipheriv, createHash, randomBytes, scrypt } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip, createGzip } from 'node:zlib'
import type { Recipient, Stanza } from 'age-encryption'
import { HubError } from '../../kernel/errors.ts'

/** What opens a backup: the recovery key, by its public half, or a passphrase. */
export type SealFor = { recipient: string } | { passphrase: string }
export type OpenWith = { key: string } | { passphrase: string }

export const PASSPHRASE_MIN = 12
/** Levels above it cost minutes on a small box for a few percent. */
const GZIP_LEVEL = 1
const SCRYPT_LABEL = 'age-encryption.org/v1/scrypt'
const SCRYPT_LOG_N = 16
const SALT_BYTES = 16

/** Loaded when a backup is made or opened: its curves take megabytes, and a hub at rest needs none of them. */
const loadAge = () => import('age-encryption')

/** A fresh recovery key; only its public half stays on the box. */
export async function newRecoveryKey(): Promise<{ key: string; recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await loadAge()
  const key = await generateX25519Identity()
  return { key, recipient: await identityToRecipient(key) }
}

/** What stands for a public half on a screen: bytes to make words from. */
export function recipientHash(recipient: string): string {
  return createHash('sha256').update(recipient).digest('hex')
}

/**
 * As age's own, with scrypt on another thread: in the library's JavaScript it would hold the hub up for seconds. 64 MiB, where age
 * takes 256, because a small box has no more to spare.
 */
function passphraseRecipient(passphrase: string, StanzaOf: typeof Stanza): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SALT_BYTES)
      const labelled = Buffer.concat([Buffer.from(SCRYPT_LABEL), salt])
      const cost = { N: 2 ** SCRYPT_LOG_N, r: 8, p: 1, maxmem: 2 ** (SCRYPT_LOG_N + 11) }
      const key = await new Promise<Buffer>((resolve, reject) =>
        scrypt(passphrase, labelled, 32, cost, (cause, derived) =>
          cause ? reject(cause) : resolve(derived),
        ),
      )
      const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      const args = ['scrypt', salt.toString('base64').replaceAll('=', ''), String(SCRYPT_LOG_N)]
      return [new StanzaOf(args, new Uint8Array(body))]
    },
  }
}

/** The pieces, compressed and encrypted; memory stays within a few pieces whatever comes. */
export async function sealed(pieces: AsyncIterable<Uint8Array>, seal: SealFor): Promise<Readable> {
  const age = await loadAge()
  const encrypter = new age.Encrypter()
  if ('recipient' in seal) encrypter.addRecipient(seal.recipient)
  else encrypter.addRecipient(passphraseRecipient(seal.passphrase, age.Stanza))
  const source = Readable.from(pieces, { objectMode: false })
  const packed = source.pipe(createGzip({ level: GZIP_LEVEL }))
  source.on('error', (cause) => packed.destroy(cause))
  const stream = await encrypter.encrypt(webOf(packed))
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>)
}

/** The other way; rejects with VALIDATION_ERROR when it is no backup, the key is another one, or a byte was changed. */
export async function opened(file: Readable, open: OpenWith): Promise<AsyncIterable<Uint8Array>> {
  const { Decrypter } = await loadAge()
  const decrypter = new Decrypter()
  try {
    if ('key' in open) decrypter.addIdentity(open.key.trim().replaceAll(/\s/g, '').toUpperCase())
    else decrypter.addPassphrase(open.passphrase)
    const stream = await decrypter.decrypt(webOf(file))
    return unzipped(Readable.fromWeb(stream as ReadableStream<Uint8Array>))
  } catch (cause) {
    throw new HubError('VALIDATION_ERROR', `This does not open the backup: ${wordsFor(cause)}.`, { cause })
  }
}

async function* unzipped(source: Readable): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  source.on('error', (cause) => gunzip.destroy(cause))
  source.pipe(gunzip)
  try {
    yield* gunzip
  } catch (cause) {
    throw new HubError('VALIDATION_ERROR', `The backup was changed or cut short: ${wordsFor(cause)}.`, {
      cause,
    })
  }
}

/** The platform's streams are the same thing under two types. */
function webOf(stream: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as unknown as globalThis.ReadableStream<Uint8Array>
}

function wordsFor(cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  return said.includes('no identity matched') ? 'it is another key or passphrase' : said
}
