import { readFileSync } from 'node:fs'

interface ExpectedCase {
  id: string
  samples?: Record<string, unknown>[]
  error?: string
  reason?: string
}

/** Reads a fixture from the sources, because compiled tests run from dist. */
export function fixture(path: string): unknown {
  const root = new URL(import.meta.url).pathname.split('/dist/')[0]
  return JSON.parse(readFileSync(`${root}/test/fixtures/${path}`, 'utf8'))
}

export function gattFixture() {
  const given = fixture('ble/gatt.json') as { cases: { id: string; char: string; hex: string }[] }
  const expected = fixture('ble/gatt.json.expected.json') as { tolerance: number; cases: ExpectedCase[] }
  return { given, expected }
}
