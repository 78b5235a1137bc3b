/** Malformed packets from seeds; `HOMEFIELD_FUZZ_CASES` for a long run. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { heartRate, startHub } from '../broker/hub.ts'
import {
  connectPacket,
  PINGREQ,
  packet,
  publishPacket,
  rawClient,
  subscribePacket,
} from '../broker/raw-client.ts'
import { report } from './report.ts'

const CASES = Number(process.env['HOMEFIELD_FUZZ_CASES'] ?? 300)
const AT_ONCE = 20
const SEEDS = [1, 7, 20260314]

/** Small seeded generator (xorshift), so that a failing case comes back. */
function seeded(seed: number) {
  let state = seed >>> 0
  return (below: number) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

type Random = ReturnType<typeof seeded>

function mutated(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes)
  for (let round = random(4); round >= 0 && out.length > 0; round--) {
    const at = random(out.length)
    const kind = random(6)
    if (kind === 0) out[at] = random(256)
    else if (kind === 1) out[at] = (out[at] ?? 0) ^ (1 << random(8))
    else if (kind === 2) out = out.subarray(0, at)
    else if (kind === 3)
      out = Buffer.concat([out.subarray(0, at), Buffer.from([random(256), random(256)]), out.subarray(at)])
    else if (kind === 4) out = Buffer.concat([out, out])
    else out[Math.min(1 + random(4), out.length - 1)] = 0x80 | random(128)
  }
  return out
}

const VALID = [
  publishPacket('hf/watch-1/obs', heartRate(72)),
  publishPacket('hf/watch-1/obs', 'x', { qos: 2 }),
  publishPacket('hf/watch-1/status', 'online', { retain: true }),
  subscribePacket(['hf/watch-1/#']),
  packet(0xa2, Buffer.from([0, 4, 0, 4, 0x68, 0x66, 0x2f, 0x23])),
  packet(0x62, Buffer.from([0, 2])),
  publishPacket('a/'.repeat(120), 'r', { retain: true }),
  publishPacket('__proto__', '{"__proto__":{"x":1}}', { qos: 0 }),
  PINGREQ,
]

for (const seed of SEEDS) {
  test(`${CASES} malformed connections (seed ${seed}) end at most themselves`, async (t) => {
    const hub = await startHub(t, { settings: { maxConnections: 64 } })
    const random = seeded(seed)
    const one = async () => {
      const client = await rawClient(hub.port)
      const will = { topic: 'hf/watch-1/status', payload: 'offline', retain: true }
      const connect = connectPacket('watch-1', 'key-watch-1', {
        clean: random(2) === 0,
        ...(random(3) === 0 ? { will } : {}),
      })
      const rest = Array.from({ length: 1 + random(4) }, () => {
        const bytes = VALID[random(VALID.length)]!
        return random(3) === 0 ? bytes : mutated(bytes, random)
      })
      client.send(random(4) === 0 ? mutated(connect, random) : connect, ...rest)
      client.socket.end()
      await client.ended
    }
    for (let done = 0; done < CASES; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one))
    const watch = await hub.client('watch-2')
    const note = `malformed connections, seed ${seed}`
    report(t, { fault: 'fuzz', rounds: CASES, acknowledged: null, lost: null, doubled: null, note })
    await watch.publishAsync('hf/watch-2/obs', heartRate(72), { qos: 1 })
    assert.equal(hub.stored.at(-1)?.deviceId, 'watch-2')
  })
}
