/** Live sessions in a real browser: calibrate, start, say who is who, mark, stop, look back; every screen in light and dark. */
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
/** Where the corners of a pitch of 20 × 10 m are tapped, in shares of the picture. */
const CORNERS = [
  ['Near left corner', 0.03, 0.95],
  ['Near right corner', 0.97, 0.95],
  ['Far left corner', 0.2, 0.55],
  ['Far right corner', 0.8, 0.55],
] as const
/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const missing = missingBrowser() ?? ((await machineDecoder()).skip || missingSample(...CLIP) || null)

test('a coach’s path, from a pitch in the picture to the numbers of a session', {
  skip: missing ?? false,
  timeout: 240_000,
}, async (t) => {
  const cameraOrigin = await filmedCamera(t)
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const browser = await trustingBrowser(hub.caPath, hub.origin)
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const picture = (of: Page, name: string) =>
    of.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  const anna = await browser.visitor(PHONE)
  const { page } = anna
  let startedMs = 0

  await t.test('without a session the list leads to starting one, which needs a camera', async () => {
    const { code } = await hub.command('claim-code')
    await claim(page, hub.origin, String(code))
    await page.goto(`${hub.origin}/app/training/sessions`)
    await page.getByRole('heading', { name: 'No session yet' }).waitFor()
    await checkScreen(page, 'no session')
    await picture(page, 'list-empty')
    await page.getByRole('link', { name: 'Start a live session' }).click()
    await page.getByRole('heading', { name: 'No camera can look' }).waitFor()
    await checkScreen(page, 'no camera')
  })

  await t.test('a camera that is not calibrated says that there will be no metres', async () => {
    await addCamera(page, hub.origin, `${cameraOrigin}/stream`)
    await page.goto(`${hub.origin}/app/training/sessions/new`)
    await page.getByText('Goal north is not calibrated').waitFor()
    await page.getByLabel('Title').fill('Tuesday')
    await page.getByLabel('Mia').check()
    await checkScreen(page, 'start')
    await picture(page, 'start')
    await page.getByRole('link', { name: 'Calibrate it' }).click()
  })

  await t.test('spots on one line are refused, by name', async () => {
    await page.getByLabel('Size of the pitch').selectOption({ label: 'Other size' })
    await page.getByLabel('Length in metres').fill('20')
    await page.getByLabel('Width in metres').fill('10')
    await page.locator('.shot img').waitFor({ timeout: 30_000 })
    await checkScreen(page, 'calibrate, empty')
    for (const [at, [name]] of CORNERS.entries()) await tapSpot(page, name, 0.1 + at * 0.2, 0.8)
    await page.getByRole('button', { name: 'Save calibration' }).click()
    await page.getByText('lies on one line with others').first().waitFor()
    await checkScreen(page, 'calibrate, refused')
    await picture(page, 'calibrate-refused')
  })

  await t.test('spots that fit are saved, each with how far off it is', async () => {
    for (const [name, x, y] of CORNERS) await tapSpot(page, name, x, y)
    await page.getByRole('button', { name: 'Save calibration' }).click()
    await page.getByText('Four spots always fit').waitFor()
    assert.equal(await page.getByText(/off by [\d.]+ pixels/).count(), 4)
    await checkScreen(page, 'calibrate, saved')
    await picture(page, 'calibrate')
  })

  await t.test('a spot is found with the keyboard alone', async () => {
    await page.getByRole('button', { name: 'Centre spot' }).press('Enter')
    const shot = page.locator('.shot')
    for (const key of ['ArrowDown', 'ArrowDown', 'Shift+ArrowRight', 'Enter']) await shot.press(key)
    await page.locator('.spot-row', { hasText: 'Centre spot' }).waitFor()
    await page.getByText('Not saved yet').waitFor()
    await page.getByRole('button', { name: 'Take away Centre spot' }).click()
    assert.deepEqual(
      anna.complaints().filter((one) => !/4(04|22)/.test(one)),
      [],
    )
  })

  await t.test('started, the page shows the picture, and numbers or why there are none', async () => {
    await page.goto(`${hub.origin}/app/training/sessions/new`)
    await page.getByLabel('Title').fill('Tuesday')
    await page.getByLabel('Mia').check()
    await page.getByRole('button', { name: 'Start the session' }).click()
    startedMs = Date.now()
    await page.getByRole('heading', { name: 'Tuesday', level: 1 }).waitFor()
    await page.getByText('No video is kept').waitFor()
    await page.locator('.player', { hasText: 'Mia' }).locator('.kpi-why').first().waitFor()
    await page.evaluate('inPage.untilPainted(".viewer-overlay", 200, 1e9)')
    await page
      .getByRole('button', { name: /Who is it/ })
      .first()
      .waitFor()
    await checkScreen(page, 'running')
    await picture(page, 'running')
  })

  await t.test('a tap on a person asks who it is, and what they did is the player’s', async () => {
    await tapPerson(page)
    const dialog = page.getByRole('dialog', { name: /Who is number/ })
    await dialog.getByRole('button', { name: 'Mia' }).waitFor()
    await checkScreen(page, 'who')
    await page.screenshot({ path: join(pictures, 'who.png') })
    await dialog.getByRole('button', { name: 'Mia' }).click()
    const mia = page.locator('.player', { hasText: 'Mia' })
    await page.getByText(/Number \d+ is Mia/).waitFor()
    await picture(page, 'assigned')
    await mia.locator('.kpi', { hasText: 'Distance' }).locator('.kpi-unit, .kpi-why').waitFor()
    await mia.getByText('Zones, runs and movement').click()
    await mia.getByText(/zones are for adults|Zones for/).waitFor()
    await checkScreen(page, 'running, with numbers')
    await picture(page, 'running-numbers')
  })

  await t.test('one tap marks a moment', async () => {
    await page.getByRole('button', { name: 'Goal', exact: true }).click()
    await page.getByText(/Goal: marked at/).waitFor()
    await page.getByLabel('In your own words').fill('Good press')
    await page.getByRole('button', { name: 'Mark', exact: true }).click()
    await page.getByText(/Good press: marked at/).waitFor()
    for (const look of LOOKS) {
      const visitor = await browser.visitor(look)
      await signIn(visitor.page, hub.origin)
      await visitor.page.goto(page.url())
      await visitor.page.locator('.player', { hasText: 'Mia' }).waitFor()
      await visitor.page.locator('.badge', { hasText: 'pictures a second' }).waitFor({ timeout: 30_000 })
      await checkScreen(visitor.page, `running at ${look.width} ${look.scheme}`)
      await picture(visitor.page, `${look.width}-${look.scheme}-running`)
      await visitor.context.close()
    }
  })

  await t.test(
    'video is kept only when asked for, minors only with leave, and everybody sees the mark',
    async () => {
      await page.locator('summary', { hasText: 'Video' }).click()
      await page.getByText(/GB are free/).waitFor()
      await page.getByLabel('Keep the video').check()
      await page.getByRole('button', { name: 'Keep the video' }).click()
      await page.getByText(/Video cannot be kept: somebody may be under 18/).waitFor()
      await page.getByLabel('Also of players under 18').check()
      await page.getByRole('button', { name: 'Keep the video' }).click()
      await page.getByText('Recording video').waitFor({ timeout: 20_000 })
      await checkScreen(page, 'recording')
      await picture(page, 'recording')
      // On a slow machine a film could end before anybody was seen in it.
      await page.evaluate('inPage.untilMoved(".viewer-overlay", 4)')
      await page.getByRole('button', { name: 'Stop keeping it' }).click()
      await page.getByText('No video is kept').waitFor()
    },
  )

  await t.test('stopped, the session is there to look back at', async () => {
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop the session' }).click()
    await page.getByRole('heading', { name: 'What happened when' }).waitFor()
    await page.getByRole('button', { name: /^Good press/ }).click()
    // Who stands has a speed line without height, which counts as hidden.
    const drawn = { state: 'attached' } as const
    await page.locator('.speed-line').or(page.getByText('No speed was measured')).first().waitFor(drawn)
    await page.locator('.heat-cell').or(page.getByText('There are no places')).first().waitFor(drawn)
    await page.locator('.path-line').or(page.getByText('There are no places')).first().waitFor(drawn)
    await page.getByRole('region', { name: 'Side by side' }).getByText('Mia').waitFor()
    await page.getByLabel('Moment').press('ArrowRight')
    await page.getByLabel('In your own words').fill('Corner')
    await page.getByRole('button', { name: /Mark the moment/ }).click()
    await page.getByText(/Corner: marked at/).waitFor()
    await page.getByRole('button', { name: 'Take away the mark Corner' }).click()
    await page.getByText('Corner: taken away').waitFor()
    await page.getByLabel(/How hard, 0 to 10/).selectOption('7')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Mia: 7 of 10').waitFor()
    await page
      .getByRole('region', { name: 'Side by side' })
      .getByRole('cell', { name: '7', exact: true })
      .waitFor()
    await page
      .getByRole('button', { name: /^Open Goal north/ })
      .first()
      .click()
    await page.getByRole('link', { name: /^Save / }).waitFor()
    await page.evaluate('inPage.untilPainted(".viewer-stage > [role=img]", 1000, 1e9)')
    // Somewhere in it somebody is seen.
    await page.getByRole('button', { name: 'Play', exact: true }).click()
    await page.evaluate('inPage.untilPainted(".replay-overlay", 50, 1e9)')
    await page.screenshot({ path: join(pictures, 'film.png') })
    await page.getByRole('button', { name: 'Blur faces' }).click()
    await picture(page, 'film-blurred')
    const note = { name: 'plan.png', mimeType: 'image/png', buffer: PIXEL }
    await page.getByLabel('Add a file').setInputFiles(note)
    await page.getByRole('button', { name: 'Open plan.png' }).click()
    await page.getByRole('img', { name: 'plan.png' }).waitFor()
    await checkScreen(page, 'review')
    await picture(page, 'review')
  })

  await t.test('every screen is accessible in the dark and on a desk', async () => {
    const session = new URL(page.url()).pathname
    await page.goto(`${hub.origin}/app/training`)
    const link = await page.locator('.camera-tile').getAttribute('href')
    const screens = [
      ['list', '/app/training/sessions', '.row'],
      ['start', '/app/training/sessions/new', '.choice-row'],
      ['review', session, '.wide-table'],
      ['calibrate', `${link}/calibrate`, '.shot img'],
      ['missing', '/app/training/sessions/nobody', '.empty'],
    ] as const
    for (const look of LOOKS) {
      const visitor = await browser.visitor(look)
      await signIn(visitor.page, hub.origin)
      for (const [name, path, ready] of screens) {
        await visitor.page.goto(`${hub.origin}${path}`)
        await visitor.page.locator(ready).first().waitFor({ timeout: 30_000 })
        await checkScreen(visitor.page, `${name} at ${look.width} ${look.scheme}`)
        await picture(visitor.page, `${look.width}-${look.scheme}-${name}`)
      }
      await visitor.context.close()
    }
  })

  await t.test('places and speeds are drawn on the pitch that the camera is calibrated to', async () => {
    const tile = await page.locator('.camera-tile').getAttribute('href')
    const list = await browser.visitor({ width: 1280, height: 800, scheme: 'dark' })
    for (const visitor of [anna, list]) {
      if (visitor === list) await signIn(list.page, hub.origin)
      await playerRan(visitor.page, tile?.split('/').at(-1) ?? '', startedMs)
      await visitor.page.goto(`${hub.origin}/app/training/sessions`)
      await visitor.page.locator('.row').first().click()
      await visitor.page.locator('.speed-line').first().waitFor()
      await visitor.page.locator('.heat-cell').first().waitFor()
      await visitor.page.locator('.path-now').first().waitFor()
      await checkScreen(visitor.page, 'review with places')
      await picture(visitor.page, visitor === list ? '1280-dark-places' : 'places')
    }
    await list.context.close()
  })

  await t.test('nothing complained and nothing left the house', () => {
    assert.deepEqual(
      anna.complaints().filter((one) => !/4(03|04|22)/.test(one)),
      [],
    )
  })
})

