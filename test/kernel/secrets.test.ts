import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { writeFileAtomic } from '../../daemon/kernel/atomic-file.ts'
import { deriveKey, ensureSecret, sameSecret } from '../../daemon/kernel/secrets.ts'

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hf-secrets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'secrets')
}

test('a secret is made once, for the hub’s own user alone', async (t) => {
  const folder = setup(t)
  const made = await ensureSecret(folder, 'identity.key')
  assert.equal(made.length, 32)
  assert.deepEqual(await ensureSecret(folder, 'identity.key'), made)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.equal(statSync(join(folder, 'identity.key')).mode & 0o777, 0o600)
})

test('a damaged secret stops the hub instead of being replaced', async (t) => {
  const folder = setup(t)
  await ensureSecret(folder, 'identity.key')
  writeFileSync(join(folder, 'identity.key'), 'short')
  await assert.rejects(ensureSecret(folder, 'identity.key'), /damaged/)
})

test('each purpose has a key of its own', () => {
  const secret = Buffer.alloc(32, 1)
  assert.deepEqual(deriveKey(secret, 'one'), deriveKey(secret, 'one'))
  assert.ok(!sameSecret(deriveKey(secret, 'one'), deriveKey(secret, 'two')))
  assert.ok(!sameSecret(secret, secret.subarray(1)))
})

test('a replaced file has the new content and mode, and leaves nothing beside it', async (t) => {
  const folder = setup(t)
  await ensureSecret(folder, 'identity.key')
  const path = join(folder, 'hub.json')
  writeFileSync(path, 'old', { mode: 0o666 })
  await writeFileAtomic(path, 'new')
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await assert.rejects(writeFileAtomic(join(folder, 'missing', 'x'), 'new'), { code: 'ENOENT' })
  assert.deepEqual(readdirSync(folder).sort(), ['hub.json', 'identity.key'])
})
