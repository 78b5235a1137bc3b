/** The code that makes the first person the owner: shown on the box, good for 15 minutes and 10 tries. */

import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { keyedHash, sameSecret } from '../../kernel/secrets.ts'
import type { Store, Write } from '../../store/store.ts'

export interface ClaimCode {
  code: string
  expiresAtMs: number
}

export interface ClaimWindow {
  /** The code of the open window; opens a new one when the last is over. */
  current(): Promise<ClaimCode>
  /** Counts a try, then compares. Throws PAIRING_INVALID, or PAIRING_EXPIRED when the window was over: the code changed. */
  spend(code: string): Promise<void>
  /** Leaves a window that is over, numbered above every earlier one: no code of an earlier owner opens the hub again. */
  closed(): Write
}

export interface ClaimWindowDeps {
  store: Store
  clock: Clock
  /** The code is derived from it, so the database alone does not give it away. */
  key: Uint8Array
}

export const CLAIM_WINDOW_MS = 15 * 60_000
export const CLAIM_TRIES = 10
const CODE_CHARACTERS = 8
/** Crockford's: no letter that a hurried eye takes for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

interface Row {
  generation: number
  openedAtMs: number
  tries: number
}

export function createClaimWindow({ store, clock, key }: ClaimWindowDeps): ClaimWindow {
  const read = () =>
    store.get<Row>('SELECT generation, opened_at AS openedAtMs, tries FROM claim_window WHERE one = 1')

  /** The window this process knows, on the clock that only grows: a box without a battery sets its wall clock after boot. */
  let known = { generation: 0, openedMs: 0 }

  /** Null when the wall clock cannot be right about it. */
  function ageOf(row: Row): number | null {
    if (known.generation !== row.generation) {
      const ageMs = clock.now() - row.openedAtMs
      if (ageMs < 0) return null
      known = { generation: row.generation, openedMs: clock.monotonic() - ageMs }
    }
    return clock.monotonic() - known.openedMs
  }

  function isOpen(row: Row): boolean {
    const ageMs = ageOf(row)
    return ageMs !== null && ageMs < CLAIM_WINDOW_MS && row.tries < CLAIM_TRIES
  }

  async function renew(over: Row | undefined): Promise<Row> {
    const next = { generation: (over?.generation ?? 0) + 1, openedAtMs: clock.now(), tries: 0 }
    await store.write([
      {
        sql: `INSERT INTO claim_window (one, generation, opened_at, tries) VALUES (1, :generation, :openedAtMs, 0)
              ON CONFLICT (one) DO UPDATE SET generation = :generation, opened_at = :openedAtMs, tries = 0
              WHERE generation < :generation`,
        params: { generation: next.generation, openedAtMs: next.openedAtMs },
      },
    ])
    known = { generation: next.generation, openedMs: clock.monotonic() }
    return read() ?? next
  }

  return {
    async current() {
      const kept = read()
      const row = kept && isOpen(kept) ? kept : await renew(kept)
      return {
        code: codeOf(key, row.generation),
        expiresAtMs: clock.now() + CLAIM_WINDOW_MS - (ageOf(row) ?? 0),
      }
    },
    closed: () => ({
      sql: `INSERT INTO claim_window (one, generation, opened_at, tries) VALUES (1, :generation, 0, :tries)
            ON CONFLICT (one) DO UPDATE SET generation = max(generation, :generation), tries = :tries`,
      params: { generation: clock.now(), tries: CLAIM_TRIES },
    }),
    async spend(code) {
      const row = read()
      if (!row || !isOpen(row)) {
        await renew(row)
        throw changed()
      }
      await count(store, row)
      if (!sameSecret(Buffer.from(normal(code)), Buffer.from(codeOf(key, row.generation)))) {
        throw new HubError(
          'PAIRING_INVALID',
          'This is not the claim code. The hub shows it at start and by: homefield claim-code',
        )
      }
    },
  }
}

/** Counting first means that tries sent at the same moment cannot share one count. */
async function count(store: Store, row: Row): Promise<void> {
  const [counted] = await store.write([
    {
      sql: `UPDATE claim_window SET tries = tries + 1
            WHERE one = 1 AND generation = :generation AND tries < :most`,
      params: { generation: row.generation, most: CLAIM_TRIES },
    },
  ])
  if (counted?.changes !== 1) throw changed()
}

function changed(): HubError {
  return new HubError(
    'PAIRING_EXPIRED',
    'The claim code has changed. See the new one with: homefield claim-code',
  )
}

function codeOf(key: Uint8Array, generation: number): string {
  const bytes = keyedHash(key, `claim ${generation}`)
  return [...bytes.subarray(0, CODE_CHARACTERS)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')
}

/** As people type it: any case, with blanks or dashes, O for 0, I or L for 1. */
function normal(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
}