/** Answers of the hub for somebody who ran an eight on the pitch of the camera for a minute, with a gap. */
async function playerRan(page: Page, cameraId: string, fromMs: number): Promise<void> {
  const steps = Array.from({ length: 60 }, (_, second) => second)
  const at = (second: number) => (second / 60) * 2 * Math.PI
  const x = steps.map((second) => 10 + 8 * Math.sin(at(second)))
  const y = steps.map((second) => 5 + 4 * Math.sin(2 * at(second)))
  const times = steps.map((second) => second * 250)
  const answers: Record<string, (fromMs: number) => object> = {
    tracks: (fromMs) => ({
      tracks: [
        {
          ...{ camera_id: cameraId, track_id: 1, player_id: null, t_ms: times, x, y },
          from: new Date(fromMs).toISOString(),
        },
      ],
    }),
    heatmap: () => ({
      ...{ cell_m: 2, x0: 0, y0: 0, columns: 10, rows: 5 },
      seconds: Array.from({ length: 50 }, (_, cell) => (cell * 7) % 11),
    }),
    speed: (fromMs) => ({
      ...{ player_id: 'mia', from: new Date(fromMs).toISOString(), t_ms: times },
      max: steps.map((second) => (second > 30 && second < 36 ? null : 3 + 3 * Math.sin(at(second) * 3))),
    }),
  }
  await page.route(/\/api\/v1\/sessions\/[^/]+\/(tracks|heatmap|speed)\?/, async (route) => {
    const kind = /(tracks|heatmap|speed)\?/.exec(route.request().url())?.[1] ?? ''
    const data = answers[kind]?.(fromMs)
    await route.fulfill({ json: { success: true, data, timestamp: new Date().toISOString() } })
  })
}

