/** Sessions as players and those who look after them see them, in a real browser. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { repositoryRoot } from '../ui/repository-root.ts'
import { axeFindings, type Look, missingBrowser, smallTargets, trustingBrowser } from './browser.ts'
import { startHub } from './hub.ts'

const PHONE: Look = { width: 390, height: 844, scheme: 'light' }
const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const PASSWORD = 'lamp river stone kettle'

test('a player sees the sessions they are in, their numbers while one runs, films and rates it; so does who looks after them', {
  skip: missingBrowser() ?? false,
  timeout: 120_000,
}, async (t) => {
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const anna = await browser.visitor(PHONE)
  await anna.page.goto(`${hub.origin}/app/`)
  const { code } = await hub.command('claim-code')
  const claimed = await call(anna.page, 'POST', '/claim', null, {
    ...{ claim_code: code, name: 'Anna', password: PASSWORD },
  })
  const owner: string = claimed.access_token
  for (const id of ['mia', 'leo']) await call(anna.page, 'POST', '/people', owner, { id, name: nameOf(id) })
  await call(anna.page, 'POST', '/sessions', owner, {
    ...{ id: 'tuesday', title: 'Tuesday', player_ids: ['mia', 'leo'], duration_minutes: 60 },
  })
  const camera = await call(anna.page, 'POST', '/cameras', owner, { name: 'Tripod', kind: 'phone' })
  await call(anna.page, 'POST', '/live/start', owner, {
    ...{ session_id: 'now', title: 'Running game', camera_ids: [camera.id], player_ids: ['mia', 'leo'] },
  })
  const enter = async (terms: object) => {
    const { page } = await browser.visitor(PHONE)
    await page.goto(`${hub.origin}/app/`)
    await letIn(page, owner, { ...terms, person_id: 'mia' })
    await page.goto(`${hub.origin}/app/training`)
    await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor()
    await page.getByRole('link', { name: /Tuesday/ }).waitFor()
    return page
  }
  const page = await enter({ role: 'member' })
  const enterAsOwner = async () => {
    const { page: theirs } = await browser.visitor(PHONE)
    await theirs.goto(`${hub.origin}/app/`)
    await letIn(theirs, owner, { role: 'owner' })
    return theirs
  }

  await t.test('the list has what they are in, and nothing to start', async () => {
    assert.equal(await page.getByRole('link', { name: 'Start a live session' }).count(), 0)
    await checkScreen(page, 'list')
    await page.screenshot({ path: join(pictures, 'list.png'), fullPage: true })
    await page.goto(`${hub.origin}/app/training/sessions/new`)
    await page.getByText('There is no such page').first().waitFor()
    await page.goto(`${hub.origin}/app/training/sessions/not%20an%20id`)
    await page.getByText('There is no such page').first().waitFor()
  })

  await t.test('while it runs they see themselves, and nobody stops it here', async () => {
    await page.goto(`${hub.origin}/app/training/sessions/now`)
    await page.locator('.player', { hasText: 'Mia' }).waitFor()
    assert.equal(await page.locator('.player').count(), 1)
    assert.equal(await page.getByRole('button', { name: /Stop|Goal|Who is it/ }).count(), 0)
    await checkScreen(page, 'running')
    await page.screenshot({ path: join(pictures, 'running.png'), fullPage: true })
  })

  await t.test(
    'they film with their own phone once the coach says yes, and not a moment longer',
    async () => {
      await page.context().grantPermissions(['camera'])
      await page.getByRole('link', { name: 'Film with this phone' }).click()
      await page.getByRole('button', { name: 'Ask to film' }).click()
      await page.getByText('Waiting for a yes').waitFor()
      await checkScreen(page, 'waiting')
      await page.screenshot({ path: join(pictures, 'waiting.png'), fullPage: true })
      const coach = await enterAsOwner()
      await coach.goto(`${hub.origin}/app/training/sessions/now`)
      await coach.getByText('Mia’s phone wants to film').first().waitFor({ timeout: 20_000 })
      await checkScreen(coach, 'asked')
      await coach.screenshot({ path: join(pictures, 'asked.png'), fullPage: true })
      await coach.getByRole('button', { name: 'Take it' }).click()
      await coach.getByRole('heading', { name: 'Phones that film' }).waitFor()
      await page.getByRole('button', { name: 'Start filming' }).click({ timeout: 20_000 })
      await page.getByText('The hub receives this picture').waitFor({ timeout: 30_000 })
      await checkScreen(page, 'filming')
      await page.screenshot({ path: join(pictures, 'filming.png'), fullPage: true })
      await coach.screenshot({ path: join(pictures, 'taken.png'), fullPage: true })
      await coach.getByRole('button', { name: 'Send away' }).click()
      await page.getByRole('heading', { name: 'Not now' }).waitFor({ timeout: 20_000 })
      assert.equal(await page.getByRole('button', { name: 'Stop filming' }).count(), 0)
      await call(anna.page, 'POST', '/live/stop', owner, { session_id: 'now' })
      await page.goto(`${hub.origin}/app/training/sessions/now`)
      await page.getByRole('heading', { name: 'What happened when' }).waitFor({ timeout: 20_000 })
    },
  )

  await t.test('they say how hard it was, and remove nothing', async () => {
    await page.goto(`${hub.origin}/app/training/sessions/tuesday`)
    await page.getByLabel('Mia: How hard, 0 to 10').selectOption('7')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Mia: 7 of 10').waitFor()
    assert.equal(await page.getByRole('button', { name: /Remove session|Mark the moment/ }).count(), 0)
    assert.equal(await page.getByLabel('Add a file').count(), 0)
    await checkScreen(page, 'review')
    await page.screenshot({ path: join(pictures, 'review.png'), fullPage: true })
  })

  await t.test(
    'whoever may write the training of a child sees the session, and rates it for the child',
    async () => {
      const theirs = await enter({ role: 'caregiver', classes: ['training'] })
      await theirs.getByRole('link', { name: /Tuesday/ }).click()
      await theirs.getByRole('region', { name: 'Side by side' }).getByText('Mia').waitFor()
      await theirs.getByLabel('Mia: How hard, 0 to 10').selectOption('6')
      await theirs.getByRole('button', { name: 'Save', exact: true }).click()
      await theirs.getByText('Mia: 6 of 10').waitFor()
    },
  )
})

function nameOf(id: string): string {
  return `${id.slice(0, 1).toUpperCase()}${id.slice(1)}`
}

async function call(
  of: Page,
  method: string,
  path: string,
  token: string | null,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
): Promise<any> {
  const answer = await of.evaluate(
    async ([method, path, token, text]) => {
      const response = await fetch(`/api/v1${path}`, {
        ...{ method, ...(text !== null && { body: text }) },
        headers: {
          ...(text !== null && { 'content-type': 'application/json' }),
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(path === '/auth/refresh' && { 'x-homefield-cookie': '1' }),
        },
      })
      return response.json()
    },
    [method, path, token, body ? JSON.stringify(body) : null] as const,
  )
  assert.ok(answer.success, `${method} ${path}: ${JSON.stringify(answer.error)}`)
  return answer.data
}

/** Pairs the browser with these rights and signs it in. */
async function letIn(of: Page, owner: string, terms: object): Promise<void> {
  const offer = await call(of, 'POST', '/pairing/generate', owner, { ...terms, device_type: 'phone' })
  const phone = { device_name: 'A phone', device_type: 'phone' }
  const asked = await call(of, 'POST', '/pairing/connect', null, { token: offer.token, ...phone })
  await call(of, 'POST', `/pairing/requests/${asked.id}/approve`, owner)
  const { tokens } = await call(of, 'GET', `/pairing/requests/${asked.id}`, asked.poll_token)
  await call(of, 'POST', '/auth/refresh', null, { refresh_token: tokens.refresh_token })
  await of.evaluate(() => localStorage.setItem('homefield.signed-in', 'yes'))
}

async function checkScreen(page: Page, name: string): Promise<void> {
  assert.deepEqual(await axeFindings(page), [], `axe on ${name}`)
  assert.deepEqual(await smallTargets(page), [], `targets on ${name}`)
  assert.equal(await page.evaluate('inPage.sideways()'), 0, `${name} cannot be pushed sideways`)
}
