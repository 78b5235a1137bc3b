import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HubProcess } from './hub-process.ts'

/** Watches of a claimed hub with their wearers, made as the owner makes them: through the control socket. */
export interface Household {
  persons: readonly string[]
  watches: readonly { id: string; key: string; person: string }[]
  /** File of `id key` lines for the load client. */
  credentials: string
}

export const OWNER = { name: 'Bench', password: 'a long bench password' }
const AT_ONCE = 16

export async function makeHousehold(
  { control }: HubProcess,
  dataDir: string,
  counts: { persons: number; watches: number },
): Promise<Household> {
  await control.call('POST', '/local/claim', OWNER)
  const persons = Array.from({ length: counts.persons }, (_, index) => `person_${index}`)
  await inTurns(persons, (id) => control.call('POST', '/people', { id, name: id, timezone: 'UTC' }))
  const planned = Array.from({ length: counts.watches }, (_, index) => ({
    id: `watch_${index}`,
    person: persons[index % persons.length] ?? '',
  }))
  const watches = await inTurns(planned, async ({ id, person }) => {
    const added = await control.call('POST', '/devices', { id, type: 'watch', name: id, person_id: person })
    const { api_key: key } = added as { api_key: string }
    return { id, key, person }
  })
  const credentials = join(dataDir, 'bench-credentials')
  writeFileSync(credentials, watches.map(({ id, key }) => `${id} ${key}\n`).join(''), { mode: 0o600 })
  return { persons, watches, credentials }
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += AT_ONCE)
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))))
  return results
}
