/** One connection to another broker, which is told that a message arrived only once it is on disk. */
import { readFile, stat } from 'node:fs/promises'
import type { IClientOptions, MqttClient } from 'mqtt'
import { HubError, messageOf } from '../../kernel/errors.ts'

/** One broker to join. */
export interface JoinedSettings {
  /** Also the id of the gateway that stands for it in the list of devices. */
  name: string
  url: string
  username: string
  /** Its content is the password; empty: none. */
  passwordFile: string
  /** Authority of a broker with a certificate of its own; empty: the machine's. */
  caFile: string
  topics: readonly string[]
}

/** A message as the other broker delivers it. */
export interface KeptMessage {
  topic: string
  payload: Uint8Array
  /** The broker had kept it, so its age is unknown. */
  isKept: boolean
  /** The broker says that it sent this before. */
  isAgain: boolean
  /** Absent for QoS 0, which is never sent again. */
  messageId: number | undefined
}

export interface Connection {
  /** Topics that the broker refused to deliver. */
  refused: string[]
  close(): Promise<void>
}

export interface ConnectionHooks {
  /** Resolves when the message is on disk. A rejection ends the connection, and the broker sends it again at the next. */
  onMessage(message: KeptMessage): Promise<void>
  /** Called once after the connection stood and broke, with the reason. */
  onClosed(cause: string): void
}

/** Resolves when the topics are subscribed; rejects when there is no connection. */
export type Connect = (settings: JoinedSettings, hooks: ConnectionHooks) => Promise<Connection>

const CONNECT_MS = 10_000
const KEEP_ALIVE_S = 30
const MAX_SECRET_BYTES = 65_536

/** Connects with a session that lasts, so that QoS 1 messages wait for the hub while it is away. */
export function connectorOf(hubId: string): Connect {
  return async (settings, hooks) => {
    const { default: mqtt } = await import('mqtt')
    const client = mqtt.connect(settings.url, await optionsOf(settings, hubId))
    const life = { stands: false, isClosing: false }
    let lastError: unknown = null
    const reason = () => (lastError === null ? 'the broker ended the connection' : messageOf(lastError))
    const gone = new Promise<never>((_, reject) => {
      client.on('error', (cause) => {
        lastError = cause
        reject(cause)
      })
      client.once('close', () => {
        client.end(true)
        if (life.stands && !life.isClosing) hooks.onClosed(reason())
        reject(new HubError('OVERLOADED', reason()))
      })
    })
    // Once it stands, nobody waits for this any more.
    gone.catch(() => {})
    client.handleMessage = ({ topic, payload, retain, dup, messageId }, done) => {
      const message = { topic, payload: Buffer.from(payload), isKept: retain, isAgain: dup, messageId }
      hooks.onMessage(message).then(
        () => done(),
        (cause: unknown) => {
          lastError = cause
          client.end(true)
        },
      )
    }
    try {
      await Promise.race([connected(client), gone])
      const refused = await Promise.race([subscribed(client, settings.topics), gone])
      life.stands = true
      return {
        refused,
        async close() {
          life.isClosing = true
          await client.endAsync(true)
        },
      }
    } catch (cause) {
      client.end(true)
      throw cause
    }
  }
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('connect', () => resolve()))
}

/** One by one, so that a refused topic does not hide the granted ones. */
async function subscribed(client: MqttClient, topics: readonly string[]): Promise<string[]> {
  const refused: string[] = []
  for (const topic of topics) {
    try {
      await client.subscribeAsync(topic, { qos: 1 })
    } catch (cause) {
      if (!client.connected) throw cause
      refused.push(topic)
    }
  }
  return refused
}

async function optionsOf(settings: JoinedSettings, hubId: string): Promise<IClientOptions> {
  const { name, username, passwordFile, caFile } = settings
  return {
    clientId: `hf-${hubId.slice(-8)}-${name}`,
    clean: false,
    protocolVersion: 4,
    keepalive: KEEP_ALIVE_S,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: 0,
    ...(username === '' ? {} : { username }),
    ...(passwordFile === '' ? {} : { password: (await smallFile(passwordFile)).trimEnd() }),
    ...(caFile === '' ? {} : { ca: await smallFile(caFile) }),
  }
}

async function smallFile(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > MAX_SECRET_BYTES)
    throw new HubError('TOO_LARGE', `${path} is larger than ${MAX_SECRET_BYTES} bytes.`)
  return await readFile(path, 'utf8')
}
