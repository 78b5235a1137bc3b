/** Takes what a child prints without a new piece of memory for every chunk: decoded video would have the hub's collector run all the time. */
import { Socket, type SocketConstructorOpts } from 'node:net'
import type { Readable } from 'node:stream'

/** What one call of the system brings at most. */
const CHUNK_BYTES = 64 * 1024

/** What Node reads the child's output with; it has no word for it in its types. */
interface Handled {
  _handle?: object | null
}

/**
 * Tells each chunk as it comes. Its bytes are overwritten by the next one: who needs them longer copies them. The output closes at its
 * end, as it would if it were read as a stream. Where this Node hands out no handle it is read as a stream.
 */
export function readInPlace(output: Readable & Handled, take: (chunk: Uint8Array) => void): void {
  const handle = output._handle
  if (handle == null) {
    output.on('data', take)
    return
  }
  // Only one of the two may close it.
  output._handle = null
  const options = {
    handle,
    readable: true,
    writable: false,
    onread: {
      buffer: new Uint8Array(CHUNK_BYTES),
      callback(bytes: number, buffer: Uint8Array) {
        take(buffer.subarray(0, bytes))
        return true
      },
    },
  }
  // Node takes both options, as it does itself for its children's pipes; its types know neither.
  const reading = new Socket(options as SocketConstructorOpts)
  reading.on('error', () => {})
  reading.on('close', () => output.destroy())
  output.on('close', () => reading.destroy())
  reading.resume()
}
