/** A small MJPEG camera over HTTP, as ESP32-CAM and the like are: `/stream` without end, `/capture` for one picture. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Guard } from './guard.ts'
import type { Due, Playhead } from './playhead.ts'
import type { Video } from './video.ts'

export interface MjpegServer {
  /** Resolves with the port. */
  listen(port: number, host?: string): Promise<number>
  unplug(): Promise<void>
  plugIn(): Promise<void>
  stop(): Promise<void>
}

export interface MjpegServerDeps {
  video: Video
  playhead: Playhead
  guard: Guard | null
}

const BOUNDARY = '123456789000000000000987654321'
const MAX_VIEWERS = 32
/** A viewer that does not take this much misses pictures. */
const MAX_WAITING_BYTES = 1024 * 1024

export function createMjpegServer({ video, playhead, guard }: MjpegServerDeps): MjpegServer {
  const viewers = new Set<ServerResponse>()
  let latest: Uint8Array = video.pictures[0]?.parts[0] ?? new Uint8Array()
  let server: Server | null = null
  let address = { port: 0, host: '127.0.0.1' }

  playhead.onDue(({ picture, takenAtMs }: Due) => {
    latest = picture.parts[0] ?? latest
    for (const viewer of viewers)
      if (viewer.writableLength < MAX_WAITING_BYTES) part(viewer, latest, takenAtMs)
  })
  playhead.onEnd(() => {
    for (const viewer of viewers) viewer.end()
  })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const allowed = guard?.check(request.method ?? '', request.headers.authorization ?? null) ?? 'allowed'
    const { pathname } = new URL(request.url ?? '/', 'http://camera')
    if (guard !== null && allowed !== 'allowed') {
      response.writeHead(401, { 'WWW-Authenticate': guard.challenge(allowed === 'stale') }).end()
    } else if (pathname === '/capture') {
      playhead.start()
      response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': latest.length }).end(latest)
    } else if (pathname !== '/stream') response.writeHead(404).end()
    else if (viewers.size >= MAX_VIEWERS) response.writeHead(503).end()
    else view(response)
  }

  function view(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': `multipart/x-mixed-replace;boundary=${BOUNDARY}` })
    response.flushHeaders()
    viewers.add(response)
    response.on('close', () => viewers.delete(response))
    response.on('error', () => response.destroy())
    playhead.start()
  }

  async function open(): Promise<void> {
    const opened = createServer(answer)
    server = opened
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject)
      opened.listen(address.port, address.host, resolve)
    })
    address = { ...address, port: (opened.address() as AddressInfo).port }
  }

  async function shut(): Promise<void> {
    const open = server
    server = null
    if (open === null) return
    open.closeAllConnections()
    await new Promise<void>((resolve) => open.close(() => resolve()))
  }

  return {
    async listen(port, host = '127.0.0.1') {
      address = { port, host }
      await open()
      return address.port
    },
    unplug: shut,
    plugIn: open,
    stop: shut,
  }
}

function part(response: ServerResponse, jpeg: Uint8Array, takenAtMs: number): void {
  const stamp = `${Math.floor(takenAtMs / 1000)}.${String(Math.floor(takenAtMs % 1000) * 1000).padStart(6, '0')}`
  response.write(
    `\r\n--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\nX-Timestamp: ${stamp}\r\n\r\n`,
  )
  response.write(jpeg)
}
