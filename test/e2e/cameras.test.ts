/** Cameras in a real browser: add one step by step, see it live with boxes, blur, change, remove; every screen in light and dark. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createMjpegServer } from '../../daemon/media/rtsp/mjpeg-server.ts'
import { createPlayhead } from '../../daemon/media/rtsp/playhead.ts'
import { jpegVideo } from '../../daemon/media/rtsp/video.ts'
import { machineDecoder } from '../media/clips.ts'
import { missing as missingSample, samplePath } from '../models/vision/samples.ts'
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
const CLIP = ['vision', 'clips', 'sports2d-demo.mp4'] as const
const FPS = 10
const missing = missingBrowser() ?? ((await machineDecoder()).skip || missingSample(...CLIP) || null)

test('a coach’s path, from an empty grid to boxes round the players', {
  skip: missing ?? false,
  timeout: 240_000,
}, async (t) => {
  const camera = await filmedCamera(t)
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const picture = (of: Page, name: string) => of.screenshot({ path: join(pictures, `${name}.png`) })
  const anna = await browser.visitor(PHONE)
  const { page } = anna

  await t.test('without a camera the grid leads to adding one', async () => {
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
    await page.goto(`${hub.origin}/app/training`)
    await page.getByRole('heading', { name: 'No camera yet' }).waitFor()
    await checkScreen(page, 'empty grid')
    await picture(page, 'grid-empty')
    await page.getByRole('link', { name: 'Add camera' }).click()
  })

  await t.test('a wrong address is told in plain words, with what to do', async () => {
    await page.getByText('What kind of camera is it?').waitFor()
    await checkScreen(page, 'kinds')
    await picture(page, 'add-kind')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Address').fill('192.168.1.20')
    await page.getByRole('button', { name: 'Look through it' }).click()
    await page.getByText('The address has to begin with').waitFor()
    await page.getByLabel('Address').fill(`${camera.origin}/nothing-here`)
    await page.getByRole('button', { name: 'Look through it' }).click()
    await page.getByText('has no picture at this address').waitFor()
    await checkScreen(page, 'problem')
    await picture(page, 'add-problem')
  })

  await t.test('the right one shows the picture and what each fact means', async () => {
    await page.getByLabel('Address').fill(`${camera.origin}/stream`)
    await page.getByRole('button', { name: 'Look through it' }).click()
    await page.getByRole('heading', { name: 'This is what the hub sees' }).waitFor()
    assert.equal(await page.evaluate('document.querySelector(".found-picture img").naturalWidth'), 960)
    await page.getByText('960 × 540').waitFor()
    await page.getByText('Good: simple and quick').waitFor()
    await checkScreen(page, 'found')
    await picture(page, 'add-found')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Name of the camera').fill('Goal north')
    await page.getByLabel('Mia').check()
    await checkScreen(page, 'name and people')
    await picture(page, 'add-keep')
    await page.getByRole('button', { name: 'Add camera' }).click()
  })

  await t.test('live, the picture moves and boxes are drawn over it', async () => {
    await page.getByRole('heading', { name: 'Goal north', level: 1 }).waitFor()
    await page.locator('.badge', { hasText: 'pictures a second' }).waitFor()
    await page
      .getByRole('img', { name: /Live picture of Goal north\. \d+ (person|people)/ })
      .waitFor({ timeout: 60_000 })
    await page.evaluate('inPage.untilPainted(".viewer-overlay", 200, 1e9)')
    await page
      .getByText('blazepose-detector')
      .or(page.getByText('blazepose', { exact: false }))
      .first()
      .waitFor()
    await checkScreen(page, 'live')
    await picture(page, 'live')
  })

  await t.test('boxes can be switched off, and faces blurred', async () => {
    await page.getByRole('button', { name: 'Boxes and skeletons' }).click()
    await page.evaluate('inPage.untilPainted(".viewer-overlay", 0, 0)')
    await page.getByRole('button', { name: 'Blur faces' }).click()
    await page.evaluate('inPage.untilPainted(".viewer-overlay", 100, 1e9)')
    await picture(page, 'live-blur')
    assert.deepEqual(anna.complaints(), [])
  })

  await t.test('the grid shows the camera with a picture and its age', async () => {
    await page.goto(`${hub.origin}/app/training`)
    await page.getByAltText('Picture of Goal north').waitFor()
    await page.locator('.mark', { hasText: 'Live' }).waitFor()
    await checkScreen(page, 'grid')
    await picture(page, 'grid')
  })

  await t.test('an unplugged camera says so, and comes back', async () => {
    await page.locator('.camera-tile').click()
    await page.locator('.badge', { hasText: 'pictures a second' }).waitFor()
    await camera.unplug()
    await page.getByText('The camera does not answer.').waitFor({ timeout: 30_000 })
    await checkScreen(page, 'offline')
    await picture(page, 'live-offline')
    await camera.plugIn()
    await page.locator('.badge', { hasText: 'pictures a second' }).waitFor({ timeout: 30_000 })
  })

  await t.test('where WebRTC does not work, single pictures come with their age', async () => {
    const visitor = await browser.visitor({ width: 1280, height: 800, scheme: 'dark' })
    await visitor.context.addInitScript({ content: 'delete window.RTCPeerConnection' })
    await signIn(visitor.page, hub.origin)
    await visitor.page.goto(page.url())
    await visitor.page.locator('.badge', { hasText: 'as single pictures' }).waitFor()
    await visitor.page.locator('.badge', { hasText: /^Picture \d+(\.\d)? m?s old/ }).waitFor()
    await visitor.page.evaluate(
      'inPage.untilPainted(".viewer-stage > canvas:not(.viewer-overlay)", 100000, 1e9)',
    )
    await visitor.page
      .getByRole('img', { name: /Live picture of Goal north\. \d+ (person|people)/ })
      .waitFor()
    await checkScreen(visitor.page, 'single pictures')
    await picture(visitor.page, '1280-dark-single-pictures')
    await visitor.page.getByRole('button', { name: 'Full screen' }).click()
    await visitor.page.getByRole('button', { name: 'Leave full screen' }).waitFor()
    await picture(visitor.page, '1280-dark-full')
    await visitor.page.keyboard.press('Escape')
    assert.deepEqual(visitor.complaints(), [])
    await visitor.context.close()
  })

  await t.test('this phone becomes a camera, once the browser is allowed to film', async () => {
    const visitor = await browser.visitor({ ...PHONE, scheme: 'dark' })
    await signIn(visitor.page, hub.origin)
    await visitor.page.goto(`${hub.origin}/app/training/cameras/new`)
    await visitor.page.getByText('A phone, tablet or laptop').click()
    await visitor.page.getByRole('button', { name: 'Continue' }).click()
    await visitor.page.getByLabel('Name of the camera').fill('Tripod')
    await visitor.page.getByText('Only show the picture').click()
    await visitor.page.getByRole('button', { name: 'Add camera' }).click()
    await visitor.page.getByRole('heading', { name: 'Film with this device' }).waitFor()
    await visitor.page.getByRole('button', { name: 'Start filming' }).click()
    await visitor.page.getByRole('heading', { name: 'The camera was refused' }).waitFor()
    await checkScreen(visitor.page, 'refused')
    await picture(visitor.page, 'film-refused')
    await visitor.context.grantPermissions(['camera'])
    await visitor.page.getByRole('button', { name: 'Start filming' }).click()
    await visitor.page.getByText('The hub receives this picture').waitFor()
    await checkScreen(visitor.page, 'filming')
    await picture(visitor.page, 'film')
    await page.goto(`${hub.origin}/app/training`)
    await page.getByRole('link', { name: 'Tripod' }).locator('.mark', { hasText: 'Live' }).waitFor()
    await page.getByAltText('Picture of Tripod').waitFor()
    await picture(page, 'grid-two')
    await visitor.page.getByRole('button', { name: 'Stop filming' }).click()
    await page.getByText('Nobody is filming.').waitFor({ timeout: 30_000 })
    assert.deepEqual(visitor.complaints(), [])
    await visitor.context.close()
    await page.getByRole('link', { name: 'Goal north' }).click()
    await page.locator('.badge', { hasText: 'pictures a second' }).waitFor()
  })

  await t.test('a device gets a key, and its first picture makes its camera live', async () => {
    await page.goto(`${hub.origin}/app/training/cameras/new`)
    await page.getByText('ESP32 or another device').click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Name').fill('Side line')
    await page.getByRole('button', { name: 'Continue' }).click()
    const id = await copied(page, 'User name')
    const key = await copied(page, 'Key')
    assert.equal(await copied(page, 'Topic for pictures'), `hf/${id}/frame`)
    await checkScreen(page, 'key of a device')
    await picture(page, 'add-device-key')
    await page.getByRole('button', { name: 'I have typed it in' }).click()
    await page.getByText('Only show the picture').click()
    await page.getByRole('button', { name: 'Add camera' }).click()
    await page.getByText('The device has not sent a picture.').waitFor()
    await picture(page, 'live-waits')
    await hub.film(id, key, camera.jpeg)
    await page
      .locator('.badges', { hasText: 'by WebRTC' })
      .or(page.locator('.badges', { hasText: 'as single' }))
      .waitFor()
  })

  await t.test('a search of the network ends with what was found or with the next step', async () => {
    await page.goto(`${hub.origin}/app/training/cameras/new`)
    await page.getByText('Search the network').click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('Asking the network who is a camera').waitFor()
    await page.locator('.empty, .row-button').first().waitFor({ timeout: 30_000 })
    await checkScreen(page, 'search')
    await picture(page, 'add-search')
    await page.goto(`${hub.origin}/app/training`)
    await page.getByRole('link', { name: 'Goal north' }).click()
    await page.locator('.badge', { hasText: 'pictures a second' }).waitFor()
  })

  await t.test('every screen is accessible in the dark and on a desk', async () => {
    const id = String(new URL(page.url()).pathname.split('/').at(-1))
    for (const look of LOOKS) {
      const visitor = await browser.visitor(look)
      await signIn(visitor.page, hub.origin)
      for (const [name, path, ready] of screens(id)) {
        await visitor.page.goto(`${hub.origin}${path}`)
        await visitor.page.locator(ready).first().waitFor({ timeout: 30_000 })
        await checkScreen(visitor.page, `${name} at ${look.width} ${look.scheme}`)
        await picture(visitor.page, `${look.width}-${look.scheme}-${name}`)
      }
      assert.deepEqual(visitor.complaints(), [])
      await visitor.context.close()
    }
  })

  await t.test('changed and removed, it is gone from the grid', async () => {
    await page.getByRole('link', { name: 'Change camera' }).click()
    await page.getByLabel('Name of the camera').fill('Goal south')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Change Goal south' }).waitFor()
    await page.getByRole('button', { name: 'Remove camera' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove camera' }).click()
    await page.getByRole('link', { name: 'Tripod' }).waitFor()
    await page.getByRole('link', { name: 'Goal south' }).waitFor({ state: 'detached' })
  })

  await t.test('nothing complained and nothing left the house', () => {
    assert.deepEqual(anna.complaints(), [])
  })
})

function screens(id: string): [name: string, path: string, ready: string][] {
  return [
    ['grid', '/app/training', '.camera-picture img'],
    ['live', `/app/training/cameras/${id}`, '.badge'],
    ['edit', `/app/training/cameras/${id}/edit`, '.danger-zone'],
    ['film', `/app/training/cameras/${id}/film`, 'main h1'],
    ['models', '/app/training/models', '.rows'],
    ['add', '/app/training/cameras/new', '.choice-row'],
    ['missing', '/app/training/cameras/nobody', '.empty'],
  ]
}

/** Reads a value by its copy button, as a person carries it to the device. */
async function copied(page: Page, label: string): Promise<string> {
  await page.getByRole('button', { name: `Copy ${label}`, exact: true }).click()
  await page.getByText(`${label} copied`).waitFor()
  return page.evaluate('navigator.clipboard.readText()')
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

/** Somebody walking, as an MJPEG camera over HTTP. */
async function filmedCamera(t: TestContext) {
  const input = ['-nostdin', '-v', 'error', '-i', samplePath(...CLIP), '-t', '6']
  const output = ['-vf', `scale=960:540,fps=${FPS}`, '-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p']
  const stream = execFileSync('ffmpeg', [...input, ...output, '-f', 'mjpeg', 'pipe:1'], {
    maxBuffer: 64 * 1024 ** 2,
  })
  const video = jpegVideo(stream, FPS)
  const playhead = createPlayhead({ video, clock: systemClock(), once: false })
  const server = createMjpegServer({ video, playhead, guard: null })
  const port = await server.listen(0)
  t.after(async () => {
    playhead.stop()
    await server.stop()
  })
  const jpeg = video.pictures[0]?.parts[0] ?? new Uint8Array()
  return { jpeg, origin: `http://127.0.0.1:${port}`, unplug: server.unplug, plugIn: server.plugIn }
}
