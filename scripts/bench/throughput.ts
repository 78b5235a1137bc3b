import { createLoad, type LoadResult } from './load.ts'
import { startMosquitto } from './mosquitto.ts'
import type { Native } from './native.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const CELLS = [
  { connections: 50, window: 1, target: 0.35 },
  { connections: 500, window: 1, target: 0.38 },
  { connections: 50, window: 20, target: 1 },
]
const RATES_PER_S = [
  { rate: 2000, p50Ms: 0.5, p99Ms: 5 },
  { rate: 10_000, p50Ms: null, p99Ms: 8 },
]
const ROUNDS = 3
/** What runs as fast as it can swings most. */
const FLOOD_ROUNDS = 5
const SECONDS = 2
const WATCHES = 500
const PERSONS = 50

/** Durable acknowledged messages per second beside a broker that stores nothing, as fast as the clients can. */
export async function throughput(native: Native): Promise<Row[]> {
  return besidePeer(native, async (ours, theirs) => {
    const rows: Row[] = []
    for (const { connections, window, target } of CELLS) {
      const cell = { connections, window, seconds: SECONDS }
      // Compiles what the rounds run.
      await ours({ ...cell, seconds: 1 })
      const { hub, peer } = await interleaved(FLOOD_ROUNDS, {
        hub: () => ours(cell),
        peer: () => theirs(cell),
      })
      const ratio = pairedRatio(hub.map(perSecond), peer.map(perSecond))
      rows.push({
        name: `durable acks, ${connections} conns, window ${window}`,
        hub: `${shortNumber(median(hub.map(perSecond)))}/s, p99 ${ms(hub, 'p99Ms')}, ${shortNumber(median(hub.map(usPerMessage)))} us, ${shortNumber(median(hub.map((run) => run.residentMb)))} MB`,
        beside: `mosquitto, no disk: ${shortNumber(median(peer.map(perSecond)))}/s, p99 ${ms(peer, 'p99Ms')}, ${shortNumber(median(peer.map(usPerMessage)))} us`,
        ratio,
        target: `>= ${target}`,
        met: ratio >= target,
      })
    }
    return rows
  })
}

/** Latency at a fixed rate, counted from when a message was due. */
export async function openLoop(native: Native): Promise<Row[]> {
  return besidePeer(native, async (ours, theirs) => {
    const rows: Row[] = []
    for (const { rate, p50Ms, p99Ms } of RATES_PER_S) {
      const cell = { connections: WATCHES, rate, seconds: 3 }
      const { hub, peer } = await interleaved(ROUNDS, { hub: () => ours(cell), peer: () => theirs(cell) })
      const unacked = Math.max(...hub.map((run) => run.unacked + run.lostConnections))
      const [p50, p99] = [median(hub.map((run) => run.p50Ms)), median(hub.map((run) => run.p99Ms))]
      rows.push({
        name: `open loop ${rate}/s, 500 conns`,
        hub: `p50 ${ms(hub, 'p50Ms')}, p99 ${ms(hub, 'p99Ms')}, ${cpu(hub)}, ${unacked} unacknowledged`,
        beside: `mosquitto: p50 ${ms(peer, 'p50Ms')}, p99 ${ms(peer, 'p99Ms')}, ${cpu(peer)}`,
        ratio: pairedRatio(
          hub.map((run) => run.p99Ms),
          peer.map((run) => run.p99Ms),
        ),
        target: `${p50Ms === null ? '' : `p50 <= ${p50Ms}, `}p99 <= ${p99Ms} ms, no loss`,
        met: unacked === 0 && p99 <= p99Ms && (p50Ms === null || p50 <= p50Ms),
      })
    }
    return rows
  })
}

interface Cell {
  connections: number
  window?: number
  rate?: number
  seconds: number
}
type Run = (cell: Cell) => Promise<LoadResult>

async function besidePeer(native: Native, work: (ours: Run, theirs: Run) => Promise<Row[]>): Promise<Row[]> {
  const load = createLoad(native)
  native.program('mqttload')
  const peer = await startMosquitto()
  const site = await openSite({ persons: PERSONS, watches: WATCHES })
  try {
    const { mqttPort, pid } = site.hub.json
    const { credentials } = site.household
    return await work(
      (cell) => load({ ...cell, port: mqttPort, pid, credentials }),
      (cell) => load({ ...cell, port: peer.port, pid: peer.pid }),
    )
  } finally {
    await site.stop()
    await peer.stop()
  }
}

function perSecond({ ackedPerS }: LoadResult): number {
  return ackedPerS
}

/** Processor time of all threads: on a busy machine it says more than the rate. */
function usPerMessage({ cpu, ackedPerS }: LoadResult): number {
  return (cpu / ackedPerS) * 1e6
}

function ms(runs: readonly LoadResult[], name: 'p50Ms' | 'p99Ms'): string {
  return `${shortNumber(median(runs.map((run) => run[name])))} ms`
}

function cpu(runs: readonly LoadResult[]): string {
  return `${shortNumber(median(runs.map((run) => run.cpu)))} cores`
}
