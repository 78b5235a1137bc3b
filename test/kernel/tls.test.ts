import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { leafCertificate } from '../../daemon/kernel/certificate.ts'
import { ensureTls, type TlsRequest } from '../../daemon/kernel/tls.ts'
import { fingerprintWords, WORDS } from '../../daemon/kernel/words.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 20, 9)
const HOME = {
  names: ['homefield.local', 'localhost'],
  addresses: ['127.0.0.1', '192.168.1.20', 'fe80::1%eth0'],
}

function setup(t: TestContext) {
  const dir = join(mkdtempSync(join(tmpdir(), 'hf-tls-')), 'tls')
  t.after(() => rmSync(join(dir, '..'), { recursive: true, force: true }))
  const make = (changes: Partial<TlsRequest> = {}) =>
    ensureTls({ dir, ...HOME, nowMs: NOW, buildDateMs: NOW - 10 * DAY, newestInstantMs: null, ...changes })
  return { dir, make }
}

function opensslVerify(dir: string, pem: string, ...more: string[]) {
  const path = join(dir, 'asked.pem')
  writeFileSync(path, pem)
  const time = String(NOW / 1000)
  const run = spawnSync('openssl', [
    'verify',
    '-attime',
    time,
    '-x509_strict',
    '-CAfile',
    join(dir, 'ca.pem'),
    ...more,
    path,
  ])
  return { ok: run.status === 0, said: `${run.stdout}${run.stderr}` }
}

/** What somebody who stole the CA key could sign. */
function foreignLeaf(dir: string, names: string[], addresses: string[] = []) {
  const ca = new X509Certificate(readFileSync(join(dir, 'ca.pem')))
  return leafCertificate({
    caKey: createPrivateKey(readFileSync(join(dir, 'ca-key.pem'))),
    caName: ca.subject.replace('CN=', ''),
    commonName: 'bank',
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    names,
    addresses,
    validity: { notBeforeMs: NOW - DAY, notAfterMs: NOW + DAY },
  })
}

test('openssl accepts the hub certificate for its names and addresses as a TLS server', async (t) => {
  const { dir, make } = setup(t)
  const tls = await make()
  const leaf = tls.certPem.slice(0, tls.certPem.indexOf('-----END') + 26)
  for (const who of [
    ['-verify_hostname', 'homefield.local'],
    ['-verify_ip', '192.168.1.20'],
    ['-verify_ip', 'fe80::1'],
  ]) {
    const { ok, said } = opensslVerify(dir, leaf, '-purpose', 'sslserver', ...who)
    assert.ok(ok, said)
  }
  assert.equal(opensslVerify(dir, leaf, '-verify_hostname', 'other.local').ok, false)
})

test('openssl rejects what the CA signs for anything outside the home', async (t) => {
  const { dir, make } = setup(t)
  await make()
  for (const [names, addresses] of [
    [['bank.example'], []],
    [['homefield.local', 'bank.example'], []],
    [['notlocal'], []],
    [[], ['8.8.8.8']],
    [[], ['172.32.0.1']],
    [[], ['2001:db8::1']],
  ] as const) {
    const { ok, said } = opensslVerify(dir, await foreignLeaf(dir, [...names], [...addresses]))
    assert.equal(ok, false, `${names} ${addresses}`)
    assert.match(said, /permitted subtree violation/)
  }
  for (const address of ['10.9.8.7', '172.31.0.1', '169.254.3.4', '127.9.9.9', 'fd00::1', '::1']) {
    const { ok, said } = opensslVerify(dir, await foreignLeaf(dir, ['a.home.arpa'], [address]))
    assert.ok(ok, `${address}: ${said}`)
  }
})

test('the CA has critical name constraints, pathlen 0 and a key of its own on every install', async (t) => {
  const { dir, make } = setup(t)
  const tls = await make()
  const text = execFileSync('openssl', ['x509', '-in', join(dir, 'ca.pem'), '-noout', '-text'], {
    encoding: 'utf8',
  })
  assert.match(text, /Name Constraints: critical/)
  assert.match(text, /CA:TRUE, pathlen:0/)
  assert.match(text, /ASN1 OID: prime256v1/)
  const other = await setup(t).make()
  assert.notEqual(tls.caSha256, other.caSha256)
  assert.equal(tls.caSha256, createHash('sha256').update(new X509Certificate(tls.caPem).raw).digest('hex'))
  assert.match(tls.spkiSha256, /^[A-Za-z0-9_-]{43}$/)
})

