import { Compile } from 'typebox/compile'
import { RetentionLimits, retentionConflict, USUAL_RETENTION } from '../domain/retention.ts'
import { HubError } from '../kernel/errors.ts'
import type { Plan } from './plan.ts'
import type { Store } from './store.ts'

/** How long what is kept, as the owner chose. */
export interface RetentionSetting {
  read(): RetentionLimits
  /** Prepares another choice. Throws VALIDATION_ERROR when its limits contradict each other. */
  plan(limits: RetentionLimits): Plan<RetentionLimits>
}

const NAME = 'retention'
const READ = `SELECT value FROM meta WHERE name = '${NAME}'`
const WRITE = `INSERT INTO meta (name, value) VALUES ('${NAME}', :value) ON CONFLICT (name) DO UPDATE SET value = :value`

const known = Compile(RetentionLimits)

/** The choice lies in the database; a limit that this program does not know any more makes it the usual one again. */
export function createRetentionSetting(store: Pick<Store, 'get'>): RetentionSetting {
  return {
    read() {
      const value = store.get<{ value: string }>(READ)?.value
      const limits: unknown = value === undefined ? null : JSON.parse(value)
      return known.Check(limits) ? limits : USUAL_RETENTION
    },
    plan(limits) {
      const conflict = retentionConflict(limits)
      if (conflict !== null) throw new HubError('VALIDATION_ERROR', `These cannot all hold: ${conflict}.`)
      const value = JSON.stringify(limits)
      return { result: limits, writes: [{ sql: WRITE, params: { value } }], committed() {} }
    },
  }
}
