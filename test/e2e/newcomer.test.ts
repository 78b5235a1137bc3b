/** The newcomer's path in a real browser against a real hub: claim, add, see a heart beat, let a second phone in, go offline. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { repositoryRoot } from '../ui/repository-root.ts'
import {
  axeFindings,
  type Look,
  missingBrowser,
  smallTargets,
  trustingBrowser,
  type Visitor,
} from './browser.ts'
import { startHub } from './hub.ts'

const PHONE: Look = { width: 390, height: 844, scheme: 'light' }
const PASSWORD = 'lamp river stone kettle'
const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const missing = missingBrowser()

test('the newcomer’s path, from a claim code to a beating heart on a second phone', {
  skip: missing ?? false,
  timeout: 180_000,
}, async (t) => {
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const anna = await browser.visitor(PHONE)
  const { page } = anna
  const picture = (of: Page, name: string) => of.screenshot({ path: join(pictures, `${name}.png`) })
  const watch = { id: '', key: '' }

  await t.test('the code from the terminal makes Anna the owner', async () => {
    const { code } = await hub.command('claim-code')
    await page.goto(`${hub.origin}/`)
    await page.getByLabel('Code from the hub').fill(String(code))
    await page.getByLabel('Your name').fill('Anna')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByLabel('Name of the hub').fill('Lindenweg 4')
    await checkScreen(page, 'claim')
    await picture(page, 'claim')
    await page.getByRole('button', { name: 'Claim the hub' }).click()
  })

  await t.test('she adds a child and a watch, and sees the key once', async () => {
    await page.getByRole('heading', { name: 'Who do you look after?' }).waitFor()
    await page.getByLabel('Name').fill('Mia')
    await page.getByLabel('Birth date').fill('2017-05-02')
    await checkScreen(page, 'first child')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'What do they wear?' }).waitFor()
    await checkScreen(page, 'first watch')
    await page.getByRole('button', { name: 'Make its key' }).click()
    await page.getByRole('heading', { name: 'The device is ready' }).waitFor()
    watch.id = await copied(page, 'Device ID')
    watch.key = await copied(page, 'Key')
    await checkScreen(page, 'device key')
    await page.getByRole('link', { name: 'Go to Home' }).click()
    await page.getByText('Waiting for the first reading from Mia’s watch.').waitFor()
    await picture(page, 'home-waiting')
  })

  await t.test(
    'a beat sent over MQTT stands on Home with its age and source, and moves by itself',
    async () => {
      await hub.publish(watch.id, watch.key, [{ ts: Date.now(), metric: 'heart_rate', value: 84 }])
      const tile = page.locator('.tile')
      await tile.getByText('84', { exact: true }).waitFor()
      await tile.locator('time.age', { hasText: /now|\d+ s ago/ }).waitFor()
      await tile.getByText('Mia’s watch').waitFor()
      await hub.publish(watch.id, watch.key, beats(30 * 60))
      await hub.publish(watch.id, watch.key, [{ ts: Date.now(), metric: 'heart_rate', value: 91 }])
      await tile.getByText('91', { exact: true }).waitFor()
      await picture(page, 'home')
    },
  )

  await t.test('the day of a person is a curve, a table, and an address of its own', async () => {
    await page.locator('.tile').click()
    await page.getByRole('img', { name: /Heart rate of Mia on .* readings between/ }).waitFor()
    assert.match(page.url(), /\/app\/p\/[^/]+\/heart_rate$/)
    await picture(page, 'person')
    await page.getByRole('button', { name: 'As table' }).click()
    await page.getByRole('table').waitFor()
    await page.getByRole('button', { name: 'Day before' }).click()
    await page.getByText('Nothing was recorded in this time.').waitFor()
    assert.match(page.url(), /\?d=\d{4}-\d{2}-\d{2}$/)
    await page.goto(`${hub.origin}/app/`)
  })

  await t.test('the keyboard alone leads past the menu, into a person and back', async () => {
    // The tile with its value: until that has come it may be one that leads to the device.
    await page.locator('a.tile').getByText('91', { exact: true }).waitFor()
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content')
    await page.keyboard.press('Enter')
    await tabTo(page, 'a.tile')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Mia', level: 1 }).waitFor()
    assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'reading starts at the new screen')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Lindenweg 4', level: 1 }).waitFor()
  })

  const jo = await browser.visitor(PHONE)
  await t.test(
    'a second phone comes in by the pairing address when both screens show the same words',
    async () => {
      await page.goto(`${hub.origin}/app/pair`)
      await page.getByText('Another carer').click()
      const offer = page.waitForResponse((response) => response.url().endsWith('/pairing/generate'))
      await page.getByRole('button', { name: 'Show the code' }).click()
      const { data } = (await (await offer).json()) as { data: { url: string } }
      await page.getByAltText('QR code').waitFor()
      await checkScreen(page, 'pair')
      await picture(page, 'pair')
      const invitation = new URL(data.url)
      await jo.page.goto(`${hub.origin}/${invitation.hash}`)
      await jo.page.getByLabel('Name of this device').fill('Jo’s phone')
      assert.equal(new URL(jo.page.url()).hash, '', 'the one-time token has left the address')
      await jo.page.getByRole('button', { name: 'Ask to join' }).click()
      const knock = page.getByRole('alert', { name: 'Someone asks to join' })
      await knock.getByText('Jo’s phone asks to join').waitFor()
      await jo.page.getByText('Waiting for the other screen').waitFor()
      assert.deepEqual(await words(jo.page), await words(page))
      await checkScreen(page, 'pair, someone at the door')
      await checkScreen(jo.page, 'join, waiting')
      await picture(page, 'pair-knock')
      await picture(jo.page, 'join-words')
      await knock.getByRole('button', { name: 'Yes, let in' }).click()
      await jo.page.locator('.tile').getByText('91', { exact: true }).waitFor()
      await hub.publish(watch.id, watch.key, [{ ts: Date.now(), metric: 'heart_rate', value: 77 }])
      await jo.page.locator('.tile').getByText('77', { exact: true }).waitFor()
      assert.equal(await jo.page.getByRole('link', { name: 'Add device' }).count(), 0, 'a carer adds nothing')
    },
  )

  await t.test('nothing complained and nothing left the house so far', () => {
    assert.deepEqual(anna.complaints(), [])
    assert.deepEqual(jo.complaints(), [])
  })

  await t.test('offline the app still opens with what it knew, and says from when', () => offlineHome(jo))

  await t.test('every screen is accessible and can be touched, in light and dark, on any width', async () => {
    for (const look of LOOKS) {
      const visitor = await browser.visitor(look)
      await visitor.page.goto(`${hub.origin}/app/`)
      await visitor.page.getByLabel('Name or e-mail').fill('Anna')
      await visitor.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await checkScreen(visitor.page, `sign in ${look.scheme}`)
      await visitor.page.getByRole('button', { name: 'Sign in' }).click()
      await visitor.page.locator('.tile').waitFor()
      const person = await visitor.page.locator('.tile').getAttribute('href')
      for (const [name, path] of screens(String(person), watch.id)) {
        if (look.width !== PHONE.width && !WIDE_SCREENS.has(name)) continue
        await visit(visitor.page, name, path, look)
        await picture(visitor.page, `${look.width}-${look.scheme}-${name}`)
      }
      assert.deepEqual(visitor.complaints(), [])
      await visitor.context.close()
    }
  })

  await t.test('a removed phone is signed out at once and keeps nothing', async () => {
    await page.goto(`${hub.origin}/app/devices`)
    const row = page.locator('li.row', { hasText: 'Jo’s phone' })
    await row.getByRole('button', { name: 'Remove' }).click()
    await checkScreen(page, 'confirm')
    await page.getByRole('dialog').getByRole('button', { name: 'Remove access' }).click()
    await row.waitFor({ state: 'detached' })
    await jo.page.getByText('This device’s access has ended.').waitFor()
    await picture(jo.page, 'ended')
    assert.equal(await jo.page.evaluate('inPage.keptRows()'), 0)
    assert.deepEqual(anna.complaints(), [])
  })
})

const LOOKS: readonly Look[] = [
  PHONE,
  { ...PHONE, scheme: 'dark' },
  { width: 820, height: 1180, scheme: 'light' },
  { width: 1280, height: 800, scheme: 'dark' },
]

/** The layouts that differ from the phone's; the other screens are one column on any width. */
const WIDE_SCREENS = new Set(['home', 'person', 'devices', 'pair', 'about'])

