import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryData } from './hub-process.ts'
import type { Native } from './native.ts'

/** The disk as a process under the bench sees it: counted, and slower when asked. */
export interface Disk {
  /** Environment that puts the process on it. */
  env: Record<string, string>
  /** What it wrote under its data directory since it started. */
  written(): { bytes: number; writes: number; syncs: number }
  /** Every sync takes this much longer from now on. */
  delay(ms: number): void
}

const FIELDS = 4
const FIELD_BYTES = 8

/** See `native/disk.c`: the shared file holds delay in us, bytes, writes, syncs. */
export function watchedDisk(native: Native, dataDir: string): Disk {
  const control = join(temporaryData(), 'disk')
  writeFileSync(control, Buffer.alloc(FIELDS * FIELD_BYTES))
  const library = native.preloadable('disk')
  const withFile = <Result>(work: (fd: number) => Result): Result => {
    const fd = openSync(control, 'r+')
    try {
      return work(fd)
    } finally {
      closeSync(fd)
    }
  }
  return {
    env: { LD_PRELOAD: library, BENCH_DISK_DIR: dataDir, BENCH_DISK_CONTROL: control },
    written: () =>
      withFile((fd) => {
        const bytes = Buffer.alloc(FIELDS * FIELD_BYTES)
        readSync(fd, bytes, 0, bytes.length, 0)
        const field = (index: number) => Number(bytes.readBigUInt64LE(index * FIELD_BYTES))
        return { bytes: field(1), writes: field(2), syncs: field(3) }
      }),
    delay(ms) {
      const bytes = Buffer.alloc(FIELD_BYTES)
      bytes.writeBigUInt64LE(BigInt(Math.round(ms * 1000)))
      withFile((fd) => writeSync(fd, bytes, 0, bytes.length, 0))
    },
  }
}
