import { copyFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { lockDataDirectory } from '../kernel/data-lock.ts'
import { HubError } from '../kernel/errors.ts'
import { restoreBackup } from '../store/backups/restore.ts'
import type { OpenWith } from '../store/backups/seal.ts'
import { newestSchema } from '../store/migrate.ts'
import { makeDurable } from '../store/snapshot-files.ts'
import { answer, type Shell, subcommand, text } from './shell.ts'

interface Deps {
  shell: Shell
  now: () => number
  sleep(ms: number): Promise<void>
}

interface BackupOptions {
  json?: boolean
  to?: string
  passphraseStdin?: boolean
  media?: boolean
}

interface RestoreOptions {
  json?: boolean
  keyStdin?: boolean
  passphraseStdin?: boolean
}

const LOOK_MS = 500
const ENDED: readonly string[] = ['finished', 'failed', 'cancelled']

/** `backup` and `restore`: everything into one encrypted file, and another box out of it. */
export function registerBackup(program: Command, deps: Deps): void {
  const { shell } = deps
  subcommand(program, 'backup', 'encrypt everything into one file; the first time it shows the recovery key')
    .option('--to <file>', 'copy it there, for instance to a stick')
    .option('--passphrase-stdin', 'a passphrase from standard input instead of the recovery key')
    .option('--no-media', 'leave photos and recordings out')
    .action((options: BackupOptions) =>
      answer(
        shell,
        options,
        () => backUp(options, deps),
        ({ file, bytes, recoveryKey }) =>
          [
            `The backup is ${file}, ${bytes} bytes.`,
            ...(recoveryKey === null
              ? []
              : [
                  'Your recovery key, shown this once. Write it down and keep it away from the box:',
                  `  ${recoveryKey}`,
                ]),
          ].join('\n'),
      ),
    )
  subcommand(program, 'restore <file>', 'make this box the one of the backup; the hub must not run')
    .option('--key-stdin', 'read the recovery key from standard input')
    .option('--passphrase-stdin', 'read the passphrase from standard input')
    .action((file: string, options: RestoreOptions) =>
      answer(
        shell,
        options,
        () => restore(file, options, deps),
        ({ madeAt, files }) =>
          `This box is the hub of ${madeAt} again (${files} files). Start it; phones and watches find it as before.`,
      ),
    )
}

async function backUp(options: BackupOptions, { shell, sleep }: Deps) {
  const control = shell.control()
  const passphrase = options.passphraseStdin === true ? await secret(shell) : null
  let recoveryKey: string | null = null
  if (passphrase === null && hasNoKey(await control.call('GET', '/backup')))
    recoveryKey = text(await control.call('POST', '/backup/key', {}), 'recovery_key')
  const body = { media: options.media !== false, ...(passphrase === null ? {} : { passphrase }) }
  const jobId = text(await control.call('POST', '/backup', body), 'job_id')
  for (;;) {
    const job = await control.call('GET', `/jobs/${encodeURIComponent(jobId)}`)
    const status = text(job, 'status')
    if (status === 'finished') {
      const result = field(job, 'result')
      const made = join(shell.dataDir(), 'backups', text(result, 'file'))
      return { file: await copyTo(made, options.to), bytes: Number(text(result, 'bytes')), recoveryKey }
    }
    if (ENDED.includes(status)) throw new Error(`The backup was not made: ${text(job, 'error')}`)
    await sleep(LOOK_MS)
  }
}

async function copyTo(made: string, to: string | undefined): Promise<string> {
  if (to === undefined) return made
  const target = resolve(to)
  try {
    await copyFile(made, target)
    makeDurable(target)
  } catch (cause) {
    await rm(target, { force: true })
    throw cause
  }
  return target
}

async function restore(file: string, options: RestoreOptions, { shell, now }: Deps) {
  const open = await howToOpen(options, shell)
  const dataDir = shell.dataDir()
  const lock = lockDataDirectory(dataDir, { pid: process.pid, startedAt: new Date(now()).toISOString() })
  try {
    const schema = newestSchema()
    return await restoreBackup({ file: resolve(file), dataDir, open, nowMs: now(), schema })
  } finally {
    lock.release()
  }
}

async function howToOpen(options: RestoreOptions, shell: Shell): Promise<OpenWith> {
  if (options.keyStdin === options.passphraseStdin) {
    throw new HubError(
      'VALIDATION_ERROR',
      'Say --key-stdin or --passphrase-stdin and give it on standard input.',
    )
  }
  const given = await secret(shell)
  return options.keyStdin === true ? { key: given } : { passphrase: given }
}

async function secret(shell: Shell): Promise<string> {
  return (await shell.stdin()).replace(/\r?\n$/, '')
}

function hasNoKey(state: unknown): boolean {
  return field(state, 'key') === null
}

function field(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined
}
