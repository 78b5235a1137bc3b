import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** How a model of pictures is fed and read; these may come from outside. */
export type PictureFamily = 'blazepose-detector' | 'blazepose-landmarks' | 'rtmpose' | 'yolox'
/** How a model's input is made and its output read; `dense` are the hub's own nets of vitals. */
export type Family = PictureFamily | 'dense'

export interface Tensor {
  name: string
  shape: readonly number[]
}

/** A model that this version of the program knows: bundled with it, or to be had from its authors. */
export interface KnownModel {
  name: string
  version: string
  family: Family
  about: string
  licence: string
  file: string
  bytes: number | null
  /** SHA-256 of the file; null when the hash is only recorded at the first pull. */
  sha256: string | null
  input: Tensor
  outputs: readonly Tensor[]
  /** Made at build time from a file of an npm package. */
  converted?: { package: string; file: string; sha256: string; outputs: Readonly<Record<string, string>> }
  /** Trained by the hub's own scripts and part of the repository; its card says on what and how well it does. */
  trained?: { script: string; card: string }
  /** Where its authors publish it, the packs that it belongs to, and which file of the archive it is when that is one. */
  pull?: { url: string; packs: readonly string[]; entry?: string }
}

/** Folder of the bundled models, beside this module. */
export const BUNDLED_FOLDER = new URL('.', import.meta.url)

/** Every known model, bundled ones first. */
export function knownModels(): readonly KnownModel[] {
  // The file is part of the program, as trusted as this line.
  return (JSON.parse(readFileSync(new URL('manifest.json', BUNDLED_FOLDER), 'utf8')) as Manifest).models
}

interface Manifest {
  models: KnownModel[]
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
