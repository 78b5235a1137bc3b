/** The box is lost, a new one is made of its backup: phones stay signed in and watches keep their keys. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { removeTemporaryData, startHub, temporaryData } from '../../scripts/bench/hub-process.ts'
import { addDevice, household, type Json, letIn } from './contract/client.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))
after(removeTemporaryData)

function homefield(dataDir: string, args: string[], input = '') {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [MAIN, ...args, '--json'], {
    env: { PATH, HOME, HOMEFIELD_DATA: dataDir },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  child.stdin.end(input)
  return new Promise<{ code: number | null; json: Json; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, json: code === 0 ? JSON.parse(out) : null, err })),
  )
}

test('a new box made of the backup is the old one', async () => {
  const old = await household()
  await letIn(old, old.owner, { role: 'coach', person_id: 'child_1', classes: ['training'] })
  const refreshToken: string = old.claimed.json.data.refresh_token
  const watch = await addDevice(old, old.owner, { person_id: 'child_1' })
  await old.post('/mood', old.owner, { person_id: 'child_1', rating: 7 })
  const stick = join(temporaryData(), 'stick.age')
  const made = await homefield(old.dataDir, ['backup', '--to', stick])
  assert.equal(made.code, 0, made.err)
  const { recoveryKey } = made.json
  assert.match(recoveryKey, /^AGE-SECRET-KEY-1/)
  assert.equal(
    (await homefield(old.dataDir, ['restore', stick, '--key-stdin'], recoveryKey)).code,
    1,
    'a hub runs',
  )
  await old.hub.kill('SIGKILL')

  const dataDir = temporaryData()
  const restore = (file: string, key: string) => homefield(dataDir, ['restore', file, '--key-stdin'], key)
  const bytes = readFileSync(stick)
  const broken = join(temporaryData(), 'broken.age')
  writeFileSync(broken, flipped(bytes, bytes.length >> 1))
  const refused = await restore(broken, recoveryKey)
  assert.equal(refused.code, 1, refused.err)
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => !name.startsWith('hub.')),
    [],
    'nothing is left behind',
  )
  const restored = await restore(stick, recoveryKey)
  assert.equal(restored.code, 0, restored.err)
  assert.equal(restored.json.hubId, old.hub.json.hubId)

  const hub = await startHub(dataDir, { HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE: '0' })
  try {
    // The certificate that phones trusted: the old CA's.
    const ca = readFileSync(join(old.dataDir, 'tls', 'ca.pem'))
    const ask = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
      new Promise<{ status: number; json: Json }>((resolve, reject) => {
        const asked = request(
          { host: 'localhost', port: hub.json.httpsPort, ca, method, path, headers },
          (answer) => {
            let text = ''
            answer.on('data', (chunk) => {
              text += chunk
            })
            answer.on('end', () => resolve({ status: answer.statusCode ?? 0, json: JSON.parse(text) }))
          },
        )
        asked.on('error', reject)
        asked.end(body === undefined ? undefined : JSON.stringify(body))
      })
    const json = { 'content-type': 'application/json' }
    const again = await ask('POST', '/api/v1/auth/refresh', json, { refresh_token: refreshToken })
    assert.equal(again.status, 200, JSON.stringify(again.json))
    const token = { authorization: `Bearer ${again.json.data.access_token}` }
    const moods = await ask('GET', '/api/v1/mood?person_id=child_1', token)
    assert.equal(moods.json.data[0].rating, 7)
    const sent = await ask(
      'POST',
      '/api/v1/ingest',
      { ...json, 'x-api-key': watch.key },
      {
        person_id: 'child_1',
        wellness_metrics: { hr: 80 },
      },
    )
    assert.ok(sent.status < 300, JSON.stringify(sent.json))
    const audit = await ask('GET', '/api/v1/privacy/audit?act=restore', token)
    assert.equal(audit.json.data.length, 1)
    const verified = await ask('GET', '/api/v1/privacy/audit/verify', token)
    assert.equal(verified.json.data.problem, null)
    for (const name of ['secrets', 'tls']) {
      for (const file of readdirSync(join(dataDir, name)))
        if (file.includes('key')) assert.equal(statSync(join(dataDir, name, file)).mode & 0o777, 0o600, file)
    }
  } finally {
    await hub.kill('SIGTERM')
  }
  const once = await homefield(dataDir, ['restore', stick, '--key-stdin'], recoveryKey)
  assert.match(once.err, /belongs to somebody/)
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
