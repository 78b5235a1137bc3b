import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { OWNER } from './household.ts'
import { createLoad } from './load.ts'
import { startMosquitto } from './mosquitto.ts'
import type { Native } from './native.ts'
import { interleaved, median, pairedRatio, quantile, type Row } from './row.ts'
import { openSite, type Site } from './site.ts'
import { shortNumber } from './table.ts'

const SUBSCRIBERS = 100
const PERSONS = 50
const RATE_PER_S = 500
const SECONDS = 3
const ROUNDS = 3
const WARM_MS = 1000
const MOST_CPU = 0.15

/**
 * 100 screens that look at 50 people of 10 values a second each. The hub gathers to 4 Hz per person, mosquitto sends every
 * message; the ratio is of processor time. Lateness is counted from the instant that the frame itself names as sent.
 */
export async function fanOut(native: Native): Promise<Row[]> {
  const load = createLoad(native)
  const peer = await startMosquitto()
  const site = await openSite({ persons: PERSONS, watches: PERSONS })
  const listeners = await listen(site)
  const stream = { connections: PERSONS, rate: RATE_PER_S, seconds: SECONDS }
  try {
    const { hub, mosquitto } = await interleaved(ROUNDS, {
      hub: async () => {
        listeners.reset()
        const { mqttPort: port, pid } = site.hub.json
        const run = load({ ...stream, port, pid, credentials: site.household.credentials })
        await sleep(WARM_MS)
        return { ...(await run), ...listeners.heard() }
      },
      mosquitto: () =>
        load({ ...stream, port: peer.port, pid: peer.pid, subscribers: SUBSCRIBERS, qos: 0 as const }),
    })
    const cpu = median(hub.map((run) => run.cpu))
    return [
      {
        name: `live, ${SUBSCRIBERS} subscribers, ${RATE_PER_S} msg/s`,
        hub: `${shortNumber(cpu)} cores, ${shortNumber(median(hub.map((run) => run.framesPerS)))} frames/s, late p50 ${shortNumber(median(hub.map((run) => run.lateP50Ms)))} p99 ${shortNumber(median(hub.map((run) => run.lateP99Ms)))} ms`,
        beside: `mosquitto, each message: ${shortNumber(median(mosquitto.map((run) => run.cpu)))} cores, ${shortNumber(median(mosquitto.map((run) => run.receivedPerS)))}/s, p99 ${shortNumber(median(mosquitto.map((run) => run.deliveredP99Ms)))} ms`,
        ratio: pairedRatio(
          hub.map((run) => run.cpu),
          mosquitto.map((run) => run.cpu),
        ),
        target: `<= ${MOST_CPU} cores`,
        met: cpu <= MOST_CPU,
      },
    ]
  } finally {
    listeners.close()
    await site.stop()
    await peer.stop()
  }
}

async function listen({ hub, household }: Site) {
  const signedIn = await hub.control.call('POST', '/auth/login', OWNER)
  const { access_token: token } = signedIn as { access_token: string }
  const late: number[] = []
  let fromMs = performance.now()
  const sockets = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, async () => {
      const socket = new WebSocket(
        `wss://127.0.0.1:${hub.json.httpsPort}/api/v1/ws`,
        ['homefield.v1', `bearer.${token}`],
        { rejectUnauthorized: false },
      )
      await once(socket, 'open')
      socket.send(
        JSON.stringify({ type: 'subscribe', topics: household.persons.map((id) => `person:${id}`) }),
      )
      socket.on('message', (data: Buffer) => {
        const sent = /"ts":"([^"]+)"/.exec(data.toString('latin1'))?.[1]
        if (sent && data.includes('"vitals"')) late.push(Date.now() - Date.parse(sent))
      })
      return socket
    }),
  )
  return {
    reset() {
      late.length = 0
      fromMs = performance.now()
    },
    heard: () => ({
      framesPerS: (late.length * 1000) / (performance.now() - fromMs),
      lateP50Ms: quantile(late, 0.5),
      lateP99Ms: quantile(late, 0.99),
    }),
    close() {
      for (const socket of sockets) socket.terminate()
    },
  }
}
