import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { HubError } from '../../daemon/kernel/errors.ts'
import { startHub, temporaryData } from '../../scripts/bench/hub-process.ts'
import { killRounds } from '../../scripts/bench/kill.ts'

const PASSWORD = 'correct horse battery\n'
const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))

function homefield(env: Record<string, string>, args: string[], input = '') {
  const { PATH, HOME } = process.env
  const run = spawnSync(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, ...env },
    input,
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { code: run.status, out: run.stdout, err: run.stderr }
}

/** The hub's own counts, by the way in that needs no password. */
async function metrics(dataDir: string): Promise<string> {
  const [answer] = (await once(
    request({ socketPath: join(dataDir, 'hub.sock'), path: '/metrics' }).end(),
    'response',
  )) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

test('a hub writes hub.json when it is ready, refuses a second start and takes the file away on SIGTERM', async () => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  assert.equal(statSync(join(dataDir, 'hub.json')).mode & 0o777, 0o600)
  assert.match(hub.json.caSha256, /^[0-9a-f]{64}$/)
  for (const port of ['httpPort', 'httpsPort', 'mqttPort', 'mqttsPort'] as const)
    assert.ok(hub.json[port] > 0, port)
  const second = homefield({ HOMEFIELD_DATA: dataDir }, ['start'])
  assert.equal(second.code, 1)
  assert.match(second.err, new RegExp(`process ${hub.json.pid}`))
  assert.equal(await hub.kill('SIGTERM'), 0)
  assert.equal(existsSync(join(dataDir, 'hub.json')), false)
})

test('a hub whose disk is full tells who waits, and still stops in time', async () => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  await hub.control.call('POST', '/local/claim', { name: 'Anna', password: 'a long enough pass' })
  execFileSync('prlimit', ['--pid', String(hub.child.pid), '--fsize=4096'])
  const waiting = hub.control.call('POST', '/people', { name: 'Mia' }).then(
    () => 'kept',
    (cause: unknown) => (cause instanceof HubError ? cause.code : String(cause)),
  )
  while (!/^homefield_store_disk_full 1$/m.test(await metrics(dataDir)));
  assert.equal(await hub.kill('SIGTERM'), 0)
  assert.equal(await waiting, 'DISK_FULL')
})

test('everything in the data directory is readable by its owner only', async () => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  for (const name of ['homefield.db', 'hub.sock', 'tls/ca-key.pem', 'secrets/hub.key']) {
    assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name)
  }
  await hub.kill('SIGTERM')
})

test('a taken port and a wrong setting are said plainly, with exit codes 1 and 2', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const free = {
    HOMEFIELD_HTTP_PORT: '0',
    HOMEFIELD_MQTT_PORT: '0',
    HOMEFIELD_MQTTS_PORT: '0',
    HOMEFIELD_MDNS_ENABLED: 'false',
  }
  const busy = homefield(
    {
      ...free,
      HOMEFIELD_DATA: temporaryData(),
      HOMEFIELD_HTTPS_HOST: '127.0.0.1',
      HOMEFIELD_HTTPS_PORT: String(port),
    },
    ['start'],
  )
  taken.close()
  assert.equal(busy.code, 1)
  assert.match(busy.err, new RegExp(`Port ${port} is taken`))
  const wrong = homefield({ HOMEFIELD_HTTPS_PORT: 'many', HOMEFIELD_DATA: temporaryData() }, ['start'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /https\.port.*many/)
})

test('a damaged database or certificate is named, with what to do about it', async () => {
  const dataDir = temporaryData()
  await (await startHub(dataDir)).kill('SIGTERM')
  const ports = ['HTTP', 'HTTPS', 'MQTT', 'MQTTS'].map((name) => [`HOMEFIELD_${name}_PORT`, '0'])
  const env = { ...Object.fromEntries(ports), HOMEFIELD_MDNS_ENABLED: 'false', HOMEFIELD_DATA: dataDir }
  const ca = readFileSync(join(dataDir, 'tls/ca.pem'))
  writeFileSync(join(dataDir, 'tls/ca.pem'), 'x')
  assert.match(homefield(env, ['start']).err, /ca\.pem .*damaged: restore/)
  writeFileSync(join(dataDir, 'tls/ca.pem'), ca)
  writeFileSync(join(dataDir, 'homefield.db'), Buffer.alloc(8192, 'x'))
  const { code, err } = homefield(env, ['start'])
  assert.equal(code, 1)
  assert.match(err, /homefield\.db is damaged .*restore a backup/)
})

/** Asks as root on the box does. */
async function asked(dataDir: string, method: string, path: string) {
  const [answer] = (await once(
    request({ socketPath: join(dataDir, 'hub.sock'), path: `/api/v1${path}`, method }).end(),
    'response',
  )) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8')).data
}

