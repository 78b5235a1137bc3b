import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import turbo from '@julusian/jpeg-turbo'
import { createMealPhotos } from '../../../daemon/features/meal-photos/meal-photos.ts'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { GRAN, household, MIA, NURSE, OWNER } from '../glucose/setup.ts'

const WIDE = { width: 800, height: 400 }
const RED = [230, 20, 20] as const
const BLUE = [20, 20, 230] as const

/** Red on the left, blue on the right. */
function photo({ width, height } = WIDE): Buffer {
  const raw = Buffer.alloc(width * height * 3)
  for (let at = 0; at < width * height; at += 1) raw.set(at % width < width / 2 ? RED : BLUE, at * 3)
  return turbo.compressSync(raw, { format: turbo.FORMAT_RGB, width, height, subsampling: turbo.SAMP_444 })
}

/** The photo as a phone that was held in some way writes it, with a place. */
function held(orientation: number, file = photo()): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 12 + 4 + 16)
  tiff.write('MM\0*', 'latin1')
  tiff.writeUInt32BE(8, 4)
  tiff.writeUInt16BE(1, 8)
  tiff.writeUInt16BE(0x0112, 10)
  tiff.writeUInt16BE(3, 12)
  tiff.writeUInt32BE(1, 14)
  tiff.writeUInt16BE(orientation, 18)
  tiff.write('GPS 52.5N 13.4E', 26, 'latin1')
  const head = Buffer.alloc(4)
  head.writeUInt16BE(0xffe1)
  head.writeUInt16BE(2 + 6 + tiff.length, 2)
  return Buffer.concat([file.subarray(0, 2), head, Buffer.from('Exif\0\0', 'latin1'), tiff, file.subarray(2)])
}

function chunk(name: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body])
  const made = Buffer.alloc(8 + named.length)
  made.writeUInt32BE(body.length, 0)
  named.copy(made, 4)
  made.writeUInt32BE(crc32(named), 4 + named.length)
  return made
}

/** Red on the left, blue on the right, with everything that a PNG may say beside its pixels; rows are predicted by `filter`. */
function png(
  { width, height } = WIDE,
  { filter = 0, says = { width, height }, interlaced = 0 } = {},
): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(says.width, 0)
  head.writeUInt32BE(says.height, 4)
  head.set([8, 2, 0, 0, interlaced], 8)
  const stride = width * 3
  const plain = Buffer.alloc(height * stride)
  for (let at = 0; at < width * height; at += 1) plain.set(at % width < width / 2 ? RED : BLUE, at * 3)
  const rows = Buffer.alloc(height * (stride + 1))
  for (let y = 0; y < height; y += 1) {
    rows[y * (stride + 1)] = filter
    for (let x = 0; x < stride; x += 1) {
      const left = x >= 3 ? plain[y * stride + x - 3]! : 0
      const up = y > 0 ? plain[(y - 1) * stride + x]! : 0
      const corner = x >= 3 && y > 0 ? plain[(y - 1) * stride + x - 3]! : 0
      const guess = left + up - corner
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner
      const taken = [0, left, up, (left + up) >> 1, paeth][filter]!
      rows[y * (stride + 1) + 1 + x] = plain[y * stride + x]! - taken
    }
  }
  const words = Buffer.from('Comment\0GPS 52.5N 13.4E', 'latin1')
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('tEXt', words),
    chunk('iTXt', Buffer.from('XML:com.adobe.xmp\0\0\0\0\0GPS', 'latin1')),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ])
}

async function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-photos-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  let photos: ReturnType<typeof createMealPhotos> | undefined
  const home = await household(t, (parts) => {
    const records = createRecords({ ...parts, newId: () => newId(parts.now()) })
    photos = createMealPhotos({
      ...{ store: parts.store, clock: fakeClock(), log: createLog('silent'), folder },
      eaterOf: (mealId) => records.ownerOf('meal', mealId),
      onMealsChanged: (listener) => records.onChanged(listener),
    })
    return [records.feature, photos]
  })
  const meal = { timestamp: '2026-03-14T07:30:00.000Z', carbs_grams: 40 }
  const { id } = (await home.call<{ id: string }>('POST', '/meals', MIA, meal)).body.data
  const url = `/api/v1/meals/${id}/photo`
  async function send(payload: Buffer, headers: Record<string, string> = MIA, type = 'image/jpeg') {
    const answer = await home.http.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': type },
      payload,
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const fetch = (query = '', headers: Record<string, string> = MIA) =>
    home.http.inject({ method: 'GET', url: `${url}${query}`, headers })
  const files = () => readdirSync(folder)
  return { ...home, id, folder, send, fetch, files, photos: photos! }
}

