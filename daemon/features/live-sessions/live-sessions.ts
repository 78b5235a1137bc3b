/** Live sessions: what players do in front of calibrated cameras, while they do it. */
import type { Box } from '../../../models/vision/boxes.ts'
import type { Actor } from '../../domain/access.ts'
import type { Erasure } from '../../domain/erasure.ts'
import type { LiveStarted, LiveWish } from '../../domain/live-wish.ts'
import type { Feature } from '../../domain/route.ts'
import { beganSession, mayChangeSession, maySeeSession, seesWholeSession } from '../../domain/session.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Write } from '../../store/store.ts'
import { createAdmission, type SentFrame } from './admission.ts'
import { createAway } from './away.ts'
import { inLuma, seenCamera } from './cameras.ts'
import { createSessionLog } from './log.ts'
import {
  askedOf,
  type KeptSession,
  type LiveParts,
  type LiveSessionsDeps,
  notRunning,
  refuseBeyondReach,
  type StartWish,
  type TellPose,
} from './parts.ts'
import { createPhones } from './phones.ts'
import { beginRecording, refuseUnlessRecordable, showsMinors, switchRecording } from './recording.ts'
import { calibrationRoutes } from './routes-calibration.ts'
import { liveRoutes, startedOf, wishOf } from './routes-live.ts'
import { shownPhone } from './routes-phones.ts'
import { type Asked, createRunning, type Running } from './running.ts'
import { type Around, metricsOf } from './shown.ts'
import { thresholdsFor } from './thresholds.ts'
import type { Picture } from './track.ts'

export interface LiveSessions {
  feature: Feature
  /** Of what runs; call it before what is stored of sessions goes. */
  erasure: Erasure
  /** Whether this actor may hear of everything in this session, when it runs; null when it does not. */
  seesWhole(actor: Actor, sessionId: string): boolean | null
  /**
   * Checks a picture that is sent for a session, by whoever may send for it. Throws NOT_FOUND, CONFLICT or FUTURE_TIMESTAMP; false: it
   * is older than the last one.
   */
  admit(frame: SentFrame): { cameraId: string; isNext: boolean }
  /** Pictures of a camera that were refused because a later one had come before: its session counts them. */
  refused(cameraId: string, pictures: number): void
  /** Whether video of this camera is being kept now. */
  isRecorded(cameraId: string): boolean
  /** As `POST /live/start`. */
  begin(actor: Actor, wish: LiveWish): Promise<LiveStarted>
  /** As `POST /live/stop`. */
  end(actor: Actor, sessionId: string): Promise<void>
}

/** How often calibrated cameras are looked at: three looks that find them moved are over within half a minute. */
const LOOK_MS = 5000
const TELL_MS = 500
/** What a hub that is killed has not written yet. */
const FLUSH_MS = 2000
const MOST_RUNNING = 4

