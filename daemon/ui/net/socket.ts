/** Keeps one WebSocket to the hub: topics, resume by sequence number, jittered back-off, and a probe for dead links. */

/** What the client uses of a WebSocket, so that a test can play the hub. */
export interface Wire {
  binaryType: string
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

export interface LiveEvent {
  type: string
  topic: string
  seq: number
  ts: string
  data: unknown
  /** Numbers that came beside `data` in a binary frame: x, y, score of every joint. */
  joints?: Float32Array
}

/** `idle`: nothing wanted yet; `waiting` for `retryAtMs` after a lost connection. */
export type SocketState =
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'waiting'; retryAtMs: number }
  | { kind: 'refused' }

export interface Socket {
  /** Replaces the wanted topics; opens the connection when there are any. */
  want(topics: readonly string[]): void
  /** The network came back or the app is in front again: connect now, or make sure the open link is alive. */
  wake(): void
  /** Closes for good and forgets sequence numbers. */
  stop(): void
}

export interface SocketDeps {
  open(protocols: string[]): Wire
  /** A token that is good now; null when nobody is signed in. Renews when `force` or when it is about to run out. */
  token(force: boolean): Promise<string | null>
  timers: { set(run: () => void, ms: number): number; clear(id: number): void; nowMs(): number }
  random: () => number
  onEvent(event: LiveEvent): void
  /** Events were lost, or the topic was just joined: what is known of it must be fetched again. */
  onGap(topic: string): void
  onState(state: SocketState): void
  onRevoked(): void
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 20_000
/** Silence after which the link is asked for a sign of life, and how long that may take. */
const QUIET_MS = 40_000
const PROBE_MS = 6_000
const UNAUTHENTICATED = 4401
const REVOKED = 4403

export function createSocket(deps: SocketDeps): Socket {
  const { timers } = deps
  const seen = new Map<string, number>()
  let wanted: readonly string[] = []
  let wire: Wire | null = null
  let ready = false
  let opening = false
  let failures = 0
  let timer: number | null = null
  let forceToken = false
  let generation = 0

  return {
    want(topics) {
      const added = topics.filter((topic) => !wanted.includes(topic))
      const dropped = wanted.filter((topic) => !topics.includes(topic))
      wanted = [...topics]
      for (const topic of dropped) seen.delete(topic)
      if (wanted.length === 0) return
      if (wire === null) {
        if (timer === null) void connect()
      } else if (ready) {
        if (dropped.length > 0) say({ type: 'unsubscribe', topics: dropped })
        if (added.length > 0) subscribe(added)
      }
    },
    wake() {
      if (wanted.length === 0) return
      if (ready) probe()
      else if (wire === null) {
        failures = 0
        schedule(0)
      }
    },
    stop() {
      generation += 1
      wanted = []
      seen.clear()
      unschedule()
      drop()
      deps.onState({ kind: 'idle' })
    },
  }

  async function connect(): Promise<void> {
    unschedule()
    if (wire !== null || opening) return
    opening = true
    const mine = generation
    deps.onState({ kind: 'connecting' })
    const token = await deps.token(forceToken).catch(() => null)
    opening = false
    if (mine !== generation) return
    if (token === null) {
      retry()
      return
    }
    forceToken = false
    wire = deps.open(['homefield.v1', `bearer.${token}`])
    const current = wire
    current.binaryType = 'arraybuffer'
    wire.onopen = () => {
      if (current === wire) watch()
    }
    wire.onmessage = (event) => {
      if (current === wire) hear(event.data)
    }
    wire.onclose = (event) => {
      if (current === wire) closed(event.code)
    }
  }

  function subscribe(topics: readonly string[]): void {
    if (topics.length === 0) return
    const since: Record<string, number> = {}
    for (const topic of topics) {
      const seq = seen.get(topic)
      if (seq !== undefined) since[topic] = seq
    }
    say({ type: 'subscribe', topics, ...(Object.keys(since).length > 0 ? { since } : {}) })
  }

  function hear(data: unknown): void {
    watch()
    const message = typeof data === 'string' ? parsed(data) : unpacked(data)
    switch (message?.['type']) {
      case undefined:
        return
      case 'connected':
        ready = true
        subscribe(wanted)
        return
      case 'subscribed':
        joined(message['seq'])
        return
      case 'gap':
        if (typeof message['topic'] === 'string') lost(message['topic'], message['to'])
        return
      case 'error':
        return
      default:
        if (message && typeof message['topic'] === 'string') receive(message)
    }
  }

  /**
   * A topic that was joined without `since` may have moved between the last fetch and now; one whose number is behind
   * ours belongs to a hub that was started again. (Skipped numbers are no loss: vitals are coalesced to the newest.)
   */
  function joined(seqs: unknown): void {
    failures = 0
    deps.onState({ kind: 'open' })
    if (typeof seqs !== 'object' || seqs === null) return
    for (const [topic, seq] of Object.entries(seqs)) {
      if (typeof seq !== 'number' || ((seen.get(topic) ?? -1) >= 0 && seq >= (seen.get(topic) ?? 0))) continue
      seen.set(topic, seq)
      deps.onGap(topic)
    }
  }

  function lost(topic: string, to: unknown): void {
    if (typeof to === 'number') seen.set(topic, to)
    else seen.delete(topic)
    deps.onGap(topic)
  }

  function receive(message: Record<string, unknown>): void {
    const { type, topic, seq, ts, data, joints } = message
    if (typeof type !== 'string' || typeof topic !== 'string' || typeof seq !== 'number') return
    const before = seen.get(topic)
    if (before !== undefined && seq <= before) return
    seen.set(topic, seq)
    const event: LiveEvent = { type, topic, seq, ts: typeof ts === 'string' ? ts : '', data }
    deps.onEvent(joints instanceof Float32Array ? { ...event, joints } : event)
  }

  function closed(code: number): void {
    drop()
    if (code === REVOKED) {
      deps.onState({ kind: 'refused' })
      deps.onRevoked()
      return
    }
    if (code === UNAUTHENTICATED) forceToken = true
    retry()
  }

  function retry(): void {
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
    failures = Math.min(failures + 1, 10)
    const waitMs = ceiling / 2 + (deps.random() * ceiling) / 2
    deps.onState({ kind: 'waiting', retryAtMs: timers.nowMs() + waitMs })
    schedule(waitMs)
  }

  /** Restarts the silence watch; the hub's own pings are invisible to a page. */
  function watch(): void {
    unschedule()
    timer = timers.set(probe, QUIET_MS)
  }

  /** Subscribing again to what is subscribed is harmless and must be answered. */
  function probe(): void {
    unschedule()
    subscribe(wanted.slice(0, 1))
    timer = timers.set(() => closed(0), PROBE_MS)
  }

  function schedule(ms: number): void {
    unschedule()
    timer = timers.set(() => void connect(), ms)
  }

  function unschedule(): void {
    if (timer !== null) timers.clear(timer)
    timer = null
  }

  function drop(): void {
    const old = wire
    wire = null
    ready = false
    unschedule()
    if (!old) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }

  function say(message: unknown): void {
    wire?.send(JSON.stringify(message))
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const LENGTH_BYTES = 4

/** A binary frame: length of the header (u32, little-endian), the event as JSON, then 32-bit floats. */
function unpacked(data: unknown): Record<string, unknown> | null {
  if (!(data instanceof ArrayBuffer) || data.byteLength < LENGTH_BYTES) return null
  const headerBytes = new DataView(data).getUint32(0, true)
  if (LENGTH_BYTES + headerBytes > data.byteLength) return null
  const message = parsed(new TextDecoder().decode(new Uint8Array(data, LENGTH_BYTES, headerBytes)))
  // The floats need not lie at a multiple of four: they are copied.
  const rest = data.slice(LENGTH_BYTES + headerBytes)
  return message && { ...message, joints: new Float32Array(rest, 0, Math.floor(rest.byteLength / 4)) }
}
