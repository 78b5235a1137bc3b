import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { diskEncryption } from '../../daemon/kernel/disk-encryption.ts'
import { temporaryFolder } from '../fakes/household.ts'

function device(root: string, at: string, uuid: string | null, below: string[] = []): string {
  const folder = join(root, at)
  mkdirSync(join(folder, 'slaves'), { recursive: true })
  if (uuid !== null) {
    mkdirSync(join(folder, 'dm'))
    writeFileSync(join(folder, 'dm/uuid'), uuid)
  }
  for (const name of below)
    device(folder, `slaves/${name}`, name.startsWith('crypt') ? 'CRYPT-LUKS2-x' : null)
  return folder
}

test('a folder on LUKS counts as encrypted, also when a volume lies between', (t) => {
  const root = temporaryFolder(t)
  device(root, '254:0', 'CRYPT-LUKS2-0123-hub')
  device(root, '254:1', 'LVM-0123', ['crypt0'])
  device(root, '254:2', 'LVM-0123', ['crypt0', 'sda1'])
  device(root, '8:1', null)
  const at = (minor: number, major = 254) => diskEncryption('/data', root, () => (major << 8) | minor)
  assert.equal(at(0), true)
  assert.equal(at(1), true)
  assert.equal(at(2), false, 'half of it is not')
  assert.equal(at(1, 8), false)
  assert.equal(at(9), null, 'the system does not say')
})
