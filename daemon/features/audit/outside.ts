/** The head of the chain written beside the database, so that a database put back or cut short is noticed. */
import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '../../kernel/atomic-file.ts'
import { isMissing } from '../../kernel/errors.ts'
import type { Sealed } from './entry.ts'

export interface OutsideHead {
  /** Null when none was ever written; `damaged` when the file says nothing that could be read. */
  read(): Promise<Sealed | 'damaged' | null>
  write(head: Sealed): Promise<void>
}

const LINE = /^(\d{1,15}) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64})\n?$/

export function createOutsideHead(path: string): OutsideHead {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        if (isMissing(cause)) return null
        throw cause
      })
      if (text === null) return null
      const found = LINE.exec(text)
      if (!found) return 'damaged'
      const [, seq = '', atMs = '', hash = '', seal = ''] = found
      const bytes = (hex: string) => Buffer.from(hex, 'hex')
      return { seq: Number(seq), atMs: Number(atMs), hash: bytes(hash), seal: bytes(seal) }
    },
    write({ seq, atMs, hash, seal }) {
      const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
      return writeFileAtomic(path, `${seq} ${atMs} ${hex(hash)} ${hex(seal)}\n`)
    },
  }
}
