/** The forecaster as it comes with the hub. */
import { readFileSync } from 'node:fs'
import { BUNDLED_FOLDER } from './manifest.ts'
import { type DenseNet, readDenseNet } from './series/dense-net.ts'

export interface Forecaster {
  name: 'forecaster'
  version: string
  net: DenseNet
}

/** Reads both files beside this module; they are part of the program. */
export function loadForecaster(folder: URL = BUNDLED_FOLDER): Forecaster {
  const net = readDenseNet(readFileSync(new URL('forecaster.onnx', folder)))
  // Written by the training together with the net.
  const { version } = JSON.parse(readFileSync(new URL('forecaster.json', folder), 'utf8')) as {
    version: string
  }
  return { name: 'forecaster', version, net }
}
