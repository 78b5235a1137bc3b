/** Places where a test ends the program: nothing that is installed may be ended by them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../ui/repository-root.ts'

/** Nobody listens there: the service says so and ends. */
const ARGS = [
  join(repositoryRoot(), 'dist/daemon/main.js'),
  'cloud',
  '--database',
  'postgresql://127.0.0.1:1/none',
]

function said(mode: string): string {
  const env = { ...process.env, NODE_ENV: mode, HF_FAILPOINT: 'no place!' }
  const { stdout, stderr } = spawnSync(process.execPath, ARGS, { env, encoding: 'utf8' })
  return stdout + stderr
}

test('HF_FAILPOINT is read in a build with its tests, and ignored with a warning in production', () => {
  assert.match(said('test'), /HF_FAILPOINT must look like/)
  const released = said('production')
  assert.match(released, /"level":40.*HF_FAILPOINT is for development and tests/)
  assert.doesNotMatch(released, /must look like/)
})
