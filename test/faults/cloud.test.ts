/**
 * The cloud service killed, cut off and repeated at: whatever a hub was told is kept is there, each row once, and in the end the cloud
 * holds exactly what the hub holds.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import pg from 'pg'
import { createCloudbase, migrate } from '../../sync/cloud/database.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { serviceKey } from '../../sync/cloud/identity.ts'
import {
  answerText,
  HUB_HEADER,
  isSignedBy,
  NONCE_HEADER,
  newSigningKey,
  requestText,
  SERVER_SIGNATURE_HEADER,
  SERVER_TIME_HEADER,
  SIGNATURE_HEADER,
  signText,
  TIME_HEADER,
} from '../../sync/signing.ts'
import { PATHS, SCHEMA } from '../../sync/wire.ts'
import { createFaultProxy, type Fault, seededRandom } from '../fakes/fault-proxy.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from '../sync/postgres.ts'
import { report, syncRoundsOr } from './report.ts'

const ROUNDS = syncRoundsOr(2)
const SEED = Number(process.env['HOMEFIELD_FAULT_SEED'] ?? 8)
const WRITES = 120
const PLACES = ['cloud.before-commit', 'cloud.after-commit', 'cloud.after-answer'] as const

interface Service {
  port: number
  kill(): Promise<void>
  gone: Promise<void>
}

/** The service as a program of its own, so that it can be killed like one. */
async function startService(database: string, failpoint?: string): Promise<Service> {
  const args = ['dist/test/faults/cloud-child.js', database, ...(failpoint ? [failpoint] : [])]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /:(\d+)\s*$/.exec(said.trim())
      if (found) resolve(Number(found[1]))
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    gone.then(() => reject(new Error(`the service ended: ${said}`)), reject)
  })
  return {
    port,
    gone,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

describe('the cloud under faults', { skip: withoutPostgres() }, () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres.stop())

  async function household() {
    const url = await postgres.freshDatabase()
    await migrate(url)
    const base = createCloudbase({ url, connections: 1 })
    const { id } = await addHousehold(base.owner, 'Home', Date.now())
    const key = await serviceKey(base.owner)
    const { code } = await addCode(base.owner, key, id, Date.now())
    await base.close()
    const sql = new pg.Pool({ connectionString: url, max: 1 })
    sql.on('error', () => {})
    sql.on('connect', (client) => client.on('error', () => {}))
    return { url, code, serverKey: key.publicKey, sql }
  }

  /** Forty lines of hub: a feed with one entry a key, a watermark, and nothing believed without a signature. */
  function modelHub(port: () => number, serverKey: string, random: () => number) {
    const key = newSigningKey()
    const state = new Map<string, { seq: number; n: number | null }>()
    let [hub, seq, prev, epoch] = ['new', 0, 0, 1]
    let token: string | null = null
    const ask = async (
      path: string,
      body: object,
    ): Promise<{ status: number; body: Record<string, unknown> } | null> => {
      const bytes = brotliCompressSync(JSON.stringify(body))
      const [timeMs, nonce] = [Date.now(), randomBytes(12).toString('base64url')]
      const text = requestText({ method: 'POST', path, body: bytes, timeMs, nonce, hub })
      try {
        const answer = await fetch(`http://127.0.0.1:${port()}${path}`, {
          method: 'POST',
          body: bytes,
          signal: AbortSignal.timeout(3000),
          headers: {
            connection: 'close',
            'content-encoding': 'br',
            [HUB_HEADER]: hub,
            [TIME_HEADER]: String(timeMs),
            [NONCE_HEADER]: nonce,
            [SIGNATURE_HEADER]: signText(key.pem, text),
          },
        })
        const heard = Buffer.from(await answer.arrayBuffer())
        const said = answerText({
          status: answer.status,
          nonce,
          body: heard,
          timeMs: Number(answer.headers.get(SERVER_TIME_HEADER)),
        })
        if (!isSignedBy(serverKey, said, answer.headers.get(SERVER_SIGNATURE_HEADER) ?? '')) return null
        return { status: answer.status, body: JSON.parse(heard.toString()) }
      } catch {
        return null
      }
    }
    return {
      state,
      acked: () => prev,
      async register(code: string) {
        const registration = { code, public_key: key.publicKey, name: 'Model', version: '1', schema: SCHEMA }
        for (let tries = 0; tries < 200; tries += 1) {
          const heard = await ask(PATHS.register, registration)
          if (heard?.status !== 200) continue
          hub = String(heard.body['hub_id'])
          return
        }
        throw new Error('the hub could not join')
      },
      write() {
        seq += 1
        const name = `k${Math.floor(random() * 25)}`
        state.set(name, { seq, n: random() < 0.15 ? null : Math.floor(random() * 1000) })
      },
      isDrained: () => prev >= seq,
      /** One batch; false when nothing was learned. */
      async push(): Promise<boolean> {
        const due = [...state]
          .filter(([, { seq: at }]) => at > prev)
          .sort(([, one], [, other]) => one.seq - other.seq)
        const rows = due.slice(0, 1 + Math.floor(random() * 12)).map(([name, { seq: at, n }]) => ({
          seq: at,
          kind: 'insight',
          v: 1,
          key: name,
          body: n === null ? null : { subject: 'mia', kind: 'model', at: 0, n },
        }))
        const heard = await ask(PATHS.sync, {
          hub,
          epoch,
          lane: 'state',
          prev,
          max_seq: seq,
          token,
          schema: SCHEMA,
          rows,
        })
        if (!heard) return false
        if (heard.status === 200) {
          prev = Number(heard.body['watermark'])
          token = String(heard.body['token'])
        } else if (heard.status === 409 && heard.body['reason'] === 'gap') {
          prev = Number(heard.body['watermark'])
          token = heard.body['token'] as string | null
        } else if (heard.status === 409) {
          epoch = Number(heard.body['next_epoch'])
          prev = 0
          token = null
        } else return false
        return true
      },
    }
  }
  type Hub = ReturnType<typeof modelHub>

  /** Everything up to the acknowledged number is there, in that version or a newer one. */
  async function holdsWhatWasAcknowledged(sql: pg.Pool, hub: Hub): Promise<void> {
    const acked = hub.acked()
    const stored = await storedRows(sql)
    for (const [name, { seq }] of hub.state)
      if (seq <= acked) assert.ok((stored.get(name)?.seq ?? 0) >= seq, `${name} was acknowledged as ${seq}`)
  }

  async function isTheSame(sql: pg.Pool, hub: Hub): Promise<void> {
    const stored = await storedRows(sql)
    assert.deepEqual(
      [...stored].map(([name, { n }]) => [name, n]).sort(),
      [...hub.state].map(([name, { n }]) => [name, n]).sort(),
    )
  }

  async function storedRows(sql: pg.Pool): Promise<Map<string, { seq: number; n: number | null }>> {
    for (let tries = 0; ; tries += 1) {
      try {
        const { rows } = await sql.query<{ key: string; seq: string; n: number | null }>(
          `SELECT key, seq, (body ->> 'n')::int AS n FROM insight ORDER BY key`,
        )
        return new Map(rows.map(({ key, seq, n }) => [key, { seq: Number(seq), n }]))
      } catch (cause) {
        if (tries > 20) throw cause
      }
    }
  }

  for (const place of PLACES) {
    test(`killed at ${place}, it holds what it acknowledged, and the rest comes again`, {
      timeout: 60_000,
    }, async (t) => {
      const { url, code, serverKey, sql } = await household()
      t.after(() => sql.end())
      let service = await startService(url, `${place}:${place === 'cloud.after-answer' ? 4 : 3}`)
      t.after(() => service.kill())
      const hub = modelHub(() => service.port, serverKey, seededRandom(SEED))
      await hub.register(code)
      for (let written = 0; written < 40; written += 1) hub.write()
      for (let tries = 0; tries < 20 && (await hub.push()); tries += 1)
        await holdsWhatWasAcknowledged(sql, hub)
      await service.gone
      await holdsWhatWasAcknowledged(sql, hub)
      service = await startService(url)
      for (let tries = 0; tries < 200 && !hub.isDrained(); tries += 1) await hub.push()
      await isTheSame(sql, hub)
    })
  }

  test(`${ROUNDS} rounds of kills, cuts, lost answers and late copies end the same on both sides`, {
    timeout: 120_000 + ROUNDS * 60_000,
  }, async (t) => {
    const counts = new Map<Fault, number>()
    let acknowledged = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = seededRandom(SEED * 1000 + round)
      const { url, code, serverKey, sql } = await household()
      let service = await startService(url)
      const proxy = await createFaultProxy({ targetPort: service.port, random })
      try {
        const hub = modelHub(() => proxy.port, serverKey, random)
        await hub.register(code)
        const killAt = new Set([1, 2].map(() => Math.floor(random() * WRITES)))
        const cutAt = Math.floor(random() * WRITES)
        for (let written = 0; written < WRITES; written += 1) {
          hub.write()
          if (killAt.has(written)) {
            await service.kill()
            await holdsWhatWasAcknowledged(sql, hub)
            service = await startService(url)
            proxy.target(service.port)
          }
          if (written === cutAt) await postgres.killBackends(url)
          if (random() < 0.5) await hub.push()
        }
        // Late copies of old batches may still arrive while the last rows go up.
        proxy.heal()
        for (let tries = 0; tries < 300 && !hub.isDrained(); tries += 1) await hub.push()
        assert.ok(hub.isDrained(), `round ${round} of seed ${SEED} did not drain`)
        await new Promise((resolve) => setTimeout(resolve, 300))
        await isTheSame(sql, hub)
        acknowledged += hub.acked()
      } finally {
        for (const [fault, count] of proxy.counts) counts.set(fault, (counts.get(fault) ?? 0) + count)
        await proxy.close()
        await service.kill()
        await sql.end()
      }
    }
    const note = [...counts].map(([fault, count]) => `${fault} ${count}`).join(', ')
    report(t, {
      fault: 'cloud: kills, cuts, lost answers',
      rounds: ROUNDS,
      acknowledged,
      lost: 0,
      doubled: 0,
      note,
    })
  })

  test('Postgres killed in the middle: nothing acknowledged is lost', { timeout: 60_000 }, async (t) => {
    const { crash } = postgres
    if (!crash) return t.skip('the server is not ours to kill')
    const { url, code, serverKey, sql } = await household()
    t.after(() => sql.end())
    const service = await startService(url)
    t.after(() => service.kill())
    const hub = modelHub(() => service.port, serverKey, seededRandom(SEED))
    await hub.register(code)
    for (let written = 0; written < 60; written += 1) {
      hub.write()
      if (written % 3 === 0) await hub.push()
      if (written === 30) await crash()
    }
    await holdsWhatWasAcknowledged(sql, hub)
    for (let tries = 0; tries < 200 && !hub.isDrained(); tries += 1) await hub.push()
    await isTheSame(sql, hub)
  })
})
