/** An outsider's client of a running hub: its ports from `hub.json`, its CA from the disk, nothing of its code. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { WebSocket } from 'ws'
import { type HubProcess, startHub, temporaryData } from '../../../scripts/bench/hub-process.ts'

/** What came over the wire: each test says what it expects of it. */
// biome-ignore lint/suspicious/noExplicitAny: an outsider knows no types
export type Json = any

export interface Ask {
  body?: unknown
  /** Sent as it is, instead of `body`. */
  bytes?: Buffer | string
  token?: string
  key?: string
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  /** The parsed answer; `undefined` when it is no JSON. */
  json: Json
}

export interface Outsider {
  hub: HubProcess
  dataDir: string
  /** Over HTTPS; `path` from the root. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** Over the plain port. */
  askPlain(method: string, path: string, headers?: Record<string, string>): Promise<Answer>
  /** Under `/api/v1`, with the `data` of an answer that must have this status. */
  get(path: string, token: string): Promise<Json>
  post(path: string, token: string, body: unknown, status?: number): Promise<Json>
  socket(protocols?: string[]): LiveSocket
  mqtt(deviceId: string, key: string, options?: IClientOptions): Promise<MqttClient>
}

export interface LiveSocket {
  send(message: unknown): void
  /** The next message, or the next that fits. */
  next(fits?: (message: Json) => boolean): Promise<Json>
  closed: Promise<number>
  protocol(): string
  opened: Promise<unknown>
  close(): void
}

const WITHIN_MS = 8000

export const PASSWORD = 'a long enough pass'

/** Starts a hub for a whole test file and stops it at the end; on the data of an earlier one it is a restart. */
export async function outsider(
  env: Record<string, string> = {},
  dataDir = temporaryData(),
): Promise<Outsider> {
  const hub = await startHub(dataDir, { HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE: '0', ...env })
  const open = new Set<{ end(): void }>()
  after(async () => {
    for (const one of open) one.end()
    await hub.kill('SIGTERM')
  })
  const ca = readFileSync(join(dataDir, 'tls', 'ca.pem'))
  const { httpPort, httpsPort, mqttsPort } = hub.json
  const server = { host: 'localhost', servername: 'localhost', port: httpsPort, ca }
  const ask: Outsider['ask'] = (method, path, wanted = {}) =>
    exchange(httpsRequest({ ...server, method, path, headers: headersOf(wanted) }), payloadOf(wanted))
  const expect = async (method: string, path: string, wanted: Ask, status: number) => {
    const answer = await ask(method, `/api/v1${path}`, wanted)
    if (answer.status === status) return answer.json.data
    throw new Error(`${method} ${path} answered ${answer.status}: ${answer.bytes.toString()}`)
  }
  return {
    hub,
    dataDir,
    ask,
    askPlain: (method, path, headers = {}) =>
      exchange(httpRequest({ host: 'localhost', port: httpPort, method, path, headers }), undefined),
    get: (path, token) => expect('GET', path, { token }, 200),
    post: (path, token, body, status = 201) => expect('POST', path, { token, body }, status),
    socket(protocols = []) {
      const socket = new WebSocket(`wss://localhost:${httpsPort}/api/v1/ws`, protocols, { ca })
      open.add({ end: () => socket.terminate() })
      return live(socket)
    },
    async mqtt(deviceId, key, options = {}) {
      const client = await mqtt.connectAsync(`mqtts://localhost:${mqttsPort}`, {
        clientId: deviceId,
        username: deviceId,
        password: key,
        ca,
        reconnectPeriod: 0,
        ...options,
      })
      open.add({ end: () => client.end(true) })
      return client
    },
  }
}

/** A claimed hub with an owner's token and two children. */
export async function household(env: Record<string, string> = {}) {
  const out = await outsider(env)
  const claim = (await out.hub.control.call('GET', '/local/claim-code')) as { code: string }
  const claimed = await out.ask('POST', '/api/v1/claim', {
    body: { claim_code: claim.code, name: 'Anna', password: PASSWORD, timezone: 'Europe/Berlin' },
  })
  const owner: string = claimed.json.data.access_token
  for (const id of ['child_1', 'child_2']) await out.post('/people', owner, { id, name: id, age: 9 })
  return { ...out, owner, claimed }
}

