/** Households, their tokens and their hubs: what an administrator of the service and an owner of a household can do. */
import { randomBytes } from 'node:crypto'
import type { SigningKey } from '../signing.ts'
import type { RegisterRequest } from '../wire.ts'
import type { Queries } from './database.ts'
import { hashOf, type KnownHub, newEnrolmentCode, plainCode, type TokenRole } from './identity.ts'

const CODE_MS = 24 * 3_600_000

export function newId(): string {
  return randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')
}

/** Makes a household and its first token, which is shown once. */
export async function addHousehold(
  owner: Queries,
  name: string,
  nowMs: number,
): Promise<{ id: string; token: string }> {
  const id = newId()
  await owner.query('INSERT INTO household (id, name, created_at) VALUES ($1, $2, $3)', [id, name, nowMs])
  const { token } = await addToken(owner, id, { role: 'owner', name: 'first' }, nowMs)
  return { id, token }
}

export async function listHouseholds(owner: Queries) {
  const { rows } = await owner.query<{ id: string; name: string; hubs: number }>(
    `SELECT h.id, h.name, count(b.id) FILTER (WHERE b.revoked_at IS NULL)::int AS hubs
     FROM household h LEFT JOIN hub b ON b.household_id = h.id GROUP BY h.id ORDER BY h.created_at, h.id`,
  )
  return rows
}

export async function addToken(
  owner: Queries,
  household: string,
  { role, name }: { role: TokenRole; name: string },
  nowMs: number,
): Promise<{ id: string; token: string }> {
  const token = randomBytes(32).toString('base64url')
  const id = newId()
  await owner.query(
    'INSERT INTO cloud_token (id, household_id, hash, role, name, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, household, hashOf(token), role, name, nowMs],
  )
  return { id, token }
}

export async function listTokens(owner: Queries, household: string) {
  const { rows } = await owner.query<{
    id: string
    name: string
    role: TokenRole
    created_at: number
    revoked_at: number | null
  }>(
    'SELECT id, name, role, created_at, revoked_at FROM cloud_token WHERE household_id = $1 ORDER BY created_at, id',
    [household],
  )
  return rows
}

/** False when the household has no such token. */
export async function revokeToken(
  owner: Queries,
  household: string,
  id: string,
  nowMs: number,
): Promise<boolean> {
  const { rowCount } = await owner.query(
    'UPDATE cloud_token SET revoked_at = coalesce(revoked_at, $3) WHERE household_id = $1 AND id = $2',
    [household, id, nowMs],
  )
  return (rowCount ?? 0) > 0
}

/** A code with which one hub joins within a day. Rejects for a household that is not there. */
export async function addCode(
  owner: Queries,
  key: SigningKey,
  household: string,
  nowMs: number,
): Promise<{ code: string; expiresAtMs: number }> {
  const { shown, code } = newEnrolmentCode(key)
  const expiresAtMs = nowMs + CODE_MS
  await owner.query('INSERT INTO enrolment_code (hash, household_id, expires_at) VALUES ($1, $2, $3)', [
    hashOf(plainCode(code)),
    household,
    expiresAtMs,
  ])
  return { code: shown, expiresAtMs }
}

export interface Registered {
  hub: string
  household: string
  householdName: string
  epoch: number
}

/** Joins a hub; the same code and key again give the same hub. Null for a code that is wrong, spent or too old. */
export async function register(
  owner: Queries,
  { code, public_key: publicKey, name, version }: RegisterRequest,
  nowMs: number,
): Promise<Registered | null> {
  const hash = hashOf(plainCode(code))
  const known = await registered(owner, hash, publicKey)
  if (known) return known
  const hub = newId()
  // One statement: two hubs with one code at once cannot both win.
  const { rows } = await owner.query<{ id: string }>(
    `WITH code AS (
       UPDATE enrolment_code SET hub_id = $2 WHERE hash = $1 AND hub_id IS NULL AND expires_at > $6 RETURNING household_id
     )
     INSERT INTO hub (id, household_id, name, version, public_key, registered_at)
     SELECT $2, household_id, $3, $4, $5, $6 FROM code
     ON CONFLICT (public_key) DO NOTHING RETURNING id`,
    [hash, hub, name, version, publicKey, nowMs],
  )
  return rows.length > 0 ? registered(owner, hash, publicKey) : null
}

async function registered(owner: Queries, hash: Buffer, publicKey: string): Promise<Registered | null> {
  const { rows } = await owner.query<{ hub: string; household: string; name: string; epoch: number }>(
    `SELECT h.id AS hub, h.household_id AS household, o.name, h.epoch
     FROM enrolment_code c JOIN hub h ON h.id = c.hub_id JOIN household o ON o.id = h.household_id
     WHERE c.hash = $1 AND h.public_key = $2 AND h.revoked_at IS NULL`,
    [hash, publicKey],
  )
  const [row] = rows
  return row ? { hub: row.hub, household: row.household, householdName: row.name, epoch: row.epoch } : null
}

/** Takes the new key; repeated with the key before it answers the same. False when the old key is not the one that is known. */
export async function rotate(owner: Queries, hub: KnownHub, publicKey: string): Promise<boolean> {
  const { rowCount } = await owner.query(
    `UPDATE hub SET public_key = $2, previous_key = public_key WHERE id = $1 AND public_key = $3`,
    [hub.id, publicKey, hub.publicKey],
  )
  return (rowCount ?? 0) > 0
}

/** False when the household has no such hub. */
export async function revokeHub(
  owner: Queries,
  household: string,
  hub: string,
  nowMs: number,
): Promise<boolean> {
  const { rowCount } = await owner.query(
    'UPDATE hub SET revoked_at = coalesce(revoked_at, $3) WHERE household_id = $1 AND id = $2',
    [household, hub, nowMs],
  )
  return (rowCount ?? 0) > 0
}

export async function listHubs(owner: Queries, household: string) {
  const { rows } = await owner.query<{
    id: string
    name: string
    version: string
    epoch: number
    registered_at: number
    last_seen_at: number | null
    revoked_at: number | null
    forked_at: number | null
  }>(
    `SELECT id, name, version, epoch, registered_at, last_seen_at, revoked_at, forked_at FROM hub
     WHERE household_id = $1 ORDER BY registered_at, id`,
    [household],
  )
  return rows
}
