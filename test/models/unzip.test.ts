import assert from 'node:assert/strict'
import test from 'node:test'
import { fileInZip, isZip } from '../../models/unzip.ts'
import { zipOf } from './zip.ts'

test('a packed and a plain file come out of an archive as they went in', () => {
  const model = Buffer.from('weights '.repeat(500))
  for (const deflated of [true, false]) {
    const zip = zipOf(
      [
        ['a/readme.txt', Buffer.from('hello')],
        ['a/end2end.onnx', model],
      ],
      deflated,
    )
    assert.ok(isZip(zip))
    assert.deepEqual(Buffer.from(fileInZip(zip, 'end2end.onnx', 10_000)), model)
  }
})

test('archives that are damaged, too large or without the file say so', () => {
  const zip = zipOf([['end2end.onnx', Buffer.alloc(5000, 7)]], true)
  assert.throws(() => fileInZip(zip, 'end2end.onnx', 4000), /at most 4000/)
  assert.throws(() => fileInZip(zip, 'other.onnx', 9000), /no file \*other\.onnx/)
  assert.throws(() => fileInZip(Buffer.from('<html>'), 'end2end.onnx', 9000), /no ZIP|damaged/)
  for (let cut = 1; cut < zip.length; cut += 7)
    assert.throws(() => fileInZip(zip.subarray(0, cut), 'end2end.onnx', 9000), /archive/i)
  const lying = Buffer.from(zip)
  lying.writeUInt32LE(100, lying.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24)
  assert.throws(() => fileInZip(lying, 'end2end.onnx', 4000), /damaged/, 'larger than it says')
})
