export interface CsvRowsDeps {
  /** `line` is where the row began, from 1. */
  onRow(cells: readonly string[], line: number): void
  /** Once, when nothing behind this line can be read. */
  onBroken(line: number, reason: string): void
}

export interface CsvRows {
  push(chunk: Uint8Array): void
  end(): void
}

const MAX_CELL = 16_384
const MAX_CELLS = 256
/** Enough to tell the delimiter of a file from its first line. */
const MAX_HEAD = 65_536

/**
 * Rows of a delimited text with quotes (RFC 4180), from chunks. The delimiter is whichever of comma, semicolon and tab
 * stands most often in the first line. Rows are as long as they are; empty lines are not rows.
 */
export function createCsvRows({ onRow, onBroken }: CsvRowsDeps): CsvRows {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let delimiter = ''
  let head = ''
  let cells: string[] = []
  let cell = ''
  let quoted: 'no' | 'yes' | 'closing' = 'no'
  let line = 1
  let rowLine = 1
  let broken = false

  const fail = (reason: string) => {
    broken = true
    onBroken(rowLine, reason)
  }
  const endCell = () => {
    cells.push(cell)
    cell = ''
    quoted = 'no'
    if (cells.length > MAX_CELLS) fail(`more than ${MAX_CELLS} columns`)
  }
  const endRow = () => {
    endCell()
    const row = cells
    cells = []
    if (!broken && (row.length > 1 || row[0] !== '')) onRow(row, rowLine)
    rowLine = line + 1
  }
  const take = (sign: string) => {
    if (quoted === 'yes') {
      if (sign === '"') quoted = 'closing'
      else cell += sign
    } else if (sign === '"' && quoted === 'closing') {
      cell += '"'
      quoted = 'yes'
    } else if (sign === '"' && cell === '') quoted = 'yes'
    else if (sign === delimiter) endCell()
    else if (sign === '\n') endRow()
    else if (sign !== '\r') cell += sign
    if (sign === '\n') line++
    if (cell.length > MAX_CELL) fail(`a cell longer than ${MAX_CELL} characters`)
  }
  const read = (text: string) => {
    for (let at = 0; at < text.length && !broken; at++) take(text[at] ?? '')
  }
  const settle = (last: boolean) => {
    const lineEnd = head.indexOf('\n')
    if (lineEnd < 0 && !last && head.length < MAX_HEAD) return
    const first = lineEnd < 0 ? head : head.slice(0, lineEnd)
    delimiter = delimiterOf(first)
    read(head)
    head = ''
  }
  const decode = (chunk: Uint8Array | null): string | null => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      fail('not UTF-8 text: save the file as CSV UTF-8')
      return null
    }
  }
  return {
    push(chunk) {
      if (broken) return
      const text = decode(chunk)
      if (text === null) return
      if (text.includes('\u0000')) return fail('not text: save the file as CSV UTF-8')
      if (delimiter === '') {
        head += text
        settle(false)
      } else read(text)
    },
    end() {
      if (broken) return
      const rest = decode(null)
      if (rest === null) return
      if (delimiter === '') settle(true)
      if (quoted === 'yes') fail('the file breaks off inside quotes')
      else if (cell !== '' || cells.length > 0) endRow()
    },
  }
}

function delimiterOf(line: string): string {
  const count = (sign: string) => line.split(sign).length
  return [';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ',')
}
