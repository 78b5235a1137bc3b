/** Addresses under which other calendars fetch a player's or a group's plan; the token is kept as a hash. */
import { randomBytes } from 'node:crypto'
import type { PlannedFor } from '../../domain/calendar.ts'
import { HubError } from '../../kernel/errors.ts'
import { tokenHash } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'

export interface Feed extends PlannedFor {
  id: string
  userId: string
  createdAtMs: number
}

export interface Feeds {
  /** Feeds that a user made. */
  of(userId: string): Feed[]
  find(id: string): Feed | null
  byToken(token: string): Feed | null
  /** The token is told this once. Rejects with CONFLICT above FEEDS_MAX. */
  add(userId: string, of: PlannedFor): Promise<{ feed: Feed; token: string }>
  remove(id: string): Promise<void>
}

export interface FeedsDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
  newId: () => string
}

const FEEDS_MAX = 20
const TOKEN_BYTES = 32
const SELECT = `SELECT f.id, f.user_id AS userId, p.id AS personId, f.group_id AS groupId, f.created_at AS createdAtMs
  FROM calendar_feed f LEFT JOIN person p ON p.key = f.person_key AND p.deleted_at IS NULL
  WHERE (p.id IS NOT NULL OR f.group_id IS NOT NULL)`
const ADD = `INSERT INTO calendar_feed (id, token_hash, user_id, person_key, group_id, created_at)
  SELECT :id, :hash, :userId, (SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL), :groupId, :createdAtMs`

export function createFeeds({ store, now, newId }: FeedsDeps): Feeds {
  const list = (userId: string) =>
    store.all<Feed>(`${SELECT} AND f.user_id = :userId ORDER BY f.created_at, f.id`, { userId })
  return {
    of: list,
    find: (id) => store.get<Feed>(`${SELECT} AND f.id = :id`, { id }) ?? null,
    byToken: (token) =>
      store.get<Feed>(`${SELECT} AND f.token_hash = :hash`, { hash: tokenHash(token) }) ?? null,
    async add(userId, { personId, groupId }) {
      if (list(userId).length >= FEEDS_MAX)
        throw new HubError('CONFLICT', `You have ${FEEDS_MAX} feeds, which is the most. Remove one first.`)
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      const feed = { id: newId(), userId, personId, groupId, createdAtMs: now() }
      await store.write([{ sql: ADD, params: { ...feed, hash: tokenHash(token) }, expect: 1 }])
      return { feed, token }
    },
    async remove(id) {
      await store.write([{ sql: 'DELETE FROM calendar_feed WHERE id = :id', params: { id } }])
    },
  }
}
