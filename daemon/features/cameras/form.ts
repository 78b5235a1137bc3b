/** The one part of a form that is a picture. Bodies are small, so they are read whole and walked once. */
import { HubError } from '../../kernel/errors.ts'

export interface FormPart {
  name: string
  type: string
  data: Buffer
}

const PARTS_MAX = 8
const HEAD_BYTES = 2048

/** Reads `multipart/form-data`; throws VALIDATION_ERROR for what is none. */
export function readForm(body: Buffer, contentType: string): FormPart[] {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw malformed('it names no boundary')
  const parts: FormPart[] = []
  const mark = Buffer.from(`\r\n--${boundary}`)
  const opening = Buffer.from(`--${boundary}`)
  let at = body.subarray(0, opening.length).equals(opening) ? opening.length : startAfter(body, mark)
  // Every turn begins right behind a boundary.
  while (body.subarray(at, at + 2).toString('latin1') !== '--') {
    const headEnd = body.indexOf('\r\n\r\n', at)
    const end = headEnd < 0 ? -1 : body.indexOf(mark, headEnd + 2)
    if (end < 0 || headEnd - at > HEAD_BYTES) throw malformed('a part has no end')
    if (parts.length === PARTS_MAX) throw malformed(`it has more than ${PARTS_MAX} parts`)
    parts.push(partOf(body.subarray(at, headEnd).toString('latin1'), body.subarray(headEnd + 4, end)))
    at = end + mark.length
  }
  return parts
}

function startAfter(body: Buffer, mark: Buffer): number {
  const found = body.indexOf(mark)
  if (found < 0) throw malformed('its boundary does not occur')
  return found + mark.length
}

function partOf(head: string, data: Buffer): FormPart {
  const name = /^content-disposition:.*?;\s*name="([^"]*)"/im.exec(head)?.[1] ?? ''
  const type = /^content-type:\s*([^\s;]+)/im.exec(head)?.[1]?.toLowerCase() ?? 'text/plain'
  return { name, type, data }
}

function malformed(reason: string): HubError {
  return new HubError('VALIDATION_ERROR', `The form cannot be read: ${reason}.`)
}
