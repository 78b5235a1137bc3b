/** A two-hour live session of six players: what it takes on the disk, what it takes to look back, and how soon ten phones hear. */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { WebSocket } from 'ws'
import { type Control, createControl } from '../../daemon/cli/control.ts'
import { OWNER } from './household.ts'
import { hubEnvironment, startHub, temporaryData } from './hub-process.ts'
import { processorSeconds } from './process-use.ts'
import { median, quantile, type Row } from './row.ts'
import type { SessionHubReady, SessionPlay, SessionPlayed } from './session-hub.ts'
import { distanceOf, PITCH, PLAYERS, POINTS, TRACK_MS, trackOf } from './session-players.ts'
import { RATES } from './site.ts'
import { shortNumber } from './table.ts'

const ENTRY = fileURLToPath(new URL('./session-hub.js', import.meta.url))
const MINUTES = 120
const LIFE_S = 20
const PHONES = 10
/** Until every track has been seen and can be said to be somebody. */
const FIRST_LOOK_S = 2
const COLD_STARTS = 5
const WARM_ASKS = 40
const AIM = { poseP99Ms: 50, plotP99Ms: 200, flatMb: 32, pathBytes: 4096 }
const players = Array.from({ length: PLAYERS }, (_, player) => `player_${player}`)
const SPEED = `/speed?player_id=${players[0]}&points=400`
/** As the app asks them. */
const PLOTS = {
  timeline: '/timeline',
  'speed of one': SPEED,
  'heat map of all': '/heatmap?cell_m=2',
  'heat map of one': `/heatmap?cell_m=2&player_id=${players[0]}`,
  'paths of all': '/tracks?points=400',
  'paths of one': `/tracks?points=400&player_id=${players[0]}`,
  comparison: '/compare',
}

type Times = Record<keyof typeof PLOTS, number[]>

export async function sessionRows(minutes = MINUTES): Promise<Row[]> {
  const dataDir = temporaryData()
  const played = await playSession(dataDir, minutes)
  const disk = diskOf(join(dataDir, 'homefield.db'), minutes)
  const asked = await lookBack(dataDir)
  return [...liveRows(played, minutes), ...diskRows(disk), ...plotRows(asked)]
}

async function playSession(dataDir: string, minutes: number) {
  // It ends about now, so that nothing of it lies ahead when it is looked back at.
  const startMs = Date.now() - minutes * 60_000 - 60_000
  const child = fork(ENTRY, [dataDir, String(startMs)], {
    env: hubEnvironment(dataDir, RATES),
    execArgv: ['--enable-source-maps', '--expose-gc'],
  })
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`the hub of the session ended with ${code}`)
  })
  gone.catch(() => {})
  const next = async <Message>() => ((await Promise.race([once(child, 'message'), gone])) as [Message])[0]
  const play = async (wanted: SessionPlay) => {
    child.send(wanted)
    return next<SessionPlayed>()
  }
  const { httpsPort } = await next<SessionHubReady>()
  const control = createControl(dataDir)
  await prepare(control)
  const memory: SessionPlayed[] = []
  const blocks = Math.max(1, Math.round((minutes * 60_000) / TRACK_MS))
  for (let block = 0; block < blocks; block++) {
    await play({ seconds: FIRST_LOOK_S, pace: 'fast' })
    await assignAll(control, block * TRACK_MS + 1)
    const rest = Math.min(TRACK_MS / 1000, minutes * 60) - FIRST_LOOK_S
    // The end of the last stretch is lived through with phones that look.
    memory.push(await play({ seconds: block === blocks - 1 ? rest - LIFE_S : rest, pace: 'fast' }))
  }
  const heard = await listen(control, httpsPort, play)
  const { metrics } = (await control.call('GET', '/live/game/status')) as {
    metrics: { players: { kpis: { distance: { total: number | null } } }[] }
  }
  const stopMs = await timed(() => control.call('POST', '/live/stop', { session_id: 'game' }))
  child.send('stop')
  await once(child, 'exit')
  const truth = players.map((_, player) => distanceOf(player, 0, minutes * 60))
  const off = metrics.players.map(({ kpis }, player) => (kpis.distance.total ?? 0) / (truth[player] ?? 1) - 1)
  return { memory, heard, stopMs, off }
}

async function prepare(control: Control): Promise<void> {
  await control.call('POST', '/local/claim', OWNER)
  for (const id of players) await control.call('POST', '/people', { id, name: id, age: 12 })
  await control.call('POST', '/cameras', { id: 'pitch', name: 'Pitch', kind: 'push', person_ids: players })
  await control.call('PUT', '/cameras/pitch/calibration', { points: POINTS, ...PITCH })
  await control.call('POST', '/live/start', {
    ...{ session_id: 'game', title: 'Game', camera_ids: ['pitch'], player_ids: players },
  })
}