test('a database that a crash damaged comes back from its snapshot, and the owner is told until they have read it', async () => {
  const dataDir = temporaryData()
  const first = await startHub(dataDir)
  const claim = homefield(
    { HOMEFIELD_DATA: dataDir },
    ['claim', '--name', 'Anna', '--password-stdin'],
    PASSWORD,
  )
  assert.equal(claim.code, 0, claim.err)
  homefield({ HOMEFIELD_DATA: dataDir }, ['person', 'add', '--name', 'Mia', '--id', 'mia'])
  assert.equal((await asked(dataDir, 'POST', '/system/snapshots')).problem, null)
  await first.kill('SIGKILL')
  const path = join(dataDir, 'homefield.db')
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
  writeFileSync(path, Buffer.alloc(8192, 'x'))
  const second = await startHub(dataDir)
  const { recovered } = await asked(dataDir, 'GET', '/system')
  assert.match(recovered.reason, /not a database/)
  assert.equal((await asked(dataDir, 'GET', '/ready')).parts[0].state, 'degraded')
  assert.match(homefield({ HOMEFIELD_DATA: dataDir }, ['person', 'list']).out, /Mia/)
  await asked(dataDir, 'DELETE', '/system/recovered')
  await second.kill('SIGTERM')
  const third = await startHub(dataDir)
  assert.equal((await asked(dataDir, 'GET', '/system')).recovered, null)
  await third.kill('SIGTERM')
})

test('the box itself claims, adds a person and a watch, and lists them, without a password on the command line', async () => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  const run = (args: string[], input = '') =>
    homefield({ HOMEFIELD_DATA: dataDir }, [...args, '--json'], input)
  assert.match(JSON.parse(run(['claim-code']).out).code, /^[0-9A-Z]{8}$/)
  const short = run(['claim', '--name', 'Anna', '--password-stdin'], 'short\n')
  assert.equal(short.code, 1)
  assert.equal(JSON.parse(short.err).error.code, 'VALIDATION_ERROR')
  assert.equal(
    JSON.parse(run(['claim', '--name', 'Anna', '--password-stdin'], 'a long enough pass\n').out).user.name,
    'Anna',
  )
  assert.equal(run(['claim-code']).code, 1)
  const person = JSON.parse(run(['person', 'add', '--name', 'Mia', '--id', 'mia']).out)
  assert.deepEqual(person, { id: 'mia' })
  const device = JSON.parse(
    run(['device', 'add', '--type', 'watch', '--name', 'Watch', '--person', 'mia', '--id', 'w1']).out,
  )
  assert.equal(device.id, 'w1')
  assert.equal(JSON.parse(run(['device', 'list']).out)[0].person_id, 'mia')
  const tokens = JSON.parse(run(['login', '--name', 'Anna', '--password-stdin'], 'a long enough pass').out)
  assert.equal(tokens.expires_in, 900)
  assert.equal(run(['device', 'remove', 'w1']).code, 0)
  assert.equal(run(['device', 'remove', 'nobody']).code, 1)
  assert.equal(homefield({ HOMEFIELD_DATA: dataDir }, ['device', 'add']).code, 2)
  const report = JSON.parse(run(['doctor']).out) as { findings: { check: string; state: string }[] }
  assert.deepEqual(
    report.findings.filter(({ state }) => state === 'fail'),
    [],
  )
  await hub.kill('SIGTERM')
  assert.match(run(['person', 'list']).err, /No hub is running/)
})

test('a series played by the simulator arrives as the person’s newest value', async () => {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  await hub.control.call('POST', '/local/claim', { name: 'Anna', password: 'a long enough pass' })
  await hub.control.call('POST', '/people', { id: 'mia', name: 'Mia', timezone: 'Europe/Berlin' })
  const series = fileURLToPath(new URL('../fixtures/series/synthetic_nn_900.csv', import.meta.url))
  const played = homefield({ HOMEFIELD_DATA: dataDir }, [
    'simulate',
    'watch',
    '--file',
    series,
    '--person',
    'mia',
    '--speed',
    '1000',
    '--json',
  ])
  assert.equal(played.code, 0, played.err)
  const latest = (await hub.control.call('GET', '/people/mia/latest')) as Record<
    string,
    { value: number; source: string; stale: boolean }
  >
  assert.equal(latest['heart_rate']?.source, 'gatt')
  assert.equal(latest['heart_rate']?.stale, false)
  assert.ok((latest['rr_interval']?.value ?? 0) > 300)
  await hub.kill('SIGTERM')
})

test('a killed hub loses nothing it acknowledged and counts nothing twice', async () => {
  const { acknowledged, lost, doubled } = await killRounds({ rounds: 2, watches: 4, window: 10, seed: 7 })
  assert.ok(acknowledged > 0)
  assert.equal(lost, 0)
  assert.equal(doubled, 0)
})
