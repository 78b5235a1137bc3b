/** A whole hub under a clock that its parent steers, with a camera whose pictures are made up: started by the bench of sessions. */
import { loadConfig } from '../../config/load.ts'
import { createHousehold } from '../../daemon/composition/household.ts'
import { listen } from '../../daemon/composition/listening.ts'
import { openHouse } from '../../daemon/house.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createSteeredClock } from './session-clock.ts'
import { CAMERA_FPS, createScene } from './session-players.ts'

export interface SessionPlay {
  /** Of the session. */
  seconds: number
  /** As fast as the machine can, or at the speed of life. */
  pace: 'fast' | 'life'
}

export interface SessionPlayed {
  tookMs: number
  pictures: number
  residentMb: number
  heapMb: number
  /** Milliseconds from this clock to the machine's. */
  behindMs: number
}

export interface SessionHubReady {
  httpsPort: number
}

const MB = 1024 ** 2
const CAMERA = 'pitch'
const [dataDir = '', startMs = ''] = process.argv.slice(2)

const clock = createSteeredClock(Number(startMs))
const config = loadConfig({ ...process.env, HOMEFIELD_DATA: dataDir })
const house = await openHouse(
  { config, dataDir, version: 'bench', builtAtMs: clock.now(), clock, log: createLog('warn') },
  (cause) => {
    throw cause
  },
)
const household = createHousehold(house)
const listening = await listen(house, household)
const scene = createScene(CAMERA)
const startedMs = clock.now()
let shownMs = startedMs

function show(): number {
  let pictures = 0
  for (; shownMs + 1000 / CAMERA_FPS <= clock.now(); pictures++) {
    shownMs += 1000 / CAMERA_FPS
    household.vision.admit(scene(Math.round(shownMs), shownMs - startedMs))
  }
  return pictures
}

/** What waits for the disk is written before time goes on: a real session has all the time for it. */
async function breathe(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  while (house.store.stats().queued > 0) await new Promise((resolve) => setImmediate(resolve))
}

async function play({ seconds, pace }: SessionPlay): Promise<SessionPlayed> {
  const fromMs = performance.now()
  let pictures = 0
  let behindMs = 0
  if (pace === 'fast') {
    for (let at = 0; at < seconds * 10; at++) {
      clock.advance(100)
      pictures += show()
      if (at % 10 === 0) await breathe()
    }
  } else {
    const halt = clock.run()
    behindMs = Date.now() - clock.now()
    const showing = setInterval(() => {
      pictures += show()
    }, 5)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    clearInterval(showing)
    halt()
  }
  const tookMs = performance.now() - fromMs
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { tookMs, pictures, residentMb: rss / MB, heapMb: heapUsed / MB, behindMs }
}

process.on('message', (message: SessionPlay | 'stop') => {
  if (message === 'stop') {
    void listening
      .stop(1000)
      .then(() => house.snapshots.stop())
      .then(() => house.store.close())
      .then(() => process.exit(0))
    return
  }
  void play(message).then((played) => process.send?.(played))
})
process.send?.({ httpsPort: listening.httpsPort } satisfies SessionHubReady)
