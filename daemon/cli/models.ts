import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { Command } from 'commander'
import {
  type InstalledModel,
  type ModelFolders,
  type ModelRecord,
  modelFolders,
  readCatalogue,
} from '../../models/catalogue.ts'
import { installModel, MAX_MODEL_BYTES, type Offer, tryModel } from '../../models/install.ts'
import { type KnownModel, knownModels, sha256Of } from '../../models/manifest.ts'
import { PullFailed, pullModel } from '../../models/pull.ts'
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

const PINS = 'pins.txt'
const BETTER =
  'Where several people are seen, YOLOX finds more of them than the bundled detector: homefield models pull training'

/** `models list|verify|import|pull`: what the hub sees with, and how it gets better eyes. */
export function registerModels(program: Command, deps: Deps): void {
  const { shell } = deps
  const models = program.command('models').description('what the hub finds people and poses with')
  const folders = () => modelFolders(shell.dataDir())
  subcommand(models, 'list', 'models that are here, and those that can be had').action(
    (options: { json?: boolean }) => answer(shell, options, () => list(folders()), listed),
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
      answer(shell, options, () => importFile(file, options.name, folders(), deps), installedLine),
    )
  subcommand(models, 'pull [what]', 'fetch a pack or a model from its authors (default: training)').action(
    (what: string | undefined, options: { json?: boolean }) =>
      answer(
        shell,
        options,
        () => pull(what ?? 'training', folders(), deps),
        (records) => records.map(installedLine).join('\n'),
      ),
  )
}

async function list(folders: ModelFolders) {
  const { models, unreadable } = await readCatalogue(folders)
  const here = models.map(({ name, version, family, licence, bytes, sha256, origin }) => ({
    name,
    version,
    family,
    licence,
    bytes,
    sha256,
    state: origin,
  }))
  const missing = knownModels()
    .filter(({ name }) => !models.some((model) => model.name === name))
    .map(({ name, version, family, licence, bytes, sha256, pull }) => ({
      name,
      version,
      family,
      licence,
      bytes,
      sha256,
      state: pull === undefined ? 'not built' : `homefield models pull ${name}`,
    }))
  const hint = models.some(({ family }) => family === 'yolox') ? null : BETTER
  return { models: [...here, ...missing], unreadable, hint }
}

function listed({ models, unreadable, hint }: Awaited<ReturnType<typeof list>>): string {
  const columns = ['name', 'version', 'family', 'licence', 'bytes', 'state']
  return [table(models, columns, 'No models.'), ...unreadable, ...(hint === null ? [] : [hint])].join('\n')
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

async function importFile(
  path: string,
  name: string | undefined,
  folders: ModelFolders,
  deps: Deps,
): Promise<ModelRecord> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw isMissing(cause) ? new HubError('NOT_FOUND', `There is no file ${path}.`) : cause
  })
  if (size > MAX_MODEL_BYTES)
    throw new HubError('TOO_LARGE', `${path} has ${size} bytes; a model may have ${MAX_MODEL_BYTES}.`)
  const bytes = await readFile(path)
  const sha256 = sha256Of(bytes)
  const known = knownModels().find((model) => model.sha256 === sha256)?.name
  const called = name ?? known ?? nameOfFile(path)
  return install({ bytes, name: called, origin: 'imported' }, folders, deps)
}

function nameOfFile(path: string): string {
  return basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)
}

async function install(offer: Offer, folders: ModelFolders, { clock }: Deps): Promise<ModelRecord> {
  await ensurePrivateFolder(folders.installed)
  const { models: installed } = await readCatalogue(folders)
  try {
    return await installModel(offer, {
      folder: folders.installed,
      installed,
      write: writeFileAtomic,
      nowMs: clock.now(),
    })
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw new HubError('VALIDATION_ERROR', cause.message, { cause })
    throw cause
  }
}

async function pull(what: string, folders: ModelFolders, deps: Deps): Promise<ModelRecord[]> {
  const known = knownModels().filter((model) => model.pull !== undefined)
  const wanted = known.filter(({ name, pull }) => name === what || pull?.packs.includes(what))
  if (wanted.length === 0) {
    const names = [...new Set(known.flatMap(({ name, pull }) => [...(pull?.packs ?? []), name]))].join(', ')
    throw new HubError('NOT_FOUND', `There is nothing to pull called ${what}, only: ${names}.`)
  }
  const records: ModelRecord[] = []
  for (const model of wanted) records.push(await pullOne(model, folders, deps))
  return records
}

async function pullOne(model: KnownModel, folders: ModelFolders, deps: Deps): Promise<ModelRecord> {
  const { installed: folder } = folders
  await ensurePrivateFolder(folder)
  const url = model.pull?.url ?? ''
  const part = join(folder, `${model.name}.part`)
  const pins = await readPins(folder)
  try {
    const bytes = await pullModel(url, model.sha256 ?? pins.get(url) ?? null, {
      fetch: deps.fetch,
      readPart: () => readFile(part).catch(() => null),
      keepPart: (kept) => writeFile(part, kept, { mode: 0o600 }),
      dropPart: () => rm(part, { force: true }),
    })
    await rm(part, { force: true })
    const record = await install({ bytes, name: model.name, origin: 'pulled' }, folders, deps)
    pins.set(url, record.sha256)
    await writeFileAtomic(join(folder, PINS), [...pins].map(([from, hash]) => `${hash}  ${from}\n`).join(''))
    return record
  } catch (cause) {
    if (cause instanceof PullFailed) throw new HubError('NOT_FOUND', cause.message, { cause })
    throw cause
  }
}

/** Hashes of the first pull, in the form of sha256sum. */
async function readPins(folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, PINS), 'utf8').catch(() => '')
  const lines = [...text.matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)]
  return new Map(lines.map(([, hash = '', url = '']) => [url, hash]))
}

function installedLine({ name, family, bytes, sha256 }: ModelRecord): string {
  return `${name} is installed (${family}, ${bytes} bytes, SHA-256 ${sha256}).`
}
