import { request } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type ErrorCode, HubError } from '../kernel/errors.ts'

const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 15_000

/** Talks to the running hub through its control socket, where root on the box needs no password. */
export interface Control {
  /** The `data` of the answer. Throws HubError with the hub's own code, or a plain reason when no hub answers. */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  /** Posts a file's bytes; the `data` of the answer, as `call` gives it. */
  send(path: string, file: Readable, bytes: number): Promise<unknown>
}

export function createControl(dataDir: string): Control {
  const socketPath = join(dataDir, 'hub.sock')
  return {
    async call(method, path, body) {
      const { status, text } = await send(socketPath, method, `/api/v1${path}`, jsonOf(body))
      return dataOf(status, text)
    },
    async send(path, file, bytes) {
      const sent = { type: 'application/octet-stream', bytes, file }
      const { status, text } = await send(socketPath, 'POST', `/api/v1${path}`, sent)
      return dataOf(status, text)
    },
  }
}

interface Answer {
  status: number
  text: string
}

/** What is sent along: text, or a file as it is read. */
interface Sent {
  type: string
  bytes: number
  text?: string
  file?: Readable
}

function jsonOf(body: unknown): Sent | null {
  if (body === undefined) return null
  const text = JSON.stringify(body)
  return { type: 'application/json', bytes: Buffer.byteLength(text), text }
}

function send(socketPath: string, method: string, path: string, sent: Sent | null): Promise<Answer> {
  const { promise, resolve, reject } = withResolvers<Answer>()
  const headers = sent === null ? {} : { 'content-type': sent.type, 'content-length': sent.bytes }
  // A connection of its own: one that is kept may be closed by the hub, idle, just as the next request takes it.
  const own = { agent: false, headers, timeout: TIMEOUT_MS }
  const asked = request({ socketPath, method, path, ...own }, (answer) => {
    const chunks: Buffer[] = []
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_ANSWER_BYTES)
        asked.destroy(new Error('the hub answered with more than a command can take'))
      else chunks.push(chunk)
    })
    answer.on('end', () =>
      resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    )
    answer.on('error', reject)
  })
  asked.on('timeout', () => asked.destroy(new Error(`the hub did not answer within ${TIMEOUT_MS / 1000} s`)))
  asked.on('error', (cause: NodeJS.ErrnoException) => reject(explain(cause, socketPath)))
  if (sent?.file) {
    sent.file.on('error', (cause) => asked.destroy(cause))
    sent.file.pipe(asked)
  } else asked.end(sent?.text)
  return promise
}

function explain(cause: NodeJS.ErrnoException, socketPath: string): Error {
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return new Error(
      `No hub is running here (nothing answers at ${socketPath}). Start it with ./scripts/start, or set HOMEFIELD_DATA.`,
      { cause },
    )
  }
  if (cause.code === 'EACCES')
    return new Error(`Only the user who runs the hub may command it (${socketPath}). Try with sudo.`, {
      cause,
    })
  return cause
}

function dataOf(status: number, text: string): unknown {
  const answer: unknown = JSON.parse(text)
  if (typeof answer === 'object' && answer !== null) {
    if ('success' in answer && answer.success === true && 'data' in answer) return answer.data
    if ('error' in answer && typeof answer.error === 'object' && answer.error !== null) {
      const { code, message } = answer.error as { code: ErrorCode; message: string }
      throw new HubError(code, message)
    }
    if (status >= 200 && status < 300) return answer
  }
  throw new Error(`The hub answered ${status} in a form this command does not know.`)
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (cause: unknown) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
