/** The live client: joins, resumes, notices loss and silence, and never hammers a hub that is away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSocket, type LiveEvent, type SocketState, type Wire } from '../../daemon/ui/net/socket.ts'

interface PlayedWire extends Wire {
  said: Record<string, unknown>[]
  protocols: string[]
  hear(message: unknown): void
  hearBytes(bytes: ArrayBuffer): void
  /** Opens and greets, as the hub does once it knows the token. */
  welcome(): void
  end(code: number): void
}

function setup() {
  const wires: PlayedWire[] = []
  const timers: { atMs: number; run: () => void; id: number }[] = []
  const heard: LiveEvent[] = []
  const gaps: string[] = []
  const states: SocketState[] = []
  const forced: boolean[] = []
  let nowMs = 0
  let ids = 0
  let revoked = 0
  let signedIn = true
  const socket = createSocket({
    open(protocols) {
      const wire = playedWire(protocols)
      wires.push(wire)
      return wire
    },
    async token(force) {
      forced.push(force)
      return signedIn ? 'jwt' : null
    },
    timers: {
      set(run, ms) {
        ids += 1
        timers.push({ atMs: nowMs + ms, run, id: ids })
        return ids
      },
      clear(id) {
        const at = timers.findIndex((timer) => timer.id === id)
        if (at >= 0) timers.splice(at, 1)
      },
      nowMs: () => nowMs,
    },
    random: () => 1,
    onEvent: (event) => heard.push(event),
    onGap: (topic) => gaps.push(topic),
    onState: (state) => states.push(state),
    onRevoked: () => {
      revoked += 1
    },
  })
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    socket,
    wires,
    heard,
    gaps,
    states,
    forced,
    settle,
    revoked: () => revoked,
    signOut: () => {
      signedIn = false
    },
    async advance(ms: number) {
      nowMs += ms
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs) continue
        timers.splice(timers.indexOf(timer), 1)
        timer.run()
      }
      await settle()
    },
    /** Opens the newest wire and lets the hub confirm the topics. */
    join(seq: Record<string, number>) {
      const wire = wires.at(-1)!
      wire.welcome()
      wire.hear({ type: 'subscribed', topics: Object.keys(seq), seq })
      return wire
    },
  }
}

function playedWire(protocols: string[]): PlayedWire {
  return {
    binaryType: 'blob',
    protocols,
    said: [],
    onopen: null,
    onmessage: null,
    onclose: null,
    send(text) {
      this.said.push(JSON.parse(text) as Record<string, unknown>)
    },
    close() {},
    hear(message) {
      this.onmessage?.({ data: JSON.stringify(message) })
    },
    hearBytes(bytes) {
      this.onmessage?.({ data: bytes })
    },
    welcome() {
      this.onopen?.()
      this.hear({ type: 'connected', session_id: 'session-1' })
    },
    end(code) {
      this.onclose?.({ code })
    },
  }
}

const vitals = (seq: number) => ({
  type: 'vitals',
  topic: 'person:mia',
  seq,
  ts: '2026-11-20T14:00:00.000Z',
  data: {},
})

test('the token travels as a sub-protocol and the topics after the greeting', async () => {
  const { socket, wires, settle } = setup()
  socket.want(['person:mia'])
  await settle()
  wires[0]!.onopen?.()
  assert.deepEqual(wires[0]!.said, [], 'the hub may still be looking at the token')
  wires[0]!.welcome()
  assert.deepEqual(wires[0]!.protocols, ['homefield.v1', 'bearer.jwt'])
  assert.deepEqual(wires[0]!.said, [{ type: 'subscribe', topics: ['person:mia'] }])
})

test('a topic that is joined for the first time is fetched, because it may have moved meanwhile', async () => {
  const { socket, gaps, settle, join } = setup()
  socket.want(['person:mia'])
  await settle()
  join({ 'person:mia': 7 })
  assert.deepEqual(gaps, ['person:mia'])
})

test('after a lost connection the client asks for what came after the last event it saw', async () => {
  const { socket, wires, settle, advance, join, gaps } = setup()
  socket.want(['person:mia'])
  await settle()
  const first = join({ 'person:mia': 7 })
  first.hear(vitals(8))
  first.end(1006)
  await advance(1000)
  wires[1]!.welcome()
  assert.deepEqual(wires[1]!.said, [
    { type: 'subscribe', topics: ['person:mia'], since: { 'person:mia': 8 } },
  ])
  wires[1]!.hear({ type: 'subscribed', topics: ['person:mia'], seq: { 'person:mia': 9 } })
  assert.deepEqual(gaps, ['person:mia'], 'nothing more is fetched: the ring replays it')
})

test('an event that was replayed twice is taken once', async () => {
  const { socket, heard, settle, join } = setup()
  socket.want(['person:mia'])
  await settle()
  const wire = join({ 'person:mia': 7 })
  wire.hear(vitals(8))
  wire.hear(vitals(8))
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [8],
  )
})

