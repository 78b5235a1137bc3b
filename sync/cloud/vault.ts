/** Keys of persons: with them the cloud can show and edit what it otherwise only keeps sealed. */
import { randomBytes } from 'node:crypto'
import { isSealed, openBytes, openJsonWith, SUBJECT_KEY_BYTES } from '../seal.ts'
import type { Queries } from './database.ts'

/** Of each person the household's key, and behind it those that hubs had made before they knew it. */
export type Keys = ReadonlyMap<string, readonly Buffer[]>

export async function keysOf(queries: Queries, household: string): Promise<Keys> {
  const { rows } = await queries.query<{ subject: string; key: Buffer; others: Buffer[] }>(
    'SELECT subject, key, others FROM vault.subject_key WHERE household_id = $1 ORDER BY subject',
    [household],
  )
  return new Map(rows.map(({ subject, key, others }) => [subject, [key, ...others]]))
}

export async function keyOf(queries: Queries, household: string, subject: string): Promise<Buffer | null> {
  const { rows } = await queries.query<{ key: Buffer }>(
    'SELECT key FROM vault.subject_key WHERE household_id = $1 AND subject = $2',
    [household, subject],
  )
  return rows[0]?.key ?? null
}

/** The person's key, made now when no hub has named one; null for an erased person, who gets none again. */
export async function ensureKey(
  queries: Queries,
  household: string,
  subject: string,
): Promise<Buffer | null> {
  await queries.query(
    `INSERT INTO vault.subject_key (household_id, subject, key)
     SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM erasure WHERE household_id = $1 AND subject = $2)
     ON CONFLICT (household_id, subject) DO NOTHING`,
    [household, subject, randomBytes(SUBJECT_KEY_BYTES)],
  )
  return keyOf(queries, household, subject)
}

/** The value behind a sealed one; the value itself when it is not sealed, null when it cannot be opened. */
export function opened(keys: Keys, subject: string | null, value: unknown): unknown {
  if (!isSealed(value)) return value
  if (subject === null) return null
  try {
    return openJsonWith(keys.get(subject) ?? [], subject, value)
  } catch {
    return null
  }
}

/** A happening with what was sealed in it opened beside the rest. */
export function openedBody(
  keys: Keys,
  subject: string | null,
  body: Record<string, unknown>,
): Record<string, unknown> {
  const { enc, ...rest } = body
  if (typeof enc !== 'string') return body
  const inner = opened(keys, subject, { enc })
  return typeof inner === 'object' && inner !== null ? { ...rest, ...inner } : { ...rest, sealed: true }
}

/** The bytes of a chunk; null when its key is gone. */
export function openedChunk(keys: Keys, subject: string, bytes: Uint8Array): Buffer | null {
  for (const key of keys.get(subject) ?? []) {
    try {
      return openBytes(key, subject, bytes)
    } catch {
      // Sealed with another one of them.
    }
  }
  return null
}
