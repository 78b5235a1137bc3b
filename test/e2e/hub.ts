/** A real hub in a process of its own on free ports, with a data directory that goes away with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import mqtt from 'mqtt'

export interface RunningHub {
  /** `https://localhost:<port>` */
  origin: string
  caPath: string
  /** Runs `homefield <args> --json` against it. */
  command(...args: string[]): Promise<Record<string, unknown>>
  /** Publishes as a device over MQTT with TLS; resolves when the hub has acknowledged. */
  publish(deviceId: string, key: string, samples: unknown): Promise<void>
  /** Publishes under any topic that the device may use. */
  say(deviceId: string, key: string, topic: string, payload: string): Promise<void>
  /** Sends one JPEG as a device of type camera. */
  film(deviceId: string, key: string, jpeg: Uint8Array): Promise<void>
  stop(): Promise<void>
}

interface HubFile {
  httpsPort: number
  mqttsPort: number
}

const START_LIMIT_MS = 20_000

export async function startHub(main: string): Promise<RunningHub> {
  const home = await mkdtemp(join(tmpdir(), 'homefield-e2e-'))
  const data = join(home, 'data')
  // Where the tests find samples is no setting of a hub.
  const { HOMEFIELD_SAMPLES: _, ...inherited } = process.env
  const env = {
    ...inherited,
    HOMEFIELD_DATA: data,
    HOMEFIELD_HTTP_PORT: '0',
    HOMEFIELD_HTTPS_PORT: '0',
    HOMEFIELD_MQTT_PORT: '0',
    HOMEFIELD_MQTTS_PORT: '0',
    HOMEFIELD_MDNS_ENABLED: 'false',
    HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE: '100000',
    HOMEFIELD_LOG: 'warn',
  }
  const child = spawn(process.execPath, [main, 'start'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(String(text)))
  const { httpsPort, mqttsPort } = await ready(home, join(data, 'hub.json'), child, said)
  const caPath = join(data, 'tls', 'ca.pem')
  return {
    origin: `https://localhost:${httpsPort}`,
    caPath,
    async command(...args) {
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, [main, ...args, '--json'], { env })
      return JSON.parse(stdout) as Record<string, unknown>
    },
    say: send,
    publish: (deviceId, key, samples) => send(deviceId, key, `hf/${deviceId}/obs`, JSON.stringify(samples)),
    film: (deviceId, key, jpeg) => send(deviceId, key, `hf/${deviceId}/frame`, Buffer.from(jpeg)),
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      await rm(home, { recursive: true, force: true })
    },
  }

  async function send(deviceId: string, key: string, topic: string, payload: string | Buffer): Promise<void> {
    const client = await mqtt.connectAsync({
      host: 'localhost',
      port: mqttsPort,
      protocol: 'mqtts',
      ca: await readFile(caPath),
      clientId: deviceId,
      username: deviceId,
      password: key,
    })
    await client.publishAsync(topic, payload, { qos: 1 })
    await client.endAsync()
  }
}

/** `hub.json` is written when every listener is open. */
async function ready(home: string, file: string, child: ChildProcess, said: string[]): Promise<HubFile> {
  const signal = AbortSignal.timeout(START_LIMIT_MS)
  const died = once(child, 'exit', { signal }).then(() => {
    throw new Error(`the hub ended before it was ready:\n${said.join('')}`)
  })
  const written = (async () => {
    for await (const _ of watch(home, { recursive: true, signal })) if (existsSync(file)) break
  })()
  await Promise.race([died, existsSync(file) ? undefined : written])
  died.catch(() => undefined)
  return JSON.parse(await readFile(file, 'utf8')) as HubFile
}