function pixelAt({ data, width }: { data: Buffer; width: number }, x: number, y: number): string {
  const [red = 0, , blue = 0] = data.subarray(3 * (y * width + x))
  return red > blue ? 'red' : 'blue'
}

test('a photo is kept with a thumbnail, and neither says where it was taken', async (t) => {
  const { send, fetch, files, folder } = await setup(t)
  const { status, body } = await send(held(1))
  assert.deepEqual([status, body.data.width, body.data.height], [201, 800, 400])
  const full = await fetch()
  const thumb = await fetch('?size=thumb')
  assert.equal(full.headers['content-type'], 'image/jpeg')
  for (const { rawPayload } of [full, thumb]) {
    assert.equal(rawPayload.includes('Exif'), false)
    assert.equal(rawPayload.includes('GPS'), false)
  }
  const small = turbo.decompressSync(thumb.rawPayload, { format: turbo.FORMAT_RGB })
  assert.deepEqual([small.width, small.height], [320, 160])
  assert.deepEqual([pixelAt(small, 10, 80), pixelAt(small, 310, 80)], ['red', 'blue'])
  assert.equal(files().length, 2)
  for (const name of files()) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
})

test('a photo stands upright however the phone was held', async (t) => {
  const { send, fetch } = await setup(t)
  // Where red is in the upright picture, by EXIF's orientation.
  const red = [undefined, 'left', 'right', 'right', 'left', 'top', 'top', 'bottom', 'bottom']
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    assert.equal((await send(held(orientation, photo({ width: 40, height: 16 })))).status, 201)
    const { rawPayload } = await fetch()
    const picture = turbo.decompressSync(rawPayload, { format: turbo.FORMAT_RGB })
    const { width, height } = picture
    assert.deepEqual([width, height], orientation < 5 ? [40, 16] : [16, 40], `orientation ${orientation}`)
    const at = { left: [2, 8], right: [37, 8], top: [8, 2], bottom: [8, 37] }
    const place = red[orientation] as keyof typeof at
    const [x = 0, y = 0] = at[place]
    assert.equal(pixelAt(picture, x, y), 'red', `orientation ${orientation}`)
    assert.equal(pixelAt(picture, width - 1 - x, height - 1 - y), 'blue', `orientation ${orientation}`)
  }
})

test('a PNG is kept as a photo too, whatever its rows are predicted by, without its words', async (t) => {
  const { id, call, send, fetch } = await setup(t)
  const shown = async () =>
    (await call<{ has_photo: boolean }>('GET', `/meals/${id}`, MIA)).body.data.has_photo
  assert.equal(await shown(), false)
  for (const filter of [0, 1, 2, 3, 4]) {
    const { status, body } = await send(png(WIDE, { filter }), MIA, 'image/png')
    assert.deepEqual([status, body.data?.width, body.data?.height], [201, 800, 400], `filter ${filter}`)
    const { headers, rawPayload } = await fetch()
    assert.equal(headers['content-type'], 'image/jpeg')
    assert.equal(rawPayload.includes('GPS'), false)
    const picture = turbo.decompressSync(rawPayload, { format: turbo.FORMAT_RGB })
    assert.deepEqual(
      [pixelAt(picture, 20, 200), pixelAt(picture, 780, 200)],
      ['red', 'blue'],
      `filter ${filter}`,
    )
  }
  assert.equal(await shown(), true)
})

