import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundaryOf, fileOfForm } from '../../../daemon/features/imports/multipart.ts'
import { untilStalled } from '../../../daemon/features/imports/stalls.ts'
import { fakeClock } from '../../fakes/clock.ts'

const CONTENT = Buffer.from('<xml>\r\n--almost\r\n--Edg\r\n</xml>\r\n')
const FORM = Buffer.concat([
  Buffer.from('--Edge\r\nContent-Disposition: form-data; name="kind"\r\n\r\nauto\r\n'),
  Buffer.from('--Edge\r\nContent-Disposition: form-data; name="file"; filename="export.xml"\r\n'),
  Buffer.from('Content-Type: text/xml\r\n\r\n'),
  CONTENT,
  Buffer.from('\r\n--Edge\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--Edge--\r\n'),
])

async function* inPieces(whole: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield whole.subarray(from, cut)
    from = cut
  }
  yield whole.subarray(from)
}

async function read(body: AsyncIterable<Buffer>): Promise<{ name: string | null; content: string }> {
  const { chunks, name } = fileOfForm(body, 'Edge')
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(Buffer.from(chunk))
  return { name: name(), content: Buffer.concat(parts).toString() }
}

test('the file comes out of a form as it went in, wherever the pieces are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: FORM.length }), { maxLength: 12 }), async (cuts) => {
      assert.deepEqual(await read(inPieces(FORM, cuts)), { name: 'export.xml', content: CONTENT.toString() })
    }),
    { numRuns: 200 },
  )
})

test('a form that breaks off, holds no file or too much beside it is refused', async () => {
  const text = FORM.toString('latin1')
  const wrong: [form: string, why: RegExp][] = [
    [text.slice(0, text.indexOf('\r\n--Edge\r\nContent-Disposition: form-data; name="x"')), /breaks off/],
    [text.replaceAll('; filename="export.xml"', ''), /no file/],
    [text.replace('auto', 'a'.repeat(1_100_000)), /too much beside/],
    [text.replace('name="kind"', `name="${'k'.repeat(9000)}"`), /too long/],
    ['no form at all', /breaks off/],
  ]
  for (const [form, why] of wrong) await assert.rejects(read(inPieces(Buffer.from(form, 'latin1'), [])), why)
})

test('the boundary of a form is read with and without quotes', () => {
  assert.equal(boundaryOf('multipart/form-data; boundary=Edge'), 'Edge')
  assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b"'), 'a b')
  assert.equal(boundaryOf('application/zip'), null)
  assert.equal(boundaryOf(undefined), null)
  assert.throws(() => boundaryOf('multipart/form-data'), /no boundary/)
})

test('a sender may be slow for hours but not silent for half a minute', async () => {
  const clock = fakeClock()
  const waiting: ((piece: Buffer | null) => void)[] = []
  async function* sender(): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = await new Promise<Buffer | null>((resolve) => waiting.push(resolve))
      if (piece === null) return
      yield piece
    }
  }
  const got = untilStalled(sender(), 30_000, clock)
  for (let piece = 0; piece < 400; piece += 1) {
    const next = got.next()
    clock.advance(29_999)
    waiting.shift()?.(Buffer.from('x'))
    assert.equal((await next).value?.toString(), 'x')
    // Time that the reader takes is not the sender's.
    clock.advance(60_000)
  }
  const next = got.next()
  clock.advance(30_000)
  await assert.rejects(next, /Nothing came for 30 s/)
})
