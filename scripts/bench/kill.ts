import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import mqtt from 'mqtt'
import { makeHousehold } from './household.ts'
import { type HubProcess, startHub, temporaryData } from './hub-process.ts'
import type { Native } from './native.ts'
import type { Row } from './row.ts'
import { RATES } from './site.ts'

export interface KillOptions {
  rounds: number
  watches: number
  /** Unacknowledged messages each watch keeps under way. */
  window: number
  seed: number
  /** The power fails as well: what was not synced is gone. `forgets` plays a disk that loses synced rows, which must be noticed. */
  powerCut?: { native: Native; forgets: boolean }
  /** Main file of another build than this one. */
  program?: string
  /** Ends with the round after which something acknowledged is missing: enough to know that a wrong build is noticed. */
  untilLost?: boolean
}

/** Counts over all rounds; `lost` and `doubled` must be 0. */
export interface KillResult {
  rounds: number
  published: number
  acknowledged: number
  /** Acknowledged or not, found in the database at the end. */
  stored: number
  /** Acknowledged and not found. */
  lost: number
  /** Messages found more often than once, as rows or in the day's roll-up. */
  doubled: number
}

interface Watch {
  id: string
  key: string
  /** Number of the next message never sent before. */
  next: number
  /** Sent, not yet acknowledged: sent again after the restart, as a watch does. */
  pending: Set<number>
  acknowledged: Set<number>
}

const FIRST_MS = Date.UTC(2026, 2, 14, 8)
const LOWEST_BPM = 40
const BPM_RANGE = 150
const DATABASE = 'homefield.db'
const DATABASE_FILES = [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`]

/**
 * Publishes QoS 1 heart rates from several watches, kills the hub with SIGKILL at a random moment, restarts it on the same data,
 * sends again what was not acknowledged, and so on; then counts what the database holds against what was acknowledged.
 */
export async function killRounds(options: KillOptions): Promise<KillResult> {
  const { rounds, watches: count, window, seed } = options
  const dataDir = temporaryData()
  const random = mulberry32(seed)
  const power = powerOf(dataDir, options.powerCut)
  const start = () => startHub(dataDir, { ...RATES, ...power.env }, options.program)
  let hub = await start()
  const watches = await household(hub, dataDir, count)
  // Whoever the rounds are about is safely on disk before the first of them.
  await hub.kill('SIGTERM')
  hub = await start()
  let done = 0
  while (done < rounds) {
    const { flowing, stop } = load(hub, watches, window)
    await flowing
    await sleep(100 + random() * 900)
    await hub.kill('SIGKILL')
    await stop()
    power.cut()
    hub = await start()
    done += 1
    if (options.untilLost && countRows(dataDir, watches).lost > 0) break
  }
  const counts = countRows(dataDir, watches)
  const rolledUp = await dayCount(hub, watches)
  await hub.kill('SIGTERM')
  return { rounds: done, ...counts, doubled: counts.doubled + Math.abs(rolledUp - counts.stored) }
}

/** Puts back, after a kill, only what the disk was told to keep. Without a power cut the system's memory keeps the rest. */
function powerOf(dataDir: string, powerCut: KillOptions['powerCut']) {
  if (!powerCut) return { env: {}, cut: () => {} }
  const shadow = join(temporaryData(), 'shadow')
  mkdirSync(shadow)
  return {
    env: {
      LD_PRELOAD: powerCut.native.preloadable('powercut'),
      BENCH_POWERCUT_FILES: join(dataDir, DATABASE),
      BENCH_POWERCUT_SHADOW: shadow,
      ...(powerCut.forgets ? { BENCH_POWERCUT_FORGETS: '1' } : {}),
    },
    cut() {
      for (const name of DATABASE_FILES) {
        rmSync(join(dataDir, name), { force: true })
        if (existsSync(join(shadow, name))) copyFileSync(join(shadow, name), join(dataDir, name))
      }
    },
  }
}

const ROUNDS = 5
const WATCHES = 8
const WINDOW = 20
const SEED = 1

/** Kills as lines of the table: nothing that was acknowledged may be lost, nothing may count twice. */
export async function killRows(native: Native, rounds = ROUNDS): Promise<Row[]> {
  const usual = { rounds, watches: WATCHES, window: WINDOW, seed: SEED }
  const killed = await killRounds(usual)
  const cut = await killRounds({ ...usual, powerCut: { native, forgets: false } })
  const forgetful = await killRounds({ ...usual, powerCut: { native, forgets: true } })
  return [
    lossRow(`kill -9, ${rounds} rounds`, killed, ''),
    lossRow(
      `power cut, ${rounds} rounds`,
      cut,
      `a disk that syncs as for synchronous=NORMAL: ${forgetful.lost} lost${forgetful.lost > 0 ? ', noticed' : ', NOT noticed'}`,
    ),
  ]
}

function lossRow(name: string, { acknowledged, lost, doubled }: KillResult, beside: string): Row {
  return {
    name,
    hub: `${acknowledged} acknowledged, ${lost} lost, ${doubled} doubled`,
    beside,
    ratio: null,
    target: '0 lost, 0 doubled',
    met: lost === 0 && doubled === 0,
  }
}

async function household(hub: HubProcess, dataDir: string, count: number): Promise<Watch[]> {
  const { watches } = await makeHousehold(hub, dataDir, { persons: count, watches: count })
  return watches.map(({ id, key }) => ({ id, key, next: 0, pending: new Set(), acknowledged: new Set() }))
}

/** Keeps every watch publishing until `stop` is called (after the hub died); `flowing` once each was acknowledged something. */
function load(hub: HubProcess, watches: readonly Watch[], window: number) {
  const first: Promise<void>[] = []
  const clients = watches.map((watch) => {
    let flows = () => {}
    let failed = (_cause: Error) => {}
    first.push(
      new Promise((resolve, reject) => {
        flows = resolve
        failed = reject
      }),
    )
    const client = mqtt.connect(`mqtt://127.0.0.1:${hub.json.mqttPort}`, {
      clientId: watch.id,
      username: watch.id,
      password: watch.key,
      reconnectPeriod: 0,
    })
    const send = (number: number) => {
      watch.pending.add(number)
      client.publish(`hf/${watch.id}/obs`, message(number), { qos: 1 }, (error) => {
        if (error) return
        watch.pending.delete(number)
        watch.acknowledged.add(number)
        flows()
        if (client.connected) send(watch.next++)
      })
    }
    client.on('error', () => {})
    client.on('close', () => failed(new Error(`${watch.id} could not publish`)))
    client.on('connect', () => {
      const again = [...watch.pending]
      for (const number of again) send(number)
      for (let index = again.length; index < window; index++) send(watch.next++)
    })
    return client
  })
  return {
    flowing: Promise.all(first),
    stop: async () => void (await Promise.all(clients.map((client) => client.endAsync(true)))),
  }
}

