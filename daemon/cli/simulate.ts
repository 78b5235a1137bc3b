import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import { type ReplayCounts, type ReplayTarget, replay } from './replay.ts'
import { readSeries, type Series } from './series.ts'
import type { Shell } from './shell.ts'
import { registerSimulateCamera, type SimulateCameraDeps } from './simulate-camera.ts'

export interface SimulateDeps extends SimulateCameraDeps {
  shell: Pick<Shell, 'out' | 'err' | 'exit' | 'stdin'>
  clock: Clock
  /** Makes a device on the running hub of this machine. Absent, `--device` and `--key` are needed. */
  provision?: (request: { type: 'watch'; name: string; personId: string }) => Promise<{
    id: string
    key: string
    url: string
    ca: string | null
  }>
}

interface WatchOptions {
  file: string
  device?: string
  key?: string
  person?: string
  url: string
  ca?: string
  speed: number
  loop?: boolean
  metric?: string[]
  json?: boolean
}

const PROGRESS_EVERY_MS = 5000
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** `simulate watch` plays a recorded series over real MQTT; `simulate camera` a video over RTSP and HTTP. */
export function registerSimulate(program: Command, deps: SimulateDeps): void {
  const simulate = program
    .command('simulate')
    .description('virtual devices that talk to a hub as real ones do')
  simulate
    .command('watch')
    .description(
      'play a recorded series: csv with rr_ms, csv with a time and metrics, or a JSON list of samples',
    )
    .requiredOption('--file <file>', 'the recording')
    .option('--device <id>', 'device id, with --key')
    .option('--key <key>', "the device's key")
    .option('--person <id>', 'make a new watch for this person on the hub of this machine')
    .option('--url <url>', 'where the hub listens', 'mqtt://127.0.0.1:1883')
    .option('--ca <file>', "the household's CA, for mqtts")
    .option(
      '--speed <factor>',
      'recorded time over real time; stamps are always those of sending',
      positive,
      1,
    )
    .option('--loop', 'start over at the end')
    .option('--metric <names...>', 'play these metrics only')
    .option('--json', 'print one JSON document a line')
    .action(async (options: WatchOptions) => deps.shell.exit(await simulateWatch(options, deps)))
  registerSimulateCamera(simulate, deps)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError('a factor above 0, 10000 at most')
  return value
}

/** Exit code: 0 every message acknowledged, 1 not, 2 wrong usage. */
export async function simulateWatch(options: WatchOptions, deps: SimulateDeps): Promise<number> {
  try {
    const series = await load(options)
    const target = await targetOf(options, deps)
    const counts = await play(series, target, options, deps)
    report(deps, options, 'done', counts)
    return counts.acknowledged === counts.sent ? 0 : 1
  } catch (cause) {
    const code = cause instanceof HubError ? cause.code : 'INTERNAL'
    deps.shell.err(
      options.json ? JSON.stringify({ error: { code, message: messageOf(cause) } }) : messageOf(cause),
    )
    return code === 'VALIDATION_ERROR' ? 2 : 1
  }
}

async function load({ file, metric }: WatchOptions): Promise<Series> {
  const bytes = await readFile(file)
  if (bytes.byteLength > MAX_FILE_BYTES)
    throw new HubError('TOO_LARGE', `${file} is larger than ${MAX_FILE_BYTES} bytes.`)
  return readSeries(bytes.toString('utf8'), metric)
}

async function targetOf(
  { device, key, person, url, ca }: WatchOptions,
  { provision }: SimulateDeps,
): Promise<ReplayTarget> {
  if (device !== undefined && key !== undefined) {
    return { url, deviceId: device, key, ca: ca === undefined ? null : await readFile(ca, 'utf8') }
  }
  if (person === undefined || !provision) {
    throw new HubError(
      'VALIDATION_ERROR',
      'Give --device and --key, or --person on the machine where the hub runs.',
    )
  }
  const made = await provision({ type: 'watch', name: 'Simulated watch', personId: person })
  return { url: made.url, deviceId: made.id, key: made.key, ca: made.ca }
}

async function play(
  series: Series,
  target: ReplayTarget,
  options: WatchOptions,
  deps: SimulateDeps,
): Promise<ReplayCounts> {
  const { shell, clock } = deps
  if (series.leftOut.length > 0) shell.err(`not played: ${series.leftOut.join(', ')}`)
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  let reportedMs = clock.now()
  try {
    return await replay({
      series,
      target,
      speed: options.speed,
      loop: options.loop === true,
      clock,
      signal: stop.signal,
      onSent(counts, heartRate) {
        if (clock.now() - reportedMs < PROGRESS_EVERY_MS) return
        reportedMs = clock.now()
        report(deps, options, 'progress', counts, heartRate)
      },
      onRejected: (message) => shell.err(`the hub did not take a message: ${message}`),
      onTrouble: (message) => shell.err(`connection: ${message}`),
    })
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

function report(
  { shell }: SimulateDeps,
  { json }: WatchOptions,
  type: 'progress' | 'done',
  counts: ReplayCounts,
  heartRate: number | null = null,
): void {
  if (json)
    shell.out(JSON.stringify({ type, ...counts, ...(heartRate === null ? {} : { heart_rate: heartRate }) }))
  else {
    const rate = heartRate === null ? '' : ` · ${Math.round(heartRate)} bpm`
    shell.out(
      `${type === 'done' ? 'done: ' : ''}sent ${counts.sent} · acknowledged ${counts.acknowledged} · rejected ${counts.rejected}${rate}`,
    )
  }
}
