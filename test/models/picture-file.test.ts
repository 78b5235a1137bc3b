import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { createPictureReader, openPictureFile } from '../../models/picture-file.ts'

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  const file = openPictureFile(folder)
  t.after(() => {
    file.close()
    rmSync(folder, { recursive: true })
  })
  const read = createPictureReader(file.descriptor)
  const put = (value: number, bytes: number) => file.put(new Uint8Array(bytes).fill(value))
  return { folder, file, put, read: (place: Parameters<typeof read>[0]) => Buffer.from(read(place)) }
}

test('a picture is read as it was put, and leaves no name on the disk', (t) => {
  const { folder, put, read } = setup(t)
  const place = put(7, 1000)
  assert.deepEqual(readdirSync(folder), [])
  assert.deepEqual(read(place), Buffer.alloc(1000, 7))
})

test('no picture lies on another that is needed, and room is used again', (t) => {
  const { file, put, read } = setup(t)
  const [first, second, third] = [put(1, 100), put(2, 50), put(3, 80)]
  file.free(first)
  const fits = put(4, 90)
  const tooWide = put(5, 60)
  assert.equal(fits.at, first.at)
  assert.equal(tooWide.at, third.at + third.bytes)
  for (const [value, place] of [second, third, fits, tooWide].map((each, at) => [at + 2, each] as const))
    assert.deepEqual(read(place), Buffer.alloc(place.bytes, value))
})

test('a place beyond the file is an error and no endless wait', (t) => {
  const { read } = setup(t)
  assert.throws(() => read({ at: 0, bytes: 10 }), /not whole/)
})
