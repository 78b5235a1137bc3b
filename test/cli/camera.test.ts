import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { registerCamera } from '../../daemon/cli/camera.ts'
import type { Shell } from '../../daemon/cli/shell.ts'
import { HubError } from '../../daemon/kernel/errors.ts'

function setup(answers: Record<string, unknown>) {
  const asked: { method: string; path: string; body: unknown }[] = []
  const out: string[] = []
  const err: string[] = []
  const shell: Shell = {
    dataDir: () => '',
    control: () => ({
      send: () => Promise.reject(new Error('not asked')),
      async call(method, path, body) {
        asked.push({ method, path, body })
        const known = answers[`${method} ${path}`]
        if (known === undefined) throw new HubError('NOT_FOUND', 'There is no camera with this id.')
        return known
      },
    }),
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    stdin: async () => 'from-stdin\n',
    confirm: async () => true,
    exit: (code) => void err.push(`exit ${code}`),
  }
  const run = async (...args: string[]) => {
    const program = new Command().exitOverride()
    registerCamera(program, shell)
    await program.parseAsync(['camera', ...args], { from: 'user' })
  }
  return { run, asked, out, err }
}

test('camera add takes the password from standard input, never from the command line', async () => {
  const { run, asked, out } = setup({ 'POST /cameras': { id: 'yard' } })
  const url = 'rtsp://192.168.1.9/main'
  await run(
    'add',
    '--name',
    'Yard',
    '--url',
    url,
    '--username',
    'admin',
    '--password-stdin',
    '--person',
    'mia',
    'tom',
  )
  assert.deepEqual(JSON.parse(JSON.stringify(asked[0]?.body)), {
    ...{ name: 'Yard', url, username: 'admin', password: 'from-stdin' },
    ...{ person_ids: ['mia', 'tom'], analyse: true },
  })
  assert.match(out[0] ?? '', /Yard is added, id yard/)
})

test('camera list shows how each is doing, and probe what an address gives', async () => {
  const stream = {
    codec: 'h264',
    width: 1280,
    height: 720,
    fps: 14.9,
    keyframe_interval_s: 2,
    clock: 'arrival',
  }
  const yard = {
    id: 'yard',
    name: 'Yard',
    kind: 'rtsp',
    url: 'rtsp://h/',
    status: 'online',
    reason: null,
    stream,
  }
  const { run, out } = setup({
    'GET /cameras?per_page=200': [
      yard,
      { ...yard, id: 'gate', status: 'offline', reason: { code: 'stalled' } },
    ],
    'POST /cameras/probe': { ok: true, stream, first_frame_ms: 310, preview_jpeg_base64: '' },
  })
  await run('list')
  assert.match(out[0] ?? '', /yard\s+Yard\s+rtsp\s+\S+\s+online\s+–\s+1280 × 720\s+14\.9/)
  assert.match(out[0] ?? '', /gate.*offline\s+stalled/)
  await run('probe', 'rtsp://h/')
  assert.match(out[1] ?? '', /h264 1280 × 720, 14\.9 pictures a second[\s\S]*after 310 ms/)
})

test('camera remove of an unknown id fails with the hub’s own words', async () => {
  const { run, err } = setup({})
  await run('remove', 'nothing', '--json')
  assert.deepEqual(JSON.parse(err[0] ?? ''), {
    error: { code: 'NOT_FOUND', message: 'There is no camera with this id.' },
  })
  assert.equal(err[1], 'exit 1')
})
