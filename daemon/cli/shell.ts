import type { Command } from 'commander'
import { HubError, messageOf } from '../kernel/errors.ts'
import type { Control } from './control.ts'

/** What a command may touch of the world: given by `main.ts`, and by tests. */
export interface Shell {
  /** Where the hub of this machine keeps its data, from settings. Throws when the settings are wrong. */
  dataDir(): string
  control(): Control
  out(text: string): void
  err(text: string): void
  /** All of standard input, for secrets that must not stand on the command line. */
  stdin(): Promise<string>
  /** Asks a yes/no question on the terminal; false when there is none. */
  confirm(question: string): Promise<boolean>
  exit(code: number): void
}

/**
 * Runs one command's body: prints its answer (`--json`: as one JSON document, else by `human`), maps failures to exit code 1
 * and, with `--json`, to `{"error":{code,message}}` on standard error.
 */
export async function answer<Data>(
  shell: Shell,
  options: { json?: boolean },
  body: () => Promise<Data>,
  human: (data: Data) => string,
): Promise<void> {
  try {
    const data = await body()
    shell.out(options.json ? JSON.stringify(data) : human(data))
  } catch (cause) {
    const code = cause instanceof HubError ? cause.code : 'INTERNAL'
    shell.err(
      options.json ? JSON.stringify({ error: { code, message: messageOf(cause) } }) : messageOf(cause),
    )
    shell.exit(1)
  }
}

/** A subcommand with the flag that every command has. */
export function subcommand(program: Command, usage: string, description: string): Command {
  return program.command(usage).description(description).option('--json', 'print one JSON document')
}

/** Rows as aligned columns; an empty table says so in words. */
export function table(
  rows: readonly Record<string, unknown>[],
  columns: readonly string[],
  empty: string,
): string {
  if (rows.length === 0) return empty
  const cells = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((row) => columns.map((name) => cell(row[name]))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? '').length)))
  return cells
    .map((row) =>
      row
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cell(value: unknown): string {
  return value === null || value === undefined ? '–' : String(value)
}

/** A field of an answer that this program expects to be text. */
export function text(data: unknown, name: string): string {
  const value =
    typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined
  return value === undefined || value === null ? '–' : String(value)
}

export function rows(data: unknown): Record<string, unknown>[] {
  return Array.isArray(data) ? (data as Record<string, unknown>[]) : []
}
