/** Puts a model file into the data directory, after everything that can be known about it was looked at. */
import { join } from 'node:path'
import type { InstalledModel, ModelRecord } from './catalogue.ts'
import { familyOf, type Shapes } from './family.ts'
import { knownModels, sha256Of } from './manifest.ts'
import { inspectOnnx } from './onnx-inspect.ts'
import { RTMPOSE, RTMPOSE_JOINTS } from './pose/rtmpose.ts'
import { type ModelFile, openOnnx } from './session.ts'
import { UnreadableInput } from './vision/unreadable.ts'

export const MAX_MODEL_BYTES = 256 * 1024 * 1024
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

export interface InstallDeps {
  /** The data directory's folder for models; exists. */
  folder: string
  installed: readonly InstalledModel[]
  /** Writes a file that is whole or absent after a power cut. */
  write(path: string, content: string | Uint8Array): Promise<void>
  nowMs: number
}

export interface Offer {
  bytes: Uint8Array
  name: string
  origin: 'imported' | 'pulled'
}

/**
 * Checks that the bytes are a model the hub can feed and read, opens it and runs it once on an empty picture, then stores it with a
 * record beside it. The same file again changes nothing. Throws UnreadableInput with what is wrong.
 */
export async function installModel({ bytes, name, origin }: Offer, deps: InstallDeps): Promise<ModelRecord> {
  if (!NAME.test(name))
    throw new UnreadableInput(`A model's name has letters, digits, dots and dashes; "${name}" has others.`)
  if (bytes.length > MAX_MODEL_BYTES)
    throw new UnreadableInput(`The model has ${bytes.length} bytes; at most ${MAX_MODEL_BYTES} are read.`)
  const shapes = await settled(familyOf(inspectOnnx(bytes)), bytes, name)
  const sha256 = sha256Of(bytes)
  const taken = deps.installed.find((model) => model.name === name)
  if (taken !== undefined && taken.sha256 !== sha256)
    throw new UnreadableInput(
      `${name} is installed already, with other contents. Give this one another name.`,
    )
  if (taken?.origin === 'bundled') throw new UnreadableInput(`${name} comes with the hub already.`)
  const path = join(deps.folder, `${name}.onnx`)
  const known = knownModels().find((model) => model.sha256 === sha256 || model.name === name)
  const record: ModelRecord = {
    name,
    version: origin === 'pulled' ? (known?.version ?? null) : null,
    family: shapes.family,
    licence: known?.licence ?? null,
    bytes: bytes.length,
    sha256,
    input: { name: shapes.input.name, shape: [...shapes.input.shape] },
    outputs: shapes.outputs.map((output) => ({ name: output.name, shape: [...output.shape] })),
    origin,
    at: new Date(deps.nowMs).toISOString(),
  }
  await tryModel({ ...record, path }, bytes)
  await deps.write(path, bytes)
  await deps.write(join(deps.folder, `${name}.json`), `${JSON.stringify(record, null, 1)}\n`)
  return record
}

/** Output sizes that an RTMPose file leaves open, found by running it once on an empty picture. */
async function settled(shapes: Shapes, bytes: Uint8Array, name: string): Promise<Shapes> {
  if (shapes.outputs.every(({ shape }) => !shape.includes(0))) return shapes
  const file = { name, path: name, bytes: bytes.length, input: shapes.input, outputs: shapes.outputs }
  const outputs = await ranOnce(file, bytes)
  const bins = [RTMPOSE.width, RTMPOSE.height].map((side) => side * RTMPOSE.binsPerPixel)
  const shapesNow = shapes.outputs.map((output, at) => {
    const values = bins[at] ?? 1
    return { name: output.name, shape: [1, (outputs[output.name]?.length ?? 0) / values, values] }
  })
  if (!shapesNow.every(({ shape }) => RTMPOSE_JOINTS.includes(shape[1] ?? 0)))
    throw new UnreadableInput(`${name} answers other joints than COCO's 17 or Halpe's 26.`)
  return { ...shapes, outputs: shapesNow }
}

async function ranOnce(file: ModelFile, bytes: Uint8Array) {
  try {
    const model = await openOnnx(file, bytes)
    try {
      return await model.run(new Float32Array(count(file.input.shape)))
    } finally {
      await model.close()
    }
  } catch (cause) {
    throw new UnreadableInput(`${file.name} cannot be run: ${messageOf(cause)}`, { cause })
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** Opens a model and runs it once on an empty picture; answers how long the run took, in milliseconds. Throws UnreadableInput. */
export async function tryModel(file: ModelFile, bytes?: Uint8Array): Promise<number> {
  try {
    const model = await openOnnx(file, bytes)
    try {
      const began = performance.now()
      const outputs = await model.run(new Float32Array(count(file.input.shape)))
      const tookMs = performance.now() - began
      for (const { name, shape } of file.outputs)
        if (outputs[name]?.length !== count(shape))
          throw new Error(`output ${name} has ${outputs[name]?.length} values instead of ${count(shape)}`)
      return tookMs
    } finally {
      await model.close()
    }
  } catch (cause) {
    throw new UnreadableInput(`${file.name} cannot be run: ${messageOf(cause)}`, { cause })
  }
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
