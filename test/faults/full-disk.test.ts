import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { scratch } from '../store/home.ts'
import { report } from './report.ts'

const CHILD = fileURLToPath(new URL('./full-disk-child.js', import.meta.url))
/** A small disk of its own, in a namespace that ends with the child. */
const inSmallDisk = (folder: string, command: string) => [
  ...['-rm', 'sh', '-c', `mount -t tmpfs -o size=24m none "$0" && ${command}`],
  folder,
]

test('on a full disk what is measured just now is stored on the reserve, bulk is refused at once, and all is well with room again', (t) => {
  const folder = scratch(t)
  if (spawnSync('unshare', inSmallDisk(folder, 'true')).status !== 0) {
    t.skip('this machine lets nobody mount a disk of their own')
    return
  }
  const command = `"${process.execPath}" "${CHILD}" "$0"`
  const said: unknown = JSON.parse(
    execFileSync('unshare', inSmallDisk(folder, command), { encoding: 'utf8' }),
  )
  assert.deepEqual(said, {
    bulk: 'DISK_FULL',
    newest: 'stored',
    released: 1,
    state: 'full',
    deleted: true,
    afterwards: 'stored',
    lost: 0,
    integrity: [{ integrity_check: 'ok' }],
  })
  report(t, {
    fault: 'full disk, newest values on the reserve',
    rounds: 1,
    acknowledged: 5301,
    lost: 0,
    doubled: 0,
  })
})
