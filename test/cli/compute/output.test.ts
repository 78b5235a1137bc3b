import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'node:test'

test('an answer longer than a pipe holds arrives whole', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'compute-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'values.csv')
  const values = Array.from({ length: 3000 }, (_, at) => Math.sin(at / 7) + (at % 11))
  writeFileSync(path, ['value', ...values, ''].join('\n'))
  const main = new URL('../../../daemon/main.js', import.meta.url).pathname
  const child = spawn(process.execPath, [main, 'compute', 'matrix-profile', '--in', path, '--set', 'm=20'])
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 0)
  assert.ok(said.length > 2 * 65_536)
  assert.equal((JSON.parse(said) as { P: number[] }).P.length, 2981)
})