async function claim(page: Page, origin: string, code: string): Promise<void> {
  await page.goto(`${origin}/`)
  await page.getByLabel('Code from the hub').fill(code)
  await page.getByLabel('Your name').fill('Anna')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Claim the hub' }).click()
  await page.getByRole('heading', { name: 'Who do you look after?' }).waitFor()
  await page.getByLabel('Name').fill('Mia')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'What do they wear?' }).waitFor()
}

async function addCamera(page: Page, origin: string, address: string): Promise<void> {
  await page.goto(`${origin}/app/training/cameras/new`)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Address').fill(address)
  await page.getByRole('button', { name: 'Look through it' }).click()
  await page.getByRole('heading', { name: 'This is what the hub sees' }).waitFor()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Name of the camera').fill('Goal north')
  await page.getByLabel('Mia').check()
  await page.getByRole('button', { name: 'Add camera' }).click()
  await page.locator('.badge', { hasText: 'pictures a second' }).waitFor({ timeout: 30_000 })
}

async function tapSpot(page: Page, name: string, x: number, y: number): Promise<void> {
  await page
    .locator('.spot')
    .and(page.getByRole('button', { name, exact: true }))
    .click()
  const shot = page.locator('.shot')
  const box = await shot.boundingBox()
  assert.ok(box)
  await shot.click({ position: { x: x * box.width, y: y * box.height } })
}

/** Wherever the person is when the finger comes down; walking, they may be missed. */
async function tapPerson(page: Page): Promise<void> {
  const canvas = page.locator('.viewer-overlay')
  await canvas.scrollIntoViewIfNeeded()
  const box = await canvas.boundingBox()
  assert.ok(box)
  const dialog = page.getByRole('dialog', { name: /Who is number/ })
  for (let tap = 0; tap < 60; tap += 1) {
    // Half-way through the picture, where whoever walks has been seen for a while.
    const x = 0.4 + (tap % 4) * 0.08
    await page.mouse.click(box.x + x * box.width, box.y + box.height * 0.75)
    const isAsked = await dialog.waitFor({ timeout: 150 }).then(
      () => true,
      () => false,
    )
    if (isAsked) return
  }
  assert.fail('nobody could be tapped')
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
async function filmedCamera(t: TestContext): Promise<string> {
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
  return `http://127.0.0.1:${port}`
}
