import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReach } from '../../../daemon/features/cameras/reach.ts'

const NAMES: Record<string, string[]> = {
  'camera.lan': ['192.168.1.9'],
  'camera.example': ['203.0.113.9'],
  'metadata.example': ['169.254.169.254'],
  'both.example': ['203.0.113.9', '10.0.0.9'],
  localhost: ['127.0.0.1'],
}

function setup({ allowPublic = false } = {}) {
  const reach = createReach({
    lookup: async (host) => {
      const found = NAMES[host]
      if (!found) throw new Error('ENOTFOUND')
      return found
    },
    own: () => ({ addresses: ['192.168.1.2', 'fd00::2'], ports: [8443, 1883] }),
    allowPublic,
  })
  return (url: string) => reach.admit(url).catch((cause: { code: string }) => cause.code)
}

test('cameras of the house are reached by the address that was checked', async () => {
  const admit = setup()
  assert.equal(await admit('rtsp://camera.lan/main'), '192.168.1.9')
  assert.equal(await admit('http://both.example/'), '10.0.0.9')
  assert.equal(await admit('http://127.0.0.1:8081/stream'), '127.0.0.1')
  assert.equal(await admit('rtsp://[fd00::9]:554/'), 'fd00::9')
})

test('the hub itself, metadata services and the wide world are not', async () => {
  const admit = setup()
  const refused = [
    'https://localhost:8443/api/v1/people',
    'https://192.168.1.2:8443/',
    'http://[::1]:1883/',
    'http://[::ffff:127.0.0.1]:8443/',
    'http://[::ffff:a9fe:a9fe]/latest/meta-data',
    'http://169.254.169.254/latest/meta-data',
    'http://metadata.example/',
    'http://[fe80::1]/',
    'http://0.0.0.0:8443/',
    'http://2130706433:8443/',
    'http://239.1.1.1/',
    'http://camera.example/',
    'rtsp://8.8.8.8/',
  ]
  for (const url of refused) assert.equal(await admit(url), 'FORBIDDEN', url)
  assert.equal(await admit('rtsp://nowhere.lan/'), 'NOT_FOUND')
})

test('the owner can open the wide world, and nothing else with it', async () => {
  const admit = setup({ allowPublic: true })
  assert.equal(await admit('http://camera.example/'), '203.0.113.9')
  assert.equal(await admit('http://169.254.169.254/'), 'FORBIDDEN')
  assert.equal(await admit('https://192.168.1.2:8443/'), 'FORBIDDEN')
})
