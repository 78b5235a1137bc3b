/** Numbers as the reference libraries wrote them down, and how near is near enough. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { type Computation, inputFile, settings } from '../../../daemon/cli/compute/computation.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'

const WORDS = new Map<unknown, number>([
  ['NaN', Number.NaN],
  [null, Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Fails unless both are the same NaN or infinity, or no further apart than the tolerance. */
export function assertClose(
  actual: unknown,
  expected: unknown,
  { absolute = 0, relative = 0 }: { absolute?: number; relative?: number },
  where: string,
): void {
  const a = Number(WORDS.get(actual) ?? actual)
  const e = Number(WORDS.get(expected) ?? expected)
  if (Object.is(a, e) || a === e) return
  assert.ok(Math.abs(a - e) <= absolute + relative * Math.abs(e), `${where}: ${a}, expected ${e}`)
}

/** What a computation answers for a file and `key=value` settings. */
export async function computed<T>(
  computation: Computation,
  path: string,
  ...pairs: readonly string[]
): Promise<T> {
  return (await computation(inputFile(path), settings(pairs))) as T
}

export function patternFixture(name: string): string {
  return fixturePath(`patterns/${name}`)
}

export function readExpected<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T
}

/** A file of samples that may not be part of the repository; null when this machine has none. */
export function sample(path: string): string | null {
  const root = new URL(import.meta.url).pathname.split('/dist/')[0]
  const folder = process.env['HOMEFIELD_SAMPLES'] ?? `${root}/../shared/data`
  const found = `${folder}/${path}`
  return existsSync(found) ? found : null
}