test('a gap that the hub reports is fetched, and the numbers go on behind it', async () => {
  const { socket, gaps, heard, settle, join } = setup()
  socket.want(['person:mia'])
  await settle()
  const wire = join({ 'person:mia': 7 })
  wire.hear({ type: 'gap', topic: 'person:mia', from: 8, to: 20 })
  wire.hear(vitals(20))
  wire.hear(vitals(21))
  assert.deepEqual(gaps, ['person:mia', 'person:mia'])
  assert.equal(heard.length, 1)
})

test('a hub that was started again begins to count anew and its events are not taken for old ones', async () => {
  const { socket, heard, gaps, settle, advance, join } = setup()
  socket.want(['person:mia'])
  await settle()
  join({ 'person:mia': 500 }).end(1006)
  await advance(1000)
  join({ 'person:mia': 2 }).hear(vitals(3))
  assert.equal(gaps.length, 2)
  assert.equal(heard.length, 1)
})

test('waiting grows with every failure up to twenty seconds', async () => {
  const { socket, wires, states, settle, advance } = setup()
  socket.want(['person:mia'])
  await settle()
  for (let round = 0; round < 9; round += 1) {
    wires.at(-1)!.end(1006)
    await advance(20_000)
  }
  const waits = states.flatMap((state, index) =>
    state.kind === 'waiting' ? [state.retryAtMs - Math.floor(index / 2) * 20_000] : [],
  )
  assert.deepEqual(waits.slice(0, 8), [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000])
})

test('an expired token is renewed before the next try', async () => {
  const { socket, wires, forced, settle, advance } = setup()
  socket.want(['person:mia'])
  await settle()
  wires[0]!.end(4401)
  await advance(1000)
  assert.deepEqual(forced, [false, true])
})

test('a revoked device stops trying and says so', async () => {
  const { socket, wires, revoked, settle, advance } = setup()
  socket.want(['person:mia'])
  await settle()
  wires[0]!.end(4403)
  await advance(60_000)
  assert.equal(wires.length, 1)
  assert.equal(revoked(), 1)
})

test('a silent link is asked for a sign of life and replaced when there is none', async () => {
  const { socket, wires, settle, advance, join } = setup()
  socket.want(['person:mia'])
  await settle()
  const wire = join({ 'person:mia': 1 })
  await advance(40_000)
  assert.equal(wire.said.length, 2, 'subscribing again is the question')
  await advance(6_000)
  await advance(1_000)
  assert.equal(wires.length, 2)
})

test('a link that answers the question is kept', async () => {
  const { socket, wires, settle, advance, join } = setup()
  socket.want(['person:mia'])
  await settle()
  const wire = join({ 'person:mia': 1 })
  await advance(40_000)
  wire.hear({ type: 'subscribed', topics: ['person:mia'], seq: { 'person:mia': 1 } })
  await advance(6_000)
  assert.equal(wires.length, 1)
})

test('messages that are not ours change nothing', async () => {
  const { socket, heard, settle, join } = setup()
  socket.want(['person:mia'])
  await settle()
  const wire = join({ 'person:mia': 1 })
  for (const data of ['{', 'null', '[]', '{"type":"vitals"}', new ArrayBuffer(8)]) wire.onmessage?.({ data })
  assert.deepEqual(heard, [])
})

function binaryFrame(header: unknown, joints: readonly number[]): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(4 + text.length + joints.length * 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, text.length, true)
  bytes.set(text, 4)
  for (const [index, value] of joints.entries()) view.setFloat32(4 + text.length + index * 4, value, true)
  return bytes.buffer
}

test('a binary frame is its header with the joints beside it', async () => {
  const { socket, heard, settle, join } = setup()
  socket.want(['camera:yard'])
  await settle()
  const wire = join({ 'camera:yard': 1 })
  const header = { type: 'pose', topic: 'camera:yard', seq: 2, ts: '2026-11-20T14:00:00.000Z', data: {} }
  wire.hearBytes(binaryFrame(header, [320.5, 12, 0.25]))
  assert.deepEqual(heard, [{ ...header, joints: new Float32Array([320.5, 12, 0.25]) }])
})

test('a binary frame that is cut short, or claims more than it has, changes nothing', async () => {
  const { socket, heard, settle, join } = setup()
  socket.want(['camera:yard'])
  await settle()
  const wire = join({ 'camera:yard': 1 })
  const whole = binaryFrame({ type: 'pose', topic: 'camera:yard', seq: 2, data: {} }, [1, 2, 3])
  for (const bytes of [0, 3, 4, 20]) wire.hearBytes(whole.slice(0, bytes))
  const boast = whole.slice(0)
  new DataView(boast).setUint32(0, 0xffffffff, true)
  wire.hearBytes(boast)
  assert.deepEqual(heard, [])
})
