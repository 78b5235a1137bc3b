/** Alerts: raised by rules, detectors, people and other parts, told until somebody answers. */
import { type Actor, can } from '../../domain/access.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { type Answers, createAnswers } from './answers.ts'
import { type AudienceDeps, createAudience } from './audience.ts'
import {
  type CarriersDeps,
  createCarriers,
  eventOf,
  houseChannelsOf,
  sayToHouse,
  silence,
} from './carriers.ts'
import { createLadder, type Follow } from './ladder.ts'
import { createNtfy } from './ntfy.ts'
import { createOutbox, type StoredDelivery } from './outbox.ts'
import { createPush, type PushMeans } from './push.ts'
import { pushRoutes } from './push-routes.ts'
import { createReach } from './reach.ts'
import { alertRoutes } from './routes.ts'
import { createSender } from './sender.ts'
import { type AlertDraft, createAlertTable, type StoredAlert } from './table.ts'
import { createWalls } from './wall.ts'
import { createWords } from './words.ts'

export type { AlertDraft } from './table.ts'

export interface AlertsDeps
  extends Omit<AudienceDeps, 'store' | 'houseChannels' | 'hasMail' | 'pushesOf'>,
    Omit<CarriersDeps, 'ntfy' | 'push' | 'isOnline' | 'isWatching'> {
  store: Store
  clock: Clock
  log: Log
  newId: () => string
  /** Everybody whose data the hub keeps. */
  personIds: () => readonly string[]
  follow: Follow
  /** Who wears the device now. */
  wearerOf: (deviceId: string) => string | null
  isOnline: (deviceId: string) => boolean
  /** Whom a wall tablet was given; null once its key was taken away. */
  servesOf: (deviceId: string) => readonly string[] | null
  /** Null: Web Push is not offered. */
  push: PushMeans | null
}

export interface Alerts {
  feature: Feature
  /** Raises an alert; resolves once it and whom it tells first are on disk. */
  raise(draft: AlertDraft): Promise<{ id: string }>
  /** The same as part of another unit. */
  plan(draft: AlertDraft): Plan<{ id: string }>
  planEpisode: Answers['planEpisode']
  /** What a screen has shown to its user; alerts that the user may not see are passed over. */
  seen(actor: Actor, alertIds: readonly string[]): Promise<void>
  isClimbing(personId: string): boolean
  /** What is open about the person and no tip: urgent before warning, the newest first. */
  openOf(personId: string): StoredAlert | undefined
  /** A word from the wrist: JSON of a watch or wall tablet about an alert that rang there. */
  fromDevice(deviceId: string, payload: Uint8Array): Promise<void>
  /** A word of an integration on an alert, `ack` or `snooze`. */
  fromHouse(
    deviceId: string,
    alertId: string,
    payload: Uint8Array,
    mayHear: (personId: string) => boolean,
  ): Promise<void>
  /** A device is connected again: what waits for it goes now. */
  deviceIsBack(deviceId: string): Promise<void>
  /** Names, or whom a wall tablet was given, have changed. */
  boardsChanged(): void
  /** Resolves when everything that is due at this moment is told. */
  settled(): Promise<void>
}

const LOOK_EVERY_MS = 1000

