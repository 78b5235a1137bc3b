/** The connections inside the WebRTC process: each answers one offer, and either shows a camera or receives one. */
import { type FrameSize, i420Bytes } from '../frames.ts'
import type {
  Connection,
  Library,
  SinkPicture,
  Track,
  Transceiver,
  Transport,
  VideoSource,
} from './library.ts'
import { MAX_PIXELS, type Order, type Report } from './messages.ts'
import { halfOf, halve, upright } from './planes.ts'

export interface Peers {
  handle(order: Order, body: Uint8Array): void
  /** Reports whose page closed its connection; called now and then, because the library does not always tell. */
  lookForGoodbyes(): void
}

interface PeersDeps {
  library: Library
  send: (report: Report, body?: Uint8Array) => void
  /** Milliseconds that only grow. */
  monotonic: () => number
}

/** An address that is slower than this is not in the answer. */
const GATHER_MS = 1_000
/** Without a further candidate for this long, the answer goes out. */
const QUIET_MS = 20
/** Larger pictures are halved before they are encoded. */
const ENCODE_PIXELS = 1280 * 720

interface Reception {
  /** The newest picture that the hub has not asked for yet. */
  waiting: (SinkPicture & { sinceMs: number }) | null
  inFlight: boolean
  stop(): void
}

interface Outlet {
  source: VideoSource
  /** Exactly the bytes of the last size: the library takes nothing else. */
  buffer: Uint8Array
}

export function createPeers({ library, send, monotonic }: PeersDeps): Peers {
  const connections = new Map<string, Connection>()
  const transports = new Map<string, Transport>()
  const receptions = new Map<string, Reception>()
  const outlets = new Map<string, Outlet>()

  function outletOf(camera: string): Outlet {
    const known = outlets.get(camera)
    if (known) return known
    const outlet = { source: new library.nonstandard.RTCVideoSource(), buffer: new Uint8Array(0) }
    outlets.set(camera, outlet)
    return outlet
  }

  function open(id: string): Connection {
    const connection = new library.RTCPeerConnection({ iceServers: [] })
    connections.set(id, connection)
    connection.onconnectionstatechange = () => {
      if (connections.get(id) === connection)
        send({ type: 'connection', id, state: connection.connectionState })
    }
    return connection
  }

  function close(id: string): void {
    const connection = connections.get(id)
    connections.delete(id)
    transports.delete(id)
    receptions.get(id)?.stop()
    receptions.delete(id)
    connection?.close()
  }

  /** Answers with one transceiver in use and every other one inactive. */
  async function negotiate(
    id: string,
    sdp: string,
    use: (connection: Connection, video: Transceiver) => Promise<void>,
  ): Promise<void> {
    try {
      const connection = open(id)
      await connection.setRemoteDescription({ type: 'offer', sdp })
      const all = connection.getTransceivers()
      const video = all.find(({ receiver }) => receiver.track.kind === 'video')
      if (!video) throw new Error('There is no video in the offer.')
      for (const other of all) if (other !== video) other.direction = 'inactive'
      await use(connection, video)
      await connection.setLocalDescription(await connection.createAnswer())
      if (video.sender.transport) transports.set(id, video.sender.transport)
      await gathered(connection)
      send({ type: 'answer', id, sdp: connection.localDescription?.sdp ?? '' })
    } catch (cause) {
      close(id)
      send({ type: 'refused', id, message: String(cause).slice(0, 500) })
    }
  }

  function next(id: string, reception: Reception): void {
    const { waiting } = reception
    if (!waiting || reception.inFlight) return
    reception.waiting = null
    reception.inFlight = true
    const { width, height, data } = upright(waiting, waiting.rotation)
    send({ type: 'picture', id, width, height, waitedMs: monotonic() - waiting.sinceMs }, data)
  }

  function listen(id: string, track: Track): void {
    const sink = new library.nonstandard.RTCVideoSink(track)
    const reception: Reception = { waiting: null, inFlight: false, stop: () => sink.stop() }
    receptions.set(id, reception)
    sink.onframe = ({ frame }) => {
      if (frame.width * frame.height > MAX_PIXELS) {
        send({ type: 'oversized', id })
        close(id)
        return
      }
      reception.waiting = { ...frame, sinceMs: monotonic() }
      next(id, reception)
    }
  }

  function show(camera: string, size: FrameSize, data: Uint8Array): void {
    const outlet = outletOf(camera)
    const large = size.width * size.height > ENCODE_PIXELS
    const target = large ? halfOf(size) : size
    const bytes = i420Bytes(target)
    if (outlet.buffer.length !== bytes) outlet.buffer = new Uint8Array(bytes)
    if (large) halve({ ...size, data }, outlet.buffer)
    else outlet.buffer.set(data)
    outlet.source.onFrame({ ...target, data: outlet.buffer })
    send({ type: 'taken', camera })
  }

  return {
    lookForGoodbyes() {
      for (const [id, { state }] of transports)
        if (state === 'closed') send({ type: 'connection', id, state })
    },
    handle(order, body) {
      switch (order.type) {
        case 'view':
          void negotiate(order.id, order.sdp, async (_, video) => {
            video.direction = 'sendonly'
            await video.sender.replaceTrack(outletOf(order.camera).source.createTrack())
          })
          return
        case 'receive':
          void negotiate(order.id, order.sdp, async (_, video) => {
            video.direction = 'recvonly'
            listen(order.id, video.receiver.track)
          })
          return
        case 'close':
          close(order.id)
          return
        case 'forget':
          outlets.delete(order.camera)
          return
        case 'picture':
          show(order.camera, order, body)
          return
        case 'taken': {
          const reception = receptions.get(order.id)
          if (!reception) return
          reception.inFlight = false
          next(order.id, reception)
        }
      }
    },
  }
}

/** Resolves when the UDP candidates are in: they come at once; those for TCP would come 100 ms later, which is too late for an answer. */
async function gathered(connection: Connection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, GATHER_MS)
    connection.onicecandidate = () => {
      clearTimeout(timer)
      timer = setTimeout(resolve, QUIET_MS)
    }
  })
}