function screens(person: string, deviceId: string): [name: string, path: string][] {
  const id = person.split('/')[3] ?? ''
  return [
    ['home', '/app/'],
    ['person', person],
    ['people', '/app/people'],
    ['person-edit', `/app/people/${id}`],
    ['devices', '/app/devices'],
    ['device', `/app/devices/${deviceId}`],
    ['device-add', '/app/devices/new'],
    ['pair', '/app/pair'],
    ['more', '/app/more'],
    ['sharing', '/app/more/sharing'],
    ['account', '/app/more/account'],
    ['about', '/app/more/about'],
    ['missing', '/app/p/nobody/heart_rate'],
    ['nowhere', '/app/nowhere'],
  ]
}

async function visit(page: Page, name: string, path: string, look: Look): Promise<void> {
  await page.goto(new URL(path, page.url()).href)
  await page.locator('main h1').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
  await checkScreen(page, `${name} at ${look.width} ${look.scheme}`)
}

async function checkScreen(page: Page, name: string): Promise<void> {
  assert.deepEqual(await axeFindings(page), [], `axe on ${name}`)
  assert.deepEqual(await smallTargets(page), [], `targets on ${name}`)
  assert.equal(await page.evaluate('inPage.sideways()'), 0, `${name} cannot be pushed sideways`)
}

