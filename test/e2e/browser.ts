/** Debian's Chromium with the household's certificate trusted, and ears for everything a page must not do. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { repositoryRoot } from '../ui/repository-root.ts'

const CHROMIUM = '/usr/bin/chromium'
const CERTUTIL = '/usr/bin/certutil'
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A moving test picture instead of a camera, for whom the camera is granted to.
  '--use-fake-device-for-media-stream',
]
/** WCAG 2.5.5; half a pixel is rounding. */
const TARGET_PX = 43.5

/** Why there is no browser here, null when there is one. */
export function missingBrowser(): string | null {
  if (!existsSync(CHROMIUM)) return 'no /usr/bin/chromium here (Debian package chromium)'
  if (!existsSync(CERTUTIL)) return 'no certutil here (Debian package libnss3-tools)'
  return null
}

export interface Look {
  width: number
  height: number
  scheme: 'light' | 'dark'
}

export interface Visitor {
  page: Page
  context: BrowserContext
  /** What went wrong in the page since the last call: script errors, console errors, policy reports, foreign requests. */
  complaints(): string[]
}

export interface TrustingBrowser {
  visitor(look: Look): Promise<Visitor>
  close(): Promise<void>
}

/** `args` are more switches of Chromium's. */
export async function trustingBrowser(
  caPath: string,
  origin: string,
  args: readonly string[] = [],
): Promise<TrustingBrowser> {
  const home = mkdtempSync(join(tmpdir(), 'homefield-chromium-'))
  const store = join(home, '.pki', 'nssdb')
  mkdirSync(store, { recursive: true })
  execFileSync(CERTUTIL, ['-d', `sql:${store}`, '-N', '--empty-password'])
  execFileSync(CERTUTIL, ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'homefield', '-i', caPath])
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...ARGS, ...args],
    env: { ...process.env, HOME: home } as Record<string, string>,
  })
  return {
    async visitor({ width, height, scheme }) {
      const context = await browser.newContext({
        viewport: { width, height },
        deviceScaleFactor: 2,
        colorScheme: scheme,
        isMobile: width < 700,
        hasTouch: width < 1000,
        locale: 'en-GB',
        timezoneId: 'Europe/Berlin',
      })
      await context.grantPermissions(['clipboard-read', 'clipboard-write'])
      const heard: string[] = []
      context.on('request', (request) => {
        const url = new URL(request.url())
        const own = url.origin === origin || url.protocol === 'data:' || url.protocol === 'blob:'
        if (!own) heard.push(`request to ${url.href}`)
      })
      context.on('weberror', (error) => heard.push(`script error: ${error.error().stack}`))
      context.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          heard.push(`console ${message.type()}: ${message.text()} ${message.location().url}`)
      })
      await context.addInitScript({ path: join(repositoryRoot(), 'test/e2e/in-page.js') })
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      return { page, context, complaints: () => heard.splice(0) }
    },
    async close() {
      await browser.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Serious and critical findings of axe, as sentences. */
export async function axeFindings(page: Page): Promise<string[]> {
  const require = createRequire(import.meta.url)
  // Evaluated through the debugger: the page's own policy would rightly refuse a foreign script.
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'))
  return page.evaluate('inPage.seriousFindings()')
}

/** Everything that can be pressed and is smaller than a fingertip. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(`inPage.smallTargets(${TARGET_PX})`)
}
