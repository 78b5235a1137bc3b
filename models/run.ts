import type { ModelFile, Outputs } from './session.ts'

/** Runs a model on an input of its shape; what detectors and estimators need of the sessions. */
export type Run = (file: ModelFile, input: Float32Array) => Promise<Outputs>

/** An output by its place in the manifest: files name their outputs as they like. Throws when it is missing. */
export function output(outputs: Outputs, file: ModelFile, place: number): Float32Array {
  const found = outputs[file.outputs[place]?.name ?? '']
  if (found === undefined) throw new Error(`${file.name} gave no output ${place}.`)
  return found
}
