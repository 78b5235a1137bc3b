import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { createNutReader } from '../../../daemon/media/decoder/nut.ts'
import { readInPlace } from '../../../daemon/media/decoder/output.ts'

/** A child whose output is read; `memory` holds each piece of memory in which a chunk came. */
function setup(script: string, onChunk: (chunk: Uint8Array) => void = () => {}) {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const memory = new Set<ArrayBufferLike>()
  const hash = createHash('sha256')
  let bytes = 0
  readInPlace(child.stdout, (chunk) => {
    memory.add(chunk.buffer)
    hash.update(chunk)
    bytes += chunk.length
    onChunk(chunk)
  })
  return { child, memory, closed: once(child, 'close'), heard: () => ({ bytes, sha256: hash.digest('hex') }) }
}

test('three megabytes of output come whole and in order through one piece of memory', async () => {
  const { closed, heard, memory } = setup(
    'for (let i = 0; i < 48; i++) process.stdout.write(Buffer.alloc(65536 + i, i))',
  )
  const [code] = await closed
  const expected = createHash('sha256')
  let bytes = 0
  for (let i = 0; i < 48; i++) {
    expected.update(Buffer.alloc(65_536 + i, i))
    bytes += 65_536 + i
  }
  assert.equal(code, 0)
  assert.deepEqual(heard(), { bytes, sha256: expected.digest('hex') })
  assert.equal(memory.size, 1)
})

test('a child that is killed while it prints closes as any other', async () => {
  const { child, closed } = setup('process.stdout.write("x"); setInterval(() => {}, 1000)', () =>
    child.kill('SIGKILL'),
  )
  const [code, signal] = await closed
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
})

test('a child that cannot be started is told as an error', async () => {
  const child = spawn('/nonexistent/decoder', [], { stdio: ['pipe', 'pipe', 'ignore'] })
  readInPlace(child.stdout, () => assert.fail('nothing was printed'))
  const [cause] = await once(child, 'error')
  assert.equal((cause as NodeJS.ErrnoException).code, 'ENOENT')
})

test('a header that comes in two chunks is read though the memory of the first is used again', () => {
  const id = Buffer.from('nut/multimedia container\0')
  const packet = Buffer.from('4e4be4adeeca45690101', 'hex')
  const file = Buffer.concat([id, packet])
  const reader = createNutReader({ begin: () => null, end: () => {} })
  const memory = Buffer.alloc(file.length)
  for (let at = 0; at < file.length; at += 3) {
    const part = file.subarray(at, at + 3)
    memory.set(part)
    reader.push(memory.subarray(0, part.length))
    memory.fill(0xff)
  }
  assert.throws(() => reader.push(Buffer.from([0x00])), /frame code/)
})
