/** Follows a replication slot: whole transactions in the order of their commits, held back while the reader is busy. */
import pg from 'pg'
import { createDecoder, type Transaction } from './pgoutput.ts'

export interface Follower {
  /** Ends the connection; the slot stays for the next one. */
  stop(): Promise<void>
}

export interface FollowDeps {
  url: string
  slot: string
  publication: string
  /** Called one after another; the log is read on when the promise settles. */
  onTransaction(transaction: Transaction): Promise<void>
  /** The server has told everything up to there. */
  onReached(lsn: bigint): void
  /** The connection ended; it is not made again here. */
  onLost(cause: Error): void
}

/** Text forms that do not depend on the server's settings. */
export const SESSION =
  '-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1'
const STATUS_EVERY_MS = 5000
/** Undecoded bytes that may wait; beyond it the socket is not read until they are worked off. */
const WAITING_BYTES = 4 * 1024 * 1024

/** What node-pg has for replication connections and does not describe. */
interface CopyConnection {
  on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void
  sendCopyFromChunk(chunk: Buffer): void
  stream: { pause(): void; resume(): void }
}

/** Begins to follow; rejects when the slot is taken or lost. */
export async function follow(deps: FollowDeps): Promise<Follower> {
  const client = new pg.Client({
    connectionString: deps.url,
    options: SESSION,
    replication: 'database',
    keepAlive: true,
  } as pg.ClientConfig)
  let isStopped = false
  const lost = (cause: Error) => {
    if (isStopped) return
    isStopped = true
    clearInterval(timer)
    client.end().catch(() => {})
    deps.onLost(cause)
  }
  client.on('error', lost)
  client.on('end', () => lost(new Error('The replication connection ended')))
  await client.connect()
  const { connection } = client as unknown as { connection: CopyConnection }
  let done = 0n
  const status = () => {
    if (!isStopped) connection.sendCopyFromChunk(standbyStatus(done))
  }
  const timer = setInterval(status, STATUS_EVERY_MS)
  timer.unref()
  const reader = createReader(deps, connection, lost, {
    done(lsn) {
      if (lsn > done) done = lsn
    },
    status,
  })
  // The driver writes over its buffer when more arrives: what waits must be a copy.
  connection.on('copyData', ({ chunk }) => reader.take(Buffer.from(chunk)))
  const options = `proto_version '1', publication_names '${deps.publication}'`
  const started = client.query(`START_REPLICATION SLOT ${deps.slot} LOGICAL 0/0 (${options})`)
  // The statement ends only with the connection; when it fails at once, the slot cannot be followed.
  started.catch(lost)
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      await client.end().catch(() => {})
    },
  }
}

interface Progress {
  done(lsn: bigint): void
  status(): void
}

function createReader(
  { onTransaction, onReached }: FollowDeps,
  connection: CopyConnection,
  lost: (cause: Error) => void,
  progress: Progress,
) {
  const decoder = createDecoder()
  const waiting: Buffer[] = []
  let bytes = 0
  let isBusy = false
  const step = async (chunk: Buffer) => {
    if (chunk[0] === 0x77) {
      const transaction = decoder.read(chunk.subarray(25))
      if (!transaction) return
      await onTransaction(transaction)
      progress.done(transaction.lsn)
      onReached(transaction.lsn)
    } else if (chunk[0] === 0x6b) {
      const lsn = chunk.readBigUInt64BE(1)
      progress.done(lsn)
      onReached(lsn)
      if (chunk[17] === 1) progress.status()
    }
  }
  const work = async () => {
    for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
      await step(chunk)
      bytes -= chunk.length
      if (bytes < WAITING_BYTES / 2) connection.stream.resume()
    }
  }
  return {
    take(chunk: Buffer) {
      waiting.push(chunk)
      bytes += chunk.length
      if (bytes > WAITING_BYTES) connection.stream.pause()
      if (isBusy) return
      isBusy = true
      work()
        .catch((cause: unknown) => lost(cause instanceof Error ? cause : new Error(String(cause))))
        .finally(() => {
          isBusy = false
        })
    },
  }
}

/** Everything up to there is written, flushed and applied as far as the slot is concerned. */
function standbyStatus(lsn: bigint): Buffer {
  const message = Buffer.alloc(34)
  message[0] = 0x72
  for (const place of [1, 9, 17]) message.writeBigUInt64BE(lsn, place)
  message.writeBigInt64BE(BigInt(Date.now() - 946_684_800_000) * 1000n, 25)
  return message
}
