import { readFile, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { Command } from 'commander'
import {
  type InstalledModel,
  type ModelFolders,
  type ModelRecord,
  modelFolders,
  readCatalogue,
} from '../../models/catalogue.ts'
import { MAX_MODEL_BYTES, tryModel } from '../../models/install.ts'
import { knownModels, sha256Of } from '../../models/manifest.ts'
import { PullFailed } from '../../models/pull.ts'
import { createShelf, type ModelList, type Shelf } from '../../models/shelf.ts'
import { UnreadableInput } from '../../models/vision/unreadable.ts'
import { ensurePrivateFolder, writeFileAtomic } from '../kernel/atomic-file.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError, isMissing, messageOf } from '../kernel/errors.ts'
import { answer, type Shell, subcommand, table } from './shell.ts'

interface Deps {
  shell: Shell
  clock: Pick<Clock, 'now'>
  fetch: typeof globalThis.fetch
}

/** `models list|verify|import|pull`: what the hub sees with, and how it gets better eyes. */
export function registerModels(program: Command, deps: Deps): void {
  const { shell } = deps
  const models = program.command('models').description('what the hub finds people and poses with')
  const folders = () => modelFolders(shell.dataDir())
  const shelf = () =>
    createShelf({
      folders: folders(),
      ensureFolder: ensurePrivateFolder,
      write: writeFileAtomic,
      fetch: deps.fetch,
      now: deps.clock.now,
    })
  subcommand(models, 'list', 'models that are here, and those that can be had').action(
    (options: { json?: boolean }) => answer(shell, options, () => shelf().list(), listed),
  )
  subcommand(models, 'verify', 'check every model against its hash and run it once').action(
    (options: { json?: boolean }) =>
      answer(
        shell,
        options,
        async () => {
          const findings = await verify(folders())
          if (findings.some(({ state }) => state !== 'ok')) shell.exit(1)
          return findings
        },
        (findings) => table(findings, ['name', 'state', 'says'], 'No model is installed.'),
      ),
  )
  subcommand(models, 'import <file>', 'install a model from an ONNX file')
    .option('--name <name>', 'what to call it; the name of the file otherwise')
    .action((file: string, options: { json?: boolean; name?: string }) =>
      answer(shell, options, () => importFile(file, options.name, shelf()), installedLine),
    )
  subcommand(models, 'pull [what]', 'fetch a pack or a model from its authors (default: training)').action(
    (what: string | undefined, options: { json?: boolean }) =>
      answer(
        shell,
        options,
        () => spoken(() => shelf().pull(what ?? 'training')),
        (records) => records.map(installedLine).join('\n'),
      ),
  )
}

function listed({ models, unreadable, hint }: ModelList): string {
  const columns = ['name', 'version', 'family', 'licence', 'bytes', 'state']
  return [
    table(
      models.map((model) => ({ ...model })),
      columns,
      'No models.',
    ),
    ...unreadable,
    ...(hint === null ? [] : [hint]),
  ].join('\n')
}

async function verify(folders: ModelFolders) {
  const { models, unreadable } = await readCatalogue(folders)
  const findings: { name: string; state: 'ok' | 'fail'; says: string }[] = []
  for (const model of models) findings.push({ name: model.name, ...(await verified(model)) })
  for (const says of unreadable) findings.push({ name: '–', state: 'fail', says })
  return findings
}

async function verified(model: InstalledModel): Promise<{ state: 'ok' | 'fail'; says: string }> {
  try {
    const sha256 = sha256Of(await readFile(model.path))
    if (sha256 !== model.sha256) return { state: 'fail', says: `its SHA-256 is ${sha256}: install it again` }
    const tookMs = await tryModel(model)
    return { state: 'ok', says: `${model.sha256.slice(0, 12)}, first run ${tookMs.toFixed(0)} ms` }
  } catch (cause) {
    return { state: 'fail', says: messageOf(cause) }
  }
}

async function importFile(path: string, name: string | undefined, shelf: Shelf): Promise<ModelRecord> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw isMissing(cause) ? new HubError('NOT_FOUND', `There is no file ${path}.`) : cause
  })
  if (size > MAX_MODEL_BYTES)
    throw new HubError('TOO_LARGE', `${path} has ${size} bytes; a model may have ${MAX_MODEL_BYTES}.`)
  const bytes = await readFile(path)
  const sha256 = sha256Of(bytes)
  const known = knownModels().find((model) => model.sha256 === sha256)?.name
  const called = name ?? known ?? nameOfFile(path)
  return spoken(() => shelf.install({ bytes, name: called, origin: 'imported' }))
}

function nameOfFile(path: string): string {
  return basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)
}

/** Says in the hub's words what a model's file or its authors' server did wrong. */
async function spoken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw new HubError('VALIDATION_ERROR', cause.message, { cause })
    if (cause instanceof PullFailed) throw new HubError('NOT_FOUND', cause.message, { cause })
    throw cause
  }
}

function installedLine({ name, family, bytes, sha256 }: ModelRecord): string {
  return `${name} is installed (${family}, ${bytes} bytes, SHA-256 ${sha256}).`
}
