import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Command } from 'commander'
import { registerModels } from '../../daemon/cli/models.ts'
import type { Shell } from '../../daemon/cli/shell.ts'
import { fakeClock } from '../fakes/clock.ts'
import { tinyRtmPose } from '../models/tiny-rtmpose.ts'
import { tinyYolox } from '../models/tiny-yolox.ts'
import { zipOf } from '../models/zip.ts'

const NANO = 'https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx'

type Answering = (url: string, range: string | undefined) => Response | Promise<Response>

function setup(t: TestContext, answering?: Answering) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-models-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const shell = (out: string[], err: string[], codes: number[]): Shell => ({
    dataDir: () => join(folder, 'data'),
    control: () => assert.fail('the models need no hub'),
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    stdin: () => Promise.resolve(''),
    confirm: () => Promise.resolve(false),
    exit: (code) => void codes.push(code),
  })
  const asked: { url: string; range: string | undefined }[] = []
  const fetch: typeof globalThis.fetch = (url, init) => {
    const range = new Headers(init?.headers).get('range') ?? undefined
    asked.push({ url: String(url), range })
    if (answering === undefined)
      return Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') }))
    return Promise.resolve(answering(String(url), range))
  }
  return {
    asked,
    installed: (name: string) => join(folder, 'data', 'models', name),
    file(name: string, content: string | Uint8Array) {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    },
    async run(...args: string[]) {
      const [out, err, codes] = [[] as string[], [] as string[], [] as number[]]
      const program = new Command().exitOverride()
      registerModels(program, { shell: shell(out, err, codes), clock: fakeClock(), fetch })
      await program.parseAsync(['models', ...args, '--json'], { from: 'user' })
      const parse = (text: string | undefined) => (text === undefined ? null : (JSON.parse(text) as never))
      return {
        answer: parse(out[0]) as never,
        error: (parse(err[0]) as { error: Failure } | null)?.error,
        codes,
      }
    },
  }
}

interface Failure {
  code: string
  message: string
}

test('a model file is imported once, listed and verified', async (t) => {
  const { file, run, installed } = setup(t)
  const path = file('My Detector.onnx', tinyYolox())
  const { answer } = await run('import', path)
  const { name, family, origin, licence } = answer as Record<string, unknown>
  assert.deepEqual([name, family, origin, licence], ['my-detector', 'yolox', 'imported', null])
  assert.deepEqual(readFileSync(installed('my-detector.onnx')), readFileSync(path))
  const { models } = (await run('list')).answer as { models: { name: string; state: string }[] }
  assert.ok(models.some(({ name, state }) => name === 'my-detector' && state === 'imported'))
  assert.ok(
    models.some(({ name, state }) => name === 'yolox-nano' && state === 'homefield models pull yolox-nano'),
  )
  const again = await run('import', path)
  assert.equal(again.error, undefined, 'the same file again is no harm')
  const findings = (await run('verify')).answer as { name: string; state: string }[]
  assert.equal(findings.find(({ name }) => name === 'my-detector')?.state, 'ok')
})

test('RTMPose is imported whether or not its file says how many joints it knows', async (t) => {
  const { file, run } = setup(t)
  for (const [name, joints, open] of [
    ['coco', 17, false],
    ['halpe', 26, true],
  ] as const) {
    const { answer } = await run('import', file(`${name}.onnx`, tinyRtmPose(joints, open)))
    const { family, outputs } = answer as { family: string; outputs: { shape: number[] }[] }
    assert.deepEqual(
      [family, ...outputs.map(({ shape }) => shape.join())],
      ['rtmpose', `1,${joints},384`, `1,${joints},512`],
    )
  }
})

test('a model is pulled out of its authors’ archive, over a real connection that breaks off once', async (t) => {
  const model = tinyRtmPose(26, true)
  const archive = zipOf([['rtm/end2end.onnx', model]], true)
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const { range } = request.headers
    ranges.push(range)
    const from = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1])
    response.writeHead(range === undefined ? 200 : 206, { 'content-length': archive.length - from })
    if (range !== undefined) response.end(archive.subarray(from))
    else response.write(archive.subarray(0, 500), () => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { run, installed } = setup(t, async (_, range) =>
    fetch(`http://127.0.0.1:${port}/rtmpose.zip`, { headers: range === undefined ? {} : { range } }),
  )
  const first = await run('pull', 'rtmpose-t-halpe26')
  assert.match(first.error!.message, /The same command goes on where it stopped/)
  const [record] = (await run('pull', 'rtmpose-t-halpe26')).answer as Record<string, unknown>[]
  assert.deepEqual(
    [record!['family'], record!['licence'], record!['version']],
    ['rtmpose', 'Apache-2.0', '20230605'],
  )
  assert.deepEqual(ranges, [undefined, 'bytes=500-'])
  assert.deepEqual(readFileSync(installed('rtmpose-t-halpe26.onnx')), Buffer.from(model))
  const pin = createHash('sha256').update(archive).digest('hex')
  assert.match(readFileSync(installed('pins.txt'), 'utf8'), new RegExp(`^${pin}  https://download.openmmlab`))
})

