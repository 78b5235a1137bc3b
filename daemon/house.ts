/** The data directory, opened: database, certificate and secrets, which every part stands on. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Clock } from './kernel/clock.ts'
import { messageOf } from './kernel/errors.ts'
import { newId } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { type NetworkIdentity, networkIdentity } from './kernel/network.ts'
import { ensureSecret } from './kernel/secrets.ts'
import { ensureTls, type Tls } from './kernel/tls.ts'
import { createTrustedClock, type TrustedClock } from './kernel/trusted-clock.ts'
import { isDamage } from './store/damage.ts'
import { createDiskGuard, type DiskGuard } from './store/disk-guard.ts'
import { ensureHub } from './store/hub.ts'
import { createStore } from './store/open.ts'
import { markClosed, markOpen, type Recovery, recoverDatabase } from './store/recovery.ts'
import { createRecoveryNote, type RecoveryNote } from './store/recovery-note.ts'
import { clockKnownAt, createRedating, type Redating } from './store/redating.ts'
import { salvageObservations } from './store/salvage.ts'
import { createSnapshots, type Snapshots } from './store/snapshots.ts'
import type { Store, StoreOptions } from './store/store.ts'
import { createWriteLog, type WriteLog } from './store/write-log.ts'

export interface HouseDeps {
  config: Config
  /** Absolute; exists and is ours alone. */
  dataDir: string
  version: string
  /** When this program was built: no true clock stands before it. */
  builtAtMs: number
  /** Whether the machine's time service is content; null, or absent, where it says nothing. */
  synchronised?: () => boolean | null
  /** Names and addresses of this machine; what the machine says, when absent. */
  network?: () => NetworkIdentity
  clock: Clock
  log: Log
  /** In development and tests: where on the way to the cloud, the how many-th time (`name:2`), the program ends on the spot. */
  failpoint?: { at: string; end(): void }
}

const NETWORK_LOOK_MS = 60_000

/** What every part stands on. */
export interface House extends Omit<HouseDeps, 'network'> {
  /** What is thought of `clock`, which is the machine's, judged. */
  trust: Pick<TrustedClock, 'state' | 'jumps' | 'latestMs'>
  redating: Redating
  store: Store
  hubId: string
  secret: Uint8Array
  network: () => NetworkIdentity
  /** The certificate in use. */
  tls: () => Tls
  /**
   * Looks once a minute: a box changes its address when the router does, and certificates run out. Returns the way to stop.
   */
  followNetwork(heard: { onCertificate(tls: Tls): void; onMoved(): Promise<void> }): () => void
  registry: Registry
  snapshots: Snapshots
  disk: DiskGuard
  writeLog: WriteLog
  /** Set when this start, or one before it that nobody has read about yet, brought the database back from a snapshot. */
  recovery: RecoveryNote
}

/** Opens or makes everything in the data directory. Rejects with the database closed again when a part cannot be had. */
export async function openHouse(given: HouseDeps, onFailure: (cause: unknown) => void): Promise<House> {
  const { dataDir, log } = given
  const clock = createTrustedClock(given)
  const deps = { ...given, clock }
  const path = join(dataDir, 'homefield.db')
  const place = { database: path, snapshots: join(dataDir, 'snapshots'), damaged: join(dataDir, 'damaged') }
  const recovered = recoverDatabase(place, clock.now())
  if (recovered) log.error(recovered, 'the database was brought back from a snapshot')
  const recovery = await createRecoveryNote(dataDir, recovered)
  try {
    const opened = await createMarkedStore({ path, now: clock.now, onFailure })
    const disk = createDiskGuard({
      ...{ folder: dataDir, clock, log: log.child({ part: 'disk' }) },
      freeBytes: () => freeBytes(dataDir),
      stalled: () => opened.stats().diskFull,
      makeRoom: () => void opened.upkeep(null).catch(() => {}),
    })
    clock.notBefore(clockKnownAt(opened) ?? Number.NEGATIVE_INFINITY)
    const roomy = disk.guarded({ ...opened, close: () => closed(opened, [disk, writeLog, redating, clock]) })
    const redating = createRedating({
      ...{ store: roomy, clock, startId: newId(clock.now()) },
      log: log.child({ part: 'clock' }),
    })
    const store = redating.marked(roomy)
    const writeLog = createWriteLog({ store, clock, log, freeBytes: () => freeBytes(dataDir) })
    const snapshots = createSnapshots({
      database: path,
      folder: place.snapshots,
      clock,
      log: log.child({ part: 'snapshots' }),
      written: () => store.stats().rows + store.stats().commits,
    })
    if (recovered?.damagedPath) void recoverRest(recovered, { store, log, recovery, nowMs: clock.now() })
    return await furnish(deps, store, { snapshots, recovery, disk, writeLog, trust: clock, redating }).catch(
      async (cause: unknown) => {
        await snapshots.stop()
        await store.close()
        throw cause
      },
    )
  } catch (cause) {
    throw isDamage(cause) ? damaged(path, cause) : cause
  }
}

