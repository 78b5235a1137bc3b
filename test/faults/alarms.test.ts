import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createStore } from '../../daemon/store/open.ts'
import { scratch, unexpected } from '../store/home.ts'

const CHILD = fileURLToPath(new URL('./alarms-child.js', import.meta.url))
const START_MS = Date.UTC(2026, 2, 14, 2)
/** Courses of an alarm, each killed at other boundaries; `HOMEFIELD_KILL_ROUNDS=0` means every boundary there is, one each. */
const ROUNDS = Number(process.env['HOMEFIELD_KILL_ROUNDS'] ?? '1')
const KILLS_A_ROUND = 4

interface Line {
  sent?: string
  to?: string
  id?: string
  round?: number
  settled?: { alertSeq: number; recipient: string; channel: string; address: string; round: number }
  killed?: string
  all?: number
  nowMs?: number
}

/** One life of the hub; answers what it did outside, in order. */
async function life(t: TestContext, path: string, boundary: number, nowMs: number): Promise<Line[]> {
  const child = spawn(process.execPath, [CHILD, path, String(boundary), String(nowMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const lines: Line[] = []
  for await (const line of createInterface({ input: child.stdout! })) lines.push(JSON.parse(line) as Line)
  await ended
  return lines
}

/** The course of one alarm over as many lives as it takes. */
async function course(t: TestContext, boundaries: readonly number[]) {
  const path = join(scratch(t), 'hub.db')
  const lines: Line[] = []
  let kills = 0
  let nowMs = START_MS
  for (const boundary of [...boundaries, 0]) {
    const lived = await life(t, path, boundary, nowMs)
    lines.push(...lived)
    const last = lived.at(-1)
    nowMs = last?.nowMs ?? nowMs
    if (last?.all !== undefined) break
    assert.ok(last?.killed !== undefined, 'a life ends at its boundary or with the whole course')
    kills += 1
  }
  const boundariesInAll = lines.find(({ all }) => all !== undefined)?.all ?? 0
  return { path, lines, kills, boundariesInAll }
}

const keyOf = ({ sent, to, id, round }: Line) => [sent, to, id, round].join(' ')

/** What must hold however often the hub died on the way. */
async function judge({ path, lines, kills }: Awaited<ReturnType<typeof course>>): Promise<number> {
  const store = await createStore({ path, now: () => START_MS, onFailure: unexpected })
  try {
    return found(store, lines, kills)
  } finally {
    // Not at the end of the test: every boundary would keep a database open until then.
    await store.close()
  }
}

function found(
  store: Awaited<ReturnType<typeof createStore>>,
  lines: readonly Line[],
  kills: number,
): number {
  const states = (table: string) => store.all(`SELECT state FROM ${table}`).map((row) => Object(row).state)
  assert.deepEqual([states('episode'), states('alert')], [['resolved'], ['resolved']])
  const rows = store.all<{ kind: string; times: number }>(
    'SELECT kind, count(*) AS times FROM episode_row GROUP BY kind ORDER BY kind',
  )
  const once = Object.fromEntries(rows.map(({ kind, times }) => [kind, times]))
  for (const kind of ['opened', 'acknowledged', 'resolved']) assert.equal(once[kind], 1, `${kind} once`)
  const open = store.all(
    `SELECT recipient, channel, state FROM delivery WHERE state NOT IN ('sent', 'delivered', 'seen', 'dropped', 'unconfirmed')`,
  )
  assert.deepEqual(open, [], 'nothing is left to be told')
  assert.deepEqual(lostIn(store, lines), [], 'nothing is lost')
  const times = new Map<string, number>()
  for (const line of lines) {
    if (line.sent === undefined) continue
    const key = keyOf(line)
    times.set(key, (times.get(key) ?? 0) + 1)
  }
  // Speech has no key that tells rounds apart, so it is counted below.
  const repeated = [...times]
    .filter(([key]) => !key.startsWith('speech'))
    .reduce((sum, [, count]) => sum + count - 1, 0)
  assert.ok(repeated <= 4 * kills, `${repeated} repetitions for ${kills} kills`)
  const spoken = [...times].filter(([key]) => key.startsWith('speech'))
  const rounds = store.all(`SELECT round FROM delivery WHERE channel = 'speech'`).length
  const said = spoken.reduce((sum, [, count]) => sum + count, 0)
  assert.ok(said <= rounds, 'what was said aloud is never said again')
  assert.deepEqual(sentAfterSettling(lines), [], 'what is settled is not sent again')
  return repeated
}

/** Rounds of a delivery that the outbox calls sent and nobody ever saw outside. */
function lostIn(store: Awaited<ReturnType<typeof createStore>>, lines: readonly Line[]): string[] {
  const sent = new Set(lines.filter((line) => line.sent !== undefined).map(keyOf))
  const rows = store.all<{
    recipient: string
    channel: string
    address: string
    round: number
    step: number
    id: string
  }>(
    `SELECT d.recipient, d.channel, d.address, d.round, d.step, a.id FROM delivery d JOIN alert a ON a.seq = d.alert_seq
     WHERE d.state IN ('sent', 'delivered', 'seen') AND d.channel IN ('app', 'watch', 'webhook')`,
  )
  return rows
    .map(({ recipient, channel, address, round, step, id }) => {
      if (channel === 'app') return `app ${recipient.slice('user:'.length)} ${id} ${round}`
      if (channel === 'watch') return `watch hf/${address}/cmd ${id} ${round}`
      return `webhook house ${id}-${round}-${step} 0`
    })
    .filter((key) => !key.startsWith('app') && !sent.has(key))
}

/** The watch's messages are one act a delivery, so that order tells. */
function sentAfterSettling(lines: readonly Line[]): string[] {
  const settled = new Set<string>()
  const again: string[] = []
  for (const line of lines) {
    if (line.settled?.channel === 'watch') settled.add(`hf/${line.settled.address}/cmd ${line.settled.round}`)
    if (line.sent === 'watch' && settled.has(`${line.to} ${line.round}`)) again.push(keyOf(line))
  }
  return again
}

test('a hub that is killed between any two steps of the ladder loses nothing and repeats only what was in flight', async (t) => {
  const whole = await course(t, [])
  assert.equal(await judge(whole), 0)
  const { boundariesInAll } = whole
  let kills = 0
  let repeated = 0
  const rounds =
    ROUNDS === 0
      ? Array.from({ length: boundariesInAll }, (_, index) => [index + 1])
      : Array.from({ length: ROUNDS }, (_, round) =>
          Array.from({ length: KILLS_A_ROUND }, (_, kill) => 1 + ((kill * 7 + round * 11) % 23)),
        )
  for (const boundaries of rounds) {
    const lived = await course(t, boundaries)
    kills += lived.kills
    repeated += await judge(lived)
  }
  t.diagnostic(`${boundariesInAll} boundaries, ${kills} kills, ${repeated} repetitions`)
  assert.ok(kills > 0)
})
