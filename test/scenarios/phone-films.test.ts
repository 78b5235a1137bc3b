/** A player's phone as the camera of a whole hub: only while the coach wants it, and with metres only once it is calibrated. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fitHomography, pixelAt } from '../../models/vision/calibrate/homography.ts'
import { household, type Json, letIn } from './contract/client.ts'

const hub = await household()
const { owner } = hub
const SIZE = { width: 640, height: 360 }
/** A lawn of 20 × 20 m. */
const POINTS = [
  { pixel: { x: 30, y: 345 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 615, y: 340 }, metres: { x: 20, y: 0 } },
  { pixel: { x: 505, y: 120 }, metres: { x: 20, y: 20 } },
  { pixel: { x: 140, y: 122 }, metres: { x: 0, y: 20 } },
]
const STEP_MS = 100
const MPS = 2
const MODELS = { detector: { name: 'detector', version: '1' }, pose: { name: 'lite', version: '1' } }
const fit = fitHomography(POINTS)

/** Thirty-three landmarks of somebody upright whose soles are at this place of the lawn. */
function body(x: number): number[][] {
  const foot = fit.ok ? pixelAt(fit.homography, { x, y: 4 }) : null
  assert.ok(foot)
  return Array.from({ length: 33 }, (_, at) => [foot.x - 6 + (at % 2) * 12, foot.y - 79 + at * 2.4, 0, 0.9])
}

async function phoneOf(token: string) {
  const socket = hub.socket(['homefield.v1', `bearer.${token}`])
  await socket.next((message) => message.type === 'connected')
  return socket
}

test('a player’s phone films for the coach’s session: no metres before it is calibrated, metres after, nothing once it is sent away', async () => {
  const [mia, leo] = [
    await letIn(hub, owner, { role: 'member', person_id: 'child_1' }),
    await letIn(hub, owner, { role: 'member', person_id: 'child_2' }),
  ]
  await hub.post('/live/start', owner, {
    ...{ session_id: 'game', camera_ids: [], player_ids: ['child_1', 'child_2'] },
  })
  const ask = (token: string): Promise<Json> => hub.post('/live/game/phones', token, {}, 200)
  const { user_id: miaId, state } = await ask(mia)
  assert.equal(state, 'waiting')
  const early = await hub.ask('POST', `/api/v1/live/game/phones/${miaId}/accept`, { token: leo })
  assert.equal(early.status, 404)
  const { camera_id: camera } = await hub.post(`/live/game/phones/${miaId}/accept`, owner, undefined, 200)
  const phone = await phoneOf(mia)
  let walked = 0
  /** One and a half seconds of somebody who walks, as the sensor page sends them. */
  const walk = async () => {
    await sleep(15 * STEP_MS)
    const sentAt = Date.now()
    const frames = Array.from({ length: 15 }, (_, at) => {
      walked += (MPS * STEP_MS) / 1000
      return { at: sentAt - (14 - at) * STEP_MS, people: [body(2 + walked)] }
    })
    phone.send({
      ...{ type: 'landmarks', camera_id: camera, sent_at: sentAt, frames },
      ...SIZE,
      models: MODELS,
    })
    return phone.next((message) => ['landmarks_ack', 'error'].includes(message.type))
  }
  const metrics = async (): Promise<Json> => (await hub.get('/live/game/status', owner)).metrics
  const kpis = async (): Promise<Json> =>
    (await metrics()).players.find((player: Json) => player.player_id === 'child_1').kpis

  assert.ok((await walk()).taken > 0)
  const [track] = (await metrics()).tracks
  assert.deepEqual(
    [track.camera_id, track.x, track.speed, track.reason],
    [camera, null, null, 'uncalibrated'],
  )
  await hub.post(
    '/live/game/assign',
    owner,
    { camera_id: camera, track_id: track.track_id, player_id: 'child_1' },
    200,
  )
  const pixels = await kpis()
  assert.deepEqual([pixels.distance.total, pixels.speed.max_speed], [null, null])
  assert.equal(pixels.speed.reason, 'uncalibrated')

  const calibrated = await hub.ask('PUT', `/api/v1/cameras/${camera}/calibration`, {
    token: owner,
    body: { points: POINTS, ...SIZE, pitch: { length: 20, width: 20 } },
  })
  assert.equal(calibrated.status, 200)
  const before = walked
  for (let times = 0; times < 3; times += 1) assert.equal((await walk()).type, 'landmarks_ack')
  const { distance, speed } = await kpis()
  // The machine may be busy: what came late is left out, never made up.
  assert.ok(distance.total > 1 && distance.total < 1.3 * (walked - before), `${distance.total} m`)
  assert.ok(speed.max_speed > 0.5 * MPS && speed.max_speed < 2.5 * MPS, `${speed.max_speed} m/s`)

  const foreign = await phoneOf(leo)
  foreign.send({
    ...{ type: 'landmarks', camera_id: camera, sent_at: Date.now(), ...SIZE, models: MODELS },
    frames: [{ at: Date.now(), people: [body(5)] }],
  })
  assert.equal((await foreign.next((message) => message.type === 'error')).code, 'NOT_FOUND')
  const sent = await hub.ask('DELETE', `/api/v1/live/game/phones/${miaId}`, { token: owner })
  assert.equal(sent.status, 200)
  assert.equal((await walk()).code, 'NOT_FOUND')
  assert.equal((await ask(mia)).state, 'refused')
  assert.equal((await hub.ask('GET', `/api/v1/cameras/${camera}`, { token: mia })).status, 404)
  await hub.post('/live/stop', owner, { session_id: 'game' }, 200)
  const { enabled, lent_to: lentTo } = await hub.get(`/cameras/${camera}`, owner)
  assert.deepEqual([enabled, lentTo], [false, null])
})