test('what is no whole photo of a fair size is refused, and nothing of it stays', async (t) => {
  const { send, fetch, files } = await setup(t)
  const huge = photo({ width: 64, height: 48 })
  const header = huge.indexOf(Buffer.from([0xff, 0xc0]))
  huge.writeUInt16BE(6000, header + 5)
  huge.writeUInt16BE(6000, header + 7)
  const whole = photo()
  const refused: [body: Buffer, type: string, status: number, code: string, words: RegExp][] = [
    [whole.subarray(0, whole.length / 2), 'image/jpeg', 415, 'UNSUPPORTED_MEDIA', /cut off/],
    [Buffer.from('<html>'), 'image/jpeg', 415, 'UNSUPPORTED_MEDIA', /Not a JPEG/],
    [huge, 'image/jpeg', 415, 'UNSUPPORTED_MEDIA', /24 megapixels/],
    [whole, 'image/heic', 415, 'UNSUPPORTED_MEDIA', /image\/jpeg/],
    [
      png(WIDE, { says: { width: 60_000, height: 60_000 } }),
      'image/png',
      415,
      'UNSUPPORTED_MEDIA',
      /24 megapixels/,
    ],
    [
      png(WIDE, { says: { width: 100, height: 100 } }),
      'image/png',
      415,
      'UNSUPPORTED_MEDIA',
      /do not unpack/,
    ],
    [
      png(WIDE, { says: { width: 2000, height: 2000 } }),
      'image/png',
      415,
      'UNSUPPORTED_MEDIA',
      /rows are missing/,
    ],
    [png(WIDE, { interlaced: 1 }), 'image/png', 415, 'UNSUPPORTED_MEDIA', /interlaced/],
    [png().subarray(0, 300), 'image/png', 415, 'UNSUPPORTED_MEDIA', /cut off/],
    [Buffer.alloc(0), 'image/jpeg', 400, 'VALIDATION_ERROR', /no photo/],
    [Buffer.alloc(10 * 1024 ** 2 + 1), 'image/jpeg', 413, 'TOO_LARGE', /./],
  ]
  for (const [body, type, status, code, words] of refused) {
    const answer = await send(body, MIA, type)
    assert.deepEqual([answer.status, answer.body.error.code], [status, code], String(words))
    assert.match(answer.body.error.message, words)
  }
  assert.deepEqual(files(), [])
  assert.equal((await fetch()).statusCode, 404)
})

test('a photo replaces the one before, and an answer that the phone has is not sent again', async (t) => {
  const { send, fetch, files } = await setup(t)
  await send(photo())
  const { etag } = (await fetch()).headers
  assert.equal((await fetch('', { ...MIA, 'if-none-match': String(etag) })).statusCode, 304)
  await send(photo({ width: 40, height: 16 }))
  assert.equal((await fetch('', { ...MIA, 'if-none-match': String(etag) })).statusCode, 200)
  assert.equal(files().length, 2)
})

test('of photos sent at once one stays, and no files of the others', async (t) => {
  const { send, files } = await setup(t)
  const answers = await Promise.all([40, 48, 56].map((width) => send(photo({ width, height: 16 }))))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201],
  )
  assert.equal(files().length, 2)
})

test('the photo of a meal follows the rights on the meal', async (t) => {
  const { id, send, fetch, call, files } = await setup(t)
  assert.equal((await send(photo(), NURSE)).status, 403)
  assert.equal((await send(photo(), GRAN)).status, 403)
  assert.equal((await send(photo(), OWNER)).status, 201)
  assert.deepEqual([(await fetch('', NURSE)).statusCode, (await fetch('', GRAN)).statusCode], [200, 403])
  assert.equal((await call('DELETE', `/meals/${id}/photo`, NURSE)).status, 403)
  assert.equal((await call('GET', '/meals/nothing/photo', MIA)).status, 404)
  assert.equal((await call('DELETE', `/meals/${id}/photo`, MIA)).status, 200)
  assert.equal((await call('DELETE', `/meals/${id}/photo`, MIA)).status, 200)
  assert.deepEqual([(await fetch()).statusCode, files()], [404, []])
})

test('a photo goes with its meal, and what a cut-off hub left goes at the next start', async (t) => {
  const { id, send, fetch, call, files, folder, photos, store } = await setup(t)
  await send(photo())
  writeFileSync(join(folder, 'left.full.jpg'), 'x')
  writeFileSync(join(folder, '.left.tmp'), 'x')
  await photos.start?.()
  assert.equal(files().length, 2)
  await call('DELETE', `/meals/${id}`, MIA)
  assert.equal((await fetch()).statusCode, 404)
  await photos.stop?.()
  assert.deepEqual(files(), [])
  assert.equal(store.get<{ n: number }>('SELECT count(*) AS n FROM meal_photo')?.n, 0)
})

test('the photos of a person who is removed go too', async (t) => {
  const { send, store, files, photos } = await setup(t)
  await send(photo())
  await store.write([{ sql: `UPDATE person SET deleted_at = 1 WHERE id = 'mia'`, params: {} }])
  await photos.start?.()
  assert.deepEqual(files(), [])
})
