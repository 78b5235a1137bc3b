/** The audit log: who signed in, changed something or looked at whom, in a chain that shows when somebody rewrites it. */
import type { Feature } from '../../domain/route.ts'
import { type Clock, within } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { deriveKey } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'
import { createChain } from './chain.ts'
import type { AuditFact } from './entry.ts'
import { createOutsideHead } from './outside.ts'
import { auditRoutes } from './routes.ts'
import { type Noted, type Verdict, verifyChain } from './verify.ts'
import { createWitness, type Witness } from './witness.ts'

export interface Audit {
  feature: Feature
  witness: Witness
  /** Writes a fact; resolves once it is on disk. */
  record(fact: AuditFact): Promise<void>
  /** Entries that reached the disk as of now. */
  flush(): Promise<void>
  /** Seals the newest entry now. */
  sealed(): Promise<void>
  /** `noted` is an end of the log that somebody kept elsewhere. */
  verify(noted?: Noted | null): Promise<Verdict>
  stats(): { queued: number; leftOut: number; entries: number }
}

export interface AuditDeps {
  store: Store
  clock: Clock
  log: Log
  /** From `ensureSecret`. */
  secret: Uint8Array
  /** Where the end of the chain is noted beside the database. */
  notePath: string
  peopleOf: (what: 'camera' | 'session', id: string) => readonly string[]
  /** Days that entries are kept; default six years. */
  keepDays?: () => number
}

const SETTLE_MS = 300
const ANCHOR_MS = 5 * 60_000
const TRIM_MS = 24 * 3_600_000
const DAY_MS = 86_400_000
export const AUDIT_DAYS = 6 * 365
/** Some 250 MB of database; far more than a household writes in six years. */
const ENTRIES_MAX = 1_000_000

export function createAudit(deps: AuditDeps): Audit {
  const { store, clock, log, notePath, peopleOf } = deps
  const key = deriveKey(deps.secret, 'audit seal')
  const outside = createOutsideHead(notePath)
  const chain = createChain({ store, clock, log, key, outside })
  const keepDays = deps.keepDays ?? (() => AUDIT_DAYS)
  const witness = createWitness({ now: clock.now, append: (fact) => void chain.append(fact), peopleOf })
  let stops: (() => void)[] = []

  async function verify(noted: Noted | null = null): Promise<Verdict> {
    await chain.flush()
    return verifyChain({ store, key, outside: await outside.read(), noted })
  }

  /** What was seen until now is on disk, unless the disk takes too long. */
  const settle = () =>
    within(
      clock,
      SETTLE_MS,
      chain.flush().catch(() => undefined),
    )

  const quietly = (what: string, work: Promise<void>) =>
    void work.catch((cause: unknown) => log.warn({ cause: messageOf(cause) }, what))
  const trim = () =>
    quietly('old audit entries stay', chain.trim(clock.now() - keepDays() * DAY_MS, ENTRIES_MAX))

  return {
    witness,
    verify,
    flush: chain.flush,
    sealed: chain.anchor,
    stats: chain.stats,
    async record(fact) {
      const written = chain.append(fact)
      await chain.flush()
      await written
    },
    feature: {
      name: 'audit',
      routes: (http) => auditRoutes(http, { store, now: clock.now, settle, verify }),
      async start() {
        await chain.begin()
        stops = [
          clock.every(ANCHOR_MS, () => quietly('the audit log is not sealed', chain.anchor())),
          clock.every(TRIM_MS, trim),
        ]
      },
      async stop() {
        for (const stop of stops) stop()
        // With a full disk the store is closed by now: the log is sealed at the next start.
        await chain.stop().catch((cause: unknown) => {
          log.warn({ cause: messageOf(cause) }, 'the audit log is not sealed')
        })
      },
    },
  }
}