/** Goes on with the tabulator to a link; a notice that stands before it may take a few steps. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(`document.activeElement.matches('${selector}')`)) return
  }
  assert.fail(`the keyboard does not come to ${selector}`)
}

/** Reads a value by its copy button, as a person carries it to the device. */
async function copied(page: Page, label: string): Promise<string> {
  await page.getByRole('button', { name: `Copy ${label}`, exact: true }).click()
  await page.getByText(`${label} copied`).waitFor()
  return page.evaluate('navigator.clipboard.readText()')
}

async function words(page: Page): Promise<string[]> {
  return page.locator('.words li').allTextContents()
}

/** One beat every five seconds up to now, with a hole of four minutes. */
function beats(seconds: number): unknown[] {
  const nowMs = Date.now() - 1000
  return Array.from({ length: seconds / 5 }, (_, index) => {
    const agoS = seconds - index * 5
    return {
      ts: nowMs - agoS * 1000,
      metric: 'heart_rate',
      value: Math.round(84 + 12 * Math.sin(agoS / 170) + 5 * Math.sin(agoS / 31)),
    }
  }).filter((_, index) => index < 100 || index > 148)
}

async function offlineHome({ page, context, complaints }: Visitor): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
  await page.reload()
  await page.locator('.tile').waitFor()
  assert.equal(await page.evaluate('navigator.serviceWorker.controller !== null'), true)
  await page.evaluate(`inPage.untilKept('"value":77')`)
  await context.setOffline(true)
  await page.reload()
  await page.getByText('The hub is out of reach.').waitFor()
  await page.locator('.tile').getByText('77', { exact: true }).waitFor()
  await context.setOffline(false)
  await page.getByText('The hub is out of reach.').waitFor({ state: 'detached' })
  const other = complaints().filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line))
  assert.deepEqual(other, [])
}
