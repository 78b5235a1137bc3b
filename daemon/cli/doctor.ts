import { execFile } from 'node:child_process'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { type InstalledModel, modelFolders, readCatalogue } from '../../models/catalogue.ts'
import { type LoadedRuntime, loadRuntime } from '../../models/runtime.ts'
import { openOnnx } from '../../models/session.ts'
import { BETTER_PACK } from '../../models/shelf.ts'
import { diskEncryption } from '../kernel/disk-encryption.ts'
import { messageOf } from '../kernel/errors.ts'
import { findDecoder } from '../media/decoder/sandbox.ts'
import { answer, rows, type Shell, subcommand, text } from './shell.ts'

type State = 'ok' | 'warn' | 'fail'

/** One finding: what was looked at, how it is, and what to do when it is not well. */
interface Finding {
  check: string
  state: State
  says: string
}

const MIN_FREE_BYTES = 1024 ** 3
const BUILD_YEAR_MS = Date.UTC(2026, 0, 1)
const run = promisify(execFile)

/** `doctor`: looks at the machine, the data directory and the running hub, and says what to do about what is not well. */
export function registerDoctor(program: Command, shell: Shell, runtimeFolder: () => string): void {
  subcommand(program, 'doctor', 'look for what is not well and say what to do').action(
    (options: { json?: boolean }) =>
      answer(
        shell,
        options,
        async () => {
          const findings = [
            ...(await machine()),
            ...(await dataDirectory(shell.dataDir())),
            ...(await vision(shell.dataDir(), runtimeFolder())),
            ...(await hub(shell)),
          ]
          if (findings.some(({ state }) => state === 'fail')) shell.exit(1)
          return { findings }
        },
        ({ findings }) =>
          findings.map(({ check, state, says }) => `${state.padEnd(4)}  ${check}: ${says}`).join('\n'),
      ),
  )
}

async function machine(): Promise<Finding[]> {
  return [
    { check: 'node', state: 'ok', says: process.version },
    Date.now() < BUILD_YEAR_MS
      ? {
          check: 'clock',
          state: 'warn',
          says: `stands at ${new Date().toISOString()}: set the time or let the box reach a time server`,
        }
      : { check: 'clock', state: 'ok', says: new Date().toISOString() },
    await multicast(),
    await video(),
  ]
}

/** Avahi answers `name.local` for phones; without it pairing codes carry addresses, which work as well. */
async function multicast(): Promise<Finding> {
  try {
    await run('avahi-daemon', ['--check'])
    return { check: 'name on the network', state: 'ok', says: 'avahi answers for this host name .local' }
  } catch {
    const says =
      'no avahi-daemon: phones find the hub by address (the QR code carries it); install avahi-daemon for a .local name'
    return { check: 'name on the network', state: 'warn', says }
  }
}

/** Cameras are decoded by ffmpeg in a child that is held by what this machine allows. */
async function video(): Promise<Finding> {
  const check = 'camera video'
  const { version, sandbox } = await findDecoder()
  if (version === null) {
    return { check, state: 'warn', says: 'no ffmpeg: cameras cannot be decoded; install the package ffmpeg' }
  }
  const held = `ffmpeg ${version}; its child: ${sandbox.protections.join(', ')}`
  return sandbox.missing.length === 0
    ? { check, state: 'ok', says: held }
    : { check, state: 'warn', says: `${held}. Not allowed by this machine: ${sandbox.missing.join(', ')}` }
}

/** Whoever takes the box or its card has everything on it, unless the system encrypts the disk. */
function encryption(dir: string): Finding {
  const check = 'disk encryption'
  const found = diskEncryption(dir)
  if (found === true) return { check, state: 'ok', says: 'the disk is encrypted (LUKS)' }
  return {
    check,
    state: 'warn',
    says:
      found === null
        ? 'this system does not say whether the disk is encrypted'
        : 'the disk is not encrypted: whoever takes the box can read it. SECURITY.md says how to put the data on LUKS',
  }
}