async function assignAll(control: Control, sinceStartMs: number): Promise<void> {
  for (const [player, id] of players.entries())
    await control.call('POST', '/live/game/assign', {
      ...{ camera_id: 'pitch', track_id: trackOf(player, sinceStartMs), player_id: id },
    })
}

/** Ten phones that show the session, at the speed of life; late is from the instant that a message names as sent. */
async function listen(
  control: Control,
  httpsPort: number,
  play: (wanted: SessionPlay) => Promise<SessionPlayed>,
) {
  const { access_token: token } = (await control.call('POST', '/auth/login', OWNER)) as {
    access_token: string
  }
  const late: Record<'pose' | 'metrics_update', number[]> = { pose: [], metrics_update: [] }
  let bytes = 0
  const phones = await Promise.all(
    Array.from({ length: PHONES }, async () => {
      const socket = new WebSocket(
        `wss://127.0.0.1:${httpsPort}/api/v1/ws`,
        ['homefield.v1', `bearer.${token}`],
        { rejectUnauthorized: false },
      )
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'subscribe', topics: ['session:game'] }))
      socket.on('message', (data: Buffer) => {
        const atMs = performance.timeOrigin + performance.now()
        const head = data.toString('latin1', 0, 200)
        const [, type] = /"type":"(pose|metrics_update)"/.exec(head) ?? []
        const [, sent] = /"ts":"([^"]+)"/.exec(head) ?? []
        if ((type !== 'pose' && type !== 'metrics_update') || sent === undefined) return
        bytes += data.length
        late[type].push(atMs - Date.parse(sent))
      })
      return socket
    }),
  )
  const { behindMs, ...played } = await play({ seconds: LIFE_S, pace: 'life' })
  for (const phone of phones) phone.terminate()
  const own = (values: number[]) => values.map((value) => value - behindMs)
  return { pose: own(late.pose), metrics: own(late.metrics_update), bytes, played }
}

function liveRows(
  { memory, heard, stopMs, off }: Awaited<ReturnType<typeof playSession>>,
  minutes: number,
): Row[] {
  const [first, middle, last] = [memory[0], memory[Math.floor(memory.length / 2)], memory.at(-1)]
  const mb = (one: SessionPlayed | undefined) =>
    `${shortNumber(one?.residentMb ?? Number.NaN)} (heap ${shortNumber(one?.heapMb ?? Number.NaN)})`
  const grownMb = (last?.heapMb ?? Number.NaN) - (first?.heapMb ?? Number.NaN)
  const tookS = memory.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1000
  const p99 = quantile(heard.pose, 0.99)
  const perPhone = (messages: readonly number[]) => shortNumber(messages.length / PHONES / LIFE_S)
  return [
    {
      name: `skeletons of ${PLAYERS} players to ${PHONES} phones, sent to received`,
      hub: `p50 ${shortNumber(quantile(heard.pose, 0.5))} p99 ${shortNumber(p99)} ms, ${perPhone(heard.pose)}/s each`,
      beside: `numbers: p50 ${shortNumber(quantile(heard.metrics, 0.5))} p99 ${shortNumber(quantile(heard.metrics, 0.99))} ms, ${perPhone(heard.metrics)}/s each; ${shortNumber(heard.bytes / PHONES / LIFE_S / 1024)} KB/s each`,
      ...{ ratio: null, target: `p99 <= ${AIM.poseP99Ms} ms`, met: p99 <= AIM.poseP99Ms },
    },
    {
      name: `memory of a session of ${minutes} minutes`,
      hub: `start ${mb(first)}, middle ${mb(middle)}, end ${mb(last)} MB`,
      beside: `${shortNumber((minutes * 60) / tookS)} times as fast as life`,
      ...{ ratio: null, target: `heap + <= ${AIM.flatMb} MB`, met: grownMb <= AIM.flatMb },
    },
    {
      name: '  its end: numbers read anew from the disk',
      hub: `${shortNumber(stopMs)} ms`,
      beside: `distance against the truth ${shortNumber(Math.min(...off) * 100)} to ${shortNumber(Math.max(...off) * 100)} %`,
      ...{ ratio: null, target: '', met: null },
    },
  ]
}

