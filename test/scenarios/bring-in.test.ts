/** The commands that fill a hub: a made-up household, and files of other apps. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BATCH_ITEMS } from '../../daemon/features/imports/batch.ts'
import { startHub, temporaryData } from '../../scripts/bench/hub-process.ts'
import { fixturePath } from '../firmware-bridge/fixtures.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))

async function setup(t: TestContext) {
  const dataDir = temporaryData()
  const hub = await startHub(dataDir)
  t.after(() => hub.kill('SIGKILL'))
  await hub.control.call('POST', '/local/claim', { name: 'Anna', password: 'a long enough pass' })
  const { PATH, HOME } = process.env
  const run = (...args: string[]) => {
    const done = spawnSync(process.execPath, [MAIN, ...args, '--json'], {
      env: { PATH, HOME, HOMEFIELD_DATA: dataDir },
      encoding: 'utf8',
      timeout: 60_000,
    })
    return { code: done.status, out: done.stdout, err: done.stderr }
  }
  return { hub, run }
}

test('sample fills an empty hub, adds nothing the second time, and leaves real people alone', async (t) => {
  const { hub, run } = await setup(t)
  const args = ['sample', '--days', '2', '--people', '1', '--seed', '7', '--until', '2026-03-14']
  const first = run(...args)
  assert.equal(first.code, 0, first.err)
  const made = JSON.parse(first.out) as { people: { id: string; accepted: number }[]; truth: string }
  assert.ok((made.people[0]?.accepted ?? 0) > 2 * (1440 + 288))
  const truth = JSON.parse(readFileSync(made.truth, 'utf8')) as { people: { days: { date: string }[] }[] }
  assert.deepEqual(
    truth.people[0]?.days.map(({ date }) => date),
    ['2026-03-13', '2026-03-14'],
  )
  const again = JSON.parse(run(...args).out) as typeof made
  assert.equal(again.people[0]?.accepted, 0)
  const summary = await hub.control.call('GET', '/glucose/daily-summary?person_id=sample_1&date=2026-03-14')
  assert.equal((summary as { readings: number }).readings, 288)
  await hub.control.call('POST', '/people', { id: 'mia', name: 'Mia' })
  const refused = run(...args)
  assert.equal(refused.code, 1)
  assert.match(JSON.parse(refused.err).error.message, /Mia.*--force/)
})

test('import brings a file in through the running hub and says what came of it', async (t) => {
  const { hub, run } = await setup(t)
  await hub.control.call('POST', '/people', { id: 'mia', name: 'Mia' })
  const file = fixturePath('apple/export.xml')
  const first = run('import', 'apple-health', file, '--person', 'mia')
  assert.equal(first.code, 0, first.err)
  const came = JSON.parse(first.out) as { accepted: number; status: string; left_out: { reason: string }[] }
  assert.equal(came.status, 'finished')
  assert.ok(came.accepted > 10 && came.left_out.length > 0)
  const again = JSON.parse(run('import', 'auto', file, '--person', 'mia').out) as typeof came
  assert.equal(again.accepted, 0)
  assert.equal(run('import', 'tarot', file, '--person', 'mia').code, 2)
  assert.equal(run('import', 'auto', `${file}.missing`, '--person', 'mia').code, 1)
  assert.equal(run('import', 'fit', file, '--person', 'mia').code, 1)
  assert.equal(run('import', 'auto', file, '--person', 'nobody').code, 1)
})

const RECORDS = 20_000

/** Heart rates of two weeks, as a phone exports them. */
function exported(): string {
  const lines = Array.from({ length: RECORDS }, (_, index) => {
    const at = `${new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString().slice(0, 19).replace('T', ' ')} +0000`
    return `<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" unit="count/min" startDate="${at}" endDate="${at}" value="${60 + (index % 80)}"/>`
  })
  return `<?xml version="1.0"?>\n<HealthData locale="de_DE">\n${lines.join('\n')}\n</HealthData>`
}

interface Brought {
  status: string
  accepted: number
  duplicates: number
}

test('a job that is killed in the middle is taken up by the next start, ends once and loses nothing', async (t) => {
  const dataDir = temporaryData()
  let hub = await startHub(dataDir)
  t.after(() => hub.kill('SIGKILL'))
  await hub.control.call('POST', '/local/claim', { name: 'Anna', password: 'a long enough pass' })
  await hub.control.call('POST', '/people', { id: 'mia', name: 'Mia' })
  const file = Buffer.from(exported())
  const sent = await hub.control.send('/imports?person_id=mia', Readable.from([file]), file.length)
  const { import_id: id, job_id: jobId } = sent as { import_id: string; job_id: string }
  const look = async () => (await hub.control.call('GET', `/imports/${id}`)) as Brought
  const until = async (isThere: (now: Brought) => boolean) => {
    for (;;) {
      const now = await look()
      if (isThere(now) || now.status === 'failed') return now
    }
  }
  for (const share of [0.1, 0.5]) {
    const before = await until(({ accepted, duplicates }) => accepted + duplicates >= share * RECORDS)
    assert.equal(before.status, 'started', 'killed while it ran')
    await hub.kill('SIGKILL')
    hub = await startHub(dataDir)
    const after = await look()
    assert.ok(after.accepted >= before.accepted, 'what was told is still told')
  }
  const done = await until(({ status }) => status === 'finished')
  assert.deepEqual([done.status, done.accepted + done.duplicates], ['finished', RECORDS])
  assert.ok(done.duplicates <= 2 * 2 * BATCH_ITEMS, `${done.duplicates} were read again`)
  const job = (await hub.control.call('GET', `/jobs/${jobId}`)) as { attempts: number }
  t.diagnostic(
    `killed twice: ${job.attempts} attempts, ${done.duplicates} of ${RECORDS} read again, none lost`,
  )
  const range = `from=${Date.UTC(2026, 0, 1)}&to=${Date.UTC(2026, 0, 1) + RECORDS * 60_000}`
  const path = `/people/mia/observations?metric=heart_rate&level=1d&${range}`
  const { points } = (await hub.control.call('GET', path)) as { points: { count: number }[] }
  assert.equal(
    points.reduce((sum, { count }) => sum + count, 0),
    RECORDS,
  )
})
