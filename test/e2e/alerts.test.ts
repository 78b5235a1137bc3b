/** An alarm in a real browser: a fast heart over MQTT rings on two open apps, one answers, the other sees who. */
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
const LOOKS: readonly Look[] = [
  { ...PHONE, scheme: 'dark' },
  { width: 1280, height: 800, scheme: 'light' },
]
const PASSWORD = 'lamp river stone kettle'
const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const missing = missingBrowser()

test('an alarm’s path, from a fast heart to somebody who takes care of it', {
  skip: missing ?? false,
  timeout: 180_000,
}, async (t) => {
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const picture = (of: Page, name: string) => of.screenshot({ path: join(pictures, `${name}.png`) })
  const anna = await browser.visitor(PHONE)
  const { page } = anna
  const watch = { id: '', key: '' }

  await t.test('Anna owns the hub, Mia wears a watch, a rule watches her heart', async () => {
    const { code } = await hub.command('claim-code')
    await page.goto(`${hub.origin}/`)
    await page.getByLabel('Code from the hub').fill(String(code))
    await page.getByLabel('Your name').fill('Anna')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Claim the hub' }).click()
    await page.getByRole('heading', { name: 'Who do you look after?' }).waitFor()
    await page.getByLabel('Name').fill('Mia')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'What do they wear?' }).waitFor()
    await page.getByRole('button', { name: 'Make its key' }).click()
    await page.getByRole('heading', { name: 'The device is ready' }).waitFor()
    watch.id = await copied(page, 'Device ID')
    watch.key = await copied(page, 'Key')
    const asked = page.waitForRequest((request) => request.url().includes('/latest'))
    await page.goto(`${hub.origin}/app/`)
    const request = await asked
    const personId = new URL(request.url()).pathname.split('/').at(-2) ?? ''
    const rule = {
      ...{ person_id: personId, name: 'Heart beats fast', severity: 'urgent' },
      condition: { type: 'above', metric: 'heart_rate', threshold: 150, for_seconds: 0 },
    }
    const authorization = String((await request.allHeaders())['authorization'])
    await keepRule(page, authorization, rule)
  })

  const jo = await browser.visitor({ width: 1280, height: 800, scheme: 'light' })
  await t.test('a value beyond the threshold stands as a banner over both open apps', async () => {
    await jo.page.goto(`${hub.origin}/app/`)
    await jo.page.getByLabel('Name or e-mail').fill('Anna')
    await jo.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await jo.page.getByRole('button', { name: 'Sign in' }).click()
    await jo.page.locator('.tile').waitFor()
    await hub.publish(watch.id, watch.key, [{ ts: Date.now(), metric: 'heart_rate', value: 171 }])
    for (const one of [page, jo.page]) {
      await one.getByRole('alert', { name: 'Urgent' }).getByText('Heart beats fast').waitFor()
      await one.getByRole('link', { name: /Alerts\s*1 open/ }).waitFor()
    }
    await checkScreen(page, 'banner')
    await picture(page, 'banner')
    await picture(jo.page, 'banner-1280')
  })

  await t.test('the page of alerts shows that it was seen, and when the next call goes out', async () => {
    await page.getByRole('alert').getByRole('link', { name: 'Details' }).click()
    const card = page.locator('.alert-card')
    await card.getByText('The next call goes out in').waitFor()
    await card.locator('[data-fate="seen"]', { hasText: 'app: seen' }).waitFor()
    await checkScreen(page, 'alerts')
    await page.screenshot({ path: join(pictures, 'alerts.png'), fullPage: true })
  })

  await t.test('one page answers, the other shows who takes care of it', async () => {
    await jo.page.getByRole('alert').getByRole('button', { name: 'I take care of it' }).click()
    await jo.page.getByRole('alert').waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: 'Being looked after' }).waitFor()
    await page.getByRole('link', { name: /Heart beats fast/ }).click()
    await page.getByText(/Anna takes care of it since/).waitFor()
    const told = page.locator('.sights[open] tr', { hasText: 'Anna' }).first()
    await told.locator('[data-stage="acknowledged"]', { hasText: /\d:\d\d/ }).waitFor()
    await checkScreen(page, 'answered')
    await picture(page, 'answered')
    await page.getByRole('link', { name: 'What happened' }).click()
  })

  await t.test('the episode shows what was done, the values around it, and why', async () => {
    await page.locator('.rungs').getByText('Began').waitFor()
    await page.getByRole('img', { name: /Heart rate from .* between 171 and 171/ }).waitFor()
    await checkScreen(page, 'episode')
    await page.screenshot({ path: join(pictures, 'episode.png'), fullPage: true })
    await page.getByRole('button', { name: 'Why?' }).click()
    await page.getByRole('dialog').getByText('Heart rate above 150 bpm').waitFor()
    await page.getByRole('dialog').getByText('heart rate was 171 bpm, above the limit of 150 bpm').waitFor()
    await checkScreen(page, 'why')
    await picture(page, 'why')
    await page.getByRole('dialog').getByRole('button', { name: 'Dismiss' }).click()
    await page.getByRole('button', { name: 'It is over' }).click()
    await page.getByRole('button', { name: 'It is not over' }).waitFor()
  })

  await t.test('a test alarm says who got it, and a snooze keeps it from this one', async () => {
    await page.goto(`${hub.origin}/app/alerts/reach`)
    await page.getByText('Somebody hears it').waitFor()
    await checkScreen(page, 'reach')
    await page.getByRole('button', { name: 'Send a test alarm about Mia' }).click()
    await page.locator('[data-fate="seen"]').first().waitFor()
    await picture(page, 'reach')
    await page.getByRole('button', { name: '15 min' }).click()
    await page.getByText('Quiet for you for 15 minutes').waitFor()
  })

  await t.test('a rule is tried on the past, kept and switched off', async () => {
    await page.goto(`${hub.origin}/app/alerts/rules`)
    await page.getByLabel('Name of the rule').fill('Heart beats slowly')
    await page.getByLabel('What happens').selectOption('below')
    await page.getByLabel('Limit in bpm').fill('40')
    const form = page.locator('form')
    await form.getByRole('button', { name: 'Test on the last 14 days' }).click()
    await form.getByText('It would have rung 0 times.').waitFor()
    await form
      .getByRole('img', { name: /^Heart rate of the last 14 days, between 40 bpm and 171 bpm/ })
      .waitFor()
    await page.getByRole('button', { name: 'Keep the rule' }).click()
    const card = page.locator('article', { hasText: 'Heart beats slowly' })
    await card.getByText('Heart rate below 40 bpm for 15 min').waitFor()
    await card.getByRole('button', { name: 'Switch off' }).click()
    await card.getByRole('button', { name: 'Switch on' }).waitFor()
    await checkScreen(page, 'rules')
    await page.screenshot({ path: join(pictures, 'rules.png'), fullPage: true })
  })

  await t.test(
    'an owner switches alerts on closed phones on, after reading through whom they go',
    async () => {
      await page.goto(`${hub.origin}/app/alerts/push`)
      await page.getByText('This sends through Google, Apple, Mozilla or Microsoft').waitFor()
      await page.getByRole('button', { name: 'Switch it on for the household' }).click()
      await page.getByRole('button', { name: 'Switch it off for everybody' }).waitFor()
      await checkScreen(page, 'push')
      await page.screenshot({ path: join(pictures, 'push.png'), fullPage: true })
    },
  )

  await t.test('a group has members in their order and somebody on call', async () => {
    await page.goto(`${hub.origin}/app/alerts/groups`)
    await page.getByLabel('Name of the group').fill('At home')
    await page.getByRole('button', { name: 'Make the group' }).click()
    await page.getByRole('heading', { name: 'At home' }).waitFor()
    await page.getByLabel('Person for At home').selectOption({ label: 'Anna' })
    await page.getByLabel('When called').selectOption('1')
    await page.getByRole('button', { name: 'Add or change' }).click()
    await page.getByText('Parent · Called at step 1').waitFor()
    const nobody = page.getByText('This group calls nobody yet')
    await nobody.waitFor()
    await page.getByLabel('Person for At home').selectOption({ label: 'Mia' })
    await page.getByLabel('Role').selectOption('cared_for')
    await page.getByLabel('When called').selectOption('')
    await page.getByRole('button', { name: 'Add or change' }).click()
    await nobody.waitFor({ state: 'detached' })
    await page.locator('summary', { hasText: 'Add a turn' }).click()
    await checkScreen(page, 'groups')
    await page.getByRole('button', { name: 'Add a turn' }).click()
    await page.getByText('Mon, Tue, Wed, Thu, Fri · 07:00–19:00').waitFor()
    await page.screenshot({ path: join(pictures, 'groups.png'), fullPage: true })
  })

  await t.test('every screen is accessible and can be touched, in light and dark, on any width', async () => {
    for (const look of LOOKS) {
      const visitor = await browser.visitor(look)
      await visitor.page.goto(`${hub.origin}/app/`)
      await visitor.page.getByLabel('Name or e-mail').fill('Anna')
      await visitor.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await visitor.page.getByRole('button', { name: 'Sign in' }).click()
      await visitor.page.getByRole('alert').getByText('Test alarm').waitFor()
      await checkScreen(visitor.page, `home ${look.width} ${look.scheme}`)
      await picture(visitor.page, `${look.width}-${look.scheme}-home`)
      for (const [name, path] of [
        ['alerts', '/app/alerts'],
        ['reach', '/app/alerts/reach'],
      ] as const) {
        await visitor.page.goto(`${hub.origin}${path}`)
        await visitor.page.locator('.row').first().waitFor()
        await visitor.page.locator('.skeleton').first().waitFor({ state: 'detached' })
        await checkScreen(visitor.page, `${name} ${look.width} ${look.scheme}`)
        await picture(visitor.page, `${look.width}-${look.scheme}-${name}`)
      }
      assert.deepEqual(visitor.complaints(), [])
      await visitor.context.close()
    }
    assert.deepEqual([...anna.complaints(), ...jo.complaints()], [])
  })

  await t.test(
    'a tablet with a key of its own shows first names and takes over, and nobody signs in on it',
    async () => {
      const wall = await browser.visitor({ width: 1024, height: 768, scheme: 'light' })
      await page.goto(`${hub.origin}/app/pair`)
      await page.getByText('A wall tablet', { exact: true }).click()
      await page.getByRole('button', { name: 'Show the code' }).click()
      const code = (await page.locator('.pair-code').textContent()) ?? ''
      await wall.page.goto(`${hub.origin}/app/join`)
      await wall.page.getByLabel('Code').fill(code.replaceAll(/\D/g, ''))
      await wall.page.getByLabel('Name of this device').fill('Kitchen')
      await wall.page.getByRole('button', { name: 'Ask to join' }).click()
      await page.getByRole('button', { name: 'Yes, let in' }).click()
      await wall.page.getByText('An owner still has to choose whom this tablet is for').waitFor()
      await page.goto(`${hub.origin}/app/devices`)
      await page.getByRole('link', { name: /Kitchen/ }).click()
      await page.getByLabel('Mia').check()
      await page
        .locator('form', { hasText: 'People on this tablet' })
        .getByRole('button', { name: 'Save' })
        .click()
      await wall.page.getByRole('alert').getByText('Look after them').waitFor()
      await wall.page.getByRole('heading', { name: 'Mia' }).waitFor()
      assert.doesNotMatch((await wall.page.locator('main').textContent()) ?? '', /Test alarm|171/)
      await checkScreen(page, 'device of a wall')
      await checkScreen(wall.page, 'own wall with an alert')
      await picture(wall.page, 'own-wall-alert')
      await page.goto(`${hub.origin}/app/alerts`)
      await page.getByRole('button', { name: 'I take care of it' }).click()
      await wall.page.getByText('Somebody is there').waitFor()
      await checkScreen(wall.page, 'own wall')
      await picture(wall.page, 'own-wall')
      // The tablet learns what its code is for from the hub's refusal.
      assert.deepEqual(
        wall.complaints().filter((one) => !one.includes('/pairing/connect')),
        [],
      )
      await wall.context.close()
      await page.goto(`${hub.origin}/app/alerts/reach`)
      await page.getByRole('button', { name: 'Send a test alarm about Mia' }).click()
      await page.locator('.sights tr[data-channel="app"]').first().waitFor()
    },
  )

  await t.test(
    'a wall tablet shows the open alert on its whole screen, and the values when it is over',
    async () => {
      const wall = await browser.visitor({ width: 1024, height: 768, scheme: 'dark' })
      await wall.page.goto(`${hub.origin}/app/wall`)
      await wall.page.getByLabel('Name or e-mail').fill('Anna')
      await wall.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await wall.page.getByRole('button', { name: 'Sign in' }).click()
      await wall.page.getByRole('alert').getByText('Test alarm').waitFor()
      await checkScreen(wall.page, 'wall with an alert')
      await picture(wall.page, 'wall-alert')
      await page.goto(`${hub.origin}/app/alerts`)
      await page.getByRole('button', { name: 'I take care of it' }).click()
      await wall.page.locator('.wall-tile').getByText('171', { exact: true }).waitFor()
      await checkScreen(wall.page, 'wall')
      await picture(wall.page, 'wall')
      assert.deepEqual(wall.complaints(), [])
      await wall.context.close()
    },
  )
})

/** By the API, as the page itself would, with what it is signed in with. */
async function keepRule(page: Page, authorization: string, rule: object): Promise<void> {
  const init = {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  }
  const status = await page.evaluate(
    `fetch('/api/v1/rules', ${JSON.stringify(init)}).then(({ status }) => status)`,
  )
  assert.equal(status, 201)
}

async function copied(page: Page, label: string): Promise<string> {
  await page.getByRole('button', { name: `Copy ${label}`, exact: true }).click()
  await page.getByText(`${label} copied`).waitFor()
  return page.evaluate('navigator.clipboard.readText()')
}

async function checkScreen(page: Page, name: string): Promise<void> {
  assert.deepEqual(await axeFindings(page), [], `axe on ${name}`)
  assert.deepEqual(await smallTargets(page), [], `targets on ${name}`)
  assert.equal(await page.evaluate('inPage.sideways()'), 0, `${name} cannot be pushed sideways`)
}
