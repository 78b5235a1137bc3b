/** The WebRTC process: native code that decodes what strangers send runs here, where it can take nothing else down. */
import { Socket } from 'node:net'
import { createUnframer, frameHead } from './framing.ts'
import { loadLibrary } from './library.ts'
import type { Order, Report } from './messages.ts'
import { createPeers } from './peers.ts'

/** The pipe to the hub, beside stdin, stdout and stderr. */
const PIPE = 3
const LOOK_MS = 1_000

const pipe = new Socket({ fd: PIPE, readable: true, writable: true })

function send(report: Report, body?: Uint8Array): void {
  pipe.cork()
  pipe.write(frameHead(report, body?.length))
  if (body) pipe.write(body)
  pipe.uncork()
}

const peers = createPeers({
  library: loadLibrary(),
  send,
  monotonic: () => performance.now(),
})

// Only the hub writes here: its own messages need no second check.
const unframer = createUnframer((head, body) => peers.handle(head as Order, body))
pipe.on('data', (chunk: Uint8Array) => unframer.push(chunk))
// Without the hub there is nothing to do. The library's threads would keep the process alive.
pipe.on('close', () => process.exit(0))
pipe.on('error', () => process.exit(0))

send({ type: 'ready' })
setInterval(() => {
  send({ type: 'alive', rssBytes: process.memoryUsage().rss })
  peers.lookForGoodbyes()
}, LOOK_MS)
