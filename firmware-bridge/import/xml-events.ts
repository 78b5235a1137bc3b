import { SaxesParser } from 'saxes'

export interface XmlEventsDeps {
  open(name: string, attributes: Readonly<Record<string, string>>): void
  /** `text` is what stood directly inside, without children. */
  close(name: string, text: string): void
  /** Once, when nothing behind this place can be read. */
  onBroken(where: string, reason: string): void
}

export interface XmlEvents {
  push(chunk: Uint8Array): void
  end(): void
}

const MAX_DEPTH = 32
const MAX_TEXT = 65_536
/** A tag, a comment or a document type longer than this is nobody's export; the parser keeps all of it in memory. */
const MAX_SILENT_BYTES = 1024 * 1024

/**
 * The tags of an XML document from its chunks, in constant memory. Entities that a document defines for itself are not
 * known here, so none can multiply: their use is an error. Names come without their namespace.
 */
export function createXmlEvents({ open, close, onBroken }: XmlEventsDeps): XmlEvents {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const texts: string[] = []
  let bytes = 0
  let silentBytes = 0
  let broken = false
  let begun = false

  const fail = (reason: string) => {
    if (broken) return
    broken = true
    onBroken(`byte ${bytes}`, reason)
  }
  parser.on('error', (cause) => fail(`not well-formed XML: ${cause.message.slice(0, 200)}`))
  parser.on('opentag', ({ name, attributes }) => {
    if (broken) return
    silentBytes = 0
    begun = true
    texts.push('')
    if (texts.length > MAX_DEPTH) return fail(`nested deeper than ${MAX_DEPTH}`)
    open(local(name), attributes)
  })
  parser.on('closetag', ({ name }) => {
    silentBytes = 0
    const text = texts.pop() ?? ''
    if (!broken) close(local(name), text.trim())
  })
  parser.on('text', (text) => {
    const before = texts.at(-1)
    // What stands between tags of an export is line breaks, a million of them.
    if (before === undefined || before.length > MAX_TEXT || text.trim() === '') return
    texts[texts.length - 1] = before + text.slice(0, MAX_TEXT)
  })
  const read = (text: string) => {
    try {
      parser.write(text)
    } catch (cause) {
      fail(`not well-formed XML: ${cause instanceof Error ? cause.message.slice(0, 200) : ''}`)
    }
  }
  return {
    push(chunk) {
      if (broken) return
      bytes += chunk.byteLength
      silentBytes += chunk.byteLength
      if (silentBytes > MAX_SILENT_BYTES + chunk.byteLength) return fail('no tag within a megabyte')
      let text: string
      try {
        text = decoder.decode(chunk, { stream: true })
      } catch {
        return fail('not UTF-8 text')
      }
      read(text)
    },
    end() {
      if (broken) return
      if (!begun) return fail('no XML document')
      try {
        parser.close()
      } catch {
        fail('the document breaks off')
      }
    },
  }
}

function local(name: string): string {
  const colon = name.indexOf(':')
  return colon < 0 ? name : name.slice(colon + 1)
}
