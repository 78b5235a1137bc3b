import type Database from 'better-sqlite3'

/** Store keys of the ids and names that observations carry, kept in memory because every row asks three of them. */
export interface Keys {
  /** Null when there is no such person or they were deleted. */
  person(id: string): number | null
  device(id: string): number | null
  /** Adds the source when it is new. */
  source(name: string): number
  /** Forgets everything: persons and devices may have changed, or what was added did not commit. */
  forget(): void
}

/** A household has a few dozen ids; beyond this many the memory starts over. */
const KEPT = 4096

export function createKeys(db: Database.Database): Keys {
  const findPerson = db.prepare<{ id: string }, { key: number }>(
    'SELECT key FROM person WHERE id = :id AND deleted_at IS NULL',
  )
  const findDevice = db.prepare<{ id: string }, { key: number }>('SELECT key FROM device WHERE id = :id')
  const findSource = db.prepare<{ name: string }, { key: number }>(
    'SELECT key FROM source WHERE name = :name',
  )
  const addSource = db.prepare<{ name: string }, { key: number }>(
    'INSERT INTO source (name) VALUES (:name) RETURNING key',
  )
  const persons = new Map<string, number>()
  const devices = new Map<string, number>()
  const sources = new Map<string, number>()

  function remembered(known: Map<string, number>, name: string, find: () => number | null): number | null {
    const kept = known.get(name)
    if (kept !== undefined) return kept
    const key = find()
    if (key === null) return null
    if (known.size >= KEPT) known.clear()
    known.set(name, key)
    return key
  }

  return {
    person: (id) => remembered(persons, id, () => findPerson.get({ id })?.key ?? null),
    device: (id) => remembered(devices, id, () => findDevice.get({ id })?.key ?? null),
    source(name) {
      const key = remembered(
        sources,
        name,
        () => (findSource.get({ name }) ?? addSource.get({ name }))?.key ?? null,
      )
      if (key === null) throw new Error('a source was not stored')
      return key
    },
    forget() {
      persons.clear()
      devices.clear()
      sources.clear()
    },
  }
}
