/** What was learnt of a person and where the watch over them stands, on disk: a start goes on where the hub left off. */
import type { PulseNet } from '../../../models/pulsenet.ts'
import type { AnomalyProfile } from '../../../models/series/anomaly.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Known } from './known.ts'
import type { Choice } from './minutes.ts'
import type { Standing } from './watch.ts'

export interface Kept extends Omit<Known, 'watch'> {
  choice: Choice
  profile: AnomalyProfile
  standing: Standing
}

export interface KeptVitals {
  /** Null where nothing is kept, or what is kept is of another model or cannot be read: then the person is learnt anew. */
  read(personId: string): Kept | null
  /** Keeps what was learnt, and where the watch stands. */
  learnt(personId: string, known: Known): Write
  /** Where the watch stands by now. */
  stands(personId: string, known: Known): Write
  forget(personId: string): Write
}

/** Changes whenever what is written below, or what the models make of it, changes its form. */
const FORM = 1
const READ = `SELECT v.learnt_at AS learntAtMs, v.learnt_minutes AS learntMinutes, v.choice, v.profile, v.standing
  FROM vital_watch v JOIN person p ON p.key = v.person_key
  WHERE p.id = :personId AND p.deleted_at IS NULL AND v.model = :model`
const LEARNT = `INSERT INTO vital_watch (person_key, model, learnt_at, learnt_minutes, choice, profile, standing)
  SELECT key, :model, :learntAtMs, :learntMinutes, :choice, :profile, :standing
  FROM person WHERE id = :personId AND deleted_at IS NULL
  ON CONFLICT (person_key) DO UPDATE SET model = :model, learnt_at = :learntAtMs, learnt_minutes = :learntMinutes,
    choice = :choice, profile = :profile, standing = :standing`
const ONE = `person_key = (SELECT key FROM person WHERE id = :personId)`
const STANDS = `UPDATE vital_watch SET standing = :standing WHERE ${ONE}`
const FORGET = `DELETE FROM vital_watch WHERE ${ONE}`

export interface KeptDeps {
  store: Pick<Store, 'get'>
  model: Pick<PulseNet, 'name' | 'version'>
}

export function createKept({ store, model: { name, version } }: KeptDeps): KeptVitals {
  const model = `${name} ${version} ${FORM}`
  return {
    read(personId) {
      const row = store.get<{
        learntAtMs: number
        learntMinutes: number
        choice: string
        profile: string
        standing: string
      }>(READ, { personId, model })
      if (!row) return null
      try {
        // Written below by the same version of the model.
        return {
          ...{ learntAtMs: row.learntAtMs, learntMinutes: row.learntMinutes },
          choice: JSON.parse(row.choice) as Choice,
          profile: JSON.parse(row.profile) as AnomalyProfile,
          standing: JSON.parse(row.standing) as Standing,
        }
      } catch {
        return null
      }
    },
    learnt: (personId, { watch, profile, learntAtMs, learntMinutes }) => ({
      sql: LEARNT,
      params: {
        ...{ personId, model, learntAtMs, learntMinutes },
        choice: JSON.stringify(watch.choice),
        profile: JSON.stringify(profile),
        standing: JSON.stringify(watch.standing()),
      },
    }),
    stands: (personId, { watch }) => ({
      sql: STANDS,
      params: { personId, standing: JSON.stringify(watch.standing()) },
    }),
    forget: (personId) => ({ sql: FORGET, params: { personId } }),
  }
}
