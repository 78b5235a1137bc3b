/** When a wall tablet is dim. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNight } from '../../../daemon/ui/areas/wall/night.ts'

test('a wall tablet is dim from ten in the evening until seven', () => {
  assert.deepEqual(['21:59', '22:00', '00:00', '06:59', '07:00'].map(isNight), [
    false,
    true,
    true,
    true,
    false,
  ])
})
