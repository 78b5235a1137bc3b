/** A hub that is killed in the middle of a session: what is lost are moments, and who was named is offered again under that name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fitHomography, pixelAt } from '../../models/vision/calibrate/homography.ts'
import { household, type Json, type Outsider, outsider } from './contract/client.ts'

const SIZE = { width: 640, height: 360 }
/** A lawn of 20 × 20 m. */
const POINTS = [
  { pixel: { x: 30, y: 345 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 615, y: 340 }, metres: { x: 20, y: 0 } },
  { pixel: { x: 505, y: 120 }, metres: { x: 20, y: 20 } },
  { pixel: { x: 140, y: 122 }, metres: { x: 0, y: 20 } },
]
const STEP_MS = 100
const BATCH = 15
const MPS = 1
const MODELS = { detector: { name: 'detector', version: '1' }, pose: { name: 'lite', version: '1' } }
const fit = fitHomography(POINTS)

/** Thirty-three landmarks of somebody upright whose soles are at this place of the lawn. */
function body(place: { x: number; y: number }): number[][] {
  const foot = fit.ok ? pixelAt(fit.homography, place) : null
  assert.ok(foot)
  return Array.from({ length: 33 }, (_, at) => [foot.x - 6 + (at % 2) * 12, foot.y - 79 + at * 2.4, 0, 0.9])
}

/** A phone that sends where two players are who go up and down one behind the other. */
async function tripod(hub: Outsider, token: string) {
  const socket = hub.socket(['homefield.v1', `bearer.${token}`])
  await socket.next((message) => message.type === 'connected')
  return {
    async send(fromM: number, mps: number): Promise<number> {
      await sleep(BATCH * STEP_MS)
      const sentAt = Date.now()
      const at = (step: number) => fromM + ((step + 1) * mps * STEP_MS) / 1000
      const frames = Array.from({ length: BATCH }, (_, step) => ({
        at: sentAt - (BATCH - 1 - step) * STEP_MS,
        people: [body({ x: at(step), y: 4 }), body({ x: at(step), y: 15 })],
      }))
      const batch = {
        type: 'landmarks',
        camera_id: 'tripod',
        sent_at: sentAt,
        ...SIZE,
        models: MODELS,
        frames,
      }
      socket.send(batch)
      assert.equal((await socket.next((one) => /landmarks_ack|error/.test(one.type))).type, 'landmarks_ack')
      return at(BATCH - 1)
    },
  }
}

test('killed in the middle, a session loses moments, and knows its players again by where they were', async (t) => {
  const first = await household()
  const { owner } = first
  const status = async (of: Outsider): Promise<Json> => (await of.get('/live/game/status', owner)).metrics
  const totals = ({ players }: Json): number[] => players.map(({ kpis }: Json) => kpis.distance.total)
  await first.post('/cameras', owner, { id: 'tripod', name: 'Tripod', kind: 'phone' })
  await first.ask('PUT', '/api/v1/cameras/tripod/calibration', {
    token: owner,
    body: { points: POINTS, ...SIZE, pitch: { length: 20, width: 20 } },
  })
  const players = ['child_1', 'child_2']
  await first.post('/live/start', owner, { session_id: 'game', camera_ids: ['tripod'], player_ids: players })
  const phone = await tripod(first, owner)
  let x = await phone.send(3, MPS)
  const nearFirst = ({ tracks }: Json) => [...tracks].sort((one: Json, other: Json) => one.y - other.y)
  for (const [at, track] of nearFirst(await status(first)).entries())
    await first.post(
      '/live/game/assign',
      owner,
      { camera_id: 'tripod', track_id: track.track_id, player_id: players[at] },
      200,
    )
  for (let times = 0; times < 5; times += 1) x = await phone.send(x, MPS)
  const before = await status(first)
  await first.hub.kill('SIGKILL')

  const second = await outsider({}, first.dataDir)
  const found = await status(second)
  const lost = totals(before).map((metres, at) => metres - (totals(found)[at] ?? 0))
  t.diagnostic(`${lost.map((metres) => `${(metres / MPS).toFixed(2)} s`).join(' and ')} were lost`)
  // Two seconds by design; the rest is for a machine that is busy with other things.
  assert.ok(
    lost.every((metres) => metres >= 0 && metres <= MPS * 5),
    `${lost} m`,
  )
  assert.ok(totals(found).every((metres) => metres > 0))

  const again = await tripod(second, owner)
  for (let times = 0; times < 2; times += 1) await again.send(x, 0)
  const tracks = nearFirst(await status(second))
  assert.deepEqual(
    tracks.map(({ player_id: id, maybe }: Json) => [id, maybe]),
    [
      [null, ['child_1']],
      [null, ['child_2']],
    ],
  )
  const known = new Set(nearFirst(before).map(({ track_id: id }: Json) => id))
  assert.ok(tracks.every(({ track_id: id }: Json) => !known.has(id)))
  await second.post('/live/stop', owner, { session_id: 'game' }, 200)
})
