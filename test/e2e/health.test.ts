/** Days, nights, glucose and notes in a real browser against a real hub with a made-up household. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type APIRequestContext, type Page, request } from 'playwright-core'
import { repositoryRoot } from '../ui/repository-root.ts'
import { axeFindings, type Look, missingBrowser, smallTargets, trustingBrowser } from './browser.ts'
import { type RunningHub, startHub } from './hub.ts'

const PHONE: Look = { width: 390, height: 844, scheme: 'light' }
const PASSWORD = 'lamp river stone kettle'
const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const CLARITY = join(repositoryRoot(), 'test/fixtures/cgm/dexcom-clarity.csv')
const MINUTE_MS = 60_000
const ADA = 'sample_1'
const BEN = 'sample_2'
const missing = missingBrowser()

test('what a household records, seen on a phone with and without the hub', {
  skip: missing ?? false,
  timeout: 180_000,
}, async (t) => {
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const owner = await claimed(hub)
  t.after(() => owner.api.dispose())
  await hub.command('sample', '--days', '16', '--people', '2')
  await owner.post('/glucose/bulk', { person_id: ADA, readings: rising() })
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-health-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const visitor = await browser.visitor(PHONE)
  const { page, context } = visitor
  const open = (of: Page, path: string) => arrive(of, `${hub.origin}/app/health/${path}`)

  await t.test('a person leads to their day, which is lanes or a table', async () => {
    await signIn(page, hub.origin)
    await page.locator('.tile', { hasText: 'Ada' }).click()
    await page.getByRole('link', { name: 'Day', exact: true }).click()
    await page.getByRole('button', { name: 'Day before' }).click()
    await page.getByRole('img', { name: /^Day of Ada, .*Asleep: .*Heart rate between .*Meals: \d/ }).waitFor()
    await page.getByRole('button', { name: 'As table' }).click()
    await page.getByRole('rowheader').first().waitFor()
    assert.match(page.url(), /\/health\/sample_1\?d=\d{4}-\d{2}-\d{2}$/)
  })

  await t.test('a plan is made, told live, and a free time is found around it', async () => {
    await open(page, `${ADA}/calendar`)
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByRole('textbox', { name: 'What' }).fill('Swimming')
    await page.getByLabel('Repeats').selectOption('week')
    await page.getByRole('button', { name: 'Save' }).click()
    await page
      .locator('summary', { hasText: /Swimming.*every week on \w+day/ })
      .first()
      .waitFor()
    const [event] = (
      await owner.get<{ start_time: string; end_time: string }[]>(`/calendar/events?player_id=${ADA}`)
    ).data
    const { start_time, end_time } = event ?? { start_time: '', end_time: '' }
    await owner.post('/calendar/events', {
      player_id: ADA,
      title: 'Piano',
      start_time,
      end_time,
      event_type: 'school',
    })
    await page.getByText('At the same time as Piano').first().waitFor()
    await page.getByRole('button', { name: 'Find a free time' }).click()
    await page.getByRole('button', { name: 'Look' }).click()
    await page.locator('.suggestion').first().waitFor()
    await checkScreen(page, 'the calendar')
    await page
      .getByRole('button', { name: /^Take / })
      .first()
      .click()
    await page.getByRole('textbox', { name: 'What' }).waitFor()
  })

  await t.test('a meal is noted with its photo, which is in the day and can be taken away', async () => {
    const photo = await page.screenshot()
    await open(page, `${ADA}/meal`)
    await page.getByLabel('What it was').fill('Pancakes')
    await page
      .getByLabel('Add a photo', { exact: true })
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: photo })
    await page.locator('.photo-preview').waitFor()
    await page.getByRole('button', { name: 'Note it down' }).click()
    await page.locator('.photo-thumb img').waitFor()
    await open(page, ADA)
    await page.getByRole('button', { name: /^Photo of / }).click()
    await page.getByRole('img', { name: /^Photo of / }).waitFor()
    await page.getByRole('button', { name: 'Delete the photo' }).click()
    await page
      .getByRole('dialog', { name: 'Delete this photo?' })
      .getByRole('button', { name: 'Delete the photo' })
      .click()
    await page.getByText('Add a photo of Meal').first().waitFor({ state: 'attached' })
  })

  await t.test('glucose says how old it is and where it goes, in either unit', async () => {
    await open(page, `${ADA}/glucose?h=3`)
    await page.getByText('Rising', { exact: true }).waitFor()
    await page.locator('.now .big-number', { hasText: /^148$/ }).waitFor()
    await page.locator('.now time.age', { hasText: /now|ago/ }).waitFor()
    await page.getByRole('img', { name: /^Glucose of Ada on .* readings between/ }).waitFor()
    await page.getByRole('button', { name: 'mmol/L' }).click()
    await page.locator('.now .big-number', { hasText: /^8\.2$/ }).waitFor()
    await open(page, `${ADA}/report`)
    await page.getByText('Target', { exact: false }).first().waitFor({ state: 'detached' })
    await page.getByText('3.9–10.0 mmol/L').waitFor()
    assert.equal(await page.getByText('These are under 14 days of readings.').count(), 0)
    await page.getByRole('button', { name: 'mg/dL' }).click()
    await page.getByText('70–180 mg/dL').waitFor()
    await page
      .getByRole('img', { name: /^The usual day of Ada: the median is highest at \d\d:\d\d/ })
      .waitFor()
  })

  await t.test('a check-in takes a face and a word, and is on the hub', async () => {
    await open(page, `${ADA}/check-in`)
    await page.getByText('Great', { exact: true }).first().click()
    await page.getByText('Full', { exact: true }).click()
    await page.getByLabel('In a few words').fill('Sun at last')
    await page.getByRole('button', { name: 'Check in' }).click()
    await page.getByText('Saved on the hub.').waitFor()
    await page.locator('li.row', { hasText: 'Sun at last' }).waitFor()
    const { data } = await owner.get<{ energy: number; source: string }[]>(`/journal?person_id=${ADA}`)
    assert.deepEqual(
      data.map(({ energy, source }) => [energy, source]),
      [[10, 'check_in']],
    )
  })

  await t.test('out of reach a check-in waits on the phone and goes by itself later, once', async () => {
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
    await open(page, `${ADA}/sleep`)
    await page.getByText(/^Night to/).waitFor()
    await open(page, `${ADA}/check-in`)
    await page.evaluate(`inPage.untilKept('"Ada"')`)
    await context.setOffline(true)
    await page.getByText('Low', { exact: true }).first().click()
    await page.getByLabel('In a few words').fill('Lost the keys')
    await page.getByRole('button', { name: 'Check in' }).click()
    await page.getByText('Waits for the hub').waitFor()
    await page.screenshot({ path: join(pictures, 'waiting.png'), fullPage: true })
    await page.reload()
    await page.getByText('Waits for the hub').waitFor()
    await page.getByRole('link', { name: 'Sleep', exact: true }).click()
    await page.getByText(/^Last known at \d\d:\d\d\.$/).waitFor()
    await page.getByText(/^Night to/).waitFor()
    await page.screenshot({ path: join(pictures, 'offline.png'), fullPage: true })
    await page.getByRole('link', { name: 'Check-in', exact: true }).click()
    await context.setOffline(false)
    await page.getByRole('heading', { name: 'On this device' }).waitFor({ state: 'detached' })
    const { data } = await owner.get<{ notes: string | null }[]>(`/mood?person_id=${ADA}&per_page=10`)
    assert.equal(data.filter(({ notes }) => notes === 'Lost the keys').length, 1)
    const others = visitor.complaints().filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line))
    assert.deepEqual(others, [])
  })

  await t.test('a file is sent, read, counted, and what was left out is said with its reason', async () => {
    await open(page, `${BEN}/import`)
    const csv = readFileSync(CLARITY, 'utf8').trimEnd()
    const broken = `${csv}\n${csv
      .split('\n')
      .at(-1)
      ?.replace(/,\d{2,3},/, ',9999,')}\n`
    const file = { name: 'clarity.csv', mimeType: 'text/csv', buffer: Buffer.from(broken) }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByRole('button', { name: 'Bring it in' }).click()
    const row = page.locator('li.row', { hasText: 'clarity.csv' })
    await row.getByText('Done', { exact: true }).waitFor()
    await row.getByText(/^\d+ new$/).waitFor()
    await row.getByRole('button', { name: 'What was left out' }).click()
    await row.getByRole('table').waitFor()
    await page.screenshot({ path: join(pictures, 'import.png'), fullPage: true })
  })

  await t.test('two metrics stand side by side, and of six nights nothing is concluded', async () => {
    await open(page, `${ADA}/compare`)
    await page.getByLabel('First', { exact: true }).selectOption({ label: 'Heart rate' })
    await page.getByLabel('Second', { exact: true }).selectOption({ label: 'Resting heart rate' })
    await page.getByRole('img', { name: /^Resting heart rate.* against Heart rate.*, \d points$/ }).waitFor()
    await page.getByText('Too few pairs to say anything.').waitFor()
    await page.getByRole('slider').fill('3')
    await page.getByText('looked at 3 hours later', { exact: false }).waitFor()
    await page.screenshot({ path: join(pictures, 'compare-lag.png'), fullPage: true })
  })

  await t.test('of a teenager nothing is made up until the owner asks for it', async () => {
    await open(page, `${BEN}/overload`)
    await page.getByRole('button', { name: 'Switch it on' }).click()
    await page.getByText(/it is no diagnosis/).waitFor()
    await page.getByRole('heading', { name: 'What is missing' }).waitFor()
  })

  await t.test('who may see wellness alone is told what is not shared', async () => {
    const jo = await browser.visitor(PHONE)
    const invitation = await owner.post<{ url: string }>('/pairing/generate', {
      ...{ role: 'caregiver', person_id: ADA, device_type: 'phone', classes: ['wellness'] },
    })
    await jo.page.goto(`${hub.origin}/${new URL(invitation.url).hash}`)
    await jo.page.getByLabel('Name of this device').fill('Jo’s phone')
    await jo.page.getByRole('button', { name: 'Ask to join' }).click()
    await jo.page.getByText('Waiting for the other screen').waitFor()
    const { data } = await owner.get<{ id: string }[]>('/pairing/requests')
    await owner.post(`/pairing/requests/${data[0]?.id}/approve`, {})
    await jo.page.locator('.tile').waitFor()
    await open(jo.page, `${ADA}/glucose`)
    await jo.page.getByRole('heading', { name: 'Not shared with you' }).waitFor()
    await checkScreen(jo.page, 'not shared')
    await jo.page.screenshot({ path: join(pictures, 'not-shared.png') })
    await open(jo.page, ADA)
    await jo.page.getByText(/^Not shared with you: Meals, Planned/).waitFor()
    const others = jo.complaints().filter((line) => !/status of 40[34]/.test(line))
    assert.deepEqual(others, [])
    await jo.context.close()
  })

  await t.test('every screen is accessible and can be touched, in light and dark, on any width', async () => {
    assert.deepEqual(visitor.complaints(), [])
    for (const look of LOOKS) {
      const looking = look === PHONE ? visitor : await browser.visitor(look)
      if (look !== PHONE) await signIn(looking.page, hub.origin)
      for (const [name, path] of SCREENS) {
        if (look !== PHONE && !DIFFERENT.has(name)) continue
        await open(looking.page, path)
        await checkScreen(looking.page, `${name} at ${look.width} ${look.scheme}`)
        if (look === PHONE)
          assert.equal(await sidewaysAtDouble(looking.page), 0, `${name} with text twice as large`)
        await looking.page.screenshot({
          path: join(pictures, `${look.width}-${look.scheme}-${name}.png`),
          fullPage: true,
        })
      }
      assert.deepEqual(looking.complaints(), [])
    }
  })
})

/** How far the page can be pushed sideways for somebody who reads at 200 %. */
async function sidewaysAtDouble(page: Page): Promise<number> {
  const size = (text: string) =>
    page.evaluate((wanted) => {
      document.documentElement.style.fontSize = wanted
    }, text)
  await size('200%')
  const found = await page.evaluate<number>('inPage.sideways()')
  await size('')
  return found
}

