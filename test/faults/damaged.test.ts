/** A hub whose database file was damaged starts by itself, has everything of its newest snapshot, and says what happened. */
import assert from 'node:assert/strict'
import { closeSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import mqtt from 'mqtt'
import { makeHousehold } from '../../scripts/bench/household.ts'
import {
  type HubProcess,
  removeTemporaryData,
  startHub,
  temporaryData,
} from '../../scripts/bench/hub-process.ts'
import { RATES } from '../../scripts/bench/site.ts'
import { report, roundsOr } from './report.ts'

after(removeTemporaryData)

const ROUNDS = roundsOr(1)
const BEFORE = 2000
const AFTER = 200
const A_MESSAGE = 50
const OVERWRITTEN_BYTES = 65_536

type Damage = (path: string, share: number) => void

/** 64 KB of what no page holds, somewhere in the file. */
const overwrite: Damage = (path, share) => {
  const at = Math.floor((statSync(path).size - OVERWRITTEN_BYTES) * share)
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(OVERWRITTEN_BYTES, 0xa5), 0, OVERWRITTEN_BYTES, Math.max(0, at))
  closeSync(fd)
}

/** What befalls the file, in turns. */
const DAMAGES: readonly [name: string, damage: Damage][] = [
  ['64 KB somewhere', overwrite],
  ['its first pages', (path) => overwrite(path, 0)],
  ['its last pages', (path) => overwrite(path, 1)],
  ['cut short', (path, share) => truncateSync(path, Math.floor(statSync(path).size * share))],
  ['gone', (path) => rmSync(path)],
]

/** Publishes readings of `count` consecutive milliseconds from now on, all acknowledged when it resolves. */
async function send(hub: HubProcess, watch: { id: string; key: string }, count: number): Promise<number[]> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${hub.json.mqttPort}`, {
    ...{ clientId: watch.id, username: watch.id, password: watch.key, reconnectPeriod: 0 },
  })
  const from = Date.now()
  const sent = Array.from({ length: count }, (_, index) => from - count + index)
  for (let at = 0; at < count; at += A_MESSAGE) {
    const samples = sent
      .slice(at, at + A_MESSAGE)
      .map((ts) => ({ ts, metric: 'heart_rate', value: 50 + (ts % 100) }))
    await client.publishAsync(`hf/${watch.id}/obs`, JSON.stringify(samples), { qos: 1 })
  }
  await client.endAsync()
  return sent
}

function stored(dataDir: string): Set<number> {
  const db = new Database(join(dataDir, 'homefield.db'), { readonly: true })
  try {
    assert.deepEqual(db.pragma('quick_check'), [{ quick_check: 'ok' }])
    return new Set(db.prepare<[], number>('SELECT ts FROM observation').pluck().all())
  } finally {
    db.close()
  }
}

interface Recovered {
  reason: string
  values_read_from_it: number | null
}

/** What the hub tells its owner, once it has read what the damaged file still gives; null when it tells nothing. */
async function told(hub: HubProcess): Promise<Recovered | null> {
  for (;;) {
    const { recovered } = (await hub.control.call('GET', '/system')) as {
      recovered: (Recovered & { damaged_file_kept: boolean }) | null
    }
    if (!recovered?.damaged_file_kept || recovered.values_read_from_it !== null) return recovered
    await sleep(20)
  }
}

test('a hub whose database was damaged comes back with everything of its newest snapshot, and says so', async (t) => {
  const total = { acknowledged: 0, lost: 0, brought: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    const [name, damage] = DAMAGES[round % DAMAGES.length]!
    const share = 0.2 + 0.6 * ((round * 0.618) % 1)
    const dataDir = temporaryData()
    const first = await startHub(dataDir, RATES)
    const { watches } = await makeHousehold(first, dataDir, { persons: 1, watches: 1 })
    const before = await send(first, watches[0]!, BEFORE)
    // A stop moves everything from the log into the file: else the log would make up for what happens to the file.
    await first.kill('SIGTERM')
    const hub = await startHub(dataDir, RATES)
    const snapshot = (await hub.control.call('POST', '/system/snapshots', {})) as { problem: string | null }
    assert.equal(snapshot.problem, null)
    const afterwards = await send(hub, watches[0]!, AFTER)
    await hub.kill('SIGKILL')
    const path = join(dataDir, 'homefield.db')
    damage(path, share)
    const again = await startHub(dataDir, RATES)
    const recovered = await told(again)
    const found = stored(dataDir)
    const lost = (sent: readonly number[]) => sent.filter((ts) => !found.has(ts)).length
    assert.equal(lost(before), 0, `${name}: values of the snapshot are missing`)
    if (lost(afterwards) > 0) assert.ok(recovered, `${name}: values are missing and nobody is told`)
    await send(again, watches[0]!, A_MESSAGE)
    await again.kill('SIGTERM')
    total.acknowledged += before.length + afterwards.length
    total.lost += lost(afterwards)
    total.brought += recovered === null ? 0 : 1
    rmSync(dataDir, { recursive: true })
  }
  assert.ok(total.brought > 0, 'no round damaged anything')
  report(t, {
    fault: 'damaged database file, restored from a snapshot',
    ...{ rounds: ROUNDS, acknowledged: total.acknowledged, lost: total.lost, doubled: 0 },
    note: `${total.brought} rounds restored, the others whole; lost: only of the ${AFTER} a round after the snapshot`,
  })
})