/**
 * A store with a mark beside it while it is open: a start that finds the mark knows that the last one did not end as it should, and looks
 * at every page. A writer that died leaves it as well.
 */
async function createMarkedStore(options: StoreOptions): Promise<Store> {
  let sound = true
  const store = await createStore({
    ...options,
    onFailure(cause) {
      sound = false
      options.onFailure(cause)
    },
  })
  markOpen(options.path)
  return {
    ...store,
    async close() {
      await store.close()
      if (sound) markClosed(options.path)
    },
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

async function closed(store: Store, parts: readonly { stop(): void }[]): Promise<void> {
  for (const part of parts) part.stop()
  await store.close()
}

/** Values of the hour before a snapshot may have come late; the store knows which of them it has. */
const BEFORE_SNAPSHOT_MS = 24 * 3_600_000

/** Beside the running hub: what the damaged file still gives of the time after its snapshot. */
async function recoverRest(
  { damagedPath, snapshotAtMs }: Recovery,
  { store, log, recovery, nowMs }: { store: Store; log: Log; recovery: RecoveryNote; nowMs: number },
): Promise<void> {
  const salvaged = await salvageObservations({
    damagedPath: damagedPath ?? '',
    fromMs: snapshotAtMs - BEFORE_SNAPSHOT_MS,
    toMs: nowMs,
    append: store.observations.append,
  })
  log.warn(salvaged, 'values read from the damaged database')
  await recovery.salvaged(salvaged)
}

function damaged(path: string, cause: unknown): Error {
  const told = `${path} is damaged (${messageOf(cause)}): start the hub once more, which looks for a snapshot, or restore a backup`
  return new Error(told, { cause })
}

async function furnish(
  deps: HouseDeps,
  store: Store,
  kept: Pick<House, 'snapshots' | 'recovery' | 'disk' | 'writeLog' | 'trust' | 'redating'>,
): Promise<House> {
  const { config, dataDir, clock, log, builtAtMs: buildDateMs } = deps
  const { hubId, newestInstantMs } = await ensureHub(store, newId(clock.now()), clock.now())
  const secret = await ensureSecret(join(dataDir, 'secrets'), 'hub.key')
  const network = deps.network ?? (() => networkIdentity(config.http.hostnames))
  const dir = join(dataDir, 'tls')
  const freshTls = () => ensureTls({ dir, ...network(), nowMs: clock.now(), buildDateMs, newestInstantMs })
  let tls = await freshTls()
  return {
    ...deps,
    ...kept,
    store,
    hubId,
    secret,
    network,
    tls: () => tls,
    followNetwork({ onCertificate, onMoved }) {
      let known = JSON.stringify(network())
      const look = async () => {
        const seen = JSON.stringify(network())
        const moved = seen !== known
        known = seen
        tls = await freshTls()
        if (tls.renewed) {
          onCertificate(tls)
          log.info('certificate renewed')
        }
        if (!moved) return
        await onMoved()
        log.info('network changed')
      }
      return clock.every(NETWORK_LOOK_MS, () => {
        look().catch((cause: unknown) =>
          log.warn({ cause: messageOf(cause) }, 'could not follow the network'),
        )
      })
    },
    registry: new Registry(),
  }
}
