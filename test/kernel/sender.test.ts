import assert from 'node:assert/strict'
import test from 'node:test'
import { senderOf } from '../../daemon/kernel/sender.ts'

test('a program on the control socket, which has no address, counts as this machine', () => {
  assert.equal(senderOf(undefined), senderOf('127.0.0.1'))
})

test('every address of one IPv6 host is one sender, and other hosts are others', () => {
  assert.equal(senderOf('2001:db8:1:2::7'), senderOf('2001:db8:1:2:ffff::1'))
  assert.notEqual(senderOf('2001:db8:1:2::7'), senderOf('2001:db8:1:3::7'))
  assert.notEqual(senderOf('192.0.2.1'), senderOf('192.0.2.2'))
})
