import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { WebSocket } from 'ws'
import { ensureTls } from '../../daemon/kernel/tls.ts'
import { answering, OWNER, setup } from './setup.ts'

interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

function ask(options: RequestOptions & { ca?: string; body?: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = options.ca ? httpsRequest : httpRequest
    const asked = send({ host: '127.0.0.1', agent: false, ...options }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        body += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      answer.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(options.body)
  })
}

test('plain HTTP serves the welcome page, the certificate and health, and sends the rest to HTTPS', async (t) => {
  const { hub, caPem } = await setup(t, { claimed: false })
  const { httpPort, httpsPort } = await hub.start()
  const get = (path: string, more: RequestOptions = {}) => ask({ port: httpPort, path, ...more })
  const welcome = await get('/welcome')
  assert.equal(welcome.status, 200)
  assert.match(welcome.body, /Lindenhof &lt;1&gt;/)
  assert.match(welcome.body, /<li>amber<\/li><li>birch<\/li><li>coral<\/li><li>delta<\/li>/)
  assert.ok(welcome.body.includes(`https://127.0.0.1:${httpsPort}/app/`))
  assert.deepEqual(welcome.body.match(/<script[^>]*>/g), [
    `<script src="/welcome.js" data-hub="https://127.0.0.1:${httpsPort}" defer>`,
  ])
  const policy = String(welcome.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'; script-src 'self'/)
  assert.ok(policy.includes(`connect-src https://127.0.0.1:${httpsPort};`))
  assert.equal((await get('/welcome.css')).headers['content-type'], 'text/css; charset=utf-8')
  assert.equal((await get('/ca.pem')).body, caPem)
  assert.equal((await get('/ca.crt')).headers['content-type'], 'application/x-x509-ca-cert')
  assert.match((await get('/ca.mobileconfig')).body, /com\.apple\.security\.root/)
  const health = JSON.parse((await get('/health')).body) as Record<string, unknown>
  assert.deepEqual(Object.keys(health), ['status', 'timestamp', 'version'])
  const api = await get('/api/v1/people')
  assert.equal(api.status, 426)
  assert.equal((JSON.parse(api.body) as { error: { code: string } }).error.code, 'USE_HTTPS')
  assert.equal((await get('/api/ingest', { method: 'POST' })).status, 426)
  const other = await get('/app/')
  assert.deepEqual([other.status, other.headers.location], [302, '/welcome'])
  assert.equal((await get('/welcome', { headers: { host: 'evil.example' } })).status, 421)
})

test('the welcome page opens the steps of the system that asks for it', async (t) => {
  const { hub } = await setup(t)
  const { httpPort } = await hub.start()
  const opened = async (agent: string) => {
    const { body } = await ask({ port: httpPort, path: '/welcome', headers: { 'user-agent': agent } })
    return /<details open><summary>([^<]+)/.exec(body)?.[1]
  }
  for (const [agent, title] of [
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1',
      'iPhone and iPad',
    ],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36', 'Android'],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'Android'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36', 'Windows'],
    ['Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on a computer'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15', 'Mac'],
    ['Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36', 'Linux, Chrome or Chromium'],
    ['curl/8', undefined],
  ] as const)
    assert.equal(await opened(agent), title, agent)
})

test('only the hub’s own welcome page may read that the hub is trusted', async (t) => {
  const { hub, caPem } = await setup(t, { claimed: false })
  const { httpsPort } = await hub.start()
  const allowed = async (origin?: string) => {
    const headers = origin === undefined ? {} : { origin }
    const answer = await ask({ port: httpsPort, path: '/trusted', ca: caPem, headers })
    assert.deepEqual([answer.status, answer.body], [204, ''])
    return answer.headers['access-control-allow-origin']
  }
  assert.equal(await allowed('http://127.0.0.1:8080'), 'http://127.0.0.1:8080')
  assert.equal(await allowed('http://homefield.local'), 'http://homefield.local')
  for (const foreign of ['https://evil.example', 'null', 'http://homefield.local.evil.example', undefined])
    assert.equal(await allowed(foreign), undefined, foreign)
})

test('the API answers over HTTPS with the household certificate, TLS 1.2 at least', async (t) => {
  const { hub, caPem } = await setup(t)
  const { httpsPort } = await hub.start()
  const answer = await ask({ port: httpsPort, path: '/api/v1/owners', ca: caPem, headers: OWNER })
  assert.equal(answer.status, 200)
  const old = new Promise((resolve, reject) => {
    const socket = connect({
      port: httpsPort,
      host: '127.0.0.1',
      ca: caPem,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
    })
    socket.on('secureConnect', () => reject(new Error('TLS 1.1 was accepted')))
    socket.on('error', resolve)
  })
  assert.ok((await old) instanceof Error)
})

