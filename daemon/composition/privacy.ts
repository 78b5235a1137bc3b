/** Puts privacy together: what an archive takes along, what is erased, and which copies of the database go then. */
import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Audit } from '../features/audit/audit.ts'
import type { Jobs } from '../features/jobs/jobs.ts'
import type { People } from '../features/people/people.ts'
import { createPrivacy, type Privacy } from '../features/privacy/privacy.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import { takeFresh } from '../store/fresh-snapshot.ts'
import { listSnapshots } from '../store/snapshot-files.ts'
import { type ErasedFrom, type Erasure, erasuresOf } from './erasure.ts'

export interface PrivacyParts {
  audit: Audit
  jobs: Jobs
  people: People
  /** Everything that keeps something about people; asked when somebody is erased. */
  kept: () => Omit<ErasedFrom, 'people'>
  /** What keeps something for the cloud: the last step. */
  cloud: () => Erasure
}

const PHOTOS = `SELECT file FROM meal_photo p JOIN record r ON r.id = p.record_id
  JOIN person ON person.key = r.person_key WHERE person.id = :personId ORDER BY file`
/** Files of sessions in which nobody else took part: others may be seen in the rest. */
const FILES = `SELECT a.id, a.name FROM session_attachment a WHERE a.session_key IN (
    SELECT session_key FROM session_player GROUP BY session_key
    HAVING min(person_key) = max(person_key) AND min(person_key) = (SELECT key FROM person WHERE id = :personId))
  ORDER BY a.id`
/** Copies that were put aside: before an update, by a repair, by a restore. */
const ASIDE = /^(?:homefield\.db\.before-\d+(?:\.partial)?|damaged|before-restore-\d+|restore-drill)$/

/** Registers its jobs; nothing runs before the hub starts. */
export function openPrivacy(house: House, { audit, jobs, people, kept, cloud }: PrivacyParts): Privacy {
  const { store, clock, log, dataDir } = house
  const privacy = createPrivacy({
    ...{ store, clock, log: log.child({ part: 'privacy' }), jobs },
    newId: () => newId(clock.now()),
    exportFolder: join(dataDir, 'exports'),
    record: audit.record,
    people: people.all,
    mediaOf: (personId) => mediaOf(house, personId),
    erasures: () => [...erasuresOf(house, { people, ...kept() }), privacy.erasure, cloud()],
    forgetCopies: () => forgetCopies(house),
  })
  return privacy
}

function mediaOf({ store, dataDir }: House, personId: string): { path: string; file: string }[] {
  const photos = store.all<{ file: string }>(PHOTOS, { personId }).map(({ file }) => ({
    path: `meals/${file}.jpg`,
    file: join(dataDir, 'meal-photos', `${file}.full.jpg`),
  }))
  const files = store.all<{ id: string; name: string }>(FILES, { personId }).map(({ id, name }) => ({
    path: `sessions/${id}-${basename(name).replaceAll(/[^\w.-]+/g, '_')}`,
    file: join(dataDir, 'sessions', id),
  }))
  return [...photos, ...files]
}

/** A fresh snapshot first, so that there always is one; whatever was copied before it goes. */
async function forgetCopies({ dataDir, snapshots, clock }: House): Promise<void> {
  const folder = join(dataDir, 'snapshots')
  const fresh = await takeFresh(snapshots, folder, clock.now)
  for (const { path, takenAtMs } of listSnapshots(folder))
    if (takenAtMs < fresh.takenAtMs) await rm(path, { force: true })
  for (const name of await readdir(dataDir))
    if (ASIDE.test(name)) await rm(join(dataDir, name), { recursive: true, force: true })
}
