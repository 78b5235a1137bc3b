/** An uploader and a follower against a running hub, with nothing but the key that the owner gave them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { household } from './client.ts'

const hub = await household()

test('an integration’s key is all that an uploader and a follower need', async () => {
  const added = await hub.ask('POST', '/api/v1/devices', {
    token: hub.owner,
    body: { type: 'integration', name: 'xDrip+', person_id: 'child_1' },
  })
  const key: string = added.json.data.api_key
  const headers = { 'api-secret': createHash('sha1').update(key).digest('hex') }
  const date = Date.now() - 60_000
  const body = [{ type: 'sgv', sgv: 117, date, direction: 'Flat', device: 'xDrip-DexcomG6' }]
  const stored = await hub.ask('POST', '/api/v1/entries', { headers, body })
  assert.deepEqual([stored.status, stored.json[0].sgv], [200, 117])
  const face = await hub.ask('GET', '/pebble', { headers })
  assert.equal(face.json.bgs[0].sgv, '117')
  const readings = await hub.get('/glucose/readings?person_id=child_1', hub.owner)
  assert.equal(readings[0].value, 117)
  const asked = await hub.ask('GET', `/api/v2/authorization/request/${key}`)
  const bearer = { authorization: `Bearer ${asked.json.token}` }
  assert.equal((await hub.ask('GET', '/api/v3/entries', { headers: bearer })).json.result[0].sgv, 117)
  assert.equal((await hub.ask('GET', `/api/v1/entries.json?token=${key}x`)).status, 401)
})
