import { readFile, stat } from 'node:fs/promises'
import { HubError, messageOf } from '../../kernel/errors.ts'

const MAX_INPUT_BYTES = 256 * 1024 * 1024

/** One of the hub's own algorithms, run on a file without a hub. What it answers is printed as JSON, unless it is text. */
export type Computation = (file: InputFile, set: Settings) => Promise<unknown>

/** An answer that is not JSON, such as a MOT result file. */
export interface PlainText {
  plainText: string
}

/** A file (or folder) given on the command line; size-limited. All reads throw HubError. */
export interface InputFile {
  path: string
  isFolder(): Promise<boolean>
  bytes(): Promise<Buffer>
  text(): Promise<string>
  json(): Promise<unknown>
  /** Rows of a comma-separated file with a header line; quotes are not spoken in the files this reads. */
  csv(): Promise<Record<string, string>[]>
}

export function inputFile(path: string): InputFile {
  const bytes = async () => {
    const { size } = await stat(path)
    if (size > MAX_INPUT_BYTES)
      throw new HubError('TOO_LARGE', `${path} is larger than ${MAX_INPUT_BYTES} bytes.`)
    return readFile(path)
  }
  const text = async () => (await bytes()).toString('utf8').replace(/^\uFEFF/, '')
  return {
    path,
    isFolder: async () => (await stat(path)).isDirectory(),
    bytes,
    text,
    async json() {
      const read = await text()
      try {
        return JSON.parse(read) as unknown
      } catch (cause) {
        throw new HubError('VALIDATION_ERROR', `${path} is not JSON: ${messageOf(cause)}`, { cause })
      }
    },
    async csv() {
      const [header = '', ...lines] = (await text()).split(/\r?\n/).filter((line) => line !== '')
      const names = header.split(',').map((name) => name.trim())
      return lines.map((line) => {
        const cells = line.split(',')
        return Object.fromEntries(names.map((name, index) => [name, (cells[index] ?? '').trim()]))
      })
    },
  }
}

/** The `--set key=value` pairs of the command line. A key that the computation never asks for is wrong usage. */
export interface Settings {
  text(name: string, fallback: string): string
  /** Throws VALIDATION_ERROR when it is given and no number, or missing without a fallback. */
  number(name: string, fallback?: number): number
  list(name: string, fallback: readonly string[]): string[]
  /** A second file named by a setting; null when it is not given. */
  file(name: string): InputFile | null
  /** Keys that were given and never asked for. */
  unused(): string[]
}

export function settings(pairs: readonly string[]): Settings {
  const given = new Map(pairs.map(splitPair))
  const asked = new Set<string>()
  const get = (name: string) => {
    asked.add(name)
    return given.get(name)
  }
  return {
    text: (name, fallback) => get(name) ?? fallback,
    number(name, fallback) {
      const found = get(name)
      const value = found === undefined ? fallback : Number(found)
      if (value === undefined) throw new HubError('VALIDATION_ERROR', `Say ${name}: --set ${name}=NUMBER`)
      if (!Number.isFinite(value))
        throw new HubError('VALIDATION_ERROR', `${name} must be a number, not "${found}".`)
      return value
    },
    list: (name, fallback) => get(name)?.split(',') ?? [...fallback],
    file(name) {
      const path = get(name)
      return path === undefined ? null : inputFile(path)
    },
    unused: () => [...given.keys()].filter((name) => !asked.has(name)),
  }
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new HubError('VALIDATION_ERROR', `--set takes key=value, not "${pair}".`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}
