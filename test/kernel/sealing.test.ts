import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSealing } from '../../daemon/kernel/sealing.ts'

const SECRET = new Uint8Array(32).fill(1)

test('what is sealed opens for its owner, purpose and hub, and for nobody else', () => {
  const sealing = createSealing(SECRET, 'tokens')
  const sealed = sealing.close('mia', { token: 'at-1' })
  assert.deepEqual(sealing.open('mia', sealed), { token: 'at-1' })
  assert.equal(sealing.open('leo', sealed), null)
  assert.equal(createSealing(SECRET, 'passwords').open('mia', sealed), null)
  assert.equal(createSealing(new Uint8Array(32), 'tokens').open('mia', sealed), null)
})

test('sealed bytes say nothing, differ each time, and do not open when changed or cut', () => {
  const sealing = createSealing(SECRET, 'tokens')
  const sealed = Buffer.from(sealing.close('mia', 'at-1'))
  assert.doesNotMatch(sealed.toString('latin1'), /at-1/)
  assert.notDeepEqual(sealed, Buffer.from(sealing.close('mia', 'at-1')))
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.equal(sealing.open('mia', changed), null)
    assert.equal(sealing.open('mia', sealed.subarray(0, at)), null)
  }
})
