import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { registerSimulate } from '../../daemon/cli/simulate.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { CLIP, refuses, rtsp, watch } from '../media/rtsp/camera.ts'

const run = promisify(execFile)
const CREDENTIALS = { username: 'coach', password: 'pitch side' }

interface Ready {
  rtsp: string
  mjpeg: string
  codec: string
  fps: number
}

/** Runs the command; `ready` comes with its addresses, `lines` holds what it printed. */
async function setup(t: TestContext, { stdin = '' } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'hf-camera-'))
  const stop = new AbortController()
  const lines: Record<string, unknown>[] = []
  const complaints: string[] = []
  const codes: number[] = []
  let told = () => {}
  const shell = {
    out(text: string) {
      lines.push(JSON.parse(text) as Record<string, unknown>)
      told()
    },
    err: (text: string) => void complaints.push(text),
    exit: (code: number) => void codes.push(code),
    stdin: async () => stdin,
  }
  let running: Promise<unknown> = Promise.resolve()
  t.after(async () => {
    stop.abort()
    await running.catch(() => {})
    await rm(dir, { recursive: true })
  })
  const line = async (type: string) => {
    for (;;) {
      const found = lines.find((each) => each['type'] === type)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
  }
  return {
    dir,
    line,
    codes,
    complaints,
    start(...args: string[]) {
      const program = new Command().exitOverride()
      registerSimulate(program, { shell, clock: systemClock(), signal: stop.signal })
      running = program.parseAsync(['node', 'homefield', 'simulate', 'camera', '--json', ...args])
      return running
    },
    ready: async () => (await line('ready')) as unknown as Ready,
    async video(...args: string[]) {
      const path = join(dir, 'video.mkv')
      const source = 'testsrc2=size=322x242:rate=20:duration=0.6'
      await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...args, path])
      return path
    },
  }
}

test('a video that is no H.264 is encoded, played once, and the command ends', async (t) => {
  const { start, ready, video, codes } = await setup(t)
  const running = start('--video', await video('-c:v', 'mpeg4'), '--once')
  const { rtsp: url, codec, fps } = await ready()
  assert.deepEqual({ codec, fps }, { codec: 'h264', fps: 20 })
  const { units, facts, failure } = await watch(rtsp(url))
  assert.equal(failure.code, 'ended')
  assert.equal(units.length, 12)
  assert.deepEqual([facts.at(-1)?.width, facts.at(-1)?.height], [322, 242])
  await running
  assert.deepEqual(codes, [0])
})

test('H.264 with pictures out of order is encoded, and without is sent as it is', async (t) => {
  const { start, ready, video } = await setup(t)
  void start('--video', await video('-c:v', 'libx264', '-bf', '2', '-profile:v', 'main'), '--once')
  const { units } = await watch(rtsp((await ready()).rtsp))
  assert.equal(units.length, 12)
  assert.equal(units[0]?.data.subarray(4)[1], 66, 'baseline')
  const plain = await setup(t)
  void plain.start('--video', CLIP)
  const first = await new Promise<Uint8Array>((resolve, reject) => {
    plain.ready().then(({ rtsp: url }) => {
      const close = rtsp(url).start({
        described: () => {},
        picture: () => {},
        failed: reject,
        unit({ data }) {
          close()
          resolve(data)
        },
      })
    }, reject)
  })
  assert.equal(first[5], 77, 'main, as in the file')
})

test('the MJPEG side asks for the same password and sends whole JPEGs', async (t) => {
  const { start, ready, video } = await setup(t, { stdin: 'p4ss\n' })
  void start(
    '--video',
    await video('-c:v', 'mpeg4'),
    '--once',
    '--user',
    'admin',
    '--password-stdin',
    '--codec',
    'jpeg',
  )
  const { mjpeg, rtsp: url, codec } = await ready()
  assert.equal(codec, 'jpeg')
  assert.equal((await fetch(mjpeg)).status, 401)
  assert.equal((await watch(rtsp(url, CREDENTIALS))).failure.code, 'unauthorized')
  const { stdout } = await run('curl', ['-s', '--digest', '-u', 'admin:p4ss', mjpeg], { encoding: 'buffer' })
  const text = stdout.toString('latin1')
  const lengths = [...text.matchAll(/Content-Length: (\d+)\r\nX-Timestamp: \d+\.\d{6}\r\n\r\n\xff\xd8/g)].map(
    (each) => Number(each[1]),
  )
  assert.equal(lengths.length, 12)
})

test('the cable is pulled and put back on request, on the same ports', async (t) => {
  const { start, ready, line, video } = await setup(t)
  void start('--video', await video('-c:v', 'mpeg4'), '--drop-every', '0.5', '--drop-for', '0.2')
  const { rtsp: url } = await ready()
  assert.equal((await watch(rtsp(url))).failure.code, 'ended')
  await line('unplugged')
  assert.equal(await refuses(Number(new URL(url).port)), true)
  await line('plugged')
  assert.equal(await refuses(Number(new URL(url).port)), false)
})

test('what cannot be served is told: no video, a password without a name, a codec that is none', async (t) => {
  const { start, dir, codes, complaints } = await setup(t)
  const path = join(dir, 'notes.mp4')
  await writeFile(path, 'not a video at all')
  await start('--video', path)
  await start('--video', join(dir, 'missing.mp4'))
  await start('--video', CLIP, '--password-stdin')
  assert.deepEqual(codes, [2, 2, 2])
  assert.equal(complaints.length, 3)
  assert.match(complaints[0] ?? '', /notes\.mp4 cannot be read as a video/)
  await assert.rejects(start('--video', CLIP, '--codec', 'av1'))
})
