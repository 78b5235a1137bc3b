import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { Household } from './household.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const READINGS = 288
const EVERY_MS = 300_000
const CONNECTIONS = 8
const SECONDS = 2
const ROUNDS = 3
const AT_LEAST = 1800
const DAY_MS = 86_400_000
const MAX_DAYS = 4000

/** Days of a glucose sensor, 288 readings a request, durable before the answer. */
export async function httpBulk(): Promise<Row[]> {
  const site = await openSite({ persons: CONNECTIONS, watches: CONNECTIONS })
  const bare = await bareServer(site.dataDir)
  const days = createDays()
  try {
    const { hub, none } = await interleaved(ROUNDS, {
      hub: () => flood(site.hub.json.httpsPort, site.household, days),
      none: () => flood(bare.port, site.household, days),
    })
    const perS = median(hub.map((run) => run.perS))
    return [
      {
        name: `HTTPS bulk, ${READINGS} readings a request`,
        hub: `${shortNumber(perS)} req/s, ${shortNumber(perS * READINGS)} readings/s, p99 ${shortNumber(median(hub.map((run) => run.p99Ms)))} ms`,
        beside: `node:https that parses and forgets: ${shortNumber(median(none.map((run) => run.perS)))} req/s`,
        ratio: pairedRatio(
          hub.map((run) => run.perS),
          none.map((run) => run.perS),
        ),
        target: `>= ${AT_LEAST} req/s`,
        met: perS >= AT_LEAST,
      },
    ]
  } finally {
    bare.server.close()
    await site.stop()
  }
}

/** Each connection is a sensor that sends one day after the other, oldest first, never the same day twice. */
function createDays() {
  const next = new Array<number>(CONNECTIONS).fill(0)
  const firstMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - MAX_DAYS * DAY_MS
  return (connection: number): string => {
    const day = next[connection] ?? 0
    next[connection] = day + 1
    const samples: string[] = []
    for (let index = 0; index < READINGS; index++) {
      const ts = firstMs + day * DAY_MS + index * EVERY_MS
      samples.push(`{"ts":${ts},"metric":"glucose","value":${80 + ((index * 7 + day) % 120)}}`)
    }
    return `{"samples":[${samples.join(',')}]}`
  }
}

async function flood(port: number, { watches }: Household, day: (connection: number) => string) {
  const latencies: number[] = []
  const untilMs = performance.now() + SECONDS * 1000
  const send = async (connection: number) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.setNoDelay(true)
    await once(socket, 'secureConnect')
    const answers = answersOf(socket)
    const key = watches[connection]?.key ?? ''
    while (performance.now() < untilMs) {
      const body = day(connection)
      const fromMs = performance.now()
      socket.write(
        `POST /api/v1/health_data/ingest HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: ${key}\r\n` +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
      const status = await answers()
      if (status !== 200) throw new Error(`the hub answered ${status}`)
      latencies.push(performance.now() - fromMs)
    }
    socket.destroy()
  }
  await Promise.all(watches.map((_, connection) => send(connection)))
  latencies.sort((a, b) => a - b)
  return {
    perS: latencies.length / SECONDS,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  }
}

/** Reads one answer after the other, by content-length: enough of HTTP for a load client. */
function answersOf(socket: Socket): () => Promise<number> {
  let buffered = ''
  let wake: (() => void) | null = null
  socket.setEncoding('latin1').on('data', (text: string) => {
    buffered += text
    wake?.()
  })
  let failure: Error | null = null
  socket.on('error', (cause) => {
    failure = cause
    wake?.()
  })
  return async () => {
    for (;;) {
      const end = buffered.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(buffered)?.[1] ?? 0)
      if (end >= 0 && buffered.length >= end + 4 + length) {
        const status = Number(buffered.slice(9, 12))
        buffered = buffered.slice(end + 4 + length)
        return status
      }
      if (failure) throw failure
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

async function bareServer(dataDir: string): Promise<{ server: Server; port: number }> {
  const identity = {
    key: readFileSync(join(dataDir, 'tls', 'hub-key.pem')),
    cert: readFileSync(join(dataDir, 'tls', 'hub.pem')),
  }
  const server = createServer(identity, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { samples } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { samples: unknown[] }
      const answer = JSON.stringify({ accepted: samples.length })
      response.writeHead(200, { 'content-length': answer.length }).end(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port }
}
