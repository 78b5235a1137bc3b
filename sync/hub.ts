/** The hub's side of the sync as a whole: joins a household in the cloud, sends, reads, and tells how far it is. */
import { Compile } from 'typebox/compile'
import { type Compactor, createCompactor } from './compact.ts'
import { createEntities } from './entities.ts'
import {
  createHubClient,
  type HubClient,
  OtherService,
  registerHub,
  safeAddress,
  Unproven,
} from './hub-client.ts'
import { createHubJobs } from './hub-jobs.ts'
import { createHubKeys } from './hub-keys.ts'
import { planBackfill, planErasedSubject, planPrune, planTrim } from './hub-plans.ts'
import { createSyncState, type HubIdentity, planFeed, type SyncState } from './hub-state.ts'
import { createLanes, type Lanes } from './lanes.ts'
import type { DataClass, Statement, SyncPorts } from './ports.ts'
import { createPuller } from './pull.ts'
import { createPusher } from './push.ts'
import { isWholeCode, newSigningKey, plainLetters, type SigningKey } from './signing.ts'
import { PATHS, RegisterAnswer, SCHEMA, StatusAnswer } from './wire.ts'

export interface Choice {
  class: DataClass
  raw: boolean
}

export type Enrolled =
  | { household: string }
  | { fault: 'already' | 'address' | 'code' | 'unreachable'; told: string }

export interface HubSync {
  state: SyncState
  lanes: Pick<Lanes, 'last'>
  identity(): HubIdentity | null
  isReading(): boolean
  /** Joins a household with a code that the cloud shows. */
  enrol(address: string, code: string): Promise<Enrolled>
  /** Forgets the household; what lies in the cloud stays there. */
  leave(): Promise<void>
  pause(paused: boolean): Promise<void>
  choices(): { personId: string; class: DataClass; raw: boolean }[]
  /** What leaves of a person from now on; what is switched on is sent from the beginning. */
  choose(personId: string, choices: readonly Choice[]): Promise<void>
  /** Tries at once what waits for its next try. */
  kick(): void
  /** The last step of erasing a person: the key is destroyed, and the cloud hears of it. */
  erased(personId: string): Promise<number>
  start(): void
  stop(): Promise<void>
}

const registerCheck = Compile(RegisterAnswer)
const statusCheck = Compile(StatusAnswer)
const REGISTER_TRIES = 3
const OTHER_SERVICE =
  'The part of the code behind the dot does not belong to this cloud. Look at the code and the address again.'
const MINUTE_MS = 60_000
const READ_AGAIN_MS = 1000
const READ_AGAIN_MOST_MS = 5 * MINUTE_MS

