/** The models of one hub: what is here, what can be had, and how it gets here. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Catalogue, type ModelFolders, type ModelRecord, readCatalogue } from './catalogue.ts'
import { installModel, MAX_MODEL_BYTES, type Offer } from './install.ts'
import { type Family, type KnownModel, knownModels, sha256Of } from './manifest.ts'
import { pullModel } from './pull.ts'
import { fileInZip } from './unzip.ts'
import { UnreadableInput } from './vision/unreadable.ts'

export interface ShelfDeps {
  folders: ModelFolders
  /** Makes a folder that only its owner may read. */
  ensureFolder(path: string): Promise<unknown>
  /** Writes a file that is whole or absent after a power cut. */
  write(path: string, content: string | Uint8Array): Promise<void>
  fetch: typeof globalThis.fetch
  now: () => number
}

export interface ListedModel {
  name: string
  version: string | null
  family: Family
  licence: string | null
  bytes: number | null
  sha256: string | null
  /** Where an installed one came from, else the command that brings it. */
  state: string
}

export interface ModelList {
  models: ListedModel[]
  /** Files of the data directory that are no usable model, in words. */
  unreadable: string[]
  /** What would make the hub see better; null when nothing is missing. */
  hint: string | null
}

export interface Shelf {
  read(): Promise<Catalogue>
  list(): Promise<ModelList>
  /** Throws UnreadableInput for a file that is no model the hub can use; then nothing is changed. */
  install(offer: Offer): Promise<ModelRecord>
  /** Packs and models that can be pulled, by name. */
  pullable(): string[]
  /**
   * Fetches a pack or one model from its authors and installs it. Throws UnreadableInput for a name that there is nothing of, and
   * PullFailed when the authors' server cannot be reached or sends something else; what arrived by then stays installed.
   */
  pull(what: string, told?: (done: number, of: number, name: string) => void): Promise<ModelRecord[]>
}

const PINS = 'pins.txt'
export const BETTER_PACK =
  'Where several people are seen, YOLOX finds more of them than the bundled detector: homefield models pull training'

export function createShelf({ folders, ensureFolder, write, fetch, now }: ShelfDeps): Shelf {
  const folder = folders.installed

  async function install(offer: Offer): Promise<ModelRecord> {
    await ensureFolder(folder)
    const { models: installed } = await readCatalogue(folders)
    return installModel(offer, { folder, installed, write, nowMs: now() })
  }

  async function pullOne(model: KnownModel): Promise<ModelRecord> {
    await ensureFolder(folder)
    const url = model.pull?.url ?? ''
    const part = join(folder, `${model.name}.part`)
    const pins = await readPins(folder)
    const bytes = await pullModel(url, model.sha256 ?? pins.get(url) ?? null, {
      fetch,
      readPart: () => readFile(part).catch(() => null),
      keepPart: (kept) => writeFile(part, kept, { mode: 0o600 }),
      dropPart: () => rm(part, { force: true }),
    })
    await rm(part, { force: true })
    const entry = model.pull?.entry
    const file = entry === undefined ? bytes : fileInZip(bytes, entry, MAX_MODEL_BYTES)
    const record = await install({ bytes: file, name: model.name, origin: 'pulled' })
    pins.set(url, sha256Of(bytes))
    await write(join(folder, PINS), [...pins].map(([from, hash]) => `${hash}  ${from}\n`).join(''))
    return record
  }

  return {
    read: () => readCatalogue(folders),
    async list() {
      const { models, unreadable } = await readCatalogue(folders)
      const here = models.map(({ origin, ...model }) => listed(model, origin))
      const missing = knownModels()
        .filter(({ name }) => !models.some((model) => model.name === name))
        .map((model) =>
          listed(model, model.pull === undefined ? 'not built' : `homefield models pull ${model.name}`),
        )
      const hint = models.some(({ family }) => family === 'yolox') ? null : BETTER_PACK
      return { models: [...here, ...missing], unreadable, hint }
    },
    install,
    pullable: namesToPull,
    async pull(what, told = () => {}) {
      const wanted = toPull().filter(({ name, pull }) => name === what || pull?.packs.includes(what))
      if (wanted.length === 0)
        throw new UnreadableInput(
          `There is nothing to pull called ${what}, only: ${namesToPull().join(', ')}.`,
        )
      const records: ModelRecord[] = []
      for (const model of wanted) {
        told(records.length, wanted.length, model.name)
        records.push(await pullOne(model))
      }
      return records
    },
  }
}

function toPull(): KnownModel[] {
  return knownModels().filter((model) => model.pull !== undefined)
}

function namesToPull(): string[] {
  return [...new Set(toPull().flatMap(({ name, pull }) => [...(pull?.packs ?? []), name]))]
}

function listed(model: Omit<ListedModel, 'state'>, state: string): ListedModel {
  const { name, version, family, licence, bytes, sha256 } = model
  return { name, version, family, licence, bytes, sha256, state }
}

/** Hashes of the first pull, in the form of sha256sum. */
async function readPins(folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, PINS), 'utf8').catch(() => '')
  const lines = [...text.matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)]
  return new Map(lines.map(([, hash = '', url = '']) => [url, hash]))
}
