import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Rows as CSV (RFC 4180) with a header line, columns in the order of the first row; nested objects become dotted columns.
 * A text that a spreadsheet would take for a formula is set behind an apostrophe.
 */
export function toCsv(rows: readonly object[]): string {
  const flat = rows.map((row) => flatten(row))
  const columns = [...new Set(flat.flatMap((row) => Object.keys(row)))]
  const lines = [columns, ...flat.map((row) => columns.map((column) => row[column]))]
  return lines.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')
}

function flatten(row: object, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(flatten(value, `${prefix}${name}.`))
        : [[`${prefix}${name}`, value]],
    ),
  )
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Whether the caller asks for a table instead of JSON. */
export function wantsCsv(request: FastifyRequest): boolean {
  return /\btext\/csv\b/.test(request.headers.accept ?? '')
}

/** Answers rows as a file to download. */
export function csv(reply: FastifyReply, name: string, rows: readonly object[]): FastifyReply {
  return reply
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .header('vary', 'Accept')
    .type('text/csv; charset=utf-8')
    .send(toCsv(rows))
}
