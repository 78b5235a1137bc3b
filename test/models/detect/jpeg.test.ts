import assert from 'node:assert/strict'
import test from 'node:test'
import turbo from '@julusian/jpeg-turbo'
import { decodeJpeg } from '../../../models/detect/jpeg.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'

/** A grey picture of 64 × 48. */
function picture(): Buffer {
  const raw = Buffer.alloc(64 * 48 * 3, 120)
  return Buffer.from(
    turbo.compressSync(raw, { format: turbo.FORMAT_RGB, width: 64, height: 48, subsampling: turbo.SAMP_420 }),
  )
}

/** The same picture whose header claims another size. */
function claiming(width: number, height: number): Buffer {
  const file = picture()
  const header = file.indexOf(Buffer.from([0xff, 0xc0]))
  file.writeUInt16BE(height, header + 5)
  file.writeUInt16BE(width, header + 7)
  return file
}

function refused(file: Uint8Array, message: RegExp): void {
  assert.throws(
    () => decodeJpeg(file),
    (cause) => cause instanceof UnreadableInput && message.test(cause.message),
  )
}

test('a JPEG becomes packed RGB, whatever a camera pads behind it', () => {
  const frame = decodeJpeg(Buffer.concat([picture(), Buffer.alloc(500)]))
  assert.deepEqual(
    [frame.format, frame.width, frame.height, frame.data.length],
    ['rgb24', 64, 48, 64 * 48 * 3],
  )
  assert.ok(Math.abs(frame.data[1000]! - 120) < 4)
})

test('a picture that claims 16000 × 16000 is refused before a pixel is decoded', () => {
  refused(claiming(16_000, 16_000), /16000 × 16000; at most/)
  refused(claiming(65_535, 1), /at most/)
})

test('a JPEG that is cut off is refused, also when a thumbnail before its pixels is whole', () => {
  const whole = picture()
  refused(whole.subarray(0, whole.length - 2), /cut off/)
  const thumbnail = Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 0, 0]),
    whole.subarray(2),
  ])
  assert.equal(decodeJpeg(thumbnail).width, 64)
  refused(thumbnail.subarray(0, thumbnail.length - 2), /cut off/)
  const hollow = Buffer.concat([whole.subarray(0, whole.length - 40), Buffer.from([0xff, 0xd9])])
  refused(hollow, /damaged or cut off/)
})

test('what is no JPEG is refused with what it should be', () => {
  refused(Buffer.from('a text file named .jpg'), /does not begin with FF D8/)
  refused(new Uint8Array(), /does not begin with FF D8/)
  refused(Buffer.from([0xff, 0xd8, 0xff, 0xd9]), /no width and height/)
  refused(claiming(0, 0), /no width and height/)
})
