/** Undoes a request's compression with a limit on what comes out: a few kilobytes may hold gigabytes. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { LIMITS } from '../wire.ts'

const WAYS = { br: promisify(brotliDecompress), gzip: promisify(gunzip), deflate: promisify(inflate) }

export type Inflated = { bytes: Buffer } | { fault: 'too_large' | 'encoding' }

export async function inflated(body: Buffer, encoding: string | undefined): Promise<Inflated> {
  if (encoding === undefined || encoding === 'identity')
    return body.length > LIMITS.inflatedBytes ? { fault: 'too_large' } : { bytes: body }
  if (encoding !== 'br' && encoding !== 'gzip' && encoding !== 'deflate') return { fault: 'encoding' }
  try {
    return { bytes: await WAYS[encoding](body, { maxOutputLength: LIMITS.inflatedBytes }) }
  } catch (cause) {
    const isLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    return { fault: isLarge ? 'too_large' : 'encoding' }
  }
}
