/** The contract's command line: what it prints with --json, and its exit codes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outsider, PASSWORD } from './client.ts'

const MAIN = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url))
const { dataDir, hub, ask } = await outsider({ HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE: '5' })
await hub.control.call('POST', '/local/claim', { name: 'Anna', password: PASSWORD })
await hub.control.call('POST', '/people', { id: 'child_1', name: 'Mia' })

interface Run {
  code: number | null
  out: string
  err: string
}

function homefield(args: string[], input = '', env: Record<string, string> = {}): Promise<Run> {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, HOMEFIELD_DATA: dataDir, ...env },
  })
  const run: Run = { code: null, out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    run.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    run.err += chunk
  })
  child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...run, code })))
}

async function json(args: string[], input = '') {
  const { code, out, err } = await homefield([...args, '--json'], input)
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

const keys = (value: object) => Object.keys(value).sort()

test('login, pair, status and user list print the contract’s shapes', async () => {
  const [tokens, offer, status, users] = await Promise.all([
    json(['login', '--name', 'Anna', '--password-stdin'], PASSWORD),
    json(['pair', '--role', 'device', '--type', 'watch']),
    json(['status']),
    json(['user', 'list']),
  ])
  assert.deepEqual(keys(tokens), ['access_token', 'expires_in', 'refresh_token'])
  assert.equal(tokens.expires_in, 900)
  for (const name of ['id', 'code', 'token', 'url', 'expires_at'])
    assert.equal(typeof offer[name], 'string', name)
  assert.equal(status.ready.status, 'ready')
  assert.equal(users[0].name, 'Anna')
})

test('a failure is 1 with the error on standard error, wrong usage and unknown settings are 2', async () => {
  const [failed, usage, unknown, silent] = await Promise.all([
    homefield(['device', 'remove', 'nobody', '--json']),
    homefield(['device', 'add', '--json']),
    homefield(['start'], '', { HOMEFIELD_HTTP_RATE: '1' }),
    homefield(['reset', '--json']),
  ])
  assert.deepEqual([failed.code, failed.out], [1, ''])
  const { error } = JSON.parse(failed.err)
  assert.deepEqual([error.code, typeof error.message], ['NOT_FOUND', 'string'])
  assert.deepEqual([usage.code, unknown.code, silent.code], [2, 2, 2])
  assert.match(unknown.err, /HOMEFIELD_HTTP_RATE/)
})

test('a setting of the environment holds: the sixth request of a minute is 429 with Retry-After', async () => {
  const answers = []
  for (let sent = 0; sent < 6; sent += 1) answers.push(await ask('GET', '/api/v1/welcome'))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200, 429],
  )
  const last = answers.at(-1)
  assert.equal(last?.json.error.code, 'RATE_LIMITED')
  assert.ok(Number(last?.headers['retry-after']) > 0)
})

test('reset --keep-data leaves a hub to be claimed anew, with its persons', async () => {
  const code = await json(['reset', '--keep-data'])
  assert.deepEqual(keys(code), ['code', 'expires_at'])
  const [person] = await json(['person', 'list'])
  assert.equal(person.id, 'child_1')
})
