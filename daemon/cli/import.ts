import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { IMPORT_KINDS, isImportKind } from '../../firmware-bridge/import/kinds.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import type { Control } from './control.ts'
import { rows, type Shell, subcommand, text } from './shell.ts'

export interface ImportDeps {
  shell: Shell
  sleep(ms: number): Promise<void>
  /** From now on Ctrl-C aborts it instead of ending the program. */
  interruption(): AbortSignal
}

interface Options {
  person?: string
  dateOrder?: string
  json?: boolean
}

interface Standing {
  status: string
  progress: number
  stage: string | null
  error: string | null
}

const LOOK_MS = 500
const LINES_SHOWN = 20
const ENDED: readonly string[] = ['finished', 'failed', 'cancelled']

/** `import KIND FILE`: a file of another app into the running hub, with its progress. */
export function registerImport(program: Command, deps: ImportDeps): void {
  subcommand(program, 'import <kind> <file>', `bring a file in: ${['auto', ...IMPORT_KINDS].join('|')}`)
    .requiredOption('--person <id>', 'whose file it is')
    .option('--date-order <order>', 'DMY or MDY, where a LibreView file does not give it away')
    .action(async (kind: string, file: string, options: Options) =>
      deps.shell.exit(await importFile(kind, file, options, deps)),
    )
}

/** Exit code: 0 the file is in, 1 not (or in part), 2 wrong usage. */
export async function importFile(
  kind: string,
  file: string,
  options: Options,
  deps: ImportDeps,
): Promise<number> {
  const { shell } = deps
  try {
    if (kind !== 'auto' && !isImportKind(kind))
      throw new HubError('VALIDATION_ERROR', `A kind is auto or one of ${IMPORT_KINDS.join(', ')}.`)
    const control = shell.control()
    const entered = await upload(control, kind, file, options)
    const jobId = text(entered, 'job_id')
    const done = await follow(control, jobId, options, deps)
    const importId = text(entered, 'import_id')
    const came = await control.call('GET', `/imports/${importId}`)
    const left = rows(await control.call('GET', `/imports/${importId}/skipped?per_page=200`))
    if (options.json) shell.out(JSON.stringify({ ...Object(came), left_out: left }))
    else shell.out(summary(done, came, left))
    return done.status === 'finished' ? 0 : 1
  } catch (cause) {
    const code = cause instanceof HubError ? cause.code : 'INTERNAL'
    shell.err(
      options.json ? JSON.stringify({ error: { code, message: messageOf(cause) } }) : messageOf(cause),
    )
    return code === 'VALIDATION_ERROR' ? 2 : 1
  }
}

async function upload(control: Control, kind: string, file: string, options: Options): Promise<unknown> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new HubError('NOT_FOUND', `${file} cannot be read: ${messageOf(cause)}`, { cause })
  })
  const query = new URLSearchParams({ kind, file_name: basename(file), person_id: options.person ?? '' })
  if (options.dateOrder !== undefined) query.set('date_order', options.dateOrder)
  return control.send(`/imports?${query.toString()}`, createReadStream(file), size)
}

/** Tells how the job stands until it ends; an interrupt cancels it. */
async function follow(
  control: Control,
  jobId: string,
  { json }: Options,
  { shell, sleep, interruption }: ImportDeps,
): Promise<Standing> {
  const interrupted = interruption()
  let told = ''
  let cancelled = false
  for (;;) {
    if (interrupted.aborted && !cancelled) {
      cancelled = true
      await control.call('POST', `/jobs/${jobId}/cancel`).catch(() => undefined)
    }
    const standing = standingOf(await control.call('GET', `/jobs/${jobId}`))
    const line = `${Math.floor(standing.progress * 100)} %${standing.stage === null ? '' : ` · ${standing.stage}`}`
    if (!json && line !== told) shell.err(line)
    told = line
    if (ENDED.includes(standing.status)) return standing
    await sleep(LOOK_MS)
  }
}

function standingOf(job: unknown): Standing {
  const { status, progress, stage, error } = Object(job) as Partial<Standing>
  return { status: status ?? 'failed', progress: progress ?? 0, stage: stage ?? null, error: error ?? null }
}

function summary({ status, error }: Standing, came: unknown, left: Record<string, unknown>[]): string {
  const count = (name: string) => text(came, name)
  const head = `${status}${error === null ? '' : `: ${error}`}`
  const lines = left
    .slice(0, LINES_SHOWN)
    .map((one) => `  ${text(one, 'where')}: ${text(one, 'reason')} (${text(one, 'count')})`)
  const more =
    left.length > LINES_SHOWN ? [`  and ${left.length - LINES_SHOWN} more lines (--json shows them)`] : []
  return [
    head,
    `${count('accepted')} new · ${count('revised')} corrected · ${count('duplicates')} known already · ${count('skipped')} left out`,
    ...lines,
    ...more,
  ].join('\n')
}
