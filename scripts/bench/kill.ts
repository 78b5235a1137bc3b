import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import mqtt from 'mqtt'
import { type HubProcess, startHub, temporaryData } from './hub-process.ts'

export interface KillOptions {
  rounds: number
  watches: number
  /** Unacknowledged messages each watch keeps under way. */
  window: number
  seed: number
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
const SETTINGS = { HOMEFIELD_MQTT_MESSAGES_PER_SECOND: '1000000', HOMEFIELD_MQTT_MESSAGE_BURST: '1000000' }

/**
 * Publishes QoS 1 heart rates from several watches, kills the hub with SIGKILL at a random moment, restarts it on the same data,
 * sends again what was not acknowledged, and so on; then counts what the database holds against what was acknowledged.
 */
export async function killRounds({ rounds, watches: count, window, seed }: KillOptions): Promise<KillResult> {
  const dataDir = temporaryData()
  const random = mulberry32(seed)
  let hub = await startHub(dataDir, SETTINGS)
  const watches = await household(hub, count)
  for (let round = 0; round < rounds; round++) {
    const stop = load(hub, watches, window)
    await sleep(600 + random() * 900)
    await hub.kill('SIGKILL')
    await stop()
    hub = await startHub(dataDir, SETTINGS)
  }
  const counts = countRows(dataDir, watches)
  const rolledUp = await dayCount(hub, watches)
  await hub.kill('SIGTERM')
  return { rounds, ...counts, doubled: counts.doubled + Math.abs(rolledUp - counts.stored) }
}

async function household(hub: HubProcess, count: number): Promise<Watch[]> {
  await hub.control.call('POST', '/local/claim', { name: 'Bench', password: 'a long bench password' })
  const watches: Watch[] = []
  for (let index = 0; index < count; index++) {
    const id = `watch_${index}`
    await hub.control.call('POST', '/people', {
      id: `person_${index}`,
      name: `Person ${index}`,
      timezone: 'UTC',
    })
    const added = await hub.control.call('POST', '/devices', {
      id,
      type: 'watch',
      name: id,
      person_id: `person_${index}`,
    })
    const { api_key: key } = added as { api_key: string }
    watches.push({ id, key, next: 0, pending: new Set(), acknowledged: new Set() })
  }
  return watches
}

/** Keeps every watch publishing until the returned function is called (after the hub died). */
function load(hub: HubProcess, watches: readonly Watch[], window: number): () => Promise<void> {
  const clients = watches.map((watch) => {
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
        if (client.connected) send(watch.next++)
      })
    }
    client.on('error', () => {})
    client.on('connect', () => {
      const again = [...watch.pending]
      for (const number of again) send(number)
      for (let index = again.length; index < window; index++) send(watch.next++)
    })
    return client
  })
  return async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)))
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