export function createAlerts(deps: AlertsDeps): Alerts {
  const { store, clock, log, nameOf } = deps
  const table = createAlertTable(store)
  const outbox = createOutbox(store)
  const ntfy = createNtfy({ store, clock, nameOf })
  const push = deps.push && createPush({ store, means: deps.push, now: clock.now, log, nameOf })
  const audience = createAudience({
    ...deps,
    houseChannels: houseChannelsOf(deps),
    hasMail: deps.mail !== null,
    pushesOf: (userId) => push?.addressesOf(userId) ?? [],
  })
  const carriers = createCarriers({
    ...{ ...deps, push, ntfy: ntfy.hand },
    isWatching: (deviceId) => walls.isThere(deviceId),
  })
  const sender = createSender({ table, outbox, carriers, now: clock.now, log })
  const ladder = createLadder({ ...deps, table, audience, onMoved: moved })
  const answers = createAnswers({ ...deps, table, onMoved: moved })
  const walls = createWalls({ ...deps, table, outbox, answers, onBack: hurry })
  const isOnline = (deviceId: string) => deps.isOnline(deviceId) || walls.isThere(deviceId)
  const reach = createReach({ ...deps, audience, isOnline })
  const words = createWords({ ...deps, table, outbox, answers })
  let stopLooking = () => {}
  let looking: Promise<void> | null = null

  /** Says what an alert has become to everybody who watches; whom it rings is the outbox's business. */
  function moved(alertId: string): void {
    const alert = table.find(alertId)
    if (!alert) return
    walls.tell()
    const deliveries = outbox.ofAlert(alert.seq)
    const rings = deliveries.some(({ channel, state }) => channel === 'app' && state === 'waiting')
    if (!rings || alert.state !== 'open') deps.notify('alerts', 'alert', eventOf(alert, [], nameOf), alert)
    if (alert.kind === 'tip')
      deps.notify(`person:${alert.personId}`, 'alert', eventOf(alert, [], nameOf), alert)
    if (alert.state !== 'open') tellItIsOver(alert, deliveries)
    void send()
  }

  /** To whoever was rung, so that nothing rings on. */
  function tellItIsOver(alert: StoredAlert, deliveries: readonly StoredDelivery[]): void {
    const rungOn = (...channels: readonly string[]) =>
      deliveries
        .filter(({ channel, attempts }) => channels.includes(channel) && attempts > 0)
        .map(({ address }) => address)
    const house = deliveries.some(({ channel }) => channel === 'house')
      ? [sayToHouse(deps.publish, alert)]
      : []
    for (const said of [
      ...house,
      ...silence(deps.publish, alert, rungOn('watch', 'wall')),
      ...(push ? [push.over(alert, rungOn('push'))] : []),
    ]) {
      said.catch((cause: unknown) =>
        log.warn({ alertId: alert.id, cause: messageOf(cause) }, 'not told that an alert is over'),
      )
    }
  }

  function send(): Promise<void> {
    return sender.send().catch((cause: unknown) => {
      log.error({ cause: messageOf(cause) }, 'outbox not sent, tried again in a second')
    })
  }

  /** What waits for a device is due now, and on its way. */
  async function hurry(deviceId: string): Promise<void> {
    try {
      await outbox.nudge(deviceId, clock.now())
    } catch (cause) {
      log.warn({ deviceId, cause: messageOf(cause) }, 'what waits for a device was not hurried')
    }
    void send()
  }

  async function deviceIsBack(deviceId: string): Promise<void> {
    await hurry(deviceId)
    await send()
  }

  async function look(): Promise<void> {
    try {
      await ladder.climbDue()
    } catch (cause) {
      log.error({ cause: messageOf(cause) }, 'ladder not climbed, tried again in a second')
    }
    await send()
  }

  function lookNow(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null
    })
    return looking
  }

  return {
    plan: ladder.plan,
    planEpisode: answers.planEpisode,
    isClimbing: table.isClimbing,
    openOf: table.openOf,
    fromDevice: words.fromDevice,
    fromHouse: words.fromHouse,
    async seen(actor, alertIds) {
      if (actor.kind !== 'user') return
      const mine = [...new Set(alertIds)].filter((id) => {
        const alert = table.find(id)
        return alert !== undefined && can(actor, 'read', alert.personId, alert.class, clock.now())
      })
      await answers.shown(mine, `user:${actor.userId}`)
    },
    async raise(draft) {
      const { result, writes, committed } = ladder.plan(draft)
      const [added] = await store.write(writes)
      if (added?.changes !== 1) {
        if (draft.dedupe === undefined) throw new HubError('NOT_FOUND', 'There is no person with this id.')
        return result
      }
      committed()
      return result
    },
    deviceIsBack,
    boardsChanged: () => walls.tell(),
    async settled() {
      await lookNow()
      await lookNow()
    },
    feature: {
      name: 'alerts',
      routes(http) {
        alertRoutes(http, { ...deps, table, outbox, answers, audience, reach, ladder })
        ntfy.routes(http)
        walls.routes(http)
        if (push) pushRoutes(http, { ...deps, push })
      },
      async start() {
        const found = await outbox.recover(clock.now())
        if (found > 0) log.info({ deliveries: found }, 'deliveries found half-way')
        stopLooking = clock.every(LOOK_EVERY_MS, () => void lookNow())
        void lookNow()
      },
      // What is being sent is not waited for: whatever was claimed and not settled is found at the next start.
      stop() {
        stopLooking()
        ntfy.stop()
        walls.stop()
      },
    },
  }
}
