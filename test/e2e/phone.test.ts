/** A phone that looks by itself, in a real browser: it finds joints in its own picture, and nobody but the hub hears of it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { machineDecoder } from '../media/clips.ts'
import { missing as missingSample, samplePath } from '../models/vision/samples.ts'
import { repositoryRoot } from '../ui/repository-root.ts'
import { axeFindings, type Look, missingBrowser, smallTargets, trustingBrowser } from './browser.ts'
import { startHub } from './hub.ts'

const PHONE: Look = { width: 390, height: 844, scheme: 'light' }
const PASSWORD = 'lamp river stone kettle'
const MAIN = join(repositoryRoot(), 'dist/daemon/main.js')
const CLIP = ['vision', 'clips', 'sports2d-demo.mp4'] as const
const missing = missingBrowser() ?? ((await machineDecoder()).skip || missingSample(...CLIP) || null)

test('a phone finds joints by itself, the coach sees them, and nothing leaves the hub’s origin', {
  skip: missing ?? false,
  timeout: 180_000,
}, async (t) => {
  const hub = await startHub(MAIN)
  t.after(() => hub.stop())
  const { port, asked } = await recordingProxy(t)
  const browser = await trustingBrowser(hub.caPath, hub.origin, [
    `--use-file-for-fake-video-capture=${clipAsCamera(t)}`,
    `--proxy-server=http://127.0.0.1:${port}`,
    // Not even this machine's own addresses are reached without being asked for.
    '--proxy-bypass-list=<-loopback>',
  ])
  t.after(() => browser.close())
  const pictures = mkdtempSync(join(tmpdir(), 'homefield-pictures-'))
  t.diagnostic(`pictures are in ${pictures}`)
  const anna = await browser.visitor(PHONE)
  const { page } = anna
  const urls: string[] = []
  anna.context.on('request', (request) => urls.push(request.url()))
  const policies = new Map<string, string>()
  anna.context.on('response', (response) => {
    const { pathname } = new URL(response.url())
    policies.set(pathname, response.headers()['content-security-policy'] ?? '')
  })
  const sockets: string[] = []
  page.on('websocket', (socket) => sockets.push(socket.url()))
  const workers: string[] = []
  page.on('worker', (worker) => workers.push(worker.url()))
  const { code } = await hub.command('claim-code')
  await claim(page, hub.origin, String(code))
  await anna.context.grantPermissions(['camera'])

  await t.test('the page offers to send only where joints are, and finds a player', async () => {
    await page.goto(`${hub.origin}/app/training/cameras/new`)
    await page.getByText('A phone, tablet or laptop').click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Name of the camera').fill('Tripod')
    await page.getByRole('button', { name: 'Add camera' }).click()
    await page.getByRole('heading', { name: 'Film with this device' }).waitFor()
    await page.getByLabel('Only where joints are').check()
    await checkScreen(page, 'choice')
    await page.screenshot({ path: join(pictures, 'choice.png'), fullPage: true })
    await page.getByRole('button', { name: 'Start filming' }).click()
    await page.getByText('The hub receives where joints are').waitFor({ timeout: 60_000 })
    await page.getByText('One player seen').waitFor({ timeout: 30_000 })
    await page.evaluate('inPage.untilPainted(".film-stage > canvas", 200, 1e9)')
    await checkScreen(page, 'looking')
    await page.screenshot({ path: join(pictures, 'looking.png'), fullPage: true })
  })

  await t.test('the coach sees the skeleton, and which model found it', async () => {
    const coach = await browser.visitor({ width: 1280, height: 800, scheme: 'dark' })
    coach.context.on('request', (request) => urls.push(request.url()))
    await signIn(coach.page, hub.origin)
    await coach.page.goto(page.url().replace(/\/film$/, ''))
    await coach.page.getByRole('img', { name: /Live picture of Tripod\. 1 person/ }).waitFor()
    await coach.page.evaluate('inPage.untilPainted(".viewer-overlay", 200, 1e9)')
    await coach.page.getByText(/blazepose-lite 0\.5/).waitFor()
    await checkScreen(coach.page, 'watching')
    await coach.page.screenshot({ path: join(pictures, 'watching.png'), fullPage: true })
    t.diagnostic((await page.locator('.badges').textContent()) ?? '')
    await page.getByRole('button', { name: 'Stop filming' }).click()
    const stoppedMs = Date.now()
    await coach.page.getByText('Nobody is filming.').waitFor({ timeout: 20_000 })
    t.diagnostic(`the coach was told ${Date.now() - stoppedMs} ms after the phone stopped`)
    assert.deepEqual(coach.complaints(), [])
    await coach.context.close()
  })

  await t.test('when it sends its picture, a session can keep it, and both pages say so', async () => {
    await page.getByLabel('The picture').check()
    await page.getByRole('button', { name: 'Start filming' }).click()
    await page.getByText('The hub receives this picture').waitFor({ timeout: 30_000 })
    const coach = await browser.visitor(PHONE)
    await signIn(coach.page, hub.origin)
    await coach.page.goto(`${hub.origin}/app/training/sessions/new`)
    await coach.page.getByLabel('Keep the video').check()
    await coach.page.getByLabel('Also of players under 18').check()
    await checkScreen(coach.page, 'start')
    await coach.page.screenshot({ path: join(pictures, 'start.png'), fullPage: true })
    await coach.page.getByRole('button', { name: 'Start the session' }).click()
    await coach.page.getByText('Recording video').waitFor({ timeout: 30_000 })
    await page.getByText('Video is being kept').waitFor({ timeout: 20_000 })
    await page.screenshot({ path: join(pictures, 'recorded.png'), fullPage: true })
    await coach.page.getByRole('button', { name: 'Stop', exact: true }).click()
    await coach.page.getByRole('dialog').getByRole('button', { name: 'Stop the session' }).click()
    await coach.page
      .getByRole('button', { name: /^Open Tripod, from/ })
      .first()
      .waitFor({ timeout: 20_000 })
    await page.getByRole('button', { name: 'Stop filming' }).click()
    await coach.context.close()
  })

  await t.test('every request of page, workers and sockets went to the hub', () => {
    const names = (path: string) => urls.some((url) => url.includes(path))
    assert.ok(['/sensor/worker-', '/sensor/runtime-', '/sensor/pose-'].every(names), urls.join('\n'))
    const elsewhere = [...urls, ...workers, ...sockets].filter((url) => {
      const { origin, protocol } = new URL(url)
      return origin.replace(/^wss/, 'https') !== hub.origin && !['blob:', 'data:'].includes(protocol)
    })
    assert.deepEqual(elsewhere, [])
    assert.ok(workers.some((url) => url.includes('/sensor/worker-')))
    assert.ok(sockets.length > 0)
    // Only the worker may compile WebAssembly; the pages may not.
    const compiling = [...policies].filter(([, policy]) => policy.includes('wasm-unsafe-eval'))
    assert.deepEqual(
      compiling.map(([path]) => path.replace(/-.*/, '')),
      ['/app/sensor/worker'],
    )
    assert.ok([...policies.values()].every((policy) => !policy.includes("'unsafe-eval'")))
    // What the browser as a whole asked for, however it was asked.
    const ours = [...asked].filter((host) => !BROWSERS_OWN.has(host.replace(/:443$/, '')))
    assert.deepEqual(ours, [new URL(hub.origin).host])
    assert.deepEqual(
      anna.complaints().filter((one) => !NOTES.test(one)),
      [],
    )
  })
})

