import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Control, createControl } from '../../daemon/cli/control.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))
/** Long: a loaded machine is slow, and a hub that never comes is told apart by its end. */
const READY_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 10

/** What a running hub writes about itself. */
export interface HubJson {
  pid: number
  hubId: string
  httpPort: number
  httpsPort: number
  mqttPort: number
  mqttsPort: number
  caSha256: string
  startedAt: string
}

/** A hub in a process of its own, as its user runs it: free ports, a data directory that outlives it. */
export interface HubProcess {
  child: ChildProcess
  json: HubJson
  control: Control
  /** Milliseconds from the start of the process to `hub.json`. */
  readyMs: number
  /** Everything printed so far. */
  output(): string
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** Everything the bench leaves on the disk lies under one folder of its process. */
function benchFolder(): string {
  return join(tmpdir(), `homefield-bench-${process.pid}`)
}

export function temporaryData(): string {
  mkdirSync(benchFolder(), { recursive: true })
  return mkdtempSync(join(benchFolder(), 'data-'))
}

export function removeTemporaryData(): void {
  rmSync(benchFolder(), { recursive: true, force: true })
}

/** Starts the built hub (or another `program`) on `dataDir` and waits until it is ready; `env` adds settings. */
export async function startHub(
  dataDir: string,
  env: Record<string, string> = {},
  program = MAIN,
): Promise<HubProcess> {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [program, 'start'], {
    cwd: dataDir,
    env: hubEnvironment(dataDir, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  const output = () => printed.join('')
  const json = await ready(child, dataDir, output)
  return {
    child,
    json,
    control: createControl(dataDir),
    readyMs: performance.now() - startedMs,
    output,
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}

const FREE_PORTS = {
  HOMEFIELD_HTTP_PORT: '0',
  HOMEFIELD_HTTPS_PORT: '0',
  HOMEFIELD_MQTT_PORT: '0',
  HOMEFIELD_MQTTS_PORT: '0',
  HOMEFIELD_MDNS_ENABLED: 'false',
  HOMEFIELD_LOG: 'warn',
}

/** What a hub is started with: no setting of whoever runs the bench, free ports, and `env`. */
export function hubEnvironment(dataDir: string, env: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...withoutSettings(), MALLOC_ARENA_MAX: '1', ...FREE_PORTS, HOMEFIELD_DATA: dataDir, ...env }
}

function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOMEFIELD_')))
}

async function ready(child: ChildProcess, dataDir: string, output: () => string): Promise<HubJson> {
  const path = join(dataDir, 'hub.json')
  const untilMs = performance.now() + READY_WITHIN_MS
  while (performance.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}:\n${output()}`)
    if (existsSync(path)) {
      const json = JSON.parse(readFileSync(path, 'utf8')) as HubJson
      if (json.pid === child.pid) return json
    }
    await sleep(LOOK_EVERY_MS)
  }
  child.kill('SIGKILL')
  throw new Error(`the hub was not ready within ${READY_WITHIN_MS} ms:\n${output()}`)
}
