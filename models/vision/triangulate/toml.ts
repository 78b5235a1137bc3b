/** The part of TOML that camera calibrations use: tables of strings, numbers, booleans and nested arrays. */
import { UnreadableInput } from '../unreadable.ts'

export type TomlValue = string | number | boolean | TomlValue[]
export type TomlTable = Map<string, TomlValue>

const MAX_DEPTH = 8
const TOKEN = /\s*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[[\],]|[^\s[\],]+)/y
const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#.*/g
/** A rig's file has a few thousand characters; multi-line arrays are read line by line, so this also bounds the time. */
const MAX_CHARACTERS = 200_000

/** Tables by their header; keys before the first header stand under "". Throws UnreadableInput naming the line. */
export function parseToml(text: string): Map<string, TomlTable> {
  if (text.length > MAX_CHARACTERS)
    throw new UnreadableInput(`A calibration has at most ${MAX_CHARACTERS} characters.`)
  const tables = new Map<string, TomlTable>()
  let table: TomlTable = new Map()
  tables.set('', table)
  const lines = text.split(/\r?\n/).map(withoutComment)
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trim()
    if (line === '') continue
    const header = /^\[([^[\]]+)\]$/.exec(line)
    if (header) {
      table = new Map()
      tables.set((header[1] ?? '').trim(), table)
      continue
    }
    const start = index
    const pair = /^([\w."'-]+)\s*=\s*(.*)$/.exec(line)
    if (!pair) throw unreadable(start)
    let rest = pair[2] ?? ''
    for (let open = openBrackets(rest); open > 0 && index + 1 < lines.length; ) {
      const more = lines[++index] ?? ''
      rest += `\n${more}`
      open += openBrackets(more)
    }
    table.set((pair[1] ?? '').replace(/["']/g, ''), parseValue(rest, start))
  }
  return tables
}

function unreadable(index: number): UnreadableInput {
  return new UnreadableInput(
    `Line ${index + 1} is not a table, or a key with a string, number, boolean or array.`,
  )
}

function withoutComment(line: string): string {
  return line.replace(STRING_OR_COMMENT, (found) => (found.startsWith('#') ? '' : found))
}

function openBrackets(text: string): number {
  const bare = text.replace(STRING_OR_COMMENT, '')
  return bare.split('[').length - bare.split(']').length
}

function parseValue(text: string, line: number): TomlValue {
  const tokens = createTokens(text, line)
  const value = readValue(tokens, tokens.next(), 0)
  if (!tokens.atEnd()) throw unreadable(line)
  return value
}

interface Tokens {
  line: number
  next(): string
  atEnd(): boolean
}

function createTokens(text: string, line: number): Tokens {
  let at = 0
  return {
    line,
    next() {
      TOKEN.lastIndex = at
      const found = TOKEN.exec(text)
      if (!found) throw unreadable(line)
      at = TOKEN.lastIndex
      return found[1] ?? ''
    },
    atEnd: () => text.slice(at).trim() === '',
  }
}

function readValue(tokens: Tokens, token: string, depth: number): TomlValue {
  if (token === '[') return readArray(tokens, depth + 1)
  if (/^["']/.test(token)) return token.slice(1, -1)
  if (token === 'true' || token === 'false') return token === 'true'
  const value = Number(token.replaceAll('_', ''))
  if (Number.isNaN(value)) throw unreadable(tokens.line)
  return value
}

function readArray(tokens: Tokens, depth: number): TomlValue[] {
  if (depth > MAX_DEPTH) throw unreadable(tokens.line)
  const values: TomlValue[] = []
  for (let token = tokens.next(); token !== ']'; token = tokens.next()) {
    values.push(readValue(tokens, token, depth))
    const separator = tokens.next()
    if (separator === ']') break
    if (separator !== ',') throw unreadable(tokens.line)
  }
  return values
}
