/** The built hub once more with one line broken, to see that a harness notices. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'

/** A compiled file below `dist`, what stands in it, and what is put in its place. */
export interface Break {
  file: string
  from: RegExp
  to: string
}

const LEAVES = ['config', 'firmware-bridge', 'models', 'sync']

/** Main file of the broken hub, which goes when the test ends. */
export function wrongBuild(t: TestContext, breaks: readonly Break[]): string {
  const root = mkdtempSync(join(tmpdir(), 'homefield-wrong-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const filter = (path: string) => !path.endsWith('.map')
  cpSync('dist/daemon', join(root, 'dist/daemon'), { recursive: true, filter })
  for (const leaf of LEAVES) symlinkSync(resolve('dist', leaf), join(root, 'dist', leaf))
  cpSync('package.json', join(root, 'package.json'))
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  for (const { file, from, to } of breaks) {
    const path = join(root, 'dist', file)
    const code = readFileSync(path, 'utf8')
    assert.match(code, from, 'the line to break is not there any more')
    writeFileSync(
      path,
      code.replace(from, () => to),
    )
  }
  return join(root, 'dist/daemon/main.js')
}
