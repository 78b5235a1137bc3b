import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash, verify } from '@node-rs/argon2'
import { createPasswords, PARAMETERS } from '../../../daemon/features/accounts/passwords.ts'
import { OWNER, openHousehold, temporaryFolder } from '../../fakes/household.ts'

function counting() {
  const verified: string[] = []
  const passwords = createPasswords({
    hash,
    verify: (phc, password) => {
      verified.push(phc)
      return verify(phc, password)
    },
  })
  return { passwords, verified }
}

test('passwords are kept as argon2id with 19 MiB, 2 passes and 1 lane', async () => {
  const { passwords } = counting()
  const phc = await passwords.hash(OWNER.password)
  assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(await passwords.verify(phc, OWNER.password), true)
  assert.equal(await passwords.verify(phc, 'four walls and a gardem'), false)
})

test('an unknown user costs the same work as a wrong password', async () => {
  const { passwords, verified } = counting()
  assert.equal(await passwords.verify(null, OWNER.password), false)
  assert.equal(verified.length, 1)
  assert.match(verified[0]!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
})

test('a hash with older parameters is renewed at the next right password', async (t) => {
  const folder = temporaryFolder(t)
  const home = await openHousehold(t, { folder, passwords: createPasswords() })
  await home.accounts.claimLocally(OWNER)
  const weak = await hash(OWNER.password, { ...PARAMETERS, memoryCost: 8192 })
  await home.store.write([{ sql: 'UPDATE user SET password_hash = :weak', params: { weak } }])
  home.accounts.reload()
  assert.equal((await home.call('POST', '/auth/login', { body: OWNER })).status, 200)
  const [row] = home.store.all<{ password_hash: string }>('SELECT password_hash FROM user')
  assert.match(row!.password_hash, /m=19456,t=2,p=1/)
  assert.equal((await home.call('POST', '/auth/login', { body: OWNER })).status, 200)
})

test('short, common, repetitive and self-named passwords are refused', () => {
  const { passwords } = counting()
  const refused = [
    'elevenchars',
    'Password-1234',
    'qwertyuiop123',
    'aaaaaaaaaaaa',
    'abababababab',
    'anna anna 2019',
    'x'.repeat(201),
  ]
  for (const password of refused) {
    assert.throws(() => passwords.check(password, 'Anna'), { code: 'VALIDATION_ERROR' }, password)
  }
  for (const password of ['four walls and a garden', 'Tr0mbone&Kettle', 'пароль на четыре слова']) {
    passwords.check(password, 'Anna')
  }
})

test('more checks at once than the box can take are turned away, not queued', async () => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const passwords = createPasswords({ hash, verify: () => gate.then(() => true) })
  const running = Array.from({ length: 8 }, () => passwords.verify('$argon2id$', 'x'))
  await assert.rejects(passwords.verify('$argon2id$', 'x'), { code: 'OVERLOADED' })
  release()
  assert.deepEqual(new Set(await Promise.all(running)), new Set([true]))
  assert.equal(await passwords.verify('$argon2id$', 'x'), true)
})
