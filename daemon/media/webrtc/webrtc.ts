/** Live pictures to phones (WHEP) and from phones (WHIP), by way of a process of its own. */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { type FrameRing, i420Bytes } from '../frames.ts'
import type { Source } from '../source.ts'
import { type Link, startLink } from './link.ts'
import type { Report } from './messages.ts'
import { readOffer } from './offer.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import { createReception, type Reception } from './reception.ts'

/** Why a view or a reception is over. */
export type CloseReason = 'closed' | 'not-connected' | 'lost' | 'too-large' | 'process-died' | 'stopped'

export interface Closed {
  id: string
  kind: 'view' | 'receive'
  reason: CloseReason
}

export interface WebrtcStats {
  running: boolean
  pid: number | null
  /** Times the process died by itself or was ended for what it did. */
  deaths: number
  rssBytes: number
  views: number
  receptions: number
  /** Pictures handed to the process for the cameras that are being viewed. */
  sent: number
  /** Pictures not shown because they are larger than 3840 x 2160. */
  tooLarge: number
}

export interface Webrtc {
  /**
   * Answers a WHEP offer with a view of this camera. VALIDATION_ERROR, TOO_LARGE or UNSUPPORTED_MEDIA for an offer that cannot be
   * used; OVERLOADED when too many look already.
   */
  view(ring: FrameRing, offerSdp: string): Promise<{ id: string; answerSdp: string }>
  /** False when there is no such view. */
  closeView(id: string): boolean
  /** Answers a WHIP offer; the source gives its pictures, and fails with `ended` when the connection is over. */
  receive(offerSdp: string): Promise<{ id: string; answerSdp: string; source: Source }>
  /** False when there is no such reception. */
  closeReceive(id: string): boolean
  /** Told of each view and reception that ended, whoever ended it; the returned function ends that. */
  onClosed(listener: (closed: Closed) => void): () => void
  /** Starts the process ahead of the first offer, so that it is answered sooner. It ends when nothing comes. */
  warm(): void
  stats(): WebrtcStats
  stop(): Promise<void>
}

export interface WebrtcDeps {
  log: Log
  clock: Clock
  /** The compiled file of the process. */
  entry?: string
}

const VIEWERS_A_CAMERA = 8
const VIEWERS = 16
const RECEPTIONS = 4
const ANSWER_MS = 5_000
const CONNECT_MS = 10_000
const LOST_MS = 15_000
const IDLE_MS = 60_000
const RETRY_S = 5

interface Session {
  id: string
  /** null for a reception. */
  ring: FrameRing | null
  reception: Reception | null
  /** Settles the offer; null once it is settled. */
  pending: { resolve: (answerSdp: string) => void; reject: (cause: HubError) => void } | null
  cancelTimer: () => void
}

interface OpenOutlet extends Outlet {
  camera: string
}

