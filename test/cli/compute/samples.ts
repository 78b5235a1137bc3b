import { existsSync, readFileSync } from 'node:fs'

/** Fixtures lie with the sources; compiled tests run from dist. */
const root = new URL(import.meta.url).pathname.split('/dist/')[0] ?? '.'

export function fixture(path: string): string {
  return `${root}/test/fixtures/${path}`
}

/** Sample data that may be read in place but not copied; null where this machine has none. */
export function localSample(path: string): string | null {
  const folder = process.env['HOMEFIELD_SAMPLES'] ?? `${root}/../shared/data`
  const found = `${folder}/timeseries/local-only/${path}`
  return existsSync(found) ? found : null
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
