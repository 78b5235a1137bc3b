/** The file inside a form, as browsers and share sheets send it (RFC 7578), read as it streams by. */
import { HubError } from '../../kernel/errors.ts'

export interface FormFile {
  /** The file's bytes; the rest of the form is read to its end and ignored. */
  chunks: AsyncGenerator<Buffer>
  /** The name that the form gave it; known once the first chunk came. */
  name(): string | null
}

const HEADERS_MAX = 8192
const PARTS_MAX = 20
/** Of everything in the form that is not the file. */
const BESIDE_MAX = 1024 * 1024
const HEADERS_END = Buffer.from('\r\n\r\n')
const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i

/** The boundary of a form; null for any other type of content. Throws VALIDATION_ERROR for a form without one. */
export function boundaryOf(contentType: string | undefined): string | null {
  if (!/^multipart\//i.test(contentType ?? '')) return null
  const match = BOUNDARY.exec(contentType ?? '')
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw broken('it names no boundary')
  return boundary
}

/** Finds the first part that is a file. Throws VALIDATION_ERROR for a form that breaks off or holds none. */
export function fileOfForm(body: AsyncIterable<Buffer>, boundary: string): FormFile {
  let name: string | null = null
  const marker = Buffer.from(`\r\n--${boundary}`)

  async function* chunks(): AsyncGenerator<Buffer> {
    const source = body[Symbol.asyncIterator]()
    // The first marker has no line before it.
    let held: Buffer = Buffer.from('\r\n')
    const more = async () => {
      const { done, value } = await source.next()
      if (done) throw broken('it breaks off')
      held = held.length === 0 ? value : Buffer.concat([held, value])
    }
    /** Hands on what stands before the next marker, which it then drops. */
    async function* untilMarker(): AsyncGenerator<Buffer> {
      for (;;) {
        const at = held.indexOf(marker)
        const end = at >= 0 ? at : Math.max(0, held.length - marker.length)
        if (end > 0) yield held.subarray(0, end)
        held = held.subarray(at >= 0 ? at + marker.length : end)
        if (at >= 0) return
        await more()
      }
    }
    let beside = 0
    const ignore = async (rest: AsyncIterable<Buffer>) => {
      for await (const { length } of rest) {
        beside += length
        if (beside > BESIDE_MAX) throw broken('there is too much beside the file')
      }
    }
    const headersOf = async () => {
      while (!held.includes(HEADERS_END)) {
        if (held.length > HEADERS_MAX) throw broken('the heads of a part are too long')
        await more()
      }
      const end = held.indexOf(HEADERS_END)
      if (end > HEADERS_MAX) throw broken('the heads of a part are too long')
      const text = held.toString('utf8', 0, end)
      held = held.subarray(end + HEADERS_END.length)
      return text
    }
    for (let part = 0; part <= PARTS_MAX; part += 1) {
      await ignore(untilMarker())
      while (held.length < 2) await more()
      if (held.subarray(0, 2).toString('latin1') === '--') break
      const found = fileNameOf(await headersOf())
      if (found === null) continue
      name = found
      yield* untilMarker()
      await ignore({ [Symbol.asyncIterator]: () => source })
      return
    }
    throw broken('there is no file in it')
  }
  return { chunks: chunks(), name: () => name }
}

/** Null for a field that is no file. */
function fileNameOf(headers: string): string | null {
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? ''
  const match =
    /;\s*filename="((?:[^"\\]|\\.)*)"/i.exec(disposition) ?? /;\s*filename=([^;\s]+)/i.exec(disposition)
  return match ? (match[1] ?? '').slice(0, 255) : null
}

function broken(why: string): HubError {
  return new HubError(
    'VALIDATION_ERROR',
    `The form could not be read: ${why}. Send the file itself, or a form with it.`,
  )
}
