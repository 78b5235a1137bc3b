/** Puts lines back together that a serial link over Bluetooth cut into packets of some twenty bytes. */
export interface Lines {
  /** Whole lines, and a rest that already is a whole JSON object. */
  take(device: string, text: string, nowMs: number): string[]
  readonly dropped: number
}

export interface LineLimits {
  maxLine: number
  maxDevices: number
  /** A rest older than this will not be continued: the packet that did is lost. */
  maxAgeMs: number
}

/** At a limit the oldest rest goes, counted. */
export function createLines({ maxLine, maxDevices, maxAgeMs }: LineLimits): Lines {
  const rests = new Map<string, { text: string; atMs: number }>()
  let dropped = 0
  return {
    take(device, text, nowMs) {
      const before = rests.get(device)
      rests.delete(device)
      const stale = before !== undefined && nowMs - before.atMs > maxAgeMs
      if (stale) dropped++
      const lines = ((stale ? '' : (before?.text ?? '')) + text).split('\n').map(cleaned)
      const rest = lines.pop() ?? ''
      if (rest.startsWith('{') && rest.endsWith('}') && isWhole(rest)) lines.push(rest)
      else if (rest.length > maxLine) dropped++
      else if (rest !== '') {
        rests.set(device, { text: rest, atMs: nowMs })
        if (rests.size > maxDevices) {
          dropped++
          for (const oldest of rests.keys()) {
            rests.delete(oldest)
            break
          }
        }
      }
      return lines.filter((line) => line !== '')
    },
    get dropped() {
      return dropped
    },
  }
}

/** The console of an Espruino writes its prompt and control bytes between lines. */
function cleaned(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is taken away.
  return line.replace(/[\u0000-\u001f]/g, '').replace(/^>+/, '')
}

function isWhole(text: string): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (inText) {
      if (sign === '\\') at++
      else if (sign === '"') inText = false
    } else if (sign === '"') inText = true
    else if (sign === '{') depth++
    else if (sign === '}') depth--
  }
  return depth === 0 && !inText
}
