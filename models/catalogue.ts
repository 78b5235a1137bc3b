/** Which models are here: the ones built with the program, and the ones put into the hub's data directory. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { DetectorFiles } from './jobs.ts'
import { BUNDLED_FOLDER, type Family, knownModels } from './manifest.ts'
import type { ModelFile } from './session.ts'

const TensorShape = Type.Object({
  name: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 8 }),
})

/** What is written beside a model in the data directory. */
export const ModelRecord = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' }),
  version: Type.Union([Type.String(), Type.Null()]),
  family: Type.Union([
    Type.Literal('yolox'),
    Type.Literal('blazepose-detector'),
    Type.Literal('blazepose-landmarks'),
    Type.Literal('rtmpose'),
  ]),
  licence: Type.Union([Type.String(), Type.Null()]),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  input: TensorShape,
  outputs: Type.Array(TensorShape, { maxItems: 64 }),
  origin: Type.Union([Type.Literal('imported'), Type.Literal('pulled')]),
  at: Type.String(),
})
export type ModelRecord = Static<typeof ModelRecord>
const recordSchema = Compile(ModelRecord)

export interface InstalledModel extends ModelFile {
  family: Family
  version: string | null
  licence: string | null
  sha256: string
  origin: 'bundled' | 'imported' | 'pulled'
}

export interface Catalogue {
  models: InstalledModel[]
  /** Files of the data directory that are no usable model, in words. */
  unreadable: string[]
}

/** Folders to look in; `installed` need not exist. */
export interface ModelFolders {
  bundled: string
  installed: string
}

export function modelFolders(dataDir: string): ModelFolders {
  return { bundled: fileURLToPath(BUNDLED_FOLDER), installed: join(dataDir, 'models') }
}

/** What is installed now. Contents are not checked against their hashes here, only that the files are there and as large as they were. */
export async function readCatalogue(folders: ModelFolders): Promise<Catalogue> {
  const installed = await readInstalled(folders.installed)
  return {
    models: [...(await readBundled(folders.bundled)), ...installed.models],
    unreadable: installed.unreadable,
  }
}

async function readBundled(folder: string): Promise<InstalledModel[]> {
  const found: InstalledModel[] = []
  for (const { file, bytes, sha256, converted, trained, ...known } of knownModels()) {
    if ((converted ?? trained) === undefined || bytes === null || sha256 === null) continue
    const path = join(folder, file)
    if ((await sizeOf(path)) === bytes) found.push({ ...known, path, bytes, sha256, origin: 'bundled' })
  }
  return found
}

async function readInstalled(folder: string): Promise<Catalogue> {
  const catalogue: Catalogue = { models: [], unreadable: [] }
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((entry) => entry.endsWith('.json')).toSorted()) {
    const record = await readRecord(join(folder, name))
    const path = join(folder, `${record?.name}.onnx`)
    if (record === null) catalogue.unreadable.push(`${name} is not a model's record`)
    else if ((await sizeOf(path)) !== record.bytes)
      catalogue.unreadable.push(`${record.name}.onnx is missing or not as large as when it was installed`)
    else catalogue.models.push({ ...record, path })
  }
  return catalogue
}

async function readRecord(path: string): Promise<ModelRecord | null> {
  try {
    const read: unknown = JSON.parse(await readFile(path, 'utf8'))
    return recordSchema.Check(read) ? read : null
  } catch {
    return null
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  )
}

/**
 * The detector to use: the named one, else the best that is installed. YOLOX comes before BlazePose because it sees several people
 * better; of several the smallest, because a frame that is looked at beats a better one that is dropped. Null when there is none.
 */
export function pickDetector(models: readonly InstalledModel[], name?: string): DetectorFiles | null {
  // The more exact landmark model is also the better judge of whether somebody is there.
  const landmarks = pickLandmarks(models)
  const usable = models
    .flatMap((file): DetectorFiles[] => {
      if (file.family === 'yolox') return [{ family: 'yolox', file }]
      if (file.family !== 'blazepose-detector' || landmarks === null) return []
      return [{ family: 'blazepose-detector', file, landmarks }]
    })
    .toSorted((a, b) => rank(a) - rank(b) || a.file.bytes - b.file.bytes)
  return (name === undefined ? usable[0] : usable.find(({ file }) => file.name === name)) ?? null
}

/** Models that know COCO's classes find the ball as well. */
function rank({ family, file }: DetectorFiles): number {
  if (family !== 'yolox') return 2
  return (file.outputs[0]?.shape[2] ?? 0) > 32 + 5 ? 0 : 1
}

/** The pose model to use: the named one, else RTMPose when it is installed, else BlazePose's most exact. Null when there is none. */
export function pickPose(models: readonly InstalledModel[], name?: string): InstalledModel | null {
  const usable = poseModels(models)
  return (name === undefined ? usable[0] : usable.find((model) => model.name === name)) ?? null
}

/** Every pose model, best first: RTMPose was trained on people of every pose, BlazePose on those in front of a phone. */
export function poseModels(models: readonly InstalledModel[]): InstalledModel[] {
  const rank = ({ family }: InstalledModel) => (family === 'rtmpose' ? 0 : 1)
  return models
    .filter(({ family }) => family === 'rtmpose' || family === 'blazepose-landmarks')
    .toSorted((a, b) => rank(a) - rank(b) || b.bytes - a.bytes)
}

/** BlazePose's landmark model, which is also the judge of its detector: the named one, else the most exact. Null when there is none. */
export function pickLandmarks(models: readonly InstalledModel[], name?: string): InstalledModel | null {
  const usable = models
    .filter(({ family }) => family === 'blazepose-landmarks')
    .toSorted((a, b) => b.bytes - a.bytes)
  return (name === undefined ? usable[0] : usable.find((model) => model.name === name)) ?? null
}
