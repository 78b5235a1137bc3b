/** Words that must stay where they belong: none of them in the log at its most talkative, and no secret readable on the disk. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { removeTemporaryData } from '../../scripts/bench/hub-process.ts'
import { addDevice, household, type Json, letIn, PASSWORD } from './contract/client.ts'

after(removeTemporaryData)
const home = await household({ HOMEFIELD_LOG: 'trace' })
const { ask, post, owner, dataDir, hub } = home

const NAME = 'Kanarienvogel'
const NOTE = 'canary-note-for-nobody-else'
const CAMERA_PASSWORD = 'canary-camera-password'
const WRONG_PASSWORD = 'canary wrong password'
const PASSPHRASE = 'canary lantern quiet water'
const VALUE = 123.25

async function live(): Promise<Record<string, string>> {
  const body = (of: Json) => ({ token: owner, body: of })
  await ask('PATCH', '/api/v1/people/child_1', body({ name: NAME }))
  await ask('POST', '/api/v1/auth/login', { body: { name: 'Anna', password: WRONG_PASSWORD } })
  await ask('POST', '/api/v1/auth/step-up', body({ password: WRONG_PASSWORD }))
  await ask('POST', '/api/v1/auth/login', { body: { name: NAME, password: WRONG_PASSWORD } })
  await post('/mood', owner, { person_id: 'child_1', rating: 3, notes: NOTE })
  await post('/glucose/readings', owner, {
    person_id: 'child_1',
    timestamp: '2026-03-01T08:00:00Z',
    value: VALUE,
  })
  await ask(
    'POST',
    '/api/v1/ingest',
    body({ person_id: 'child_1', wellness_metrics: { hr: 'not a number' }, [NOTE]: NOTE }),
  )
  await ask(
    'POST',
    '/api/v1/people',
    body({ id: `${NOTE}\n\u001b[31mERROR`, name: `${NAME}\r\nforged line` }),
  )
  await ask('GET', `/api/v1/people/${NOTE}`, { token: owner })
  const camera = await ask(
    'POST',
    '/api/v1/cameras',
    body({
      ...{ id: 'yard', name: 'Yard', kind: 'rtsp', person_ids: ['child_1'] },
      ...{ url: `rtsp://anna:${CAMERA_PASSWORD}@192.168.77.7/stream` },
    }),
  )
  assert.ok(camera.status < 300, camera.bytes.toString())
  const watch = await addDevice(home, owner, { person_id: 'child_1' })
  const coach = await letIn(home, owner, { role: 'coach', person_id: 'child_1', classes: ['training'] })
  const { recovery_key: recoveryKey } = await post('/backup/key', owner, {})
  await post('/backup', owner, { passphrase: PASSPHRASE, media: true }, 202)
  const feed = await ask('POST', '/api/v1/calendar/feeds', body({ player_id: 'child_1' }))
  await ask('GET', '/api/v1/people/child_1/timeline', { token: 'not-a-token-canary' })
  return {
    ...{ password: PASSWORD, wrongPassword: WRONG_PASSWORD, cameraPassword: CAMERA_PASSWORD },
    ...{ accessToken: owner, refreshToken: home.claimed.json.data.refresh_token as string, coach },
    ...{ apiKey: watch.key, recoveryKey, passphrase: PASSPHRASE, badToken: 'not-a-token-canary' },
    feed: (/token=([^&"]+)/.exec(feed.bytes.toString())?.[1] ?? '') || 'no-feed-token',
  }
}

const secrets = await live()

test('the log at its most talkative holds no password, token, key, name or value', () => {
  const output = hub.output()
  assert.ok(output.length > 500, 'the log says something')
  for (const [what, word] of Object.entries({ ...secrets, name: NAME, note: NOTE, value: String(VALUE) }))
    assert.equal(output.includes(word), false, `${what} is in the log`)
})

test('the file for somebody who helps counts, and names nothing and nobody', async () => {
  const answer = await ask('GET', '/api/v1/system/support', { token: owner })
  assert.equal(answer.status, 200)
  const { devices, metrics, parts } = answer.json.data
  assert.ok(devices.some(({ what, count }: Json) => what === 'watch' && Number(count) >= 1))
  assert.ok(metrics.length > 50 && parts.length > 5)
  const text = answer.bytes.toString()
  const own = {
    name: NAME,
    note: NOTE,
    person: 'child_1',
    camera: 'yard',
    address: '192.168.',
    folder: dataDir,
  }
  for (const [what, word] of Object.entries({ ...secrets, ...own, owner: 'Anna' }))
    assert.equal(text.toLowerCase().includes(word.toLowerCase()), false, `${what} is in the file`)
})

test('a name cannot forge a line of the log', () => {
  const lines = hub
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  assert.ok(lines.length > 3)
  for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), line)
  assert.equal(hub.output().includes('\u001b'), false)
})

test('no file on the box holds a secret that could be read from it', () => {
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
  assert.ok(files.some((path) => path.endsWith('homefield.db')))
  for (const path of files) {
    const bytes = readFileSync(path)
    for (const [what, word] of Object.entries(secrets))
      assert.equal(bytes.includes(word), false, `${what} is in ${path}`)
  }
})

test('whatever holds a secret is its own user’s alone', () => {
  assert.equal(statSync(dataDir).mode & 0o077, 0, 'the data directory')
  for (const folder of ['secrets', 'tls']) {
    assert.equal(statSync(join(dataDir, folder)).mode & 0o777, 0o700, folder)
    for (const name of readdirSync(join(dataDir, folder)).filter(
      (one) => one.endsWith('key') || one.endsWith('key.pem'),
    ))
      assert.equal(statSync(join(dataDir, folder, name)).mode & 0o777, 0o600, name)
  }
  for (const name of ['homefield.db', 'hub.sock', 'hub.json'])
    assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name)
})

test('the audit log names people by their ids alone', async () => {
  const { json } = await ask('GET', '/api/v1/privacy/audit?per_page=200', { token: owner })
  const acts = new Set(json.data.map(({ act }: Json) => act))
  for (const act of [
    'claim',
    'sign-in-refused',
    'step-up-refused',
    'camera-add',
    'device-add',
    'let-in',
    'backup',
  ])
    assert.ok(acts.has(act), `${act} was written down`)
  const text = JSON.stringify(json.data.map(({ detail, person_id: person }: Json) => ({ detail, person })))
  for (const word of [NAME, NOTE, ...Object.values(secrets)]) assert.equal(text.includes(word), false, word)
})
