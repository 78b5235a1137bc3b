/** What goes wrong with a live session of a whole hub: a clear word each, and the session goes on as if nothing had been. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import turbo from '@julusian/jpeg-turbo'
import { household, type Json } from './contract/client.ts'

const hub = await household()
const { owner } = hub
const SIZE = { width: 320, height: 240 }
const jpeg = turbo.compressSync(Buffer.alloc(SIZE.width * SIZE.height * 3, 90), {
  ...{ ...SIZE, format: turbo.FORMAT_RGB, quality: 80 },
})
const POINTS = [
  { pixel: { x: 10, y: 230 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 310, y: 230 }, metres: { x: 20, y: 0 } },
  { pixel: { x: 260, y: 80 }, metres: { x: 20, y: 20 } },
  { pixel: { x: 60, y: 80 }, metres: { x: 0, y: 20 } },
]

const send = (query: string): Promise<Json> =>
  hub.ask('POST', `/api/v1/live/frame?${query}`, {
    token: owner,
    bytes: jpeg,
    headers: { 'content-type': 'image/jpeg' },
  })
const refusalOf = (answer: Json) => [answer.status, answer.json.error.code]
const frame = (session: string, camera: string, atMs: number) =>
  send(`session_id=${session}&camera_id=${camera}&captured_at=${atMs}`)

test('a wrong session, a wrong camera, late pictures and points on a line are named, and harm nothing', async () => {
  for (const id of ['yard', 'side'])
    await hub.post('/cameras', owner, { id, name: id, kind: 'push', person_ids: ['child_1'], analyse: true })
  const calibrate = (points: object[]) =>
    hub.ask('PUT', '/api/v1/cameras/yard/calibration', { token: owner, body: { points, ...SIZE } })
  assert.equal((await calibrate(POINTS)).status, 200)
  const line = POINTS.map(({ pixel, metres }, at) =>
    at === 2 ? { pixel: { x: 160, y: 230 }, metres: { x: 10, y: 0 } } : { pixel, metres },
  )
  const refused = await calibrate(line)
  assert.deepEqual(refusalOf(refused), [422, 'UNCALIBRATED'])
  assert.match(refused.json.error.message, /on one line: 1, 2, 3/)

  await hub.post('/live/start', owner, { session_id: 'game', camera_ids: ['yard'], player_ids: ['child_1'] })
  const nowMs = Date.now()
  assert.equal((await frame('game', 'yard', nowMs)).json.data.accepted, true)
  const unknown = await frame('yesterday', 'yard', nowMs + 100)
  assert.deepEqual(refusalOf(unknown), [404, 'NOT_FOUND'])
  assert.match(unknown.json.error.message, /No session with this id is running/)
  const other = await frame('game', 'side', nowMs + 100)
  assert.deepEqual(refusalOf(other), [409, 'CONFLICT'])
  assert.match(other.json.error.message, /not part of that session/)
  assert.deepEqual(refusalOf(await send('session_id=game&camera_id=yard&captured_at=noon')), [
    400,
    'VALIDATION_ERROR',
  ])
  const late = await frame('game', 'yard', nowMs - 500)
  assert.deepEqual([late.status, late.json.data.accepted], [202, false])

  assert.equal((await frame('game', 'yard', nowMs + 200)).json.data.accepted, true)
  const { state, metrics } = await hub.get('/live/game/status', owner)
  const [yard] = metrics.cameras
  assert.deepEqual(
    [state, yard.calibrated, yard.moved, yard.frames_out_of_order],
    ['running', true, false, 1],
  )
  assert.equal((await hub.get('/cameras/yard/calibration', owner)).points.length, 4)
  const stop = { token: owner, body: { session_id: 'yesterday' } }
  assert.deepEqual(refusalOf(await hub.ask('POST', '/api/v1/live/stop', stop)), [404, 'NOT_FOUND'])
  await hub.post('/live/stop', owner, { session_id: 'game' }, 200)
})
