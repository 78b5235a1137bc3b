import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryData } from './hub-process.ts'
import { createLoad, type LoadResult } from './load.ts'
import type { Native } from './native.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const ENTRY = fileURLToPath(new URL('./steps-broker.js', import.meta.url))
const WATCHES = 50
const ROUNDS = 3
const WINDOWS = [
  { window: 1, atLeast: 6 },
  { window: 20, atLeast: 12 },
]
const STEPS = {
  bare: 'aedes alone, nothing checked or stored',
  gate: 'our sockets, access, decode, validation',
  store: 'with commit and roll-up',
  hub: 'with fan-out to live, rules and the rest',
}

/** What each step on the way to an acknowledgement costs, and what committing in groups saves. */
export async function steps(native: Native): Promise<Row[]> {
  const load = createLoad(native)
  native.program('mqttload')
  const site = await openSite({ persons: WATCHES, watches: WATCHES })
  const open = await Promise.all(['bare', 'gate', 'store', 'each'].map(stepBroker))
  const [bare, gate, store, each] = open
  if (!bare || !gate || !store || !each) throw new Error('a step did not start')
  const anybody = join(temporaryData(), 'credentials')
  writeFileSync(anybody, Array.from({ length: WATCHES }, (_, index) => `watch_${index} key\n`).join(''))
  const rows: Row[] = []
  try {
    for (const { window, atLeast } of WINDOWS) {
      const cell = { connections: WATCHES, window, seconds: 2 }
      const run =
        ({ port, pid }: Step) =>
        () =>
          load({ ...cell, port, pid, credentials: anybody })
      const hub = () =>
        load({
          ...cell,
          port: site.hub.json.mqttPort,
          pid: site.hub.json.pid,
          credentials: site.household.credentials,
        })
      const runs = await interleaved(ROUNDS, {
        bare: run(bare),
        gate: run(gate),
        store: run(store),
        each: run(each),
        hub,
      })
      rows.push(costRow(window, runs))
      const ratio = pairedRatio(runs.hub.map(perSecond), runs.each.map(perSecond))
      rows.push({
        name: `group commit, 50 conns, window ${window}`,
        hub: `${shortNumber(median(runs.hub.map(perSecond)))}/s`,
        beside: `a commit for each message: ${shortNumber(median(runs.each.map(perSecond)))}/s`,
        ratio,
        target: `>= ${atLeast}`,
        met: ratio >= atLeast,
      })
    }
    return rows
  } finally {
    for (const step of open) step.child.kill('SIGKILL')
    await site.stop()
  }
}

function costRow(window: number, runs: Record<keyof typeof STEPS, LoadResult[]>): Row {
  const cost = (name: keyof typeof STEPS) =>
    median(runs[name].map(({ cpu, ackedPerS }) => (cpu / ackedPerS) * 1e6))
  const names = Object.keys(STEPS) as (keyof typeof STEPS)[]
  return {
    name: `us of processor a message, window ${window}`,
    hub: `${shortNumber(cost('hub'))} us`,
    beside: names.map((name) => `${STEPS[name]} ${shortNumber(cost(name))}`).join(', '),
    ratio: cost('hub') / cost('bare'),
    target: '',
    met: null,
  }
}

interface Step {
  child: ChildProcess
  port: number
  pid: number
}

async function stepBroker(mode: string): Promise<Step> {
  const child = spawn(process.execPath, [ENTRY, mode, temporaryData()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { port } = JSON.parse(line.toString('utf8')) as { port: number }
  return { child, port, pid: child.pid ?? 0 }
}

function perSecond({ ackedPerS }: LoadResult): number {
  return ackedPerS
}
