/** The cloud in a real browser: off at first, joined by a code, a person switched on, a coach's event in the hub's own calendar. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { runCloud } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { startPostgres, withoutPostgres } from '../sync/postgres.ts'
import { repositoryRoot } from '../ui/repository-root.ts'
import { axeFindings, missingBrowser, smallTargets, trustingBrowser } from './browser.ts'
import { startHub } from './hub.ts'

const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const SILENT = { info() {}, warn() {}, error() {} }

test('an owner joins a cloud in the app and sees what leaves the house', {
  skip: missingBrowser() ?? withoutPostgres(),
  timeout: 120_000,
}, async (t) => {
  const clock = systemClock()
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const databaseUrl = await postgres.freshDatabase()
  const running = await runCloud({
    ...{ databaseUrl, clock, log: SILENT, failpoints: NO_FAILPOINTS },
    ...{ listen: '127.0.0.1:0', shapes: null, shapesSecret: null, shapesListen: '127.0.0.1:0' },
  })
  t.after(() => running.close())
  const { owner } = running.cloud.parts.base
  const household = await addHousehold(owner, 'Familie Moser', clock.now())
  const { code } = await addCode(owner, running.cloud.parts.key, household.id, clock.now())
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const { page, complaints } = await browser.visitor({ width: 390, height: 844, scheme: 'light' })
  const picture = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })

  const claim = await hub.command('claim-code')
  await page.goto(`${hub.origin}/`)
  await page.getByLabel('Code from the hub').fill(String(claim['code']))
  await page.getByLabel('Your name').fill('Anna')
  await page.getByLabel('Password', { exact: true }).fill('lamp river stone kettle')
  await page.getByRole('button', { name: 'Claim the hub' }).click()
  await page.getByRole('heading', { name: 'Who do you look after?' }).waitFor()
  await page.getByLabel('Name').fill('Mia')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'What do they wear?' }).waitFor()

  await page.goto(`${hub.origin}/app/more/privacy`)
  await page.getByRole('link', { name: /Cloud/ }).click()
  await page.getByText('nothing leaves your house').waitFor()
  await picture('off')
  await page.getByLabel('Address of the cloud').fill(running.address)
  await page.getByLabel('Code', { exact: true }).fill(code)
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByText('Joined: Familie Moser').waitFor()
  await page.getByRole('button', { name: 'Change what leaves of Mia' }).click()
  await page.getByLabel(/^Training/).check()
  await picture('choosing')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Training', { exact: true }).waitFor()
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  pool.on('error', () => {})
  t.after(() => pool.end())
  const landed = async () =>
    (await pool.query(`SELECT body FROM household_feed WHERE kind = 'person'`)).rows.map(({ body }) =>
      JSON.stringify(body),
    )
  while ((await landed()).length === 0) await page.waitForTimeout(100)
  assert.doesNotMatch((await landed()).join(), /Mia/)
  await page.reload()
  await page.getByText('Joined: Familie Moser').waitFor()
  await picture('joined')
  assert.deepEqual(await axeFindings(page), [])
  assert.deepEqual(await smallTargets(page), [])
  assert.deepEqual(complaints(), [])
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('until you go on').waitFor()
})