/** Bytes of pages, indexes included, for each minute of each player. */
function diskOf(path: string, minutes: number) {
  const db = new Database(path, { readonly: true })
  const pages = db.prepare<[string], { bytes: number }>(
    `SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)`,
  )
  const of = (table: string) => (pages.get(table)?.bytes ?? 0) / (minutes * PLAYERS)
  const { boxes = 0, joints = 0 } =
    db
      .prepare<[], { boxes: number; joints: number }>(
        'SELECT sum(length(boxes)) AS boxes, sum(length(joints)) AS joints FROM track_chunk',
      )
      .get() ?? {}
  const movement = of('track_chunk')
  const poses = (movement * joints) / (boxes + joints)
  const paths = of('session_path') + of('session_track')
  db.close()
  return { paths, boxes: movement - poses, poses }
}

function diskRows({ paths, boxes, poses }: ReturnType<typeof diskOf>): Row[] {
  const perHour = (perMinute: number) => shortNumber((perMinute * PLAYERS * MINUTES) / 1024 ** 2)
  return [
    {
      name: 'disk for a player and minute, pages with indexes',
      hub: `places and speed ${shortNumber(paths)} B, boxes ${shortNumber(boxes)} B, joints ${shortNumber(poses)} B`,
      beside: `two hours of ${PLAYERS}: ${perHour(paths)} + ${perHour(boxes)} + ${perHour(poses)} MB`,
      ...{ ratio: null, target: `places <= ${AIM.pathBytes} B`, met: paths <= AIM.pathBytes },
    },
  ]
}

/** Cold: the first time in a hub that has just started, its file not in memory. */
async function lookBack(dataDir: string): Promise<Record<'cold' | 'warm' | 'cpu' | 'bytes', Times>> {
  const none = () => Object.fromEntries(Object.keys(PLOTS).map((name) => [name, [] as number[]])) as Times
  const [cold, warm, cpu, bytes] = [none(), none(), none(), none()]
  const plots = Object.entries(PLOTS) as [keyof typeof PLOTS, string][]
  for (let start = 0; start < COLD_STARTS; start++) {
    forgetFile(join(dataDir, 'homefield.db'))
    const hub = await startHub(dataDir, RATES)
    try {
      const { access_token: token } = (await hub.control.call('POST', '/auth/login', OWNER)) as {
        access_token: string
      }
      const ask = asker(hub.json.httpsPort, token)
      // Each is the first one once.
      const inOrder = plots.map((_, at) => plots[(at + start) % plots.length])
      for (const plot of inOrder)
        if (plot) cold[plot[0]].push(await timed(() => ask(`/sessions/game${plot[1]}`)))
      const asks = WARM_ASKS / COLD_STARTS
      for (const [name, path] of plots) {
        const usedS = processorSeconds(hub.json.pid)
        for (let at = 0; at < asks; at++) {
          const fromMs = performance.now()
          const length = await ask(`/sessions/game${path}`)
          warm[name].push(performance.now() - fromMs)
          bytes[name].push(length)
        }
        cpu[name].push(((processorSeconds(hub.json.pid) - usedS) * 1000) / asks)
      }
    } finally {
      await hub.kill('SIGTERM')
    }
  }
  return { cold, warm, cpu, bytes }
}

function plotRows({ cold, warm, cpu, bytes }: Awaited<ReturnType<typeof lookBack>>): Row[] {
  return (Object.keys(PLOTS) as (keyof typeof PLOTS)[]).map((name) => {
    const worst = quantile(warm[name], 0.99)
    return {
      name: `looking back: ${name}`,
      hub: `warm p50 ${shortNumber(median(warm[name]))} p99 ${shortNumber(worst)} ms`,
      beside: `cold p50 ${shortNumber(median(cold[name]))} p99 ${shortNumber(quantile(cold[name], 0.99))} ms; processor ${shortNumber(median(cpu[name]))} ms; ${shortNumber(median(bytes[name]) / 1024)} KB`,
      ...{ ratio: null, target: `warm p99 <= ${AIM.plotP99Ms} ms`, met: worst <= AIM.plotP99Ms },
    }
  })
}

function asker(httpsPort: number, token: string): (path: string) => Promise<number> {
  return async (path) => {
    const asked = request({
      ...{ host: '127.0.0.1', port: httpsPort, path: `/api/v1${path}`, rejectUnauthorized: false },
      headers: { authorization: `Bearer ${token}` },
    }).end()
    const [answer] = await once(asked, 'response')
    let bytes = 0
    for await (const chunk of answer) bytes += (chunk as Buffer).length
    if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`)
    return bytes
  }
}

/** Lets the kernel forget what it read of a file; where that is not possible the file stays warm. */
function forgetFile(path: string): void {
  execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'])
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now()
  await work()
  return performance.now() - fromMs
}