const LOOKS: readonly Look[] = [
  PHONE,
  { ...PHONE, scheme: 'dark' },
  { width: 1280, height: 800, scheme: 'light' },
]
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
const SCREENS: readonly [name: string, path: string][] = [
  ['day', `${ADA}?d=${YESTERDAY}`],
  ['glucose', `${ADA}/glucose?d=${YESTERDAY}`],
  ['glucose-now', `${ADA}/glucose?h=6`],
  ['report', `${ADA}/report`],
  ['calendar', `${ADA}/calendar`],
  ['sleep', `${ADA}/sleep`],
  ['check-in', `${ADA}/check-in`],
  ['meal', `${ADA}/meal`],
  ['activity', `${ADA}/activity`],
  ['overload', `${ADA}/overload`],
  ['compare', `${ADA}/compare`],
  ['import', `${BEN}/import`],
  ['whoop', `${ADA}/whoop`],
  ['empty', `${ADA}?d=2020-01-01`],
  ['missing', 'nobody/sleep'],
]

/** Screens whose colours or columns differ between the looks; the others are made of the same parts. */
const DIFFERENT = new Set(['day', 'glucose-now', 'report', 'sleep', 'overload', 'compare'])

async function arrive(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.locator('main h1').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
}

async function signIn(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/app/`)
  await page.getByLabel('Name or e-mail').fill('Anna')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.tile').first().waitFor()
}

async function checkScreen(page: Page, name: string): Promise<void> {
  assert.deepEqual(await axeFindings(page), [], `axe on ${name}`)
  assert.deepEqual(await smallTargets(page), [], `targets on ${name}`)
  assert.equal(await page.evaluate('inPage.sideways()'), 0, `${name} cannot be pushed sideways`)
}

interface Owner {
  api: APIRequestContext
  get<Data>(path: string): Promise<{ data: Data }>
  post<Data>(path: string, body: unknown): Promise<Data>
}

/** Makes Anna the owner, and speaks to the hub as her. */
async function claimed(hub: RunningHub): Promise<Owner> {
  const api = await request.newContext({ ignoreHTTPSErrors: true })
  const { code } = await hub.command('claim-code')
  const answer = await api.post(`${hub.origin}/api/v1/claim`, {
    data: {
      ...{ claim_code: String(code), name: 'Anna', password: PASSWORD },
      ...{ hub_name: 'Lindenweg 4', timezone: 'Europe/Berlin' },
    },
  })
  const { data } = (await answer.json()) as { data: { access_token: string } }
  const headers = { authorization: `Bearer ${data.access_token}` }
  return {
    api,
    async get<Data>(path: string) {
      return (await (await api.get(`${hub.origin}/api/v1${path}`, { headers })).json()) as { data: Data }
    },
    async post<Data>(path: string, body: unknown) {
      const told = await api.post(`${hub.origin}/api/v1${path}`, { headers, data: body })
      assert.ok(told.ok(), `${path}: ${told.status()} ${await told.text()}`)
      return ((await told.json()) as { data: Data }).data
    },
  }
}

/** A reading every five minutes of the last half hour, two to three mg/dL more each minute. */
function rising(): { timestamp: number; value: number; source: string }[] {
  const nowMs = Date.now()
  return [0, 1, 2, 3, 4, 5, 6].map((step) => ({
    timestamp: nowMs - (6 - step) * 5 * MINUTE_MS,
    value: 76 + step * 12,
    source: 'sample_cgm',
  }))
}
