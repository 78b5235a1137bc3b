/** Which features a hub has, and what each is given. */
import { join } from 'node:path'
import type { Broker } from '../broker/broker.ts'
import type { Feature } from '../domain/route.ts'
import type { Announcement } from '../features/announce/announce.ts'
import type { Drilled } from '../features/backup/drill.ts'
import { createExports } from '../features/exports/exports.ts'
import { createDiscovery } from '../features/home-automation/discovery.ts'
import { createHomeAutomation } from '../features/home-automation/home-automation.ts'
import { createLocal } from '../features/local/local.ts'
import { createPlainUploads, type OpenUploads } from '../features/nightscout/plain-uploads.ts'
import { observations } from '../features/observations/observations.ts'
import { exposeCounts } from '../features/operations/gauges.ts'
import { operations, type PartState } from '../features/operations/operations.ts'
import { createSystem } from '../features/system/system.ts'
import type { House } from '../house.ts'
import { fingerprintWords } from '../kernel/words.ts'
import type { ToldRecovery } from '../store/recovery-note.ts'
import { camerasState, exposeCameras } from './cameras.ts'
import { type Household, hubName } from './household.ts'

const WORDS_SHOWN = 4

interface Surroundings {
  broker: Broker
  announcement: Announcement
  ports: () => { httpPort: number; httpsPort: number }
  /** The listener without TLS for uploaders. */
  plainListener: { open(port: number): Promise<number>; close(): Promise<void> }
}

/** In start order; they stop in the reverse. */
export function featuresOf(
  house: House,
  household: Household,
  { broker, announcement, ports, plainListener }: Surroundings,
): Feature[] {
  const { store, clock, log, registry, version, tls } = house
  const { accounts, people, devices, consents, pairing, ingest, liveChannel, live } = household
  exposeCounts(registry, {
    store: () => ({ ...store.stats() }),
    broker: () => ({ ...broker.stats() }),
    clock: () => ({
      trusted: house.trust.state() === 'set',
      jumps: house.trust.jumps().length,
      ...house.redating.stats(),
    }),
    disk: () => ({ ...house.disk.report(), writtenADay: house.writeLog.bytesADay() }),
    foreign: () => ({ ...household.foreign.stats(), joined: household.joined.stats() }),
    jobs: () => ({ ...household.jobs.stats() }),
    live: () => ({ ...live.stats(), connections: liveChannel.connections() }),
    process: () => ({
      residentBytes: process.memoryUsage.rss(),
      uptimeSeconds: Math.round(process.uptime()),
    }),
  })
  exposeCameras(registry, household.cameras)
  const greeting = () => {
    const host = house.network().reachable[0] ?? 'localhost'
    return {
      claimed: accounts.isClaimed(),
      hubName: hubName(house, accounts),
      caSha256: tls().caSha256,
      fingerprintWords: fingerprintWords(tls().caSha256, WORDS_SHOWN),
      httpsUrl: `https://${host}:${ports().httpsPort}/`,
      caUrl: `http://${host}:${ports().httpPort}/ca.crt`,
      mqttsPort: broker.mqttsPort,
    }
  }
  const parts = (): PartState[] => [
    ...partStates(house, announcement, household),
    ...plainState(plainUploads.state()),
    ...household.joined.states().map((one) => ({ ...one, name: `broker ${one.name}` })),
  ]
  const publishRetained = (topic: string, payload: string) => broker.publish(topic, payload, { retain: true })
  const discovery = createDiscovery({
    clock,
    log: log.child({ part: 'discovery' }),
    nameOf: (personId) => people.get(personId)?.name ?? null,
    devices: devices.list,
    alarmOf: household.alarms.alerts.openOf,
    publish: publishRetained,
  })
  household.alarms.setOnAlert(discovery.look)
  const plainUploads = createPlainUploads({
    ...{ store, clock, listener: plainListener },
    log: log.child({ part: 'uploads' }),
    hosts: () => house.network().reachable,
  })
  return [
    household.audit.feature,
    household.backup.feature,
    household.privacy.feature,
    household.sync.feature,
    accounts.feature,
    people.feature,
    devices.feature,
    household.foreign.feature,
    household.joined.feature,
    consents.feature,
    pairing.feature,
    createLocal({
      clock,
      ports: {
        ...accounts,
        reset: () =>
          accounts.reset([pairing.planNone(), consents.planNone(), household.preferences.planNone()]),
      },
    }),
    ingest.feature,
    household.glucose.feature,
    household.records.feature,
    household.mealPhotos,
    household.daily.feature,
    ...household.alarms.features,
    household.tasks,
    household.nightscout.feature,
    plainUploads.feature,
    household.whoop.feature,
    household.burnout,
    ...household.vitals.features,
    household.zones.feature,
    ...household.imports,
    observations({ store, now: clock.now }),
    createExports({
      ...{ store, now: clock.now, zoneOf: household.zoneOf },
      glucoseUnitOf: household.preferences.glucoseUnitOf,
    }),
    liveChannel.feature,
    household.jobs.feature,
    household.vision.feature,
    household.cameras.feature,
    ...household.training.features,
    household.calendar,
    household.preferences.feature,
    discovery.feature,
    createHomeAutomation({
      onKnown: discovery.tell,
      store,
      clock,
      log: log.child({ part: 'home-automation' }),
      heard: devices.heard,
      onHeardChanged: devices.onChanged,
      publish: publishRetained,
    }),
    announcement.feature,
    createSystem({
      version,
      store,
      parts,
      metrics: () => registry.metrics(),
      hubId: house.hubId,
      now: clock.now,
      database: join(house.dataDir, 'homefield.db'),
      startedAtMs: clock.now(),
      snapshots: house.snapshots,
      recovery: house.recovery,
      bytesWritten: () => store.stats().bytesWritten,
      disk: house.disk,
      clock: { ...house.trust, moved: () => house.redating.stats().moved },
      writeLog: house.writeLog,
      plainUploads: plainUploads.state,
      drilled: household.backup.drill.last,
    }),
    operations({
      version,
      now: clock.now,
      parts,
      metrics: () => registry.metrics(),
      greeting,
    }),
  ]
}

