import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Programs come from the system's own folders; nothing else of the hub's environment reaches a child. */
export const CHILD_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' }

const NOBODY = '65534'
/** ffmpeg with all of Debian's codecs maps about 0.5 GiB before it allocates; a 16-megapixel stream with 16 references needs the rest. */
const ADDRESS_SPACE_BYTES = 2 * 1024 ** 3
const OPEN_FILES = 32

/** How a child that decodes a stranger's video is held. */
export interface Sandbox {
  /** Put before the command; each of these replaces itself by the next, so the child's id is the decoder's. */
  prefix: readonly string[]
  /** The same for a child that reads a file of the household's: it keeps the hub's user, who may read it. */
  filePrefix: readonly string[]
  /** What is in force, for a person to read. */
  protections: readonly string[]
  /** What this machine does not allow. */
  missing: readonly string[]
}

/** How video is decoded on this machine. */
export interface DecoderSettings {
  ffmpeg: string
  /** Null: there is no ffmpeg, and cameras say so. */
  version: string | null
  sandbox: Sandbox
  /** Pictures above this rate are decoded and then left out; null: all are kept. */
  maxFps: number | null
}

interface Layer {
  prefix: readonly string[]
  says: string
}

const LIMITS: Layer = {
  prefix: ['prlimit', `--as=${ADDRESS_SPACE_BYTES}`, `--nofile=${OPEN_FILES}`, '--fsize=0', '--core=0', '--'],
  says: 'memory, open files and file size limited',
}
/** A batch program that gets something to do takes the processor from nobody. */
const BATCH: Layer = {
  prefix: ['nice', '-n', '5', 'chrt', '--batch', '0'],
  says: 'runs behind the hub itself',
}
const LOW_PRIORITY: Layer = { prefix: ['nice', '-n', '5'], says: 'runs behind the hub itself' }
const NO_NEW_PRIVILEGES: Layer = {
  prefix: ['setpriv', '--no-new-privs', '--'],
  says: 'gains no privileges',
}
const UNPRIVILEGED_USER: Layer = {
  prefix: ['setpriv', '--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--no-new-privs', '--'],
  says: 'runs as nobody and gains no privileges',
}

/** Alternatives in order; the first that works here is taken. */
function layers(root: boolean): readonly { name: string; choices: readonly Layer[] }[] {
  const network = root ? ['unshare', '--net', '--'] : ['unshare', '--map-root-user', '--net', '--']
  return [
    { name: 'no network', choices: [{ prefix: network, says: 'no network' }] },
    { name: 'memory limit', choices: [LIMITS] },
    { name: 'low priority', choices: [BATCH, LOW_PRIORITY] },
    { name: 'no privileges', choices: root ? [UNPRIVILEGED_USER, NO_NEW_PRIVILEGES] : [NO_NEW_PRIVILEGES] },
  ]
}

/** Tries on this machine what can hold a child; `root`: whether the hub runs as root. */
export async function detectSandbox({
  root = process.getuid?.() === 0,
}: {
  root?: boolean
} = {}): Promise<Sandbox> {
  let prefix: readonly string[] = []
  let filePrefix: readonly string[] = []
  const protections: string[] = ['input from a pipe only, one format and one decoder allowed']
  const missing: string[] = []
  for (const { name, choices } of layers(root)) {
    const taken = await firstWorking(prefix, choices)
    if (taken === null) missing.push(name)
    else {
      prefix = [...prefix, ...taken.prefix]
      filePrefix = [...filePrefix, ...(taken === UNPRIVILEGED_USER ? NO_NEW_PRIVILEGES : taken).prefix]
      protections.push(taken.says)
    }
  }
  return { prefix, filePrefix, protections, missing }
}

async function firstWorking(prefix: readonly string[], choices: readonly Layer[]): Promise<Layer | null> {
  for (const layer of choices) {
    if (await works([...prefix, ...layer.prefix, 'true'])) return layer
  }
  return null
}

async function works([command = 'true', ...args]: readonly string[]): Promise<boolean> {
  try {
    await run(command, args, { env: CHILD_ENV, timeout: 5000 })
    return true
  } catch {
    return false
  }
}

/** Looks for ffmpeg and for what can hold it. Never rejects: without ffmpeg `version` is null. */
export async function findDecoder({
  ffmpeg = 'ffmpeg',
  maxFps = null,
}: {
  ffmpeg?: string
  maxFps?: number | null
} = {}): Promise<DecoderSettings> {
  const [version, sandbox] = await Promise.all([versionOf(ffmpeg), detectSandbox()])
  return { ffmpeg, version, sandbox, maxFps }
}

async function versionOf(ffmpeg: string): Promise<string | null> {
  try {
    const { stdout } = await run(ffmpeg, ['-version'], { env: CHILD_ENV, timeout: 5000 })
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'unknown'
  } catch {
    return null
  }
}
