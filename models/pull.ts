/** Fetches a model from its authors: resumable, limited in size, and pinned to the contents of the first pull. */
import { MAX_MODEL_BYTES } from './install.ts'
import { sha256Of } from './manifest.ts'

export interface PullDeps {
  fetch: typeof globalThis.fetch
  /** What an earlier try left, null when nothing. */
  readPart(): Promise<Uint8Array | null>
  keepPart(bytes: Uint8Array): Promise<void>
  dropPart(): Promise<void>
}

/** The authors' server could not be reached, or sent something else than the model. The message says what to do. */
export class PullFailed extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PullFailed'
  }
}

/** No byte for this long ends a try. */
const STALL_MS = 30_000

/**
 * The whole file. `pinned` is the hash it must have, null at the first pull: then the caller records the one it got. What arrived
 * before a failure is kept and the next try goes on from there. Throws PullFailed.
 */
export async function pullModel(url: string, pinned: string | null, deps: PullDeps): Promise<Uint8Array> {
  const part = await deps.readPart()
  const bytes = await download(url, part ?? new Uint8Array(), deps)
  const sha256 = sha256Of(bytes)
  if (pinned !== null && sha256 !== pinned) {
    await deps.dropPart()
    throw new PullFailed(
      `${url} holds other contents than before (SHA-256 ${sha256}, expected ${pinned}). Nothing was installed; ask its authors.`,
    )
  }
  return bytes
}

async function download(url: string, part: Uint8Array, deps: PullDeps): Promise<Uint8Array> {
  const stall = stallSignal()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    const response = await deps.fetch(url, {
      signal: stall.signal,
      headers: part.length > 0 ? { range: `bytes=${part.length}-` } : {},
    })
    if (response.status === 206) chunks.push(part)
    else if (response.status !== 200) await refused(url, response.status, deps)
    length = chunks.reduce((sum, { length: size }) => sum + size, 0)
    const expected = Number(response.headers.get('content-length') ?? Number.NaN) + length
    if (response.body === null) throw new PullFailed(`${url} sent nothing.`)
    for await (const chunk of response.body) {
      stall.alive()
      length += chunk.length
      if (length > MAX_MODEL_BYTES)
        throw new PullFailed(
          `${url} sends more than ${MAX_MODEL_BYTES} bytes; that is no model for this hub.`,
        )
      chunks.push(chunk)
    }
    if (length < expected) throw new Error(`only ${length} of ${expected} bytes arrived`)
    return Buffer.concat(chunks)
  } catch (cause) {
    if (length > 0 && length <= MAX_MODEL_BYTES) await deps.keepPart(Buffer.concat(chunks))
    if (cause instanceof PullFailed) throw cause
    const why =
      cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : String(cause)
    throw new PullFailed(
      `Cannot fetch ${url}: ${why}. Is this box on the internet? The same command goes on where it stopped; or fetch the file on ` +
        'another machine and bring it with: homefield models import FILE',
      { cause },
    )
  } finally {
    stall.end()
  }
}

/** A server that cannot go on from the kept part, or has no such file. */
async function refused(url: string, status: number, deps: PullDeps): Promise<never> {
  await deps.dropPart()
  throw new PullFailed(`${url} answered ${status}. Try once more; if it stays, the file has moved.`)
}

function stallSignal() {
  const controller = new AbortController()
  const stop = () => controller.abort(new Error(`nothing arrived for ${STALL_MS / 1000} s`))
  let timer = setTimeout(stop, STALL_MS)
  return {
    signal: controller.signal,
    alive() {
      clearTimeout(timer)
      timer = setTimeout(stop, STALL_MS)
    },
    end: () => clearTimeout(timer),
  }
}
