import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { ensureTls } from '../../../daemon/kernel/tls.ts'
import { createRtspSource } from '../../../daemon/media/rtsp/source.ts'
import { camera, watch } from './camera.ts'

/** The simulated camera behind TLS, with a certificate that no system trusts. */
async function secureCamera(t: TestContext) {
  const { port } = await camera(t)
  const dir = mkdtempSync(join(tmpdir(), 'hf-rtsps-'))
  const nowMs = Date.now()
  const tls = await ensureTls({
    dir,
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    nowMs,
    buildDateMs: nowMs - 86_400_000,
    newestInstantMs: null,
  })
  const server = createServer({ key: tls.keyPem, cert: tls.certPem }, (outside) => {
    const inside = connect(port, '127.0.0.1')
    outside.on('error', () => inside.destroy())
    inside.on('error', () => outside.destroy())
    outside.pipe(inside).pipe(outside)
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })
  return { url: `rtsps://127.0.0.1:${(server.address() as AddressInfo).port}/stream`, ca: tls.caPem }
}

test('a camera over TLS plays when its certificate was handed in, and is refused without', async (t) => {
  const { url, ca } = await secureCamera(t)
  const deps = { url, credentials: null, clock: systemClock() }
  const refused = await watch(createRtspSource(deps))
  assert.equal(refused.failure.code, 'unreachable')
  assert.match(refused.failure.message, /certificate .* is not trusted/)
  assert.equal((await watch(createRtspSource({ ...deps, trustedCa: ca }))).units.length, 45)
})