test('a client that trusts the CA connects by name and sees the CA in the chain', async (t) => {
  const { make } = setup(t)
  const nowMs = Date.now()
  const tls = await make({ nowMs, buildDateMs: nowMs })
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, (socket) => socket.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const pinned = await new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'homefield.local', ca: tls.caPem }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate(true).issuerCertificate.raw).fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
  assert.equal(pinned.replaceAll(':', '').toLowerCase(), tls.caSha256)
})

test('names and addresses outside the home are left out and reported', async (t) => {
  const { make } = setup(t)
  const tls = await make({
    names: ['HomeField.local.', 'raspberrypi', 'hub.example.com', 'bad name.local'],
    addresses: ['192.168.1.20', '8.8.8.8', '2001:db8::5', 'nonsense'],
  })
  assert.deepEqual(tls.leftOut, [
    'raspberrypi',
    'hub.example.com',
    'bad name.local',
    '8.8.8.8',
    '2001:db8::5',
    'nonsense',
  ])
  assert.equal(
    new X509Certificate(tls.certPem).subjectAltName,
    'DNS:homefield.local, IP Address:192.168.1.20',
  )
})

test('the certificate stays until a name, an address or the calendar asks for another', async (t) => {
  const { make } = setup(t)
  const first = await make()
  assert.equal(first.renewed, true)
  const same = await make({ names: [...HOME.names].reverse(), addresses: [...HOME.addresses].reverse() })
  assert.deepEqual([same.renewed, same.certPem], [false, first.certPem])
  const moved = await make({ addresses: ['127.0.0.1', '192.168.1.21'] })
  assert.deepEqual([moved.renewed, moved.caPem], [true, first.caPem])
  const later = (days: number) =>
    make({ addresses: ['127.0.0.1', '192.168.1.21'], nowMs: moved.notAfterMs - days * DAY })
  assert.equal((await later(31)).renewed, false)
  const renewed = await later(29)
  assert.equal(renewed.renewed, true)
  assert.ok(renewed.notAfterMs > moved.notAfterMs)
})

test('validity starts a day before what the hub knows for sure, and never in 1970', async (t) => {
  const built = NOW - 10 * DAY
  const unset = new X509Certificate((await setup(t).make({ nowMs: 5_000 })).certPem)
  assert.equal(Date.parse(unset.validFrom), built - DAY)
  const stored = new X509Certificate((await setup(t).make({ nowMs: 5_000, newestInstantMs: NOW })).certPem)
  assert.equal(Date.parse(stored.validFrom), NOW - DAY)
  assert.ok(Date.parse(stored.validTo) - Date.parse(stored.validFrom) <= 397 * DAY)
  const old = await setup(t).make({ buildDateMs: NOW - 500 * DAY })
  assert.ok(old.notAfterMs > NOW + 300 * DAY, 'an old build still gets a certificate that is valid today')
})

test('private keys are readable by the hub alone, in a folder of its own', async (t) => {
  const { dir, make } = setup(t)
  await make()
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  for (const name of ['ca-key.pem', 'hub-key.pem'])
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600)
})

test('a lost CA key stops the hub instead of locking every phone out, a torn leaf is made again', async (t) => {
  const { dir, make } = setup(t)
  const first = await make()
  writeFileSync(join(dir, 'hub.pem'), 'torn')
  assert.equal((await make()).renewed, true)
  rmSync(join(dir, 'ca-key.pem'))
  await assert.rejects(make(), /ca-key\.pem is missing/)
  assert.equal(readFileSync(join(dir, 'ca.pem'), 'utf8'), first.caPem)
})

test('a fingerprint reads as distinct words', () => {
  assert.equal(WORDS.length, 256)
  assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 256)
  assert.deepEqual(fingerprintWords('00ff01', 2), [WORDS[0], WORDS[255]])
})
