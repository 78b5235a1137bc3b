/** A child of the house: taken along in one file, then forgotten everywhere, while another child's life stays. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inflateRawSync } from 'node:zlib'
import { removeTemporaryData } from '../../scripts/bench/hub-process.ts'
import { household, type Json } from './contract/client.ts'

after(removeTemporaryData)
const home = await household()
const { dataDir, owner, post, get, ask } = home

/** What must be nowhere once the child is forgotten. */
const CANARIES = ['Kanarienvogel', 'canary-journal-words', 'canary-mood-words']

async function ended(jobId: string): Promise<Json> {
  for (let tries = 0; tries < 200; tries += 1) {
    const job = await get(`/jobs/${jobId}`, owner)
    if (job.status === 'finished') return job.result
    assert.notEqual(job.status, 'failed', job.error)
    await sleep(50)
  }
  throw new Error('the job did not end')
}

function unzip(bytes: Buffer): Record<string, string> {
  const files: Record<string, string> = {}
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const name = bytes.subarray(at + 46, at + 46 + bytes.readUInt16LE(at + 28)).toString()
    const from = bytes.readUInt32LE(at + 42) + 30 + name.length
    files[name] = inflateRawSync(bytes.subarray(from, from + bytes.readUInt32LE(at + 20))).toString()
    at += 46 + name.length
  }
  return files
}

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

const found = (word: string) =>
  everyFile(dataDir).filter((path) => statSync(path).size > 0 && readFileSync(path).includes(word))

function fetched(path: string): Promise<{ status: number; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(join(dataDir, 'tls', 'ca.pem'))
    request({ host: 'localhost', port: home.hub.json.httpsPort, ca, path }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}

await ask('PATCH', '/api/v1/people/child_1', { token: owner, body: { name: 'Kanarienvogel' } })
for (const [child, word] of [
  ['child_1', 'canary'],
  ['child_2', 'other'],
]) {
  await post('/journal', owner, {
    person_id: child,
    date: '2026-03-01',
    energy: 5,
    notes: `${word}-journal-words`,
  })
  await post('/mood', owner, { person_id: child, rating: 4, notes: `${word}-mood-words` })
  await post('/meals', owner, {
    person_id: child,
    timestamp: '2026-03-01T12:00:00Z',
    carbs_grams: 31,
  })
  await post('/ingest', owner, { person_id: child, wellness_metrics: { hr: 91 } })
}

test('everything about one person comes in one archive, fetched once, with nobody else in it', async () => {
  const { export_id: id, job_id: jobId } = await post('/privacy/export', owner, { person_id: 'child_1' }, 202)
  await ended(jobId)
  const { url } = await post(`/privacy/export/${id}/ticket`, owner, {})
  const { status, bytes } = await fetched(url)
  assert.equal(status, 200)
  const files = unzip(bytes)
  assert.match(files['data/person.json'] ?? '', /Kanarienvogel/)
  const records = JSON.parse(files['data/record.json'] ?? '[]') as { fields: string }[]
  assert.equal(records.length, 3)
  assert.match(files['observations/heart_rate.csv'] ?? '', /,heart_rate,91,bpm,/)
  const all = Object.values(files).join('\n')
  for (const word of ['other-', 'child_2', '$argon2']) assert.equal(all.includes(word), false, word)
  assert.equal((await fetched(url)).status, 404, 'the link is used')
  for (let tries = 0; tries < 50 && existsSync(join(dataDir, 'exports', `${id}.zip`)); tries += 1)
    await sleep(20)
  const again = await ask('POST', `/api/v1/privacy/export/${id}/ticket`, { token: owner, body: {} })
  assert.equal(again.status, 410)
  assert.deepEqual(readdirSync(join(dataDir, 'exports')), [])
})

test('a person is forgotten in two steps, in every file on the box, and stays forgotten', async () => {
  mkdirSync(join(dataDir, 'damaged'), { recursive: true })
  writeFileSync(join(dataDir, 'damaged', 'old.db'), 'Kanarienvogel')
  await ask('POST', '/api/v1/system/snapshots', { token: owner, body: {} })
  for (const word of CANARIES) assert.notDeepEqual(found(word), [], `${word} was there`)
  const asked = await ask('POST', '/api/v1/privacy/erase', { token: owner, body: { person_id: 'child_1' } })
  assert.equal(asked.status, 200)
  assert.equal(asked.json.data.holds.records, 3)
  assert.equal((await get('/people/child_1', owner)).id, 'child_1', 'asking alone does nothing')
  const token: string = asked.json.data.token
  const { job_id: jobId } = await post('/privacy/erase/confirm', owner, { token }, 202)
  assert.equal(
    (await ask('POST', '/api/v1/privacy/erase/confirm', { token: owner, body: { token } })).status,
    410,
  )
  const { rows } = await ended(jobId)
  assert.ok(rows > 3, String(rows))
  for (const word of CANARIES) assert.deepEqual(found(word), [], word)
  assert.equal((await ask('GET', '/api/v1/people/child_1', { token: owner })).status, 404)
  const erased = await get('/privacy/erase', owner)
  assert.deepEqual(
    erased.map((one: Json) => one.person_id),
    ['child_1'],
  )
  const facts = await get('/privacy/audit?person_id=child_1', owner)
  assert.ok(facts.some(({ act }: Json) => act === 'erased'))
  assert.equal((await get('/privacy/audit/verify', owner)).problem, null)
  assert.equal((await get('/mood?person_id=child_2', owner))[0].rating, 4, 'the other child keeps everything')
  assert.equal(
    (await ask('POST', '/api/v1/people', { token: owner, body: { id: 'child_1', name: 'New' } })).status,
    409,
  )
})

test('what is kept for how long is changed in one place, and contradictions are refused', async () => {
  const before = await get('/privacy/retention', owner)
  assert.equal(before.raw_days.wellness, 400)
  const patch = (body: object) => ask('PATCH', '/api/v1/privacy/retention', { token: owner, body })
  assert.equal((await patch({ minors_video_days: 7 })).json.data.minors_video_days, 7)
  assert.equal((await patch({ minute_days: 30 })).status, 400)
  assert.equal((await get('/privacy/retention', owner)).minors_video_days, 7)
})

test('everybody together is shown from five people on', async () => {
  const few = await ask('GET', '/api/v1/privacy/anonymised?metric=heart_rate', { token: owner })
  assert.equal(few.json.error.code, 'NOT_ENOUGH_DATA')
  for (let one = 3; one <= 6; one += 1) {
    await post('/people', owner, { id: `child_${one}`, name: `C${one}`, age: 9 })
    await post('/ingest', owner, { person_id: `child_${one}`, wellness_metrics: { hr: 80 + one } })
  }
  const answer = await ask('GET', '/api/v1/privacy/anonymised?metric=heart_rate', { token: owner })
  assert.equal(answer.status, 200, JSON.stringify(answer.json))
  assert.equal(answer.json.data.days.at(-1).people, 5)
})
