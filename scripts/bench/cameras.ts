/** What cameras that the models cannot keep up with cost a hub, and how old a skeleton is when a phone can draw it. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Camera } from '../../daemon/domain/camera.ts'
import { type BesideTimes, openBeside } from './cameras-beside.ts'
import { type Elsewhere, serveElsewhere } from './cameras-elsewhere.ts'
import { OWNER } from './household.ts'
import { temporaryData } from './hub-process.ts'
import { createLoad } from './load.ts'
import type { Native } from './native.ts'
import { processorSeconds } from './process-use.ts'
import { interleaved, median, pairedRatio, quantile, type Row } from './row.ts'
import { openSite, type Site } from './site.ts'
import { shortNumber } from './table.ts'
import { installed } from './vision.ts'
import { peopleFilm } from './vision-clips.ts'

const CAMERAS = 4
const CAMERA_FPS = 15
const WATCHES = 50
const RATE_PER_S = 200
/** Of each measurement: 1600 acknowledgements, some 320 answers. */
const SECONDS = 8
/** Until the watches are connected and their values come evenly; nothing is counted. */
const LOAD_WARM_S = 2
const ROUNDS = 5
/** Until pictures come again after cameras were switched on, and the models look. */
const WARM_MS = 4000
const MOST_LATER = 1.3

interface Watched extends BesideTimes {
  p50Ms: number
  p99Ms: number
  /** Of the hub with everything it started. */
  cores: number
  /** Of the skeletons that a listener heard. */
  ageP50Ms: number
  ageP99Ms: number
  fps: number
  pictures: number
}

/** What every round gives one number of. */
type Figure = Exclude<keyof Watched, 'alertMs'>

export async function cameraRows(native: Native, rounds = ROUNDS): Promise<Row[]> {
  const load = createLoad(native)
  native.program('mqttload')
  const film = peopleFilm(6, CAMERA_FPS)
  const dataDir = temporaryData()
  await installed('training', dataDir)
  // The second watch of everybody is there to breach rules: the first one is the load's.
  const site = await openSite({ persons: WATCHES, watches: 2 * WATCHES }, {}, dataDir)
  let simulated: Elsewhere | null = null
  try {
    simulated = await serveElsewhere({ file: film, count: CAMERAS })
    const ids = simulated.urls.map((_, at) => `camera_${at}`)
    for (const [at, url] of simulated.urls.entries())
      await site.hub.control.call('POST', '/cameras', {
        ...{ id: ids[at], name: ids[at], url, analyse: true, enabled: false },
      })
    const overlay = await listen(site, ids)
    const beside = await openBeside(site, site.household.watches.slice(WATCHES))
    const { mqttPort: port, pid } = site.hub.json
    const watch = (count: number) => async (): Promise<Watched> => {
      for (const [at, id] of ids.entries())
        await site.hub.control.call('PATCH', `/cameras/${id}`, { enabled: at < count })
      await sleep(WARM_MS)
      overlay.reset()
      const before = await framesOf(site, ids)
      const from = { cpu: processorSeconds(pid), ms: performance.now() }
      const { credentials } = site.household
      const result = await beside.during(
        () =>
          load({
            ...{ connections: WATCHES, rate: RATE_PER_S, seconds: SECONDS, warm: LOAD_WARM_S },
            ...{ port, pid, credentials },
          }),
        LOAD_WARM_S * 1000,
      )
      const seconds = (performance.now() - from.ms) / 1000
      const cores = (processorSeconds(pid) - from.cpu) / seconds
      const pictures = ((await framesOf(site, ids)) - before) / seconds
      return { ...result, cores, pictures, ...overlay.heard() }
    }
    // Not counted: the models are loaded, and the hub's code is compiled.
    await watch(CAMERAS)()
    const seen = await interleaved(rounds, { none: watch(0), one: watch(1), four: watch(CAMERAS) })
    overlay.close()
    beside.close()
    return rowsOf(seen)
  } finally {
    await site.stop()
    await simulated?.stop()
  }
}

