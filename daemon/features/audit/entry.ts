/** One line of the audit log, and the hashes and seals that hold the lines together. */
import { createHash } from 'node:crypto'
import { keyedHash, sameSecret } from '../../kernel/secrets.ts'

export type WhoKind = 'user' | 'device' | 'local' | 'hub' | 'anonymous'

/** What happened, told by whoever saw it. Ids and plain facts only: what it was about stays where it is recorded. */
export interface AuditFact {
  act: string
  who: { kind: WhoKind; id: string | null }
  personId?: string | null
  class?: string | null
  detail?: Readonly<Record<string, string | number | boolean>>
}

export interface AuditEntry {
  seq: number
  atMs: number
  act: string
  whoKind: string
  who: string | null
  person: string | null
  class: string | null
  /** JSON text. */
  detail: string | null
}

export interface ChainedEntry extends AuditEntry {
  hash: Uint8Array
}

/** A place in the chain, sealed with the hub's key. */
export interface Sealed {
  seq: number
  atMs: number
  hash: Uint8Array
  seal: Uint8Array
}

/** What stands before the first entry. */
export const NO_HASH: Uint8Array = new Uint8Array(32)
export const SELECT_ENTRY = `SELECT seq, at AS atMs, act, who_kind AS whoKind, who, person, class, detail, hash FROM audit_entry`

/** SHA-256 over the hash before and the entry as JSON of fixed order, which is the same text wherever it is written. */
export function entryHash(before: Uint8Array, entry: AuditEntry): Buffer {
  const { seq, atMs, act, whoKind, who, person, class: dataClass, detail } = entry
  const canonical = JSON.stringify([seq, atMs, act, whoKind, who, person, dataClass, detail])
  return createHash('sha256').update(before).update(canonical).digest()
}

/** `what` keeps one kind of seal from standing in for another. */
export function sealOf(
  key: Uint8Array,
  what: 'anchor' | 'start' | 'head',
  { seq, atMs, hash }: Omit<Sealed, 'seal'>,
): Buffer {
  return keyedHash(key, `${what} ${seq} ${atMs} ${Buffer.from(hash).toString('hex')}`)
}

export function isSealed(key: Uint8Array, what: 'anchor' | 'start' | 'head', sealed: Sealed): boolean {
  return sameSecret(sealOf(key, what, sealed), sealed.seal)
}