test('what a file cannot answer is the caller’s fault, not the hub’s', async (t) => {
  const { hub, caPem, logged } = await setup(t)
  const { httpsPort } = await hub.start()
  const get = async (path: string, headers = {}) => {
    const { status, body } = await ask({ port: httpsPort, path: `/docs/static/${path}`, ca: caPem, headers })
    return [status, (JSON.parse(body) as { error: { code: string } }).error.code]
  }
  assert.deepEqual(await get('%2e%2e/%2e%2e/package.json'), [404, 'NOT_FOUND'])
  assert.deepEqual(await get('swagger-ui.css', { range: 'bytes=99999999-' }), [400, 'VALIDATION_ERROR'])
  assert.deepEqual(await get('swagger-ui.css', { 'if-match': '"other"' }), [400, 'VALIDATION_ERROR'])
  assert.deepEqual(
    logged.filter((line) => line['level'] === 50),
    [],
  )
})

test('a renewed certificate is served to the next connection', async (t) => {
  const { hub } = await setup(t)
  const { httpsPort } = await hub.start()
  const dir = mkdtempSync(join(tmpdir(), 'homefield-renewed-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const renewed = await ensureTls({
    dir,
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    nowMs: Date.now(),
    buildDateMs: Date.UTC(2026, 0, 1),
    newestInstantMs: null,
  })
  hub.setSecureContext(renewed)
  assert.equal((await ask({ port: httpsPort, path: '/api/v1/open', ca: renewed.caPem })).status, 200)
})

test('the control socket is the owner, for its user only, and does not mind names or limits', async (t) => {
  const { hub, http, dir } = await setup(t, { claimed: false, settings: { rateLimitPerMinute: 1 } })
  await hub.start()
  const socketPath = join(dir, 'hub.sock')
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  for (let i = 0; i < 3; i += 1) {
    const answer = await ask({ socketPath, path: '/api/v1/local/secret', headers: { host: 'anything' } })
    assert.equal(answer.status, 200)
    assert.deepEqual((JSON.parse(answer.body) as { data: unknown }).data, {
      actor: { kind: 'local', role: 'owner' },
    })
  }
  assert.equal((await http.inject({ url: '/api/v1/local/secret' })).statusCode, 403, 'not claimed')
})

test('on the network there is no such thing as a local route, not even for the owner', async (t) => {
  const { http } = await setup(t)
  assert.equal((await http.inject({ url: '/api/v1/local/secret', headers: OWNER })).statusCode, 404)
})

test('a socket left behind by a killed hub is replaced, any other file is not', async (t) => {
  const { hub, dir } = await setup(t)
  const path = join(dir, 'hub.sock')
  const dead = createServer()
  await new Promise<void>((resolve) => void dead.listen(path, resolve))
  t.after(() => dead.close())
  await hub.start()
  assert.equal((await ask({ socketPath: path, path: '/api/v1/owners' })).status, 200)
  const other = await setup(t)
  writeFileSync(join(other.dir, 'hub.sock'), 'mine')
  await assert.rejects(other.hub.start(), /is no socket/)
})

test('stopping lets what runs finish and refuses what comes', async (t) => {
  let release: () => void = () => {}
  let entered: () => void = () => {}
  const running = new Promise<void>((resolve) => {
    entered = resolve
  })
  const features = [
    answering('slow', (http) => {
      http.get('/slow', { config: { policy: { access: 'open' } } }, async () => {
        entered()
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return { done: true }
      })
    }),
  ]
  const { hub, http, caPem } = await setup(t, { features })
  const { httpsPort } = await hub.start()
  const slow = ask({ port: httpsPort, path: '/api/v1/slow', ca: caPem })
  await running
  const stopped = hub.stop(10_000)
  const late = await http.inject('/api/v1/slow')
  assert.equal(late.statusCode, 503)
  assert.equal(late.json<{ error: { code: string } }>().error.code, 'SHUTTING_DOWN')
  assert.ok(late.headers['retry-after'])
  release()
  assert.equal((await slow).status, 200)
  await stopped
})

test('stopping cuts what does not finish in time', async (t) => {
  let entered: () => void = () => {}
  const running = new Promise<void>((resolve) => {
    entered = resolve
  })
  const features = [
    answering('stuck', (http) => {
      http.get('/stuck', { config: { policy: { access: 'open' } } }, async () => {
        entered()
        await new Promise(() => {})
      })
    }),
  ]
  const { hub, clock, caPem } = await setup(t, { features })
  const { httpsPort } = await hub.start()
  const stuck = ask({ port: httpsPort, path: '/api/v1/stuck', ca: caPem })
  await running
  const stopped = hub.stop(5000)
  clock.advance(5000)
  await assert.rejects(stuck)
  await stopped
})