function message(number: number): string {
  return JSON.stringify({
    ts: FIRST_MS + number,
    metric: 'heart_rate',
    value: LOWEST_BPM + (number % BPM_RANGE),
  })
}

function countRows(dataDir: string, watches: readonly Watch[]) {
  const db = new Database(join(dataDir, 'homefield.db'), { readonly: true })
  const rows = db.prepare<[string], { ts: number; value: number; revision: number }>(
    `SELECT ts, value, revision FROM observation WHERE device = (SELECT key FROM device WHERE id = ?) ORDER BY ts`,
  )
  const total = { published: 0, acknowledged: 0, stored: 0, lost: 0, doubled: 0 }
  for (const watch of watches) {
    const found = new Map<number, number>()
    for (const { ts, revision } of rows.all(watch.id)) {
      found.set(ts - FIRST_MS, (found.get(ts - FIRST_MS) ?? 0) + 1 + revision)
    }
    total.published += watch.next
    total.acknowledged += watch.acknowledged.size
    total.stored += found.size
    for (const number of watch.acknowledged) if (!found.has(number)) total.lost++
    for (const times of found.values()) if (times > 1) total.doubled++
  }
  db.close()
  return total
}

/** What the day's roll-ups say was stored: a message counted twice there would be doubled for whoever reads the day. */
async function dayCount(hub: HubProcess, watches: readonly Watch[]): Promise<number> {
  let total = 0
  for (let index = 0; index < watches.length; index++) {
    const query = `metric=heart_rate&level=1d&from=${FIRST_MS - 86_400_000}&to=${FIRST_MS + 10 * 86_400_000}`
    const answer = await hub.control.call('GET', `/people/person_${index}/observations?${query}`)
    const { points } = answer as { points: { count: number }[] }
    for (const { count } of points) total += count
  }
  return total
}

/** Small seeded generator (Tommy Ettinger's mulberry32), so that a failing run can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
