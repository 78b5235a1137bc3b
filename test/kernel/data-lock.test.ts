import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockDataDirectory } from '../../daemon/kernel/data-lock.ts'

const directory = () => mkdtempSync(join(tmpdir(), 'hf-lock-'))
const LOCK_MODULE = new URL('../../daemon/kernel/data-lock.js', import.meta.url).href

test('a second hub on the same directory is told who holds it', () => {
  const dir = directory()
  const first = lockDataDirectory(dir, { pid: 41, startedAt: '2026-03-14T08:00:00.000Z' })
  assert.throws(
    () => lockDataDirectory(dir, { pid: 42, startedAt: 'later' }),
    /process 41, since 2026-03-14T08:00:00\.000Z/,
  )
  first.release()
  lockDataDirectory(dir, { pid: 42, startedAt: 'later' }).release()
})

test('a damaged lock is told from another hub', () => {
  const dir = directory()
  writeFileSync(join(dir, 'hub.lock'), 'not a database, and long enough to be read as one'.repeat(100))
  assert.throws(() => lockDataDirectory(dir, { pid: 1, startedAt: '' }), /hub\.lock is damaged/)
})

test('a hub that was killed leaves no lock behind', async () => {
  const dir = directory()
  const script = `const { lockDataDirectory } = await import(${JSON.stringify(LOCK_MODULE)})
    lockDataDirectory(${JSON.stringify(dir)}, { pid: process.pid, startedAt: 'now' })
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  assert.throws(() => lockDataDirectory(dir, { pid: 1, startedAt: '' }), /Another hub already runs/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockDataDirectory(dir, { pid: 1, startedAt: '' }).release()
})