export function createHubSync(ports: SyncPorts): HubSync {
  const { store, clock, log } = ports
  const state = createSyncState(ports)
  const compactor: Compactor = createCompactor(state, ports)
  let enrolled = state.identity() !== null
  let client: HubClient | null = null
  let stops: (() => void)[] = []
  let reading: AbortController | null = null
  let readingEnded: Promise<void> = Promise.resolve()
  const erasing = new Set<string>()
  let tried: { spoken: string; key: SigningKey } | null = null

  const identity = (): HubIdentity => {
    const found = state.identity()
    if (!found) throw new Error('the hub is in no household in the cloud')
    return found
  }
  const theClient = (): HubClient => {
    if (client) return client
    const { address, hubId, serverKey } = identity()
    const key = state.key()
    if (!key) throw new Error("the hub's key does not open: join the household anew")
    client = createHubClient({
      address,
      hubId,
      key,
      serverKey: () => serverKey,
      now: clock.now,
      fetch: ports.fetch,
    })
    return client
  }
  const entities = createEntities({ ...ports, state, identity, isShared: compactor.isShared })
  const hubKeys = createHubKeys({
    ...{ store, state, client: theClient },
    async onFresh(subjects) {
      compactor.reload()
      await entities.unfold(subjects)
    },
  })
  const pusher = createPusher({
    ...ports,
    ...{
      state,
      identity,
      client: theClient,
      compactor,
      stamp: entities.stamp,
      refill: () => refill(),
      onErase: (subject: string) => eraseHere([subject]),
    },
  })
  const lanes = createLanes({
    ...ports,
    ...{ state, stamp: () => entities.stamp(), isOn: () => isOn() },
    async push(lane) {
      const pushed = await pusher.push(lane)
      if (lane === 'now' && pushed.kind === 'done') await hubKeys.learn()
      return pushed
    },
  })
  const isOn = () => {
    const found = enrolled ? state.identity() : null
    return found !== null && !found.paused && found.stopped === null
  }

  const hubJobs = createHubJobs({
    ...ports,
    ...{ state, identity, client: theClient, isOn: () => isOn(), isShared: compactor.isShared },
    async sendAgain(personId) {
      const choices = readChoices().filter((one) => one.personId === personId)
      for (const unit of planBackfill(personId, choices, new Map(), ports)) await store.write(unit)
      lanes.kick()
    },
  })
  const readChoices = () =>
    store
      .all<{ personId: string; class: DataClass; raw: number }>(
        `SELECT p.id AS personId, c.class, c.raw FROM sync_choice c JOIN person p ON p.key = c.person_key
         WHERE p.deleted_at IS NULL ORDER BY p.created_at, p.key, c.class`,
      )
      .map((choice) => ({ ...choice, raw: choice.raw === 1 }))

  async function eraseHere(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      if (erasing.has(subject)) continue
      erasing.add(subject)
      await ports.erase(subject).catch((cause: unknown) => {
        erasing.delete(subject)
        log.error({ cause: String(cause) }, 'an erasure that the cloud asked for could not begin')
      })
    }
  }

  /** How far erasures are elsewhere; asked while one is not done in both places. */
  async function askErasures(): Promise<void> {
    const waiting = store.get(
      'SELECT 1 FROM sync_subject WHERE erased_at IS NOT NULL AND cloud_purged_at IS NULL LIMIT 1',
    )
    if (!waiting) return
    const { status, body } = await theClient().ask('GET', PATHS.status)
    if (status !== 200 || !statusCheck.Check(body)) return
    const done = body.erasures.filter(({ cloud_purged_at: atMs }) => atMs !== null)
    if (done.length === 0) return
    await store.write(
      done.map(({ subject, cloud_purged_at: atMs }) => ({
        sql: 'UPDATE sync_subject SET cloud_purged_at = :atMs WHERE subject = :subject AND cloud_purged_at IS NULL',
        params: { subject, atMs },
      })),
    )
    ports.told()
  }

  async function trim(): Promise<void> {
    const plan = [
      ...planTrim({ lostIn: compactor.lostIn, inHand: pusher.inHand('bulk') }, ports),
      ...planPrune(ports),
    ]
    if (plan.length > 0) await store.write(plan)
  }

  function minute(): void {
    if (!enrolled) return
    trim().catch((cause: unknown) => log.warn({ cause: String(cause) }, 'the feed is not trimmed'))
    if (!isOn()) return
    void hubKeys.learn()
    hubJobs.look()
    askErasures().catch((cause: unknown) => log.info({ cause: String(cause) }, 'the cloud was not asked'))
  }

  function read(): void {
    if (reading) return
    const ending = new AbortController()
    reading = ending
    readingEnded = (async () => {
      for (let failures = 0; !ending.signal.aborted; ) {
        if (!isOn()) {
          await pauseFor(READ_AGAIN_MS, ending.signal)
          continue
        }
        const cut = new AbortController()
        ending.signal.addEventListener('abort', () => cut.abort(), { once: true })
        const stopWatching = clock.every(READ_AGAIN_MS, () => void (isOn() || cut.abort()))
        const why = await puller.follow(cut.signal, () => {
          failures = 0
        })
        stopWatching()
        if (ending.signal.aborted) return
        log.info({ why }, 'reading from the cloud ended, and begins again')
        failures = Math.min(failures + 1, 20)
        const most = Math.min(READ_AGAIN_MOST_MS, READ_AGAIN_MS * 2 ** failures)
        await pauseFor(Math.max(100, ports.random() * most), ending.signal)
      }
    })()
  }

  function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }

  const puller = createPuller({
    ...ports,
    ...{ identity, client: theClient, fetchKeys: hubKeys.fetch, entities },
    onErase: (subjects) => void eraseHere(subjects),
    onCaughtUp() {
      hubJobs.look()
      ports.told()
    },
  })

  function begin(): void {
    if (stops.length > 0 || !enrolled) return
    hubKeys.due()
    stops = [lanes.start(), clock.every(MINUTE_MS, minute)]
    read()
    const unfinished = store.all<{ subject: string }>(
      `SELECT subject FROM sync_subject WHERE erased_at IS NOT NULL AND hub_purged_at IS NULL`,
    )
    void eraseHere(unfinished.map(({ subject }) => subject))
  }

  async function halt(): Promise<void> {
    for (const stop of stops) stop()
    stops = []
    reading?.abort()
    reading = null
    await readingEnded
    await lanes.settled()
    await hubJobs.settled()
    client = null
  }

  async function refill(): Promise<void> {
    const all = readChoices()
    for (const personId of new Set(all.map((choice) => choice.personId))) {
      const own = all.filter((choice) => choice.personId === personId)
      for (const unit of planBackfill(personId, own, new Map(), ports)) await store.write(unit)
    }
  }

  return {
    state,
    lanes,
    identity: () => (enrolled ? state.identity() : null),
    isReading: () => reading !== null && isOn(),
    async enrol(address, code) {
      if (enrolled) return { fault: 'already', told: 'This hub is in a household in the cloud already.' }
      const url = safeAddress(address)
      if (url === null)
        return {
          fault: 'address',
          told: 'The address must begin with https:// (http:// only on this machine).',
        }
      if (!isWholeCode(code))
        return { fault: 'code', told: 'Type the whole code, with the part behind the dot.' }
      // The cloud gives one code to one key: who mistypes the rest of it tries again with the same.
      const spoken = plainLetters(code.split('.')[0] ?? '')
      if (tried?.spoken !== spoken) tried = { spoken, key: newSigningKey() }
      const { key } = tried
      const asked = {
        ...{ address: url, code, key, now: clock.now, fetch: ports.fetch },
        ...{ name: ports.hubName(), version: ports.version, schema: SCHEMA },
      }
      let told = ''
      for (let tries = 0; tries < REGISTER_TRIES; tries += 1) {
        try {
          const { status, body } = await registerHub(asked)
          if (status === 200 && registerCheck.Check(body)) {
            await store.write(
              state.planIdentity(
                {
                  ...{
                    hubId: body.hub_id,
                    householdId: body.household_id,
                    householdName: body.household_name,
                  },
                  ...{
                    address: url,
                    serverKey: body.server_key,
                    epoch: body.epoch,
                    enrolledAtMs: clock.now(),
                  },
                  ...{
                    paused: false,
                    stopped: null,
                    hlc: null,
                    stampedSeq: 0,
                    shapeHandle: null,
                    shapeOffset: null,
                  },
                  ...{ pulledAtMs: null, conflicts: 0 },
                },
                key,
              ),
            )
            enrolled = true
            await hubKeys.fetch().catch(() => {})
            begin()
            ports.told()
            return { household: body.household_name }
          }
          const refusal = String(Object(body).message ?? 'The cloud did not take the code.')
          return { fault: 'code', told: refusal }
        } catch (cause) {
          if (cause instanceof OtherService) return { fault: 'code', told: OTHER_SERVICE }
          told = cause instanceof Unproven ? cause.message : 'nobody answers at this address'
        }
      }
      return { fault: 'unreachable', told: `The cloud could not be reached: ${told}.` }
    },
    async leave() {
      enrolled = false
      await halt()
      pusher.forget()
      await store.write(state.planLeave())
      compactor.reload()
      ports.told()
    },
    async pause(paused) {
      await store.write([{ sql: 'UPDATE sync_hub SET paused = :paused', params: { paused: paused ? 1 : 0 } }])
      ports.told()
    },
    choices: readChoices,
    async choose(personId, chosen) {
      const before = new Map(
        readChoices()
          .filter((one) => one.personId === personId)
          .map((one) => [one.class, one.raw]),
      )
      // Another hub may have given this person a key already.
      await hubKeys.fetch().catch(() => {})
      await store.write([
        {
          sql: 'DELETE FROM sync_choice WHERE person_key = (SELECT key FROM person WHERE id = :personId)',
          params: { personId },
        },
        ...chosen.map(({ class: dataClass, raw }) => ({
          sql: `INSERT INTO sync_choice (person_key, class, raw)
            SELECT key, :dataClass, :raw FROM person WHERE id = :personId AND deleted_at IS NULL`,
          params: { personId, dataClass, raw: raw ? 1 : 0 },
          expect: 1,
        })),
      ])
      compactor.reload()
      pusher.forget()
      const keys = compactor.planKeys()
      if (keys.length > 0) hubKeys.due()
      const introduction: Statement[] = [
        ...keys,
        ...(chosen.length > 0 ? planFeed('now', 'subject_key', personId) : []),
      ]
      await store.write([...introduction, ...(chosen.length > 0 ? planFeed('now', 'person', personId) : [])])
      for (const unit of planBackfill(personId, chosen, before, ports)) await store.write(unit)
      lanes.kick()
      ports.told()
    },
    async erased(personId) {
      const rows = await planErasedSubject(personId, { store, nowMs: clock.now(), enrolled })
      compactor.reload()
      pusher.forget()
      erasing.delete(personId)
      ports.told()
      return rows
    },
    kick: lanes.kick,
    start: begin,
    stop: halt,
  }
}
