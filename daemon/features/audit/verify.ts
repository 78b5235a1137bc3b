/** Walks the audit log from its sealed start to its sealed end and says what does not fit. */
import { setImmediate } from 'node:timers/promises'
import { sameSecret } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'
import { type ChainedEntry, entryHash, isSealed, NO_HASH, SELECT_ENTRY, type Sealed } from './entry.ts'

export interface Verdict {
  whole: boolean
  entries: number
  anchors: number
  firstSeq: number | null
  lastSeq: number | null
  /** Hexadecimal hash of the newest entry, to compare with a note kept elsewhere. */
  head: string | null
  /** The first thing that is wrong, in words. */
  problem: string | null
  /** Where. */
  problemSeq: number | null
}

export interface Noted {
  seq: number
  hash: Uint8Array
}

export interface VerifyDeps {
  store: Pick<Store, 'all' | 'get'>
  key: Uint8Array
  /** The end of the chain as noted beside the database. */
  outside: Sealed | 'damaged' | null
  /** An end of the log that somebody noted elsewhere. */
  noted?: Noted | null
}

const PAGE = 2000
/** What the hub writes itself when it starts on a log that is shorter than it was. */
export const SHORTENED = 'audit-shortened'
const AFTER = `${SELECT_ENTRY} WHERE seq > :seq ORDER BY seq LIMIT :limit`
const ANCHORS = 'SELECT seq, at AS atMs, hash, seal FROM audit_anchor ORDER BY seq'
const EDGE = 'SELECT seq, at AS atMs, hash, seal FROM audit_edge WHERE name = :name'

class Broken extends Error {
  readonly seq: number | null
  constructor(message: string, seq: number | null) {
    super(message)
    this.seq = seq
  }
}

/** Reads page by page, so that a hub goes on with everything else. */
export async function verifyChain(deps: VerifyDeps): Promise<Verdict> {
  const { store, key } = deps
  const verdict: Verdict = {
    ...{ whole: true, entries: 0, anchors: 0, firstSeq: null, lastSeq: null, head: null },
    ...{ problem: null, problemSeq: null },
  }
  try {
    const head = store.get<Sealed>(EDGE, { name: 'head' })
    const start = sealedStart(store, key)
    const places = anchorsOf(store, key, deps.outside, head)
    if (deps.noted && deps.noted.seq > (start?.seq ?? 0)) {
      matches(places, deps.noted.seq, deps.noted.hash)
      places.set(deps.noted.seq, deps.noted.hash)
    }
    let at: { seq: number; hash: Uint8Array } = { seq: start?.seq ?? 0, hash: start?.hash ?? NO_HASH }
    let shortened: number | null = null
    for (;;) {
      const page = store.all<ChainedEntry>(AFTER, { seq: at.seq, limit: PAGE })
      for (const entry of page) {
        at = follow(at, entry, places)
        verdict.firstSeq ??= entry.seq
        verdict.lastSeq = entry.seq
        verdict.entries += 1
        if (places.delete(entry.seq)) verdict.anchors += 1
        if (entry.act === SHORTENED) shortened ??= entry.seq
      }
      if (page.length < PAGE) break
      await setImmediate()
    }
    verdict.head = verdict.lastSeq === null ? null : Buffer.from(at.hash).toString('hex')
    if (start) matches(places, start.seq, start.hash)
    places.delete(start?.seq ?? 0)
    sealedEnd(key, head, at, verdict.entries > 0 || start !== undefined)
    const [missing] = [...places.keys()].filter((seq) => seq > (start?.seq ?? 0)).sort((a, b) => a - b)
    if (missing !== undefined)
      throw new Broken(`entry ${missing} was sealed and is gone, with everything after ${at.seq}`, missing)
    if (shortened !== null)
      throw new Broken(`entries before ${shortened} were lost: the hub noticed when it started`, shortened)
  } catch (cause) {
    if (!(cause instanceof Broken)) throw cause
    Object.assign(verdict, { whole: false, problem: cause.message, problemSeq: cause.seq })
  }
  return verdict
}

/** Checks one entry against the one before it; a gap, a repetition and a changed word all show here. */
function follow(
  at: { seq: number; hash: Uint8Array },
  entry: ChainedEntry,
  places: ReadonlyMap<number, Uint8Array>,
): { seq: number; hash: Uint8Array } {
  if (entry.seq !== at.seq + 1) {
    throw new Broken(`entries ${at.seq + 1} to ${entry.seq - 1} are gone`, at.seq + 1)
  }
  if (!sameSecret(entryHash(at.hash, entry), entry.hash)) {
    throw new Broken(`entry ${entry.seq} is not what was written, or not where it was written`, entry.seq)
  }
  matches(places, entry.seq, entry.hash)
  return { seq: entry.seq, hash: entry.hash }
}

function matches(places: ReadonlyMap<number, Uint8Array>, seq: number, hash: Uint8Array): void {
  const sealed = places.get(seq)
  if (sealed && !sameSecret(sealed, hash))
    throw new Broken(`the entries up to ${seq} were written anew: they do not match their seal`, seq)
}

function sealedStart(store: VerifyDeps['store'], key: Uint8Array): Sealed | undefined {
  const start = store.get<Sealed>(EDGE, { name: 'start' })
  if (start && !isSealed(key, 'start', start))
    throw new Broken('where the log begins was not sealed by this hub', start.seq)
  return start
}

/** What each sealed place must hash to, the note beside the database among them. */
function anchorsOf(
  store: VerifyDeps['store'],
  key: Uint8Array,
  outside: VerifyDeps['outside'],
  head: Sealed | undefined,
): Map<number, Uint8Array> {
  const places = new Map<number, Uint8Array>()
  for (const anchor of store.all<Sealed>(ANCHORS)) {
    if (!isSealed(key, 'anchor', anchor))
      throw new Broken(`the seal of entry ${anchor.seq} is not this hub's`, anchor.seq)
    places.set(anchor.seq, anchor.hash)
  }
  if (outside === 'damaged') throw new Broken('the note beside the database cannot be read', null)
  if (outside === null) return places
  if (!isSealed(key, 'head', outside))
    throw new Broken('the note beside the database is not sealed by this hub', outside.seq)
  if (outside.seq > (head?.seq ?? 0)) {
    throw new Broken(
      `the log ends at ${head?.seq ?? 0}, and entry ${outside.seq} was sealed outside of it`,
      outside.seq,
    )
  }
  matches(places, outside.seq, outside.hash)
  places.set(outside.seq, outside.hash)
  return places
}

function sealedEnd(
  key: Uint8Array,
  head: Sealed | undefined,
  at: { seq: number; hash: Uint8Array },
  hasBegun: boolean,
): void {
  if (!head) {
    if (hasBegun) throw new Broken('the seal of the newest entry is gone', at.seq)
    return
  }
  if (!isSealed(key, 'head', head))
    throw new Broken('the seal of the newest entry is not this hub’s', head.seq)
  if (head.seq !== at.seq) {
    const said =
      head.seq > at.seq ? `entries ${at.seq + 1} to ${head.seq} are gone` : `entry ${at.seq} was added`
    throw new Broken(said, Math.min(head.seq, at.seq) + 1)
  }
  if (!sameSecret(head.hash, at.hash))
    throw new Broken(`the entries up to ${at.seq} were written anew: they do not match their seal`, at.seq)
}
