/** The welcome page in a real browser: it waits while the hub's certificate is unknown and opens the app once it is trusted. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureTls } from '../../daemon/kernel/tls.ts'
import { setup } from '../http/setup.ts'
import { repositoryRoot } from '../ui/repository-root.ts'
import { axeFindings, missingBrowser, smallTargets, trustingBrowser } from './browser.ts'

test('a device that begins to trust the hub goes on to the app by itself', {
  skip: missingBrowser() ?? false,
  timeout: 60_000,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'homefield-trust-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const { hub } = await setup(t, { deps: { appFolder: join(repositoryRoot(), 'dist/ui') } })
  const { httpPort, httpsPort } = await hub.start()
  // The browser trusts an authority that the hub does not use yet: to the page it is the same as installing the hub's later.
  const trusted = await ensureTls({
    dir,
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    nowMs: Date.now(),
    buildDateMs: Date.UTC(2026, 0, 1),
    newestInstantMs: null,
  })
  const caPath = join(dir, 'trusted.pem')
  writeFileSync(caPath, trusted.caPem)
  const browser = await trustingBrowser(caPath, `https://127.0.0.1:${httpsPort}`)
  t.after(() => browser.close())
  const { page } = await browser.visitor({ width: 390, height: 844, scheme: 'light' })
  const failed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/trusted'))
  await page.goto(`http://127.0.0.1:${httpPort}/welcome#p1.secret`)
  await page.getByText('Waiting until this device trusts the hub').waitFor()
  await failed
  assert.deepEqual(await axeFindings(page), [])
  assert.deepEqual(await smallTargets(page), [])
  assert.equal(await page.evaluate('inPage.sideways()'), 0)
  hub.setSecureContext(trusted)
  await page.waitForURL(`https://127.0.0.1:${httpsPort}/app/`)
})
