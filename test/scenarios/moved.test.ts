/** A box that gets another address and another name: its certificate follows, and nobody pairs or signs in again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { WebSocket } from 'ws'
import { loadConfig } from '../../config/load.ts'
import { createHub } from '../../daemon/app.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { fakeClock } from '../fakes/clock.ts'

const ANY_PORTS = {
  HOMEFIELD_HTTP_PORT: '0',
  HOMEFIELD_HTTPS_PORT: '0',
  HOMEFIELD_MQTT_PORT: '0',
  HOMEFIELD_MQTTS_PORT: '0',
  HOMEFIELD_MDNS_ENABLED: 'false',
}
const AT_HOME = { names: ['localhost', 'hall.local'], addresses: ['127.0.0.1'], reachable: ['hall.local'] }
const AT_THE_PITCH = {
  names: ['localhost', 'pitch.local'],
  addresses: ['127.0.0.1', '127.0.0.9'],
  reachable: ['127.0.0.9', 'pitch.local'],
}
/** The hub looks at its network once a minute. */
const STEPS = 12
const STEP_MS = 5000

async function setup(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'homefield-moved-'))
  const clock = fakeClock(Date.now())
  let network = AT_HOME
  const moved = new Set<() => void>()
  const log = createLog('info', {
    write(line: string) {
      if (line.includes('network changed')) for (const heard of moved) heard()
    },
  })
  const config = loadConfig({ HOMEFIELD_DATA: dataDir, ...ANY_PORTS })
  const hub = await createHub({
    ...{ config, dataDir, version: '0.1.0', builtAtMs: clock.now(), clock, log },
    network: () => network,
  })
  const running = await hub.start()
  t.after(async () => {
    await hub.stop(0)
    rmSync(dataDir, { recursive: true, force: true })
  })
  const ca = readFileSync(join(dataDir, 'tls', 'ca.pem'), 'utf8')
  const call = (method: string, path: string, token?: string, body?: unknown) =>
    new Promise<{ status: number; data: Record<string, never> }>((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      }
      const { httpsPort: port } = running
      const options = {
        ...{ host: '127.0.0.1', port, path: `/api/v1${path}`, method, ca, headers },
        agent: false,
      }
      const asked = request(options, (answer) => {
        const text = answer.toArray().then((parts) => Buffer.concat(parts).toString())
        text.then((body) => resolve({ status: answer.statusCode ?? 0, data: JSON.parse(body).data }), reject)
      })
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return {
    ...{ running, ca, call },
    /** Time passes in steps, after each of which `alive` shows that open channels still answer. */
    async move(to: typeof AT_HOME, alive: () => Promise<void>) {
      network = to
      const told = new Promise<void>((resolve) => moved.add(resolve))
      for (let step = 0; step < STEPS; step += 1) {
        clock.advance(STEP_MS)
        await alive()
      }
      await told
    },
  }
}

/** What a phone that trusts the household's authority finds under a name: null, or why it turns away. */
async function doubtOf(servername: string, port: number, ca: string): Promise<string | null> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername })
  try {
    await once(socket, 'secureConnect')
    return null
  } catch (cause) {
    return (cause as { code: string }).code
  } finally {
    socket.destroy()
  }
}

test('the certificate follows names and addresses, and nobody signs in or pairs again', async (t) => {
  const { running, ca, call, move } = await setup(t)
  const { httpsPort, mqttsPort } = running
  const claimed = await call('POST', '/claim', undefined, {
    claim_code: running.claim?.code,
    name: 'Anna',
    password: 'lamp river stone kettle',
  })
  assert.equal(claimed.status, 201)
  const token = String(claimed.data['access_token'])
  const live = new WebSocket(`wss://127.0.0.1:${httpsPort}/api/v1/ws`, ['homefield.v1', `bearer.${token}`], {
    ca,
  })
  t.after(() => live.terminate())
  await once(live, 'open')
  const cut = once(live, 'close').then(() => Promise.reject(new Error('the channel was cut')))
  cut.catch(() => {})
  const answers = async () => {
    const pong = once(live, 'pong')
    live.ping()
    await Promise.race([pong, cut])
  }
  for (const port of [httpsPort, mqttsPort]) {
    assert.equal(await doubtOf('hall.local', port, ca), null)
    assert.equal(await doubtOf('pitch.local', port, ca), 'ERR_TLS_CERT_ALTNAME_INVALID')
  }
  await move(AT_THE_PITCH, answers)
  for (const port of [httpsPort, mqttsPort]) assert.equal(await doubtOf('pitch.local', port, ca), null)
  assert.equal((await call('GET', '/people', token)).status, 200)
  await answers()
  const offer = await call('POST', '/pairing/generate', token, { role: 'caregiver', device_type: 'mobile' })
  assert.equal(offer.status, 201)
  assert.match(
    String(offer.data['url']),
    new RegExp(`^https://127\\.0\\.0\\.9:${httpsPort}/#p1\\..*127\\.0\\.0\\.9`),
  )
})