async function dataDirectory(dir: string): Promise<Finding[]> {
  try {
    const found = await stat(dir)
    const open = found.mode & 0o077
    const disk = await statfs(dir)
    const freeBytes = disk.bavail * disk.bsize
    const gib = (freeBytes / 1024 ** 3).toFixed(1)
    return [
      open
        ? { check: 'data directory', state: 'fail', says: `${dir} is readable by others: chmod 700 ${dir}` }
        : { check: 'data directory', state: 'ok', says: dir },
      freeBytes < MIN_FREE_BYTES
        ? {
            check: 'free space',
            state: 'warn',
            says: `${gib} GiB left: make room before the hub has to refuse new values`,
          }
        : { check: 'free space', state: 'ok', says: `${gib} GiB` },
      encryption(dir),
      await secrets(dir),
    ]
  } catch (cause) {
    return [
      {
        check: 'data directory',
        state: 'warn',
        says: `${messageOf(cause)}. It is made when the hub starts.`,
      },
    ]
  }
}

async function secrets(dir: string): Promise<Finding> {
  for (const name of ['tls/ca-key.pem', 'homefield.db']) {
    const found = await stat(join(dir, name)).catch(() => null)
    if (found && found.mode & 0o077) {
      return {
        check: 'secret files',
        state: 'fail',
        says: `${name} is readable by others: chmod 600 ${join(dir, name)}`,
      }
    }
  }
  return { check: 'secret files', state: 'ok', says: 'only their owner can read them' }
}

/** Which models look at cameras, and what they run on. */
export async function vision(dir: string, folder: string): Promise<Finding[]> {
  const { models, unreadable } = await readCatalogue(modelFolders(dir))
  const names = models.map(({ name }) => name).join(', ')
  const hasPack = models.some(({ family }) => family === 'yolox')
  return [
    unreadable.length > 0 || models.length === 0
      ? { check: 'models', state: 'warn', says: unreadable.join('; ') || 'none: build or import some' }
      : { check: 'models', state: 'ok', says: hasPack ? names : `${names}. ${BETTER_PACK}` },
    await runsOn(models, folder),
  ]
}

/** A build names its providers whether or not they work here, so every model is opened and run once when one was asked for. */
async function runsOn(models: readonly InstalledModel[], folder: string): Promise<Finding> {
  const check = 'models run'
  if (folder === '') {
    const arm =
      'on the processor; the packaged ONNX Runtime for arm64 uses no GPU. On a Jetson scripts/jetson-ort says how one that does is built'
    return { check, state: 'ok', says: process.arch === 'arm64' ? arm : 'on the processor' }
  }
  const loaded = await loadRuntime(folder)
  if (loaded.problem !== null) return { check, state: 'warn', says: loaded.problem }
  const told: string[] = []
  for (const model of models) told.push(`${model.name} on ${await provider(model, loaded)}`)
  return { check, state: told.some((one) => one.endsWith(')')) ? 'warn' : 'ok', says: told.join(', ') }
}

async function provider(file: InstalledModel, loaded: LoadedRuntime): Promise<string> {
  try {
    const model = await openOnnx(file, undefined, loaded)
    await model.run(new Float32Array(file.input.shape.reduce((product, size) => product * size, 1)))
    await model.close()
    return model.providers[0] ?? 'nothing'
  } catch (cause) {
    return `nothing (${messageOf(cause)})`
  }
}

async function hub(shell: Shell): Promise<Finding[]> {
  try {
    const ready = await shell.control().call('GET', '/ready')
    const parts = rows(typeof ready === 'object' && ready !== null && 'parts' in ready ? ready.parts : [])
    return parts.map((part) => ({
      check: text(part, 'name'),
      state: part['state'] === 'up' ? 'ok' : part['state'] === 'degraded' ? 'warn' : 'fail',
      says: part['detail'] ? text(part, 'detail') : text(part, 'state'),
    }))
  } catch (cause) {
    return [{ check: 'hub', state: 'warn', says: messageOf(cause) }]
  }
}
