import assert from 'node:assert/strict'
import test from 'node:test'
import { createAuthorization, parseChallenges } from '../../daemon/media/digest.ts'

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' }
/** RFC 7616 section 3.9.1. */
const RFC_7616 = {
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  rest: 'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
}

function responseTo(challenge: string, credentials = MUFASA, method = 'GET', uri = '/dir/index.html') {
  const authorization = createAuthorization(credentials, () => RFC_7616.cnonce)
  assert.ok(authorization)
  assert.equal(authorization.challenged([challenge], null), true)
  return authorization.header(method, uri) ?? ''
}

test('the examples of RFC 7616 come out, with MD5 and with SHA-256', () => {
  assert.match(
    responseTo(`Digest ${RFC_7616.rest}, algorithm=MD5`),
    /response="8ca523f5e9506fed4657c9700eebdbec"/,
  )
  assert.match(
    responseTo(`Digest ${RFC_7616.rest}, algorithm=SHA-256`),
    /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/,
  )
})

test('a camera that knows no qop gets the old form', () => {
  const header = responseTo(
    'Digest realm="IP Camera(C1234)", nonce="a1b2c3d4e5f60718293a4b5c6d7e8f90", stale="FALSE"',
    { username: 'admin', password: 'p4ss' },
    'DESCRIBE',
    'rtsp://192.0.2.10:554/Streaming/Channels/102',
  )
  assert.match(header, /response="98cec3b080dd977694d256ce2156e0ca"/)
  assert.doesNotMatch(header, /qop|cnonce/)
})

test('the strongest of several challenges is answered, in one header or in several', () => {
  const both = 'Basic realm="cam", Digest realm="cam", nonce="n1", algorithm=MD5'
  assert.match(responseTo(both), /^Digest .*nonce="n1"/)
  assert.match(responseTo(`${both}, Digest realm="cam", nonce="n2", algorithm=SHA-256`), /nonce="n2"/)
  assert.match(responseTo('Basic realm="cam"'), /^Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl$/)
})

test('an aged nonce is answered anew, a refusal is not', () => {
  const authorization = createAuthorization(MUFASA, () => '00')
  assert.ok(authorization)
  assert.equal(authorization.header('PLAY', '/a'), null)
  assert.equal(authorization.challenged(['Digest realm="r", nonce="1"'], null), true)
  const first = authorization.header('PLAY', '/a')
  assert.equal(authorization.challenged(['Digest realm="r", nonce="2"'], first), false, 'wrong password')
  assert.equal(authorization.challenged(['Digest realm="r", nonce="3", stale=true'], first), true)
  const second = authorization.header('PLAY', '/a')
  authorization.accepted(second)
  assert.equal(
    authorization.challenged(['Digest realm="r", nonce="4"'], second),
    true,
    'a nonce that had worked',
  )
})

test('repeated requests under one nonce count up', () => {
  const authorization = createAuthorization(MUFASA, () => '00')
  authorization?.challenged(['Digest realm="r", nonce="1", qop="auth"'], null)
  assert.match(authorization?.header('A', '/') ?? '', /nc=00000001/)
  assert.match(authorization?.header('A', '/') ?? '', /nc=00000002/)
})

test('what cannot be answered is not: unknown hashes, auth-int alone, other schemes, control characters', () => {
  const authorization = createAuthorization(MUFASA, () => '00')
  for (const value of [
    'Digest realm="r", nonce="1", algorithm=SHA-512-256',
    'Digest realm="r", nonce="1", qop="auth-int"',
    'Negotiate',
    'Digest realm="r"',
    'Digest realm="a\u0001b", nonce="1"',
    '',
  ]) {
    assert.equal(authorization?.challenged([value], null), false, value)
  }
  assert.equal(
    createAuthorization({ username: 'a\r\nX: y', password: 'b' }, () => '00'),
    null,
  )
})

test('quotes and commas inside a realm are part of it', () => {
  const [challenge] = parseChallenges('Digest realm="Pitch \\"A\\", north", nonce="n", stale=TRUE')
  assert.equal(challenge?.realm, 'Pitch "A", north')
  assert.equal(challenge?.stale, true)
})
