import { MANUAL } from '../domain/source.ts'
import { HubError } from '../kernel/errors.ts'
import { MANUAL_DEVICE_ID } from './hub.ts'
import type { Store, Write } from './store.ts'

/**
 * The hub's own entries for what reports without being a paired device: an app's name, an exporter. Each has a natural key of
 * its own, so that two of them never correct each other's values back and forth.
 */
export interface Sources {
  /**
   * The entry that stands for a source; values typed in by hand have theirs from the start. Rejects with CONFLICT when the hub
   * knows too many sources or a device has taken the name.
   */
  entryFor(source: string): Promise<string>
  /** Every device's and entry's rank by id; lower is preferred. */
  ranks(): ReadonlyMap<string, number>
  /** A word that changes when somebody's rank does; a new device of the usual rank does not change what was chosen before. */
  rankVersion(): string
}

/** A household has a dozen; a client that makes one up for every upload must not fill the table. */
const ENTRIES_MAX = 500
const PREFIX = 'source-'

const ENTRIES = `SELECT count(*) AS entries FROM device WHERE type = 'hub'`
const KNOWN = `SELECT type FROM device WHERE id = :id`
const RANKS = `SELECT id, rank FROM device ORDER BY key`
/** The rank of whoever got none of their own. */
const USUAL_RANK = 100
const UNUSUAL = `SELECT id, rank FROM device WHERE rank <> ${USUAL_RANK} ORDER BY key`
const ADD = `INSERT INTO device (id, name, type, created_at) VALUES (:id, :name, 'hub', :nowMs) ON CONFLICT (id) DO NOTHING`

export function createSources({
  store,
  now,
}: {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
}): Sources {
  const known = new Set<string>()

  async function add(id: string, name: string): Promise<void> {
    const stored = store.get<{ type: string }>(KNOWN, { id })
    if (stored && stored.type !== 'hub')
      throw new HubError('CONFLICT', `A device is already called ${id}. Name the source otherwise.`)
    if (stored) return
    if ((store.get<{ entries: number }>(ENTRIES)?.entries ?? 0) >= ENTRIES_MAX)
      throw new HubError('CONFLICT', `This hub knows ${ENTRIES_MAX} sources already. Send one it knows.`)
    const write: Write = { sql: ADD, params: { id, name, nowMs: now() } }
    await store.write([write])
  }

  const version = () => JSON.stringify(store.all<{ id: string; rank: number }>(UNUSUAL))

  return {
    rankVersion: version,
    async entryFor(source) {
      if (source.toLowerCase() === MANUAL) return MANUAL_DEVICE_ID
      const id = entryId(source)
      if (known.has(id)) return id
      await add(id, source)
      known.add(id)
      return id
    },
    ranks: () => new Map(store.all<{ id: string; rank: number }>(RANKS).map(({ id, rank }) => [id, rank])),
  }
}

function entryId(source: string): string {
  return `${PREFIX}${source.toLowerCase().replace(/[^a-z0-9_-]+/g, '-')}`
}
