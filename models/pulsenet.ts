/** PulseNet as it comes with the hub: its net, and how rare its scores and those of the checks are among ordinary hours. */
import { readFileSync } from 'node:fs'
import { BUNDLED_FOLDER } from './manifest.ts'
import type { CheckPopulations } from './series/anomaly-checks.ts'
import type { Population } from './series/anomaly-odds.ts'
import { type DenseNet, readDenseNet } from './series/dense-net.ts'

export interface PulseNet {
  name: 'pulsenet'
  version: string
  net: DenseNet
  population: Population
  checks: CheckPopulations
}

/** Reads both files beside this module; they are part of the program. */
export function loadPulseNet(folder: URL = BUNDLED_FOLDER): PulseNet {
  const net = readDenseNet(readFileSync(new URL('pulsenet.onnx', folder)))
  // Written by the training together with the net.
  const { version, population, checks } = JSON.parse(
    readFileSync(new URL('pulsenet.json', folder), 'utf8'),
  ) as {
    version: string
    population: Population
    checks: CheckPopulations
  }
  return { name: 'pulsenet', version, net, population, checks }
}
