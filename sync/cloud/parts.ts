/** What the service's routes share. */
import type { Failpoints } from '../failpoint.ts'
import type { Cloudbase } from './database.ts'
import type { Identity, ServiceKey } from './identity.ts'
import type { RateLimit } from './limits.ts'
import type { CloudMetrics } from './metrics.ts'
import type { Months } from './months.ts'

export interface CloudClock {
  /** Wall clock, integer milliseconds UTC. */
  now(): number
  /** Milliseconds that only grow. */
  monotonic(): number
  after(ms: number, fn: () => void): () => void
  every(ms: number, fn: () => void): () => void
}

export interface CloudLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

export interface CloudParts {
  base: Cloudbase
  months: Months
  identity: Identity
  key: ServiceKey
  clock: CloudClock
  log: CloudLog
  metrics: CloudMetrics
  failpoints: Failpoints
  hubLimit: RateLimit
  accountLimit: RateLimit
  registerLimit: RateLimit
  now(): number
  /** Notes when a hub was heard of, at most once a minute. */
  seen(hub: string): Promise<void>
  isStopping(): boolean
  /** Oldest and newest contract that is taken; this version's own unless a test says otherwise. */
  schemaMin?: number
  schemaMax?: number
}