test('MQTT over WebSocket reaches the broker as a byte stream, with its sub-protocol', async (t) => {
  let heard: (bytes: Buffer) => void = () => {}
  const first = new Promise<Buffer>((resolve) => {
    heard = resolve
  })
  const { hub, caPem } = await setup(t, {
    deps: {
      mqttStream(stream) {
        stream.on('data', (bytes: Buffer) => heard(bytes))
        return () => true
      },
    },
  })
  const { httpsPort } = await hub.start()
  const url = `wss://127.0.0.1:${httpsPort}/mqtt`
  const socket = new WebSocket(url, 'mqtt', { ca: caPem })
  socket.on('open', () => socket.send(Buffer.from([0x10, 0x00])))
  assert.deepEqual(await first, Buffer.from([0x10, 0x00]))
  socket.terminate()
  const foreign = new WebSocket(url, 'mqtt', { ca: caPem, origin: 'https://evil.example' })
  const refused = await new Promise<Error>((resolve) => void foreign.on('error', resolve))
  assert.match(refused.message, /403/)
})

test('who has not shown a key cannot make the hub collect a large frame', async (t) => {
  let isAdmitted = false
  let taken = 0
  let enough: () => void = () => {}
  const { hub, caPem } = await setup(t, {
    deps: {
      mqttStream(stream) {
        stream.on('data', (bytes: Buffer) => {
          taken += bytes.length
          if (taken === 1_000_000) enough()
        })
        return () => isAdmitted
      },
    },
  })
  const { httpsPort } = await hub.start()
  const url = `wss://127.0.0.1:${httpsPort}/mqtt`
  const stranger = new WebSocket(url, 'mqtt', { ca: caPem })
  stranger.on('error', () => {})
  const gone = new Promise<number>((resolve) => void stranger.on('close', (code) => resolve(code)))
  // The frame never ends, so the broker would never hear of it.
  stranger.on('open', () => stranger.send(Buffer.alloc(32_000), { fin: false, binary: true }))
  assert.equal(await gone, 1006)
  assert.equal(taken, 0)
  isAdmitted = true
  const device = new WebSocket(url, 'mqtt', { ca: caPem })
  const whole = new Promise<void>((resolve) => {
    enough = resolve
  })
  device.on('open', () => device.send(Buffer.alloc(1_000_000)))
  await whole
  device.terminate()
})

test('the app is served with its deep links, its files for ever and its page anew', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-app-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>app</title>')
  writeFileSync(join(folder, 'sw.js'), 'self')
  writeFileSync(join(folder, 'assets', 'main-A1B2C3D4.js'), 'plain')
  writeFileSync(join(folder, 'assets', 'main-A1B2C3D4.js.br'), 'packed')
  const { http } = await setup(t, { claimed: false, deps: { appFolder: folder } })
  const root = await http.inject('/')
  assert.deepEqual([root.statusCode, root.headers.location], [302, '/app/'])
  for (const url of ['/app/', '/app/people/mia', '/app/devices?x=1']) {
    const page = await http.inject(url)
    assert.deepEqual([page.statusCode, page.headers['cache-control']], [200, 'no-cache'], url)
    assert.match(page.body, /<title>app/)
  }
  const script = await http.inject('/app/assets/main-A1B2C3D4.js')
  assert.deepEqual(
    [script.body, script.headers['cache-control']],
    ['plain', 'public, max-age=31536000, immutable'],
  )
  const packed = await http.inject({
    url: '/app/assets/main-A1B2C3D4.js',
    headers: { 'accept-encoding': 'br' },
  })
  assert.deepEqual([packed.body, packed.headers['content-encoding']], ['packed', 'br'])
  const worker = await http.inject('/app/sw.js')
  assert.deepEqual(
    [worker.headers['service-worker-allowed'], worker.headers['cache-control']],
    ['/app/', 'no-cache'],
  )
  for (const url of [
    '/app/missing.js',
    '/app/../package.json',
    '/app/%2e%2e/%2e%2e/etc/passwd.txt',
    '/app/..%2fx.js',
  ]) {
    assert.notEqual((await http.inject(url)).statusCode, 200, url)
  }
})

test('a hub without a built app says what to do', async (t) => {
  const { http } = await setup(t)
  const page = await http.inject('/app/')
  assert.equal(page.statusCode, 503)
  assert.match(page.body, /npm run build/)
})