export function createLiveSessions(deps: LiveSessionsDeps): LiveSessions {
  const { clock, log, cameras, calibrations, sessions, recorder } = deps
  const sessionLog = createSessionLog(deps)
  const running = new Map<string, Running>()
  const people = new Map<string, Box[]>()
  const admission = createAdmission({ cameras, now: clock.now })
  const phones = createPhones({
    ...{ lending: deps.lending, calibrations, now: clock.now, nameOf: deps.userName },
    join: (one, cameraId) => changeCameras(one, [...one.asked.cameraIds, cameraId]),
    async leave(one, cameraId) {
      await leave(one, cameraId)
      await changeCameras(
        one,
        one.asked.cameraIds.filter((id) => id !== cameraId),
      )
    },
  })
  const away = createAway({
    isOnline: (cameraId) => cameras.get(cameraId)?.online === true,
    now: clock.now,
    keepGap: (one, gap) => keep([sessionLog.planGap(one.key, { ...gap, reason: 'camera_away' })]),
  })
  const told = new Map<string, string>()
  const flushing = new Set<Running>()
  /** Cameras of sessions that are being opened. */
  const taken = new Set<string>()
  let stops: (() => void)[] = []

  function run(session: KeptSession, asked: Asked): Running {
    const one = createRunning({
      ...{ session, asked, sessionLog, calibrations, store: deps.store, log },
      thresholdsOf: (personId) => thresholdsFor(deps.ageOf(personId), sessions.bestSecond(personId)),
      now: clock.now,
      planAlive: (atMs) => sessions.planAlive(session.key, atMs),
      planJoin: (personId) => sessions.planJoin(session.key, personId),
    })
    running.set(session.id, one)
    beginRecording(recorder, one, deps.ageOf)
    return one
  }

  /** Not what was stopped while something waited for the disk. */
  const isRunning = (one: Running) => running.get(one.id) === one

  const withCamera = (cameraId: string) =>
    [...running.values()].find(({ asked }) => asked.cameraIds.includes(cameraId))

  async function start(actor: Actor, wish: StartWish): Promise<Running> {
    const nowMs = clock.now()
    for (const cameraId of wish.cameraIds) {
      const { analyse, enabled, name } = seenCamera(cameras, actor, cameraId, nowMs)
      if (!enabled || !analyse)
        throw new HubError('CONFLICT', `${name} is switched off or not analysed. Switch it on first.`)
      if (withCamera(cameraId) || taken.has(cameraId))
        throw new HubError('CONFLICT', `${name} is in another running session. Stop that first.`)
    }
    const fromGroup = wish.groupId === undefined ? [] : deps.playersOf(wish.groupId)
    if (fromGroup === null) throw new HubError('NOT_FOUND', 'There is no group with this id.')
    const playerIds = wish.playerIds.length > 0 ? wish.playerIds : fromGroup
    refuseBeyondReach(actor, playerIds, nowMs)
    const { record, recordMinors } = wish
    if (record) {
      const { cameraIds } = wish
      await refuseUnlessRecordable(actor, { playerIds, cameraIds, recordMinors }, deps)
    }
    if (running.size >= MOST_RUNNING)
      throw new HubError('OVERLOADED', `${MOST_RUNNING} sessions run already. Stop one first.`, {
        retryAfterS: 60,
      })
    const asked: Asked = {
      cameraIds: [...new Set(wish.cameraIds)],
      record,
      recordMinors: record && recordMinors,
    }
    const session = await opened(asked.cameraIds, () =>
      sessions.open({
        ...{
          asked,
          playerIds,
          id: wish.id ?? null,
          title: wish.title ?? null,
          groupId: wish.groupId ?? null,
        },
        createdBy: actor.kind === 'user' ? actor.userId : null,
      }),
    )
    log.info({ sessionId: session.id, cameras: asked.cameraIds.length }, 'live session started')
    return run(session, asked)
  }

  /** Holds the cameras while the session is written down: a second tap finds them taken. */
  async function opened(
    cameraIds: readonly string[],
    open: () => Promise<KeptSession>,
  ): Promise<KeptSession> {
    if (cameraIds.some((cameraId) => withCamera(cameraId) || taken.has(cameraId)))
      throw new HubError('CONFLICT', 'A camera is in another running session. Stop that first.')
    for (const cameraId of cameraIds) taken.add(cameraId)
    try {
      return await open()
    } finally {
      for (const cameraId of cameraIds) taken.delete(cameraId)
    }
  }

  async function stop(one: Running): Promise<void> {
    if (!running.delete(one.id)) throw notRunning()
    try {
      await Promise.all([one.flush(), recorder.stop(one.id), ...one.asked.cameraIds.map(deps.keepSeen)])
      for (const cameraId of one.asked.cameraIds) await leave(one, cameraId)
      told.delete(one.id)
      await phones.end(one.id)
      await sessions.end(one.id, one.time(clock.now()), await one.final())
    } catch (cause) {
      // It is not written down as over: it stays there, so that it can be stopped again.
      running.set(one.id, one)
      beginRecording(recorder, one, deps.ageOf)
      throw cause
    }
    log.info({ sessionId: one.id, ...one.stats() }, 'live session stopped')
  }

  /** Goes on with what ran when the hub went away, and notes for how long nobody looked. */
  async function resume(): Promise<void> {
    for (const session of sessions.running()) {
      const asked = askedOf(session.asked)
      const one = run(session, asked)
      const fromMs = session.aliveAtMs ?? session.startedAtMs
      const gap = { fromMs, toMs: one.time(clock.now()), reason: 'hub_off', cameraId: null }
      await deps.store.write([sessionLog.planGap(session.key, gap)])
      log.info({ sessionId: session.id, gapMs: gap.toMs - fromMs }, 'live session goes on')
    }
    await phones.sweep((sessionId) => running.has(sessionId))
  }

  function take(picture: Picture, tellPose: TellPose): void {
    people.set(
      picture.cameraId,
      picture.people.map(({ box }) => inLuma(box, picture.width)),
    )
    const one = withCamera(picture.cameraId)
    if (!one) return
    one.take(picture)
    tellPose.session(one.id)
    for (const [personId, trackIds] of one.namedIn(picture)) tellPose.player(one.id, personId, trackIds)
  }

  function tellAll(): void {
    for (const one of running.values()) {
      away.look(one)
      const around = parts.around(one)
      const { pictures } = one.stats()
      const mark = JSON.stringify([
        ...[pictures, around.phones],
        ...around.cameras.map(({ status, recording }) => [status, recording]),
      ])
      if (told.get(one.id) === mark) continue
      told.set(one.id, mark)
      const metrics = metricsOf(one, around, clock.now())
      deps.tell(one.id, 'metrics_update', metrics)
      for (const player of metrics.players)
        deps.tellPlayer(player.player_id, { ...metrics, phones: [], players: [player], tracks: [] })
    }
  }

  async function leave(one: Running, cameraId: string): Promise<void> {
    await away.close(one, cameraId)
    admission.forget(one.id, cameraId)
  }

  /** Goes on with other cameras; what is recorded begins new files. */
  async function changeCameras(one: Running, cameraIds: string[]): Promise<void> {
    one.asked.cameraIds = cameraIds
    await deps.store.write([sessions.planAsked(one.key, one.asked)])
    await recorder.stop(one.id)
    if (isRunning(one)) beginRecording(recorder, one, deps.ageOf)
  }

  /** A disk that is slower than this is not asked for more. */
  function flushAll(): void {
    for (const one of running.values()) {
      if (flushing.has(one)) continue
      flushing.add(one)
      void one.flush().finally(() => flushing.delete(one))
    }
  }

  async function keep(writes: Write[]): Promise<void> {
    await deps.store
      .write(writes)
      .catch((cause: unknown) => log.warn({ reason: messageOf(cause) }, 'a gap could not be noted'))
  }

  async function look(cameraId: string): Promise<void> {
    const view = cameras.luma(cameraId)
    if (view === null || !(await calibrations.look(cameraId, view, people.get(cameraId) ?? []))) return
    log.warn({ cameraId }, 'the camera has moved: it gives no metres until it is calibrated again')
    const one = withCamera(cameraId)
    if (!one) return
    const nowMs = one.time(clock.now())
    await keep([
      sessionLog.planGap(one.key, { fromMs: nowMs, toMs: nowMs, reason: 'camera_moved', cameraId }),
    ])
    deps.tell(one.id, 'metrics_update', metricsOf(one, parts.around(one), clock.now()))
  }

  function runningFor(actor: Actor, id: string): Running {
    const one = running.get(id)
    if (one && seesWholeSession(actor, one.access(), clock.now())) return one
    throw notRunning()
  }

  function watchedBy(actor: Actor, id: string): Running {
    const one = running.get(id)
    if (one && maySeeSession(actor, { ...one.access(), live: true }, clock.now())) return one
    throw notRunning()
  }

  function stoppableBy(actor: Actor, id: string): Running {
    const one = running.get(id)
    return one && beganSession(actor, one.access()) ? one : steeredBy(actor, id)
  }

  function steeredBy(actor: Actor, id: string): Running {
    const one = runningFor(actor, id)
    const isMember = actor.kind === 'user' && actor.role === 'member'
    if (!isMember || mayChangeSession(actor, one.access(), clock.now())) return one
    throw new HubError('FORBIDDEN', 'A player looks on. Who started this session says how it goes on.')
  }

  const parts: LiveParts = {
    ...deps,
    ...{ sessionLog, start, stop, runningFor, watchedBy, steeredBy, stoppableBy, phones },
    async acceptPhone(actor, sessionId, userId) {
      const one = steeredBy(actor, sessionId)
      const { cameraIds, record, recordMinors } = one.asked
      const { playerIds } = one.access()
      // One more picture of the same players is kept only where this actor could have them recorded.
      if (record) await refuseUnlessRecordable(actor, { playerIds, cameraIds, recordMinors }, deps)
      return phones.take(one, userId, actor.kind === 'user' ? actor.userId : null)
    },
    async refusePhone(actor, sessionId, userId) {
      const isOwn = actor.kind === 'user' && actor.userId === userId
      const one = isOwn ? watchedBy(actor, sessionId) : steeredBy(actor, sessionId)
      await phones.refuse(one, userId, isOwn)
    },
    async record(actor, one, wish) {
      await switchRecording(actor, one, wish, { ...deps, isRunning })
      deps.tell(one.id, 'metrics_update', metricsOf(one, parts.around(one), clock.now()))
    },
    hasEnded(actor, id) {
      const session = running.has(id) ? null : sessions.get(id)
      return session !== null && session.endedAtMs !== null && maySeeSession(actor, session, clock.now())
    },
    async assign(one, track, personId) {
      await one.assign(track, personId)
      if (one.asked.recordMinors || personId === null || !showsMinors([personId], deps.ageOf)) return 0
      return recorder.endForMinor(one, one.sinceOf(track) ?? one.startedAtMs)
    },
    around: (one) => ({ cameras: cameraStates(one), phones: phones.of(one).map(shownPhone) }),
  }

  function cameraStates({ id, asked }: Running): Around['cameras'] {
    return asked.cameraIds.map((cameraId) => {
      const recording = recorder.state(id)?.find((one) => one.cameraId === cameraId)
      const camera = cameras.get(cameraId)
      const calibration = calibrations.get(cameraId)
      return {
        camera_id: cameraId,
        status: camera === null ? 'gone' : camera.online ? 'online' : 'offline',
        calibrated: calibration !== null,
        moved: calibration !== null && calibration.movedAtMs !== null,
        frames_out_of_order: admission.outOfOrder(id, cameraId),
        recording: recording?.state ?? 'off',
        recording_reason: recording?.reason ?? null,
        recorded_files: recording?.files ?? 0,
        recorded_bytes: recording?.bytes ?? 0,
        recording_lost: recording?.lost ?? 0,
      }
    })
  }

  return {
    isRecorded: (cameraId) => {
      const one = withCamera(cameraId)
      const states = one ? recorder.state(one.id) : null
      return states?.some((camera) => camera.cameraId === cameraId && camera.state === 'recording') ?? false
    },
    erasure: {
      name: 'live-sessions',
      async erase(personId) {
        for (const one of running.values()) {
          const { playerIds } = one.access()
          if (!playerIds.includes(personId)) continue
          // A session that nobody else is in goes altogether.
          await (playerIds.length === 1 ? stop(one) : one.forget(personId))
        }
        return { rows: 0, files: 0 }
      },
    },
    seesWhole(actor, sessionId) {
      const one = running.get(sessionId)
      return one ? seesWholeSession(actor, one.access(), clock.now()) : null
    },
    admit(frame) {
      const one = running.get(frame.sessionId)
      if (!one) throw notRunning()
      return admission.admit(one, frame)
    },
    refused(cameraId, pictures) {
      const one = pictures > 0 ? withCamera(cameraId) : undefined
      if (one) admission.addOutOfOrder(one.id, cameraId, pictures)
    },
    begin: async (actor, wish) => startedOf(await start(actor, wishOf(wish))),
    end: async (actor, sessionId) => stop(stoppableBy(actor, sessionId)),
    feature: {
      name: 'live-sessions',
      routes(http) {
        calibrationRoutes(http, { calibrations, cameras, now: clock.now })
        liveRoutes(http, parts)
      },
      async start() {
        await resume()
        stops = [
          deps.onPicture(take),
          clock.every(TELL_MS, tellAll),
          clock.every(FLUSH_MS, flushAll),
          clock.every(LOOK_MS, () => {
            for (const cameraId of calibrations.calibrated())
              look(cameraId).catch((cause: unknown) =>
                log.warn({ cameraId, reason: messageOf(cause) }, 'a camera could not be compared'),
              )
          }),
        ]
      },
      async stop() {
        for (const end of stops) end()
        await Promise.all([...running.values()].flatMap((one) => [one.flush(), recorder.stop(one.id)]))
      },
    },
  }
}
