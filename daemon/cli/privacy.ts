import { copyFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { makeDurable } from '../store/snapshot-files.ts'
import type { Control } from './control.ts'
import { answer, type Shell, subcommand, text } from './shell.ts'

interface Deps {
  shell: Shell
  sleep(ms: number): Promise<void>
}

interface Options {
  json?: boolean
  person: string
}

const LOOK_MS = 500
const ENDED: readonly string[] = ['finished', 'failed', 'cancelled']

/** `export` and `erase`: a person's whole record in one file, and the end of it. */
export function registerPrivacy(program: Command, deps: Deps): void {
  const { shell } = deps
  subcommand(program, 'export', 'everything about one person in one ZIP file')
    .requiredOption('--person <id>', 'whose')
    .option('--to <file>', 'where it goes; PERSON.zip in this folder otherwise')
    .action((options: Options & { to?: string }) =>
      answer(
        shell,
        options,
        () => takeAlong(options, deps),
        ({ file }) => `Everything about ${options.person} is in ${file}. It is not encrypted: keep it safe.`,
      ),
    )
  subcommand(program, 'erase', 'forget a person for good; nothing brings it back')
    .requiredOption('--person <id>', 'whom')
    .option('--yes', 'do not ask')
    .action((options: Options & { yes?: boolean }) =>
      answer(
        shell,
        options,
        () => forget(options, deps),
        ({ rows, files }) =>
          `${options.person} is forgotten: ${rows} rows and ${files} files are gone. Copies elsewhere, such as backups on a stick, are yours to destroy.`,
      ),
    )
}

async function takeAlong({ person, to }: Options & { to?: string }, { shell, sleep }: Deps) {
  const control = shell.control()
  const begun = await control.call('POST', '/privacy/export', { person_id: person })
  await untilDone(control, text(begun, 'job_id'), sleep)
  const made = join(shell.dataDir(), 'exports', `${text(begun, 'export_id')}.zip`)
  const file = resolve(to ?? `${person}.zip`)
  await copyFile(made, file)
  makeDurable(file)
  await rm(made, { force: true })
  return { file }
}

async function forget({ person, yes }: Options & { yes?: boolean }, { shell, sleep }: Deps) {
  const control = shell.control()
  const question = await control.call('POST', '/privacy/erase', { person_id: person })
  const holds = field(question, 'holds')
  const said = `${person}: ${text(holds, 'values')} values, ${text(holds, 'records')} notes and records, ${text(holds, 'sessions')} sessions. Erase for good?`
  if (yes !== true && !(await shell.confirm(said)))
    throw new Error('Nothing was erased. Say --yes where nobody can be asked.')
  const begun = await control.call('POST', '/privacy/erase/confirm', { token: text(question, 'token') })
  const result = await untilDone(control, text(begun, 'job_id'), sleep)
  return { rows: Number(text(result, 'rows')), files: Number(text(result, 'files')) }
}

async function untilDone(control: Control, jobId: string, sleep: Deps['sleep']): Promise<unknown> {
  for (;;) {
    const job = await control.call('GET', `/jobs/${encodeURIComponent(jobId)}`)
    const status = text(job, 'status')
    if (status === 'finished') return field(job, 'result')
    if (ENDED.includes(status)) throw new Error(`It was not done: ${text(job, 'error')}`)
    await sleep(LOOK_MS)
  }
}

function field(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined
}