/** Opens nothing until the first offer. */
export function createWebrtc({ log, clock, entry = besideThis() }: WebrtcDeps): Webrtc {
  const sessions = new Map<string, Session>()
  const outlets = new Map<FrameRing, OpenOutlet>()
  const listeners = new Set<(closed: Closed) => void>()
  let link: Link | null = null
  let stopped = false
  let deaths = 0
  let sentBefore = 0
  let tooLargeBefore = 0
  let cancelIdle = () => {}

  function running(): Link {
    if (stopped) throw new HubError('SHUTTING_DOWN', 'The hub is stopping. Try again in a minute.')
    cancelIdle()
    if (link?.alive()) return link
    const life = startLink({
      entry,
      clock,
      log,
      busy: () => sessions.size > 0,
      onReport: (report, body) => link === life && heard(report, body),
      onDeath: (reason) => died(life, reason),
    })
    link = life
    return life
  }

  /** Everything of that life is over. */
  function died(life: Link, reason: string): void {
    if (link !== life) return
    link = null
    if (reason !== 'idle' && reason !== 'stopped') {
      deaths++
      log.warn({ reason, deaths, open: sessions.size }, 'live pictures by WebRTC were interrupted')
    }
    for (const session of [...sessions.values()]) over(session, 'process-died')
  }

  function idleCheck(): void {
    cancelIdle()
    if (sessions.size > 0) return
    cancelIdle = clock.after(IDLE_MS, () => link?.end('idle'))
  }

  /** Ends a session here; the process is told when it still has it. */
  function over(session: Session, reason: CloseReason): void {
    if (!sessions.delete(session.id)) return
    session.cancelTimer()
    link?.send({ type: 'close', id: session.id })
    if (session.ring) leave(session.ring)
    const settled = session.pending === null
    session.pending?.reject(
      new HubError('OVERLOADED', 'The live picture was interrupted. Try again.', { retryAfterS: RETRY_S }),
    )
    session.pending = null
    session.reception?.ended(
      reason === 'too-large' ? 'too-large' : 'ended',
      reason === 'too-large'
        ? 'The pictures are larger than 3840 x 2160. Choose a smaller size in the sending app.'
        : 'The sender is gone. Start the camera again on the phone or in the browser.',
    )
    const kind = session.ring ? 'view' : 'receive'
    if (settled) for (const listener of listeners) listener({ id: session.id, kind, reason })
    idleCheck()
  }

  function leave(ring: FrameRing): void {
    const outlet = outlets.get(ring)
    if (!outlet || --outlet.viewers > 0) return
    outlet.stop()
    outlets.delete(ring)
    sentBefore += outlet.sent()
    tooLargeBefore += outlet.tooLarge()
    link?.send({ type: 'forget', camera: outlet.camera })
  }

  function join(ring: FrameRing): OpenOutlet {
    const known = outlets.get(ring)
    if (known) {
      known.viewers++
      return known
    }
    const camera = randomUUID()
    const send = (size: { width: number; height: number }, data: Uint8Array) =>
      link?.send({ type: 'picture', camera, width: size.width, height: size.height }, data)
    const outlet = Object.assign(createOutlet({ ring, clock, send }), { camera, viewers: 1 })
    outlets.set(ring, outlet)
    return outlet
  }

  function heard(report: Report, body: Uint8Array): void {
    if (report.type === 'ready' || report.type === 'alive') return
    if (report.type === 'taken') {
      for (const outlet of outlets.values()) if (outlet.camera === report.camera) outlet.taken()
      return
    }
    const session = sessions.get(report.id)
    if (!session) return
    switch (report.type) {
      case 'answer':
        session.pending?.resolve(report.sdp)
        return
      case 'refused':
        refuse(session, report.message)
        return
      case 'connection':
        connection(session, report.state)
        return
      case 'oversized':
        over(session, 'too-large')
        return
      case 'picture':
        if (body.length !== i420Bytes(report)) throw new Error('A picture had not the bytes of its size.')
        session.reception?.picture({ width: report.width, height: report.height }, report.waitedMs, body)
        link?.send({ type: 'taken', id: session.id })
    }
  }

  function refuse(session: Session, cause: string): void {
    log.debug({ cause }, 'an offer was refused')
    const reject = session.pending?.reject
    session.pending = null
    over(session, 'closed')
    reject?.(
      new HubError('VALIDATION_ERROR', 'The offer cannot be answered. Offer one video from a browser.'),
    )
  }

  function connection(session: Session, state: string): void {
    if (state === 'connected') {
      session.cancelTimer()
      if (session.ring) outlets.get(session.ring)?.repeat()
    } else if (state === 'disconnected') {
      session.cancelTimer()
      session.cancelTimer = clock.after(LOST_MS, () => over(session, 'lost'))
    } else if (state === 'failed') over(session, 'lost')
    else if (state === 'closed') over(session, 'closed')
  }

  /** Registers the session, asks the process, and gives the answer; afterwards the other side has to connect in time. */
  async function open(
    ring: FrameRing | null,
    offerSdp: string,
  ): Promise<{ session: Session; answerSdp: string }> {
    const sdp = readOffer(offerSdp, ring ? 'view' : 'receive')
    checkRoom(ring)
    const life = running()
    const id = randomUUID()
    const reception = ring ? null : createReception(clock)
    const session: Session = { id, ring, reception, pending: null, cancelTimer: () => {} }
    sessions.set(id, session)
    const answered = new Promise<string>((resolve, reject) => {
      session.pending = { resolve, reject }
    })
    session.cancelTimer = clock.after(ANSWER_MS, () => life.end('it did not answer an offer'))
    if (ring) life.send({ type: 'view', id, camera: join(ring).camera, sdp })
    else life.send({ type: 'receive', id, sdp })
    const answerSdp = await answered
    session.pending = null
    session.cancelTimer()
    session.cancelTimer = clock.after(CONNECT_MS, () => over(session, 'not-connected'))
    return { session, answerSdp }
  }

  function checkRoom(ring: FrameRing | null): void {
    const all = [...sessions.values()]
    const views = all.filter((session) => session.ring !== null).length
    const full = ring
      ? views >= VIEWERS || all.filter((session) => session.ring === ring).length >= VIEWERS_A_CAMERA
      : all.length - views >= RECEPTIONS
    if (!full) return
    throw new HubError(
      'OVERLOADED',
      ring
        ? `At most ${VIEWERS_A_CAMERA} may watch a camera live, ${VIEWERS} in all. Close one, or use the still picture.`
        : `At most ${RECEPTIONS} phones may send pictures at once. Stop one first.`,
      { retryAfterS: RETRY_S },
    )
  }

  function close(id: string, kind: Closed['kind']): boolean {
    const session = sessions.get(id)
    if (!session || (session.ring ? 'view' : 'receive') !== kind) return false
    over(session, 'closed')
    return true
  }

  return {
    async view(ring, offerSdp) {
      const { session, answerSdp } = await open(ring, offerSdp)
      return { id: session.id, answerSdp }
    },
    closeView: (id) => close(id, 'view'),
    async receive(offerSdp) {
      const { session, answerSdp } = await open(null, offerSdp)
      if (!session.reception) throw new Error('A reception without its source.')
      return { id: session.id, answerSdp, source: session.reception.source }
    },
    closeReceive: (id) => close(id, 'receive'),
    onClosed(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    warm() {
      if (stopped || link?.alive()) return
      running()
      idleCheck()
    },
    stats() {
      const views = [...sessions.values()].filter((session) => session.ring !== null).length
      return {
        running: link !== null,
        pid: link?.pid ?? null,
        deaths,
        rssBytes: link?.rssBytes() ?? 0,
        views,
        receptions: sessions.size - views,
        sent: [...outlets.values()].reduce((sum, outlet) => sum + outlet.sent(), sentBefore),
        tooLarge: [...outlets.values()].reduce((sum, outlet) => sum + outlet.tooLarge(), tooLargeBefore),
      }
    },
    async stop() {
      stopped = true
      cancelIdle()
      const life = link
      for (const session of [...sessions.values()]) over(session, 'stopped')
      cancelIdle()
      if (!life) return
      life.end('stopped')
      await life.gone
    },
  }
}

const besideThis = () => fileURLToPath(new URL('./child.js', import.meta.url))
