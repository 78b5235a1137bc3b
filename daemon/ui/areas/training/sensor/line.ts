/** Sends what this phone saw to the hub, one message at a time: while one is on its way the next ones gather. */
import { ApiError } from '../../../net/api.ts'
import type { Session } from '../../../net/session.ts'
import type { LandmarkFrame } from './messages.ts'

/** What is sent with every message. */
export interface Batch {
  camera_id: string
  width: number
  height: number
  models: object
}

export interface Line {
  put(frame: LandmarkFrame, batch: Batch): void
  counts(): Counts
  close(): void
}

export interface Counts {
  taken: number
  /** Refused by the hub, or left out here because the network lagged. */
  lost: number
}

export interface LineDeps {
  session: Pick<Session, 'freshToken'>
  /** The hub has taken what it was sent for the first time. */
  onFirst: () => void
  /** Told once; null: the connection broke. */
  onLost: (error: ApiError | null) => void
}

const MOST_WAITING = 15
const ANSWER_MS = 5_000
/** Sooner than any access token runs out. */
const RENEW_MS = 8 * 60_000

export async function openLine({ session, onFirst, onLost }: LineDeps): Promise<Line> {
  const token = await session.freshToken(false)
  if (token === null) throw new ApiError('UNAUTHENTICATED', 'You are signed out.', 401)
  const socket = new WebSocket(`wss://${window.location.host}/api/v1/ws`, ['homefield.v1', `bearer.${token}`])
  let waiting: LandmarkFrame[] = []
  let newest: Batch | null = null
  let isOpen = false
  let isUnderWay = false
  let isOver = false
  let patience: ReturnType<typeof setTimeout> | null = null
  const counts: Counts = { taken: 0, lost: 0 }
  const renewing = setInterval(() => void renew(), RENEW_MS)

  socket.addEventListener('message', ({ data }) => hear(String(data)))
  socket.addEventListener('close', () => over(null))
  expectAnswer()
  return {
    put(frame, batch) {
      newest = batch
      waiting.push(frame)
      if (waiting.length > MOST_WAITING) {
        waiting.shift()
        counts.lost += 1
      }
      send()
    },
    counts: () => ({ ...counts }),
    close() {
      isOver = true
      end()
    },
  }

  function send(): void {
    if (!isOpen || isUnderWay || !newest || waiting.length === 0) return
    isUnderWay = true
    const sent_at = performance.timeOrigin + performance.now()
    socket.send(JSON.stringify({ type: 'landmarks', ...newest, sent_at, frames: waiting }))
    waiting = []
    expectAnswer()
  }

  function hear(text: string): void {
    const told = JSON.parse(text) as Record<string, unknown>
    if (told['type'] === 'connected') {
      if (!isOpen && patience !== null) clearTimeout(patience)
      isOpen = true
      send()
    } else if (told['type'] === 'error') over(new ApiError(String(told['code']), String(told['message'])))
    else if (told['type'] === 'landmarks_ack') answered(told)
  }

  function answered(told: Record<string, unknown>): void {
    if (patience !== null) clearTimeout(patience)
    isUnderWay = false
    const number = (name: string) => Number(told[name] ?? 0)
    if (counts.taken === 0 && number('taken') > 0) onFirst()
    counts.taken += number('taken')
    counts.lost += number('out_of_order') + number('too_old') + number('too_fast')
    send()
  }

  function expectAnswer(): void {
    if (patience !== null) clearTimeout(patience)
    patience = setTimeout(() => over(null), ANSWER_MS)
  }

  async function renew(): Promise<void> {
    const fresh = await session.freshToken(true).catch(() => null)
    if (fresh !== null && socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ type: 'auth', token: fresh }))
  }

  function over(error: ApiError | null): void {
    if (isOver) return
    isOver = true
    end()
    onLost(error)
  }

  function end(): void {
    clearInterval(renewing)
    if (patience !== null) clearTimeout(patience)
    socket.close()
  }
}
