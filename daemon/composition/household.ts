/** People, their devices, who may see what, and what is recorded: everything that works without a listener. */
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import type { Actor } from '../domain/access.ts'
import { ageOn, USUAL_TARGET } from '../domain/person.ts'
import { type Accounts, createAccounts } from '../features/accounts/accounts.ts'
import { createAudit } from '../features/audit/audit.ts'
import { createBackup } from '../features/backup/backup.ts'
import { createBurnout } from '../features/burnout/burnout.ts'
import { createConsents } from '../features/consents/consents.ts'
import { createDaily } from '../features/daily/daily.ts'
import { createDevices, type Devices } from '../features/devices/devices.ts'
import { createForeign } from '../features/foreign/foreign.ts'
import { createGlucose } from '../features/glucose/glucose.ts'
import { createIngest } from '../features/ingest/ingest.ts'
import { createLiveChannel } from '../features/live-channel/live-channel.ts'
import { createMealPhotos } from '../features/meal-photos/meal-photos.ts'
import { createNightscout } from '../features/nightscout/nightscout.ts'
import { createPairing } from '../features/pairing/pairing.ts'
import { createPeople } from '../features/people/people.ts'
import { createPreferences } from '../features/preferences/preferences.ts'
import type { Privacy } from '../features/privacy/privacy.ts'
import { createRecords } from '../features/records/records.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import { createLive } from '../live/live.ts'
import { MANUAL_DEVICE_ID } from '../store/hub.ts'
import { planForgetCamera } from '../store/movement/reading.ts'
import { createRetentionSetting } from '../store/retention-limits.ts'
import { createSources } from '../store/sources.ts'
import { createAlarms, voicesFrom } from './alarms.ts'
import { openCalendar } from './calendar.ts'
import { openCameras } from './cameras.ts'
import { openCommunity } from './community.ts'
import { edgeJobs } from './edge-jobs.ts'
import { createQueue, nightWork, waysIn } from './jobs.ts'
import { joinBrokers } from './joined.ts'
import { openPrivacy } from './privacy.ts'
import { openSync } from './sync.ts'
import { openTraining } from './training.ts'
import { openVision } from './vision.ts'
import { watchVitals } from './vitals.ts'
import { openWhoop } from './whoop.ts'

export type Household = ReturnType<typeof createHousehold>

