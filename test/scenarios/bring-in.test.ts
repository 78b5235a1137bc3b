/** The commands that fill a hub: a made-up household, and files of other apps. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
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
