import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareHost, hostIsOurs, isCrossSite, isLoopback, type Provenance } from '../../daemon/http/origin.ts'

const OWN = new Set(['homefield.local', '192.168.1.20', 'fd00::20', 'hub.example.org'])

const HOSTS: [host: string | undefined, local: string | undefined, ours: boolean, why: string][] = [
  ['homefield.local', undefined, true, 'own name'],
  ['homefield.local:8443', undefined, true, 'own name with port'],
  ['HomeField.LOCAL:8443', undefined, true, 'case does not matter'],
  ['homefield.local.', undefined, true, 'trailing dot is the same name'],
  ['homefield.local.:8443', undefined, true, 'trailing dot before a port'],
  ['hub.example.org', undefined, true, 'configured name'],
  ['localhost:8443', undefined, true, 'localhost'],
  ['127.0.0.1', undefined, true, 'loopback'],
  ['[::1]:8443', undefined, true, 'IPv6 loopback with port'],
  ['192.168.1.20:8443', undefined, true, 'own address'],
  ['[fd00::20]', undefined, true, 'own IPv6 address'],
  ['[FD00::20]:8443', undefined, true, 'own IPv6 address, upper case'],
  ['10.0.0.7', '10.0.0.7', true, 'the address the connection arrived at'],
  ['10.0.0.7', '::ffff:10.0.0.7', true, 'the same behind an IPv4-mapped socket'],
  ['10.0.0.7', '10.0.0.8', false, 'an address that is not ours'],
  ['8.8.8.8', undefined, false, 'a foreign address'],
  ['evil.example', undefined, false, 'a rebound foreign name'],
  ['homefield.local.evil.example', undefined, false, 'own name as a prefix'],
  ['evil-homefield.local', undefined, false, 'own name as a suffix'],
  ['homefield.local:8443:1', undefined, false, 'two ports'],
  ['homefield.local@evil.example', undefined, false, 'user part'],
  ['[::1', undefined, false, 'broken brackets'],
  ['', undefined, false, 'empty'],
  [undefined, undefined, false, 'absent'],
]

for (const [host, local, ours, why] of HOSTS) {
  test(`the hub ${ours ? 'answers to' : 'refuses'} the Host ${JSON.stringify(host)}: ${why}`, () => {
    assert.equal(hostIsOurs(host, OWN, local), ours)
  })
}

const HERE = 'https://homefield.local:8443'
const POST: Provenance = {
  method: 'POST',
  upgrade: false,
  host: 'homefield.local:8443',
  origin: undefined,
  secFetchSite: undefined,
  localAddress: undefined,
}
const WS: Provenance = { ...POST, method: 'GET', upgrade: true }

const ORIGINS: [from: Provenance, cross: boolean, why: string][] = [
  [POST, false, 'a program sends neither Origin nor Sec-Fetch-Site'],
  [{ ...POST, origin: HERE }, false, "the hub's own page"],
  [{ ...POST, origin: 'https://HOMEFIELD.local.:8443' }, false, 'case and trailing dot are the same origin'],
  [{ ...POST, origin: 'https://evil.example' }, true, 'a foreign page'],
  [{ ...POST, origin: 'http://homefield.local:8443' }, true, 'the plain page of the same host'],
  [{ ...POST, origin: 'https://homefield.local:9443' }, true, 'another service on the same host'],
  [{ ...POST, origin: 'https://homefield.local' }, true, 'another port by default'],
  [{ ...POST, host: 'homefield.local', origin: 'https://homefield.local:443' }, false, '443 said and unsaid'],
  [{ ...POST, origin: 'null' }, true, 'a sandboxed page or a file'],
  [{ ...POST, secFetchSite: 'cross-site' }, true, 'a foreign page whose Origin was stripped'],
  [{ ...POST, secFetchSite: 'same-site' }, true, 'a sibling of the same site'],
  [{ ...POST, secFetchSite: 'same-origin' }, false, 'our own page'],
  [{ ...POST, secFetchSite: 'none' }, false, 'typed by a person'],
  [
    { ...POST, method: 'GET', origin: 'https://evil.example' },
    false,
    'reading changes nothing and cannot be read',
  ],
  [{ ...POST, method: 'DELETE', origin: 'https://evil.example' }, true, 'deleting from a foreign page'],
  [{ ...WS, origin: 'https://evil.example' }, true, 'a socket from a foreign page'],
  [{ ...WS, origin: HERE }, false, 'a socket from our own page'],
  [{ ...POST, origin: 'https://dash.example' }, false, 'an origin that the owner allowed'],
]

for (const [from, cross, why] of ORIGINS) {
  test(`a request is ${cross ? '' : 'not '}cross-site: ${why}`, () => {
    assert.equal(isCrossSite(from, ['https://dash.example']), cross)
  })
}

test('a host is one bare name without port, brackets or dot', () => {
  assert.equal(bareHost('[::ffff:192.168.1.20]:80'), '192.168.1.20')
  assert.equal(bareHost('a b'), null)
  assert.equal(bareHost('a/b'), null)
})

test('loopback is known in every spelling', () => {
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(address), address)
  for (const address of ['128.0.0.1', '192.168.1.1', 'fe80::1']) assert.ok(!isLoopback(address), address)
})