/** Builds them on an open house. Nothing listens yet. */
export function createHousehold(house: House) {
  const { store, clock, log, secret, hubId, config, tls } = house
  const live = createLive({ clock, base: Math.round(clock.now() * 1000) })
  const notify = (topic: string, type: string, data: unknown, personId: string | null) =>
    void live.publish(topic, type, data, { personId, class: 'any' })
  const timezone = () => accounts.chosen().timezone ?? householdZone(config)
  const audit = createAudit({
    ...{ store, clock, log: log.child({ part: 'audit' }), secret },
    keepDays: () => createRetentionSetting(store).read().audit_days,
    notePath: join(house.dataDir, 'audit.head'),
    peopleOf: (what, id) =>
      (what === 'camera'
        ? cameras.all().find(({ camera }) => camera.id === id)?.camera.personIds
        : training.sessions.register.get(id)?.playerIds) ?? [],
  })
  const jobs = createQueue(house, { live, timezone })
  const people = createPeople({ store, clock, timezone })
  const devices = createDevices({
    store,
    clock,
    log: log.child({ part: 'devices' }),
    secret,
    timezone,
    zoneOfPerson: (personId) => people.get(personId)?.timezone ?? null,
    notify,
  })
  const consents = createConsents({ store, clock })
  const foreign = createForeign({ store, clock, timezone, devices })
  const joined = joinBrokers(house, { devices, foreign })
  const alarms = createAlarms({
    ...{ house, live, timezone, devices, grantsOf: consents.grantsOf, voices: voicesFrom(house) },
    people: { ids: () => people.all().map(({ id }) => id), get: people.get },
    users: () => accounts.users(),
    glucoseUnit: () => preferences.glucoseUnit(),
  })
  const accounts: Accounts = createAccounts({
    store,
    clock,
    log: log.child({ part: 'accounts' }),
    hubId,
    secret,
    grantsOf: (userId) => [...consents.grantsOf(userId), ...alarms.groups.grantsOf(userId)],
    planGrants: consents.planGrants,
    redeemInvite: (code) => pairing.redeemInvite(code),
  })
  let whereabouts = { host: 'localhost', port: 0, hints: [] as readonly string[] }
  const pairing = createPairing({
    store,
    clock,
    log: log.child({ part: 'pairing' }),
    secret,
    spkiSha256: () => tls().spkiSha256,
    whereabouts: () => whereabouts,
    phones: accounts,
    devices,
    notify,
  })
  const ingest = createIngest({
    ...{ store, now: clock.now, latestMs: house.trust.latestMs },
    manualDevice: async () => MANUAL_DEVICE_ID,
  })
  const preferences = createPreferences({ store, now: clock.now, ownOf: accounts.preferencesOf })
  const sources = createSources({ store, now: clock.now })
  const zoneOf = (personId: string) => people.get(personId)?.timezone ?? timezone()
  const glucose = createGlucose({
    ...{ store, sources, now: clock.now, zoneOf, wearerAt: devices.wearerAt },
    targetOf(personId) {
      const person = people.get(personId)
      if (!person) return USUAL_TARGET
      return { minMgPerDl: person.targetGlucoseMin, maxMgPerDl: person.targetGlucoseMax }
    },
  })
  const records = createRecords({
    store,
    sources,
    now: clock.now,
    newId: () => newId(clock.now()),
    zoneOf,
    wearerAt: devices.wearerAt,
  })
  const mealPhotos = createMealPhotos({
    ...{ store, clock, log: log.child({ part: 'meal-photos' }) },
    folder: join(house.dataDir, 'meal-photos'),
    eaterOf: (mealId) => records.ownerOf('meal', mealId),
    onMealsChanged(listener) {
      records.onChanged(({ kind }) => kind === 'meal' && listener())
      people.onRemoved(listener)
    },
  })
  const daily = createDaily({
    store,
    sources,
    now: clock.now,
    zoneOf,
    glucose: glucose.traces.read,
    records: records.all,
    onRecordsChanged: records.onChanged,
  })
  const burnout = createBurnout({
    now: clock.now,
    zoneOf,
    person(personId) {
      const person = people.get(personId)
      if (!person) return null
      const { birthDate, timezone: zone } = person
      return { ...person, age: birthDate === null ? person.age : ageOn(birthDate, clock.now(), zone) }
    },
    days: daily.rows,
  })
  const vitals = watchVitals(house, { episodes: alarms.episodes, people, records, zoneOf })
  const zones = openCommunity(house, { live, people, rarityOf: vitals.rarityOf })
  const tasks = nightWork(house, jobs, { people, daily, vitals, zoneOf })
  const whoop = openWhoop(house, { jobs, records, sources })
  const nightscout = createNightscout({
    store,
    secret,
    version: house.version,
    now: clock.now,
    keys: devices,
    wearerAt: devices.wearerAt,
    glucose: glucose.traces.read,
    meals: {
      tell: (meal, teller) => records.tell('meal', meal, teller),
      takeBack: (at) => records.takeBack('meal', at),
    },
  })
  const imports = waysIn(house, { jobs, glucose, records, ingest, sources, zoneOf })
  const liveChannel = createLiveChannel({
    live,
    clock,
    log: log.child({ part: 'live' }),
    newId: () => newId(clock.now()),
    credentials: { fromBearer: accounts.fromBearer, fromApiKey: devices.fromApiKey },
    current: (actor) => currentActor(actor, accounts, devices),
    personExists: people.exists,
    maySeeCamera: (actor, cameraId) => cameras.maySee(actor, cameraId),
    seesSession: (actor, sessionId) => training.seesSession(actor, sessionId),
    zoneExists: zones.exists,
    joined: audit.witness.joined,
    telemetry: ingest.telemetry,
    seen: alarms.alerts.seen,
    training: {
      start: (actor, wish) => training.live.begin(actor, wish),
      stop: (actor, sessionId) => training.live.end(actor, sessionId),
      picture: (actor, sent) => cameras.picture(actor, sent),
      landmarks: (actor, batch, from) => cameras.landmarks(actor, batch, from),
    },
  })
  people.onRemoved(() => {
    for (const part of [devices, consents, alarms.groups, accounts]) part.reload()
    void alarms.rules.reload()
    liveChannel.recheck()
  })
  consents.onChanged(() => liveChannel.recheck())
  alarms.groups.onChanged(() => liveChannel.recheck())
  alarms.groups.onChanged(() => cameras.recheck())
  accounts.onRevoked(({ signInId }) => liveChannel.dropSignIn(signInId))
  devices.onRevoked(({ deviceId }) => liveChannel.dropDevice(deviceId))
  devices.onChanged(alarms.alerts.boardsChanged)
  let ownPorts: readonly number[] = []
  const vision = openVision(house, {
    jobs,
    live,
    maySeeCamera: (actor, cameraId) => cameras.maySee(actor, cameraId),
  })
  const cameras = openCameras(house, {
    ...{ live, vision, people, devices, consents, accounts, ownPorts: () => ownPorts },
    current: (actor) => currentActor(actor, accounts, devices),
    admitFrame: (frame) => training.live.admit(frame),
    forget(cameraId) {
      const { result, writes, committed } = training.calibrations.planRemove(cameraId)
      return { result, writes: [...writes, ...planForgetCamera(cameraId)], committed }
    },
    isRecorded: (cameraId) => training.live.isRecorded(cameraId),
    refusedFrames: (cameraId, pictures) => training.live.refused(cameraId, pictures),
  })
  const training = openTraining(house, {
    ...{ cameras, vision, live, people, jobs, groups: alarms.groups },
    userName(userId) {
      const user = accounts.users().find(({ id }) => id === userId)
      return people.get(user?.person_id ?? '')?.name ?? user?.name ?? null
    },
  })
  const calendar = openCalendar(house, {
    ...{ people, live, jobs, groups: alarms.groups, users: () => accounts.users() },
    grantsOf: (userId) => [...consents.grantsOf(userId), ...alarms.groups.grantsOf(userId)],
  })
  const backup = createBackup({
    ...{ store, clock, log: log.child({ part: 'backup' }), jobs, hubId },
    ...{ dataDir: house.dataDir, version: house.version, snapshots: house.snapshots },
    snapshotFolder: join(house.dataDir, 'snapshots'),
    newId: () => newId(clock.now()),
    sealAudit: audit.sealed,
    onRestored: (madeAt) =>
      audit.record({ act: 'restore', who: { kind: 'local', id: null }, detail: { made_at: madeAt } }),
  })
  const privacy: Privacy = openPrivacy(house, {
    audit,
    jobs,
    people,
    kept: () => ({ accounts, vision, training }),
    cloud: () => sync.erasure,
  })
  const sync = openSync(house, {
    ...{ people, jobs, live, timezone, hubName: () => hubName(house, accounts) },
    runJob: edgeJobs({ now: clock.now, people, daily, vitals, zoneOf }),
    changed(kinds) {
      if (kinds.has('person')) people.reload()
      if (kinds.has('group')) alarms.groups.reload()
      if (kinds.has('consent')) consents.reload()
      if (kinds.size > 1 || !kinds.has('calendar')) liveChannel.recheck()
    },
  })
  return {
    audit,
    backup,
    privacy,
    sync,
    live,
    calendar,
    preferences,
    people,
    devices,
    consents,
    foreign,
    joined,
    accounts,
    pairing,
    ingest,
    zoneOf,
    glucose,
    records,
    mealPhotos,
    daily,
    alarms,
    jobs,
    tasks,
    vitals,
    zones,
    burnout,
    nightscout,
    imports,
    whoop,
    liveChannel,
    notify,
    vision,
    cameras,
    training,
    /** Where the hub itself listens: nothing is fetched from there. */
    setOwnPorts(found: readonly number[]) {
      ownPorts = found
    },
    setWhereabouts(found: typeof whereabouts) {
      whereabouts = found
    },
  }
}

function householdZone(config: Config): string {
  return config.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** Grants, roles and whom a device serves change while a socket is open. */
function currentActor(actor: Actor, accounts: Accounts, devices: Devices): Actor | null {
  if (actor.kind === 'user') return accounts.actorOf(actor.signInId)
  return actor.kind === 'device' ? devices.actorOf(actor.deviceId) : actor
}

/** What the hub is called: the owner's word, else the setting. */
export function hubName({ config }: House, accounts: Accounts): string {
  return accounts.chosen().hubName ?? config.name
}
