import { readFileSync } from 'node:fs'

interface ExpectedCase {
  id: string
  samples?: Record<string, unknown>[]
  error?: string
  reason?: string
}

/** Fixtures lie with the sources; compiled tests run from dist. */
export function fixturePath(path: string): string {
  const root = new URL(import.meta.url).pathname.split('/dist/')[0]
  return `${root}/test/fixtures/${path}`
}

export function fixture(path: string): unknown {
  return JSON.parse(readFileSync(fixturePath(path), 'utf8'))
}

export function gattFixture() {
  const given = fixture('ble/gatt.json') as { cases: { id: string; char: string; hex: string }[] }
  const expected = fixture('ble/gatt.json.expected.json') as { tolerance: number; cases: ExpectedCase[] }
  return { given, expected }
}