function rowsOf({ none, one, four }: Record<'none' | 'one' | 'four', Watched[]>): Row[] {
  const of = (runs: readonly Watched[], name: Figure) => shortNumber(median(runs.map((run) => run[name])))
  const ratioOf = (name: Figure) =>
    pairedRatio(
      four.map((run) => run[name]),
      none.map((run) => run[name]),
    )
  const alarms = (runs: readonly Watched[]) =>
    `p50 ${shortNumber(alarm(runs, 0.5))}, p99 ${shortNumber(alarm(runs, 0.99))} ms`
  const age = (runs: readonly Watched[]) =>
    `p50 ${of(runs, 'ageP50Ms')}, p99 ${of(runs, 'ageP99Ms')} ms at ${of(runs, 'fps')} fps`
  return [
    {
      name: 'age of a skeleton at a WebSocket, one camera, 6 people',
      hub: age(one),
      beside: `each of ${CAMERAS} cameras: ${age(four)}`,
      ...{ ratio: null, target: '', met: null },
    },
    {
      name: `processor, ${CAMERAS} cameras 720p ${CAMERA_FPS} fps`,
      hub: `${of(four, 'cores')} cores, ${of(four, 'pictures')} pictures/s in`,
      beside: `one camera: ${of(one, 'cores')} cores; none: ${of(none, 'cores')}`,
      ...{ ratio: null, target: '', met: null },
    },
    {
      name: `MQTT ack beside ${CAMERAS} cameras, ${RATE_PER_S} msg/s`,
      hub: `p50 ${of(four, 'p50Ms')}, p99 ${of(four, 'p99Ms')} ms`,
      beside: `no camera: p50 ${of(none, 'p50Ms')}, p99 ${of(none, 'p99Ms')} ms (p50 ratio ${shortNumber(ratioOf('p50Ms'))})`,
      ...judged(ratioOf('p99Ms')),
    },
    {
      name: `API answer beside ${CAMERAS} cameras, newest values of a person`,
      hub: `p50 ${of(four, 'apiP50Ms')}, p99 ${of(four, 'apiP99Ms')} ms`,
      beside: `no camera: p50 ${of(none, 'apiP50Ms')}, p99 ${of(none, 'apiP99Ms')} ms (p50 ratio ${shortNumber(ratioOf('apiP50Ms'))})`,
      ...judged(ratioOf('apiP99Ms')),
    },
    {
      name: `alarm beside ${CAMERAS} cameras, breach to open phone`,
      hub: `${alarms(four)}, ${unheardOf(four)} unheard`,
      beside: `no camera: ${alarms(none)}, ${unheardOf(none)} unheard (p50 ratio ${shortNumber(alarm(four, 0.5) / alarm(none, 0.5))})`,
      ...judged(alarm(four, 0.99) / alarm(none, 0.99)),
    },
  ]
}

/** Of all rounds together: each has too few breaches for a tail of its own. */
function alarm(runs: readonly Watched[], q: number): number {
  return quantile(
    runs.flatMap(({ alertMs }) => alertMs),
    q,
  )
}

function judged(ratio: number): Pick<Row, 'ratio' | 'target' | 'met'> {
  return { ratio, target: `p99 <= ${MOST_LATER} x`, met: ratio <= MOST_LATER }
}

function unheardOf(runs: readonly Watched[]): number {
  return runs.reduce((sum, { unheard }) => sum + unheard, 0)
}

async function framesOf({ hub }: Site, ids: readonly string[]): Promise<number> {
  const cameras = await Promise.all(ids.map((id) => hub.control.call('GET', `/cameras/${id}`)))
  return (cameras as Camera[]).reduce((sum, { frames }) => sum + frames, 0)
}

/** Hears the skeletons of these cameras as a phone does; their age is counted from the instant that the camera names. */
async function listen({ hub }: Site, ids: readonly string[]) {
  const { access_token: token } = (await hub.control.call('POST', '/auth/login', OWNER)) as {
    access_token: string
  }
  const socket = new WebSocket(
    `wss://127.0.0.1:${hub.json.httpsPort}/api/v1/ws`,
    ['homefield.v1', `bearer.${token}`],
    { rejectUnauthorized: false },
  )
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'subscribe', topics: ids.map((id) => `camera:${id}`) }))
  const ages: number[] = []
  const cameras = new Set<string>()
  let fromMs = performance.now()
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1')
    const [, camera] = /"camera_id":"([^"]+)"/.exec(text) ?? []
    const [, captured] = /"captured_at":"([^"]+)"/.exec(text) ?? []
    if (camera === undefined || captured === undefined) return
    cameras.add(camera)
    ages.push(Date.now() - Date.parse(captured))
  })
  return {
    reset() {
      ages.length = 0
      cameras.clear()
      fromMs = performance.now()
    },
    heard: () => ({
      ageP50Ms: quantile(ages, 0.5),
      ageP99Ms: quantile(ages, 0.99),
      fps: (ages.length * 1000) / (performance.now() - fromMs) / Math.max(1, cameras.size),
    }),
    close: () => socket.terminate(),
  }
}
