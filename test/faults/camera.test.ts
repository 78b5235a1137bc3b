import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { type Camera, type CameraState, createCamera } from '../../daemon/media/camera.ts'
import { createRtspSource } from '../../daemon/media/rtsp/source.ts'
import { machineDecoder } from '../media/clips.ts'
import { clip, camera as simulated } from '../media/rtsp/camera.ts'

/** Few in the suite; a hundred with HOMEFIELD_FAULT_ROUNDS=100. */
const ROUNDS = Number(process.env['HOMEFIELD_FAULT_ROUNDS'] ?? 3)
const FACTOR = 10

/** A clock that runs ten times as fast, so that a hundred retries fit into minutes. */
function fastClock(): Clock {
  const real = systemClock()
  const begunMs = real.now()
  return {
    now: () => Math.round(begunMs + real.monotonic() * FACTOR),
    monotonic: () => real.monotonic() * FACTOR,
    after: (ms, fn) => real.after(ms / FACTOR, fn),
    every: (ms, fn) => real.every(ms / FACTOR, fn),
  }
}

const { settings, skip } = await machineDecoder()

test(`after ${ROUNDS} pulled cables a camera is online and nothing is left over`, { skip }, async (t) => {
  const { server, url } = await simulated(t, { once: false, video: clip(60) })
  const clock = fastClock()
  const source = createRtspSource({ url, credentials: null, clock })
  const camera = createCamera({ id: 'pitch', source, clock, log: createLog('silent'), decoder: settings })
  t.after(() => camera.stop())
  camera.start()
  await until(camera, ({ status }) => status === 'online')
  let slowestMs = 0
  for (let round = 0; round < ROUNDS; round++) {
    await server.unplug()
    const { reason } = await until(camera, ({ status }) => status === 'offline')
    assert.ok(reason?.code === 'ended' || reason?.code === 'unreachable', reason?.message)
    await server.plugIn()
    const pluggedAtMs = clock.monotonic()
    await until(camera, ({ status }) => status === 'online')
    slowestMs = Math.max(slowestMs, clock.monotonic() - pluggedAtMs)
  }
  t.diagnostic(`frames again after at most ${Math.round(slowestMs)} ms of a clock ${FACTOR} times as fast`)
  assert.equal(server.stats().viewers, 1, 'one connection, however often it broke')
  assert.equal(camera.ring.stats().held, 0)
  assert.ok(camera.state().restarts >= ROUNDS)
})

function until(camera: Camera, wanted: (state: CameraState) => boolean): Promise<CameraState> {
  return new Promise((resolve) => {
    const look = () => {
      const state = camera.state()
      if (!wanted(state)) return false
      stop()
      resolve(state)
      return true
    }
    const stop = camera.onState(look)
    look()
  })
}