/** Lets somebody in by pairing a phone, and answers their access token. */
export async function letIn(
  { ask, post }: Pick<Outsider, 'ask' | 'post'>,
  owner: string,
  terms: Record<string, unknown>,
): Promise<string> {
  const offer = await post('/pairing/generate', owner, { device_type: 'phone', ...terms })
  const connected = await ask('POST', '/api/v1/pairing/connect', {
    body: { token: offer.token, device_name: 'Phone', device_type: 'phone' },
  })
  const { id, poll_token: token } = connected.json.data
  await post(`/pairing/requests/${id}/approve`, owner, undefined, 200)
  const polled = await ask('GET', `/api/v1/pairing/requests/${id}`, { token })
  return polled.json.data.tokens.access_token
}

/** A device's id and key. */
export async function addDevice(
  { post }: Pick<Outsider, 'post'>,
  owner: string,
  device: Record<string, unknown>,
): Promise<{ id: string; key: string }> {
  const { id, api_key: key } = await post('/devices', owner, { name: 'Watch', type: 'watch', ...device })
  return { id, key }
}

/** What an MQTT client hears on its command topic next, or on `filter`. */
export async function hearing(client: MqttClient, filter: string) {
  const heard: { topic: string; message: Json }[] = []
  const waiting: ((one: { topic: string; message: Json }) => void)[] = []
  client.on('message', (topic, payload) => {
    const one = { topic, message: JSON.parse(payload.toString()) }
    const first = waiting.shift()
    if (first) first(one)
    else heard.push(one)
  })
  const [granted] = await client.subscribeAsync(filter, { qos: 1 })
  return {
    granted: granted?.qos,
    next: () =>
      inTime(
        new Promise<{ topic: string; message: Json }>((resolve) => {
          const first = heard.shift()
          if (first) resolve(first)
          else waiting.push(resolve)
        }),
        () => `nothing came on ${filter}`,
      ),
  }
}

/** What never comes fails its own test instead of holding up the file. */
export async function inTime<Value>(wanted: Promise<Value>, why: () => string): Promise<Value> {
  const waited = new AbortController()
  const late = sleep(WITHIN_MS, null, { signal: waited.signal }).then(() => {
    throw new Error(`Not within ${WITHIN_MS / 1000} s: ${why()}`)
  })
  try {
    return await Promise.race([wanted, late])
  } finally {
    waited.abort()
    late.catch(() => {})
  }
}

function headersOf({ token, key, headers, body, bytes }: Ask): Record<string, string> {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { 'x-api-key': key }),
    ...(body === undefined && bytes === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  }
}

function payloadOf({ body, bytes }: Ask): Buffer | string | undefined {
  return bytes ?? (body === undefined ? undefined : JSON.stringify(body))
}

async function exchange(
  asked: ReturnType<typeof httpRequest>,
  payload: Buffer | string | undefined,
): Promise<Answer> {
  asked.end(payload)
  const [answer] = await once(asked, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return { status: answer.statusCode, headers: answer.headers, bytes, json: parsed(bytes) }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function live(socket: WebSocket): LiveSocket {
  const heard: Json[] = []
  let look = () => {}
  socket.on('message', (data) => {
    heard.push(JSON.parse(String(data)))
    look()
  })
  socket.on('error', () => {})
  return {
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: (fits = () => true) =>
      inTime(
        new Promise((resolve) => {
          look = () => {
            const at = heard.findIndex(fits)
            if (at < 0) return
            look = () => {}
            resolve(heard.splice(0, at + 1).at(-1))
          }
          look()
        }),
        () => `the channel said only ${JSON.stringify(heard)}`,
      ),
    closed: new Promise((resolve) => socket.on('close', resolve)),
    opened: new Promise((resolve) => socket.on('open', resolve)),
    protocol: () => socket.protocol,
    close: () => socket.close(),
  }
}