/** What MediaPipe's runtime says while all is well. */
const NOTES = /sensor\/(?:runtime|worker)-/

/** Whom Chromium asks for its own sake, before any page is open; no page can make it do so. */
const BROWSERS_OWN = new Set([
  'accounts.google.com',
  'clients2.google.com',
  'content-autofill.googleapis.com',
  'optimizationguide-pa.googleapis.com',
  'update.googleapis.com',
])

/** A proxy that lets everything through to this machine, refuses the rest, and remembers whom was asked for. */
async function recordingProxy(t: TestContext): Promise<{ port: number; asked: Set<string> }> {
  const asked = new Set<string>()
  const server = createServer((request, response) => {
    asked.add(new URL(request.url ?? '', 'http://nowhere').host)
    response.writeHead(502).end()
  })
  server.on('connect', (request, socket) => {
    const [host = '', port = ''] = (request.url ?? '').split(':')
    asked.add(`${host}:${port}`)
    if (host !== 'localhost') return void socket.end('HTTP/1.1 502 Elsewhere\r\n\r\n')
    const there = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      there.pipe(socket)
      socket.pipe(there)
    })
    there.on('error', () => socket.destroy())
    socket.on('error', () => there.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

/** Somebody walking, as what this machine's camera sees. */
function clipAsCamera(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-clip-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'clip.mjpeg')
  const input = ['-nostdin', '-v', 'error', '-i', samplePath(...CLIP), '-t', '5']
  execFileSync('ffmpeg', [...input, '-vf', 'scale=640:360', '-c:v', 'mjpeg', '-q:v', '4', file])
  return file
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