function partStates(
  { tls, snapshots, recovery, disk, trust }: House,
  announcement: Announcement,
  { cameras, backup }: Pick<Household, 'cameras' | 'backup'>,
): PartState[] {
  const room = disk.report().state
  const { leftOut } = tls()
  const copies = snapshots.state().problem ?? wouldNotDo(backup.drill.last())
  return [
    {
      name: 'store',
      state: room !== 'roomy' || recovery.read() ? 'degraded' : 'up',
      detail: room === 'roomy' ? recoveryDetail(recovery.read()) : ROOM[room],
    },
    {
      name: 'clock',
      state: trust.state() === 'unset' ? 'degraded' : 'up',
      detail:
        trust.state() === 'unset'
          ? 'this box does not know the time: values are dated by a guess, and anew once it does'
          : null,
    },
    { name: 'snapshots', state: copies === null ? 'up' : 'degraded', detail: copies },
    { name: 'broker', state: 'up', detail: null },
    { name: 'http', state: 'up', detail: null },
    {
      name: 'certificate',
      state: 'up',
      detail:
        leftOut.length > 0
          ? `not valid for ${leftOut.join(', ')}: outside what a household CA may vouch for`
          : null,
    },
    { name: 'announcement', ...announcement.state() },
    { name: 'cameras', ...camerasState(cameras) },
  ]
}

function wouldNotDo(drilled: Drilled | null): string | null {
  return drilled?.problem ? `the newest copies would not bring the hub back: ${drilled.problem}` : null
}

/** A part of the hub only while it is open: then it is something to know about. */
function plainState(open: OpenUploads | null): PartState[] {
  if (!open) return []
  const detail = `open on port ${open.port} until ${new Date(open.expiresAtMs).toISOString()}: uploads without TLS can be read by everybody on the network`
  return [{ name: 'plain uploads', state: 'degraded', detail }]
}

const ROOM = {
  low: 'the disk has little room left: only what is measured just now is stored',
  full: 'the disk is full: what is measured just now and alerts live on the reserve',
  stuck: 'the disk is full: values wait',
} as const

function recoveryDetail(told: ToldRecovery | null): string | null {
  if (told === null) return null
  const from = new Date(told.snapshotAtMs).toISOString()
  const read =
    told.salvage === null ? '' : `; ${told.salvage.read} values after it were read from the damaged file`
  return `the database was damaged (${told.reason}) and is the snapshot of ${from}${read}`
}
