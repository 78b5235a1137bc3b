/** Where the hub serves what this phone needs to look by itself; written in by the build. */
export interface SensorFiles {
  worker: string
  loader: string
  wasm: string
  task: string
  models: { detector: NamedModel; pose: NamedModel }
}

interface NamedModel {
  name: string
  version: string
}

/** As JSON: esbuild gives objects a module of their own. */
declare const SENSOR: string

/** Null: this build has no such files. */
export const sensorFiles = JSON.parse(SENSOR) as SensorFiles | null
