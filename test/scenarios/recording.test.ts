/** A live session of a whole hub that is recorded from a camera which sends its pictures. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import turbo from '@julusian/jpeg-turbo'
import { addDevice, household, type Json } from './contract/client.ts'

const hub = await household()
const { owner } = hub
const SIZE = { width: 320, height: 240 }

function picture(brightness: number): Buffer {
  const rgb = Buffer.alloc(SIZE.width * SIZE.height * 3, brightness)
  return turbo.compressSync(rgb, { ...SIZE, format: turbo.FORMAT_RGB, quality: 80 })
}

test('the video of a session is kept with it, and its mark is shown while it is made', async () => {
  const { id, key } = await addDevice(hub, owner, { id: 'esp-1', type: 'camera', name: 'ESP32' })
  const client = await hub.mqtt(id, key)
  await hub.post('/cameras', owner, { id: 'yard', name: 'Yard', device_id: id, person_ids: ['child_1'] })
  const wish = { session_id: 'game', camera_ids: ['yard'], player_ids: ['child_1'], record: true }
  const refused = await hub.ask('POST', '/api/v1/live/start', { token: owner, body: wish })
  assert.deepEqual([refused.status, refused.json.error.code], [403, 'FORBIDDEN'])
  await hub.post('/live/start', owner, { ...wish, record_minors: true })
  let sent = 0
  const send = () => client.publishAsync('hf/esp-1/frame', picture(sent++ % 200), { qos: 1 })
  const untilMs = Date.now() + 15_000
  for (;;) {
    await send()
    const { metrics }: Json = await hub.get('/live/game/status', owner)
    if (metrics.recording && sent > 20) break
    assert.ok(Date.now() < untilMs, JSON.stringify(metrics.cameras))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await hub.ask('POST', '/api/v1/live/stop', { token: owner, body: { session_id: 'game' } })
  const [file]: Json[] = await hub.get('/sessions/game/attachments', owner)
  assert.deepEqual([file.camera_id, file.media_type], ['yard', 'video/x-matroska'])
  const shown = await hub.ask('GET', `/api/v1/sessions/game/attachments/${file.id}`, { token: owner })
  assert.deepEqual([shown.bytes.length, shown.bytes.readUInt32BE(0)], [file.bytes, 0x1a45dfa3])
})
