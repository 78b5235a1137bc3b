/** One life of the WebRTC process, from its start to its death, and the pipe to it. */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { Duplex } from 'node:stream'
import { Compile } from 'typebox/compile'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { createUnframer, frameHead } from './framing.ts'
import { type Order, Report } from './messages.ts'

export interface Link {
  readonly pid: number | undefined
  /** False once the process has ended or was told to. */
  alive(): boolean
  /** Sends an order; `body` must not change until it was acknowledged. */
  send(order: Order, body?: Uint8Array): void
  rssBytes(): number
  /** Kills the process; `onDeath` is told at once. */
  end(reason: string): void
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>
}

export interface LinkDeps {
  entry: string
  clock: Clock
  log: Log
  /** Whether anyone uses it: an idle process is ended anyway, and is not asked whether it hangs. */
  busy: () => boolean
  onReport: (report: Report, body: Uint8Array) => void
  /** Told once, when the process ended or was killed. */
  onDeath: (reason: string) => void
}

const OLD_SPACE_MB = 96
/** Pictures live outside the old space; six encoders at 720p stay well below. */
const RSS_LIMIT_BYTES = 1024 * 1024 * 1024
const CHECK_MS = 5_000
/** Checks in a row without a word before the process counts as hung. */
const SILENT_CHECKS = 3
const STDERR_LIMIT = 2_000

const isReport = Compile(Report)

/** Starts the process in a group of its own, with low priority, a bounded heap and none of the hub's environment. */
export function startLink({ entry, clock, log, busy, onReport, onDeath }: LinkDeps): Link {
  const child = spawn(process.execPath, [`--max-old-space-size=${OLD_SPACE_MB}`, entry], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
    env: {},
  })
  // Node types only the first three; the fourth is a socket pair.
  const pipe = child.stdio[3] as Duplex
  let ended = false
  let heard = true
  let silent = 0
  let rssBytes = 0
  let complaint = ''

  function end(why: string): void {
    if (ended) return
    ended = true
    stopChecks()
    child.kill('SIGKILL')
    onDeath(why)
  }

  const unframer = createUnframer((head, body) => {
    if (!isReport.Check(head)) throw new Error('It sent a message that is not one of ours.')
    heard = true
    if (head.type === 'alive') rssBytes = head.rssBytes
    onReport(head, body)
  })
  pipe.on('data', (chunk: Uint8Array) => {
    if (ended) return
    try {
      unframer.push(chunk)
    } catch (cause) {
      end(messageOf(cause))
    }
  })
  pipe.on('error', () => end('its pipe broke'))
  child.stderr?.on('data', (text) => {
    complaint = (complaint + String(text)).slice(-STDERR_LIMIT)
  })

  const stopChecks = clock.every(CHECK_MS, () => {
    silent = heard || !busy() ? 0 : silent + 1
    heard = false
    if (silent >= SILENT_CHECKS) end('it did not answer any more')
    else if (rssBytes > RSS_LIMIT_BYTES) end('it took more memory than it may')
  })

  const gone = new Promise<void>((resolve) => {
    function left(code: number | null, signal: NodeJS.Signals | null): void {
      if (!ended) log.warn({ code, signal, complaint }, 'the WebRTC process died')
      pipe.destroy()
      end('it ended by itself')
      resolve()
    }
    child.on('exit', left)
    child.on('error', () => left(null, null))
  })
  lowerPriority(child.pid, log)

  return {
    get pid() {
      return child.pid
    },
    alive: () => !ended,
    send(order, body) {
      if (ended) return
      pipe.cork()
      pipe.write(frameHead(order, body?.length))
      if (body) pipe.write(body)
      pipe.uncork()
    },
    rssBytes: () => rssBytes,
    end,
    gone,
  }
}

function lowerPriority(pid: number | undefined, log: Log): void {
  if (pid === undefined) return
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch (cause) {
    log.debug({ cause: messageOf(cause) }, 'the WebRTC process keeps its priority')
  }
}