test('another model under a taken name is refused', async (t) => {
  const { file, run } = setup(t)
  await run('import', file('a.onnx', tinyYolox()), '--name', 'mine')
  const { error, codes } = await run('import', file('b.onnx', tinyYolox('someone else')), '--name', 'mine')
  assert.match(error!.message, /mine is installed already/)
  assert.deepEqual(codes, [1])
})

test('a file that is no model, or not one for the hub, is refused with why and leaves nothing', async (t) => {
  const { file, run } = setup(t)
  const text = await run('import', file('text.onnx', 'a text file'))
  assert.deepEqual([text.error?.code, text.codes], ['VALIDATION_ERROR', [1]])
  assert.match(text.error!.message, /Not an ONNX model/)
  const half = tinyYolox()
  assert.match(
    (await run('import', file('half.onnx', half.subarray(0, 100)))).error!.message,
    /Not an ONNX model/,
  )
  const broken = Buffer.from(tinyYolox())
  broken.write('Resh0pe', broken.indexOf('Reshape'))
  assert.match((await run('import', file('broken.onnx', broken))).error!.message, /broken cannot be run/)
  assert.equal((await run('import', 'nowhere.onnx')).error?.code, 'NOT_FOUND')
  assert.match(
    (await run('import', file('x.onnx', tinyYolox()), '--name', '../x')).error!.message,
    /has others/,
  )
  const { models } = (await run('list')).answer as { models: { state: string }[] }
  assert.ok(models.every(({ state }) => state !== 'imported'))
})

test('verify finds a model that changed on the disk, and one that lost its end', async (t) => {
  const { file, run, installed } = setup(t)
  await run('import', file('one.onnx', tinyYolox()))
  const bytes = readFileSync(installed('one.onnx'))
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(installed('one.onnx'), bytes)
  const changed = await run('verify')
  assert.match(JSON.stringify(changed.answer), /"one","state":"fail","says":"its SHA-256 is/)
  assert.deepEqual(changed.codes, [1])
  truncateSync(installed('one.onnx'), 50)
  assert.match(JSON.stringify((await run('verify')).answer), /one\.onnx is missing or not as large/)
})

test('a pull without internet says so and how else the model can come', async (t) => {
  const { run } = setup(t)
  const { error, codes } = await run('pull')
  assert.match(error!.message, /ENOTFOUND.*internet.*homefield models import/s)
  assert.deepEqual(codes, [1])
  assert.match(
    (await run('pull', 'everything')).error!.message,
    /only: training, yolox-nano, yolox-tiny, rtmpose-t/,
  )
})

test('a pull that broke goes on where it stopped, and pins what it got', async (t) => {
  const whole = Buffer.from(tinyYolox())
  let reaches = 100
  const { run, asked, installed } = setup(t, (url, range) => {
    if (url !== NANO) return new Response(new Uint8Array(zipOf([['end2end.onnx', tinyRtmPose(26)]], true)))
    const from = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1])
    const headers = { 'content-length': String(whole.length - from) }
    return new Response(whole.subarray(from, from + reaches), { status: range ? 206 : 200, headers })
  })
  assert.match((await run('pull', 'training')).error!.message, /only 100 of \d+ bytes arrived/)
  reaches = whole.length
  const [record, pose] = (await run('pull', 'training')).answer as Record<string, unknown>[]
  assert.equal(pose!['name'], 'rtmpose-t-halpe26')
  assert.deepEqual(
    [record!['name'], record!['licence'], record!['origin']],
    ['yolox-nano', 'Apache-2.0', 'pulled'],
  )
  assert.deepEqual(asked.slice(0, 2), [
    { url: NANO, range: undefined },
    { url: NANO, range: 'bytes=100-' },
  ])
  assert.deepEqual(readFileSync(installed('yolox-nano.onnx')), whole)
  assert.match(readFileSync(installed('pins.txt'), 'utf8'), new RegExp(`^[0-9a-f]{64}  ${NANO}\n`))
})

test('other contents than at the first pull are refused', async (t) => {
  let producer = 'its authors'
  const { run } = setup(t, () => new Response(Buffer.from(tinyYolox(producer))))
  await run('pull', 'yolox-nano')
  producer = 'someone else'
  assert.match((await run('pull', 'yolox-nano')).error!.message, /other contents than before/)
  assert.equal(
    ((await run('verify')).answer as { state: string }[]).some(({ state }) => state !== 'ok'),
    false,
  )
})

test('a page instead of a model is refused, and the next pull starts afresh', async (t) => {
  let page = true
  const { run, asked } = setup(t, () =>
    page ? new Response('<html>sign in to this network</html>') : new Response(Buffer.from(tinyYolox())),
  )
  assert.match((await run('pull', 'yolox-nano')).error!.message, /Not an ONNX model/)
  page = false
  assert.equal((await run('pull', 'yolox-nano')).error, undefined)
  assert.deepEqual(
    asked.map(({ range }) => range),
    [undefined, undefined],
  )
})
