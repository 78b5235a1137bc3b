/** A live session of a whole hub before a simulated camera: it outlives a hub that is killed in the middle. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { OWNER } from '../../scripts/bench/household.ts'
import { type HubProcess, startHub, temporaryData } from '../../scripts/bench/hub-process.ts'
import { Skipped } from '../../scripts/bench/row.ts'
import { peopleFilm } from '../../scripts/bench/vision-clips.ts'
import type { Json } from './contract/client.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))
/** Pictures as few as still follow somebody who walks: the models share this machine with everything else. */
const FPS = 10
const WITHIN_MS = 40_000
/** A lawn of 6 × 6 m in the picture of the film. */
const CALIBRATION = {
  points: [
    { pixel: { x: 40, y: 715 }, metres: { x: 0, y: 0 } },
    { pixel: { x: 1240, y: 715 }, metres: { x: 6, y: 0 } },
    { pixel: { x: 1040, y: 330 }, metres: { x: 6, y: 6 } },
    { pixel: { x: 240, y: 330 }, metres: { x: 0, y: 6 } },
  ],
  ...{ width: 1280, height: 720, pitch: { length: 6, width: 6 } },
}

const film = filmOrReason()
const skip = typeof film === 'string' ? false : film.reason

function filmOrReason(): string | { reason: string } {
  try {
    return peopleFilm(1, FPS)
  } catch (cause) {
    if (cause instanceof Skipped) return { reason: cause.message }
    throw cause
  }
}

/** `homefield simulate camera` as a person runs it; answers its RTSP address. */
async function simulateCamera(video: string): Promise<string> {
  const args = [MAIN, 'simulate', 'camera', '--video', video, '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  after(() => void child.kill('SIGKILL'))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { type, rtsp } = JSON.parse(line) as { type: string; rtsp: string }
  assert.equal(type, 'ready')
  return rtsp
}

type Control = HubProcess['control']

/** Says of everybody who is seen that it is the player, as a coach does whom the camera lost and found again: nobody else is there. */
async function nameAll(control: Control, { anew = false } = {}): Promise<number[]> {
  const { tracks } = await status(control)
  const named: number[] = []
  for (const track of tracks) {
    if (track.player_id === 'mia' && !anew) continue
    await assign(control, track.track_id)
    named.push(track.track_id)
  }
  return named
}

async function untilNamed(control: Control, options = {}): Promise<number[]> {
  const untilMs = Date.now() + WITHIN_MS
  for (;;) {
    const named = await nameAll(control, options)
    if (named.length > 0) return named
    if (Date.now() > untilMs) throw new Error('nobody new is seen')
    await sleep(100)
  }
}

/** Follows the player until she has covered so many metres; answers them. */
async function follow(control: Control, metres: number): Promise<number> {
  const untilMs = Date.now() + WITHIN_MS
  for (;;) {
    await nameAll(control)
    const covered = metresOf(await status(control))
    if (covered > metres) return covered
    if (Date.now() > untilMs) throw new Error(`only ${covered} of ${metres} m`)
    await sleep(200)
  }
}

const status = async (control: Control): Promise<Json> =>
  ((await control.call('GET', '/live/game/status')) as Json).metrics

const kpisOf = ({ players }: Json): Json => players.find((player: Json) => player.player_id === 'mia').kpis
const metresOf = (metrics: Json): number => kpisOf(metrics).distance.total ?? 0
const assign = (control: Control, trackId: number) =>
  control.call('POST', '/live/game/assign', { camera_id: 'lawn', track_id: trackId, player_id: 'mia' })

test('a session goes on with its players and their numbers after the hub was killed, and is looked back at as it was', {
  skip,
}, async () => {
  const url = await simulateCamera(String(film))
  const dataDir = temporaryData()
  const first = await startHub(dataDir)
  after(() => void first.kill('SIGKILL'))
  await first.control.call('POST', '/local/claim', OWNER)
  for (const id of ['mia', 'leo']) await first.control.call('POST', '/people', { id, name: id, age: 11 })
  await first.control.call('POST', '/cameras', { id: 'lawn', name: 'Lawn', url, person_ids: ['mia', 'leo'] })
  const calibrated = (await first.control.call('PUT', '/cameras/lawn/calibration', CALIBRATION)) as Json
  assert.ok(calibrated.reprojection_error_px < 0.1)
  await first.control.call('POST', '/live/start', {
    ...{ session_id: 'game', camera_ids: ['lawn'], player_ids: ['mia', 'leo'] },
  })

  await follow(first.control, 1.5)
  // Saying who somebody is puts everything until then on the disk, before the next two seconds are over.
  const last = Math.max(...(await untilNamed(first.control, { anew: true })))
  const kept = metresOf(await status(first.control))
  await first.kill('SIGKILL')

  const second = await startHub(dataDir)
  after(() => void second.kill('SIGKILL'))
  const resumed = await status(second.control)
  assert.deepEqual(resumed.players.map((player: Json) => player.player_id).sort(), ['leo', 'mia'])
  const found = metresOf(resumed)
  assert.ok(found <= kept + 0.1 && found > kept - 3, `${kept} m before, ${found} m after`)
  const [next = 0] = await untilNamed(second.control)
  assert.ok(next > last, `track ${next} is nobody whom the hub knew before, such as ${last}`)
  await follow(second.control, found + 1)
  const { players } = await status(second.control)
  assert.equal(players.find((player: Json) => player.player_id === 'leo').kpis.distance.total, null)

  const told = await status(second.control)
  await second.control.call('POST', '/live/stop', { session_id: 'game' })
  const session = (await second.control.call('GET', '/sessions/game')) as Json
  const mia = session.participants.find((player: Json) => player.player_id === 'mia').kpis
  assert.ok(mia.distance.total >= metresOf(told) && mia.distance.total < metresOf(told) + 4)
  assert.ok(mia.physical.missed_s > 0.5, 'the time without a hub is missed, not made up')
  const { gaps, tracks } = (await second.control.call('GET', '/sessions/game/timeline')) as Json
  assert.ok(gaps.some((gap: Json) => gap.reason === 'hub_off'))
  const named: number[] = tracks
    .filter((one: Json) => one.player_id === 'mia')
    .map((one: Json) => one.track_id)
  assert.ok(named.some((id) => id <= last) && named.includes(next))
  const speed = (await second.control.call('GET', '/sessions/game/speed?player_id=mia&points=5000')) as Json
  assert.equal(Math.max(...speed.max.map(Number)), mia.speed.max_speed)
  const compared = (await second.control.call('GET', '/sessions/game/compare')) as Json
  assert.deepEqual(compared.players.find((player: Json) => player.player_id === 'mia').kpis, mia)

  await second.control.call('DELETE', '/cameras/lawn')
  await second.control.call('POST', '/cameras', { id: 'lawn', name: 'Lawn', url, enabled: false })
  await assert.rejects(second.control.call('GET', '/cameras/lawn/calibration'), { code: 'NOT_FOUND' })
  await second.kill('SIGTERM')
})
