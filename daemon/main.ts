#!/usr/bin/env node
/** Arguments, settings, signals and exit codes; everything else is `app.ts` and the commands in `cli/`. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, CommanderError, Option } from 'commander'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Hub, Running } from './app.ts'
import { createControl } from './cli/control.ts'
import { greeting } from './cli/greeting.ts'
import { type Shell, text } from './cli/shell.ts'
import { systemClock } from './kernel/clock.ts'
import { lockDataDirectory } from './kernel/data-lock.ts'
import { messageOf } from './kernel/errors.ts'
import { loadSparingly } from './kernel/heap.ts'
import { createLog, type Log, plainLines } from './kernel/log.ts'
import { createSupervisor } from './kernel/sd-notify.ts'
import { timeService } from './kernel/trusted-clock.ts'

const DRAIN_MS = 10_000
const ALIVE_MS = 15_000
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const builtAtMs = Math.round(statSync(new URL(import.meta.url)).mtimeMs)

/** What is installed comes without the tests, and nothing there may end it on purpose. */
const isRelease = process.env['NODE_ENV'] === 'production' || !existsSync(new URL('../test', import.meta.url))

const shell: Shell = {
  dataDir: () => resolve(loadConfig(process.env).data),
  control: () => createControl(shell.dataDir()),
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  async stdin() {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('utf8')
  },
  async confirm(question) {
    if (!process.stdin.isTTY) return false
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    const said = await terminal.question(`${question} [y/N] `)
    terminal.close()
    return /^y(es)?$/i.test(said.trim())
  },
  exit: (code) => {
    process.exitCode = code
  },
}

/** Runs the hub until a signal; resolves with the exit code. */
async function start(failpoint?: string): Promise<number> {
  const letGrow = loadSparingly()
  const config = loadConfig(process.env)
  const dataDir = resolve(config.data)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = lockDataDirectory(dataDir, { pid: process.pid, startedAt: new Date().toISOString() })
  const log = createLog(config.log, process.stderr.isTTY ? plainLines(process.stderr) : undefined)
  const supervisor = createSupervisor(process.env['NOTIFY_SOCKET'])
  const clock = systemClock()
  const place = isRelease ? undefined : failpoint
  if (failpoint && isRelease) log.warn('HF_FAILPOINT is for development and tests: it is ignored here')
  try {
    // Loaded here and not above: the other commands answer in a third of the time without the whole hub.
    const { createHub } = await import('./app.ts')
    const hub = await createHub({
      config,
      dataDir,
      version,
      builtAtMs,
      synchronised: timeService,
      clock,
      log,
      ...(place ? { failpoint: { at: place, end: diedOnTheSpot } } : {}),
    })
    shell.out(greeting(await startOrClose(hub)))
    supervisor.ready()
    letGrow()
    clock.every(ALIVE_MS, supervisor.alive)
    const reason = await untilStopped(hub)
    supervisor.stopping()
    log.info({ reason }, 'stopping')
    return await drain(hub, log)
  } finally {
    lock.release()
  }
}

/** A hub that cannot open a listener closes its database before it says why. */
async function startOrClose(hub: Hub): Promise<Running> {
  try {
    return await hub.start()
  } catch (cause) {
    await hub.stop(0)
    throw isPortTaken(cause)
      ? new Error(
          `Port ${cause.port} is taken by another program. Stop that one, or set another port (see config/hub.example.yaml).`,
          { cause },
        )
      : cause
  }
}

function isPortTaken(cause: unknown): cause is NodeJS.ErrnoException & { port: number } {
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE' && 'port' in cause
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  })
}

function diedOnTheSpot(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** A signal, or a part without which nothing can be promised any more. */
function untilStopped(hub: Hub): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
    hub.onFatal((cause) => {
      process.exitCode = 1
      resolve(messageOf(cause))
    })
  })
}

async function drain(hub: Hub, log: Log): Promise<number> {
  const stopped = await Promise.race([
    hub.stop(DRAIN_MS - 1000).then(() => true),
    sleep(DRAIN_MS, false, { ref: false }),
  ])
  if (!stopped) log.error('the hub did not stop in time')
  return stopped ? Number(process.exitCode ?? 0) : 1
}

/** A device for the simulator, made on the hub of this machine. */
async function provision({ type, name, personId }: { type: 'watch'; name: string; personId: string }) {
  const hub = JSON.parse(readFileSync(join(shell.dataDir(), 'hub.json'), 'utf8')) as { mqttPort: number }
  const added = await shell.control().call('POST', '/devices', { type, name, person_id: personId })
  return {
    id: text(added, 'id'),
    key: text(added, 'api_key'),
    url: `mqtt://127.0.0.1:${hub.mqttPort}`,
    ca: null,
  }
}

/** Aborts at the first Ctrl-C, so that a command can leave the hub tidy; the second one ends it. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  return controller.signal
}

async function program(): Promise<Command> {
  const homefield = new Command('homefield')
    .description('A local hub for watches, glucose sensors and cameras.')
    .version(version)
    .exitOverride()
  homefield
    .command('start')
    .description('run the hub in the foreground')
    .addOption(new Option('--failpoint <name:nth>').env('HF_FAILPOINT').hideHelp())
    .action(async ({ failpoint }: { failpoint?: string }) => {
      process.exitCode = await start(failpoint)
    })
  // The hub itself goes without the other commands: what they need would stay in its memory.
  if (process.argv[2] !== 'start') {
    const { registerCommands } = await import('./cli/commands.ts')
    registerCommands(homefield, {
      ...{ shell, clock: systemClock(), provision, interruption },
      ...{ untilStopped: signalled, die: diedOnTheSpot, sleep: (ms) => sleep(ms), fetch: globalThis.fetch },
      isRelease,
      modelRuntime: () => loadConfig(process.env).models.runtime,
    })
  }
  return homefield
}

/** Wrong usage and wrong settings are 2, everything else that fails is 1. */
function exitCodeOf(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : 2
  shell.err(messageOf(cause))
  return cause instanceof ConfigError ? 2 : 1
}

process.umask(0o077)
process.on('unhandledRejection', (cause) => {
  process.stderr.write(`unexpected: ${cause instanceof Error ? cause.stack : String(cause)}\n`)
  process.exit(1)
})
try {
  await (await program()).parseAsync()
} catch (cause) {
  process.exitCode = exitCodeOf(cause)
}
// A part that keeps the process alive after its stop must not keep a service from restarting.
process.exit()
