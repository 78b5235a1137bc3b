import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Command } from 'commander'
import { readSeries } from '../../daemon/cli/series.ts'
import { registerSimulate, type SimulateDeps } from '../../daemon/cli/simulate.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { decodeGatt } from '../../firmware-bridge/gatt/decode.ts'
import { startHub } from '../broker/hub.ts'
import { fixturePath } from '../firmware-bridge/fixtures.ts'

const RECORDING = fixturePath('series/synthetic_nn_900.csv')

async function setup(t: TestContext, deps: Partial<SimulateDeps> = {}) {
  const hub = await startHub(t, { clock: systemClock() })
  const dir = await mkdtemp(join(tmpdir(), 'hf-simulate-'))
  t.after(() => rm(dir, { recursive: true }))
  const printed: string[] = []
  const complaints: string[] = []
  const codes: number[] = []
  const shell = {
    out: (text: string) => void printed.push(text),
    err: (text: string) => void complaints.push(text),
    exit: (code: number) => void codes.push(code),
    stdin: async () => '',
  }
  const url = `mqtt://127.0.0.1:${hub.port}`
  return {
    hub,
    url,
    printed,
    complaints,
    codes,
    async file(name: string, content: string) {
      const path = join(dir, name)
      await writeFile(path, content)
      return path
    },
    async run(...args: string[]) {
      const program = new Command().exitOverride()
      registerSimulate(program, { shell, clock: systemClock(), ...deps })
      await program.parseAsync(['node', 'homefield', 'simulate', 'watch', ...args])
    },
    asWatch: ['--device', 'watch-1', '--key', 'key-watch-1', '--url', url, '--speed', '10000'],
  }
}

test('beat intervals become strap packets of about a second that decode to the same beats', async () => {
  const text = await readFile(RECORDING, 'utf8')
  const recorded = text.trim().split('\n').slice(1).map(Number)
  const { messages, durationMs } = readSeries(text)
  const totalMs = recorded.reduce((sum, interval) => sum + interval, 0)
  const beats = messages.flatMap((message) => {
    const decoded = decodeGatt('2a37', message.payload(0))
    assert.ok('samples' in decoded)
    return decoded.samples.flatMap(({ metric, value }) =>
      metric === 'rr_intervals' ? (value as number[]) : [],
    )
  })
  assert.equal(beats.length, 900)
  for (const [index, beat] of beats.entries()) assert.ok(Math.abs(beat - recorded[index]!) <= 0.49)
  assert.ok(Math.abs(totalMs / messages.length - 1300) < 500)
  assert.ok(durationMs > totalMs && durationMs < totalMs + 5000)
})

test('a recorded series of beats goes over real MQTT and every message is acknowledged', async (t) => {
  const { hub, run, asWatch, codes, printed } = await setup(t)
  await run('--file', RECORDING, '--json', ...asWatch)
  const { messages } = readSeries(await readFile(RECORDING, 'utf8'))
  assert.deepEqual(codes, [0])
  assert.deepEqual(JSON.parse(printed.at(-1)!), {
    type: 'done',
    sent: messages.length,
    acknowledged: messages.length,
    rejected: 0,
  })
  assert.equal(hub.stored.filter(({ metric }) => metric === 'rr_interval').length, 900)
  assert.deepEqual(hub.presence, ['watch-1 online', 'watch-1 offline'])
})

test('a table plays its metrics, stamped when they are sent', async (t) => {
  const { hub, run, asWatch, file, complaints } = await setup(t)
  const before = Date.now()
  const path = await file('day.csv', 'minute,hr,hrv,steps,mood_note\n0,51.0,108.0,0,x\n1,,99.0,12,y\n')
  await run('--file', path, ...asWatch)
  assert.deepEqual(
    hub.stored.map(({ metric, value }) => [metric, value]),
    [
      ['heart_rate', 51],
      ['hrv_rmssd', 108],
      ['steps', 0],
      ['hrv_rmssd', 99],
      ['steps', 12],
    ],
  )
  for (const { atMs } of hub.stored) assert.ok(atMs >= before && atMs <= Date.now())
  assert.deepEqual(complaints, ['not played: mood_note'])
})

test('a JSON list of samples plays in order of time, only the metrics asked for', async (t) => {
  const { hub, run, asWatch, file } = await setup(t)
  const samples = [
    { ts: '2026-03-14T08:00:01Z', metric: 'heart_rate', value: 73 },
    { ts: '2026-03-14T08:00:00Z', metric: 'heart_rate', value: 72 },
    { ts: '2026-03-14T08:00:00Z', metric: 'spo2', value: 97 },
  ]
  await run('--file', await file('list.json', JSON.stringify(samples)), '--metric', 'hr', ...asWatch)
  assert.deepEqual(
    hub.stored.map(({ value }) => value),
    [72, 73],
  )
})

test('what the hub rejects is counted and said', async (t) => {
  const { run, asWatch, file, complaints, printed } = await setup(t)
  await run('--file', await file('bad.csv', 'ts,hr\n0,72\n1,900\n'), ...asWatch)
  assert.match(complaints.join(), /900 bpm is no plausible heart_rate/)
  assert.equal(printed.at(-1), 'done: sent 2 · acknowledged 2 · rejected 1')
})

test('a wrong key fails, a file that says nothing and missing options are wrong usage', async (t) => {
  const { run, url, file, codes, complaints } = await setup(t)
  await run('--file', RECORDING, '--device', 'watch-1', '--key', 'wrong', '--url', url)
  await run(
    '--file',
    await file('odd.csv', 'when,what\n1,2\n'),
    '--device',
    'watch-1',
    '--key',
    'key-watch-1',
  )
  await run(
    '--file',
    await file('beats.csv', 'rr_ms\n800\nx\n'),
    '--device',
    'watch-1',
    '--key',
    'key-watch-1',
  )
  await run('--file', RECORDING)
  assert.deepEqual(codes, [1, 2, 2, 2])
  assert.match(complaints[2]!, /Line 3 cannot be played/)
  assert.match(complaints[3]!, /--device and --key, or --person/)
})

test('for a person it makes a watch on this machine’s hub first', async (t) => {
  const asked: object[] = []
  const parts = await setup(t, {
    provision: async (request) => {
      asked.push(request)
      return { id: 'watch-2', key: 'key-watch-2', url: parts.url, ca: null }
    },
  })
  await parts.run('--file', await parts.file('one.csv', 'ts,hr\n0,72\n'), '--person', 'mia')
  assert.deepEqual(asked, [{ type: 'watch', name: 'Simulated watch', personId: 'mia' }])
  assert.deepEqual(
    parts.hub.stored.map(({ deviceId, value }) => [deviceId, value]),
    [['watch-2', 72]],
  )
})
