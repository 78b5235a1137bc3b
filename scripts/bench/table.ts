import type { Row } from './row.ts'

const HEADINGS = ['row', 'hub', 'beside', 'ratio', 'target', ''] as const

/** The rows as a Markdown table with aligned columns. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.hub,
    row.beside,
    row.ratio === null ? '' : shortNumber(row.ratio),
    row.target,
    row.met === null ? '' : row.met ? 'met' : 'MISSED',
  ])
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, 3, ...cells.map((line) => line[column]?.length ?? 0)),
  )
  const line = (values: readonly string[]) =>
    `| ${values.map((value, column) => value.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(HEADINGS), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')
}

/** Two or three significant digits, thousands as k. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (Math.abs(value) >= 10_000) return `${(value / 1000).toFixed(1)}k`
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}
