/** Live sessions: what players do in front of calibrated cameras, while they do it. */
import type { Box } from '../../../models/vision/boxes.ts'
import { LUMA_WIDTH } from '../../../models/vision/kpi/moved.ts'
import type { Actor } from '../../domain/access.ts'
import type { Erasure } from '../../domain/erasure.ts'
import type { LiveStarted, LiveWish } from '../../domain/live-wish.ts'
import type { Feature } from '../../domain/route.ts'
import { seesWholeSession } from '../../domain/session.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Write } from '../../store/store.ts'
import { type LiveCameras, seenCamera } from './cameras.ts'
import { createSessionLog } from './log.ts'
import {
  type KeptSession,
  type LiveParts,
  type LiveSessionsDeps,
  notRunning,
  refuseBeyondReach,
  type StartWish,
} from './parts.ts'
import { beginRecording, refuseUnlessRecordable, showsMinors, switchRecording } from './recording.ts'
import { calibrationRoutes } from './routes-calibration.ts'
import { liveRoutes, startedOf, wishOf } from './routes-live.ts'
import { type Asked, createRunning, type Running } from './running.ts'
import { metricsOf } from './shown.ts'
import { thresholdsFor } from './thresholds.ts'
import type { Picture } from './track.ts'

export interface LiveSessions {
  feature: Feature
  /** Of what runs; call it before what is stored of sessions goes. */
  erasure: Erasure
  /** Whether this actor may hear of everything in this session, when it runs; null when it does not. */
  seesWhole(actor: Actor, sessionId: string): boolean | null
  /** Checks a picture that is sent for a session. Throws NOT_FOUND or CONFLICT; false: it is older than the last one. */
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

export interface SentFrame {
  actor: Actor
  sessionId: string
  /** Null: the only camera of the session that is sent to the hub. */
  cameraId: string | null
  capturedAtMs: number | null
}

/** How often calibrated cameras are looked at: three looks that find them moved are over within half a minute. */
const LOOK_MS = 5000
const TELL_MS = 500
const FLUSH_MS = 10_000
const MOST_RUNNING = 4

export function createLiveSessions(deps: LiveSessionsDeps): LiveSessions {
  const { clock, log, cameras, calibrations, sessions, recorder } = deps
  const sessionLog = createSessionLog(deps)
  const running = new Map<string, Running>()
  const people = new Map<string, Box[]>()
  const newestFrameMs = new Map<string, number>()
  const outOfOrder = new Map<string, number>()
  const awaySince = new Map<string, number>()
  const told = new Map<string, string>()
  let stops: (() => void)[] = []

  function run(session: KeptSession, asked: Asked): Running {
    const one = createRunning({
      ...{ session, asked, sessionLog, calibrations, store: deps.store, log },
      thresholdsOf: (personId) => thresholdsFor(deps.ageOf(personId), sessions.bestSecond(personId)),
      planAlive: () => sessions.planAlive(session.key),
      planJoin: (personId) => sessions.planJoin(session.key, personId),
    })
    running.set(session.id, one)
    beginRecording(recorder, one, deps.ageOf)
    return one
  }

  const withCamera = (cameraId: string) =>
    [...running.values()].find(({ asked }) => asked.cameraIds.includes(cameraId))

  async function start(actor: Actor, wish: StartWish): Promise<Running> {
    const nowMs = clock.now()
    for (const cameraId of wish.cameraIds) {
      const { analyse, enabled, name } = seenCamera(cameras, actor, cameraId, nowMs)
      if (!enabled || !analyse)
        throw new HubError('CONFLICT', `${name} is switched off or not analysed. Switch it on first.`)
      if (withCamera(cameraId))
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
    const session = await sessions.open({
      ...{ asked, playerIds, id: wish.id ?? null, title: wish.title ?? null, groupId: wish.groupId ?? null },
      createdBy: actor.kind === 'user' ? actor.userId : null,
    })
    log.info({ sessionId: session.id, cameras: asked.cameraIds.length }, 'live session started')
    return run(session, asked)
  }

  async function stop(one: Running): Promise<void> {
    if (!running.delete(one.id)) throw notRunning()
    await Promise.all([one.flush(), recorder.stop(one.id)])
    await closeGaps(one, clock.now())
    await sessions.end(one.id, clock.now(), await one.final())
    log.info({ sessionId: one.id, ...one.stats() }, 'live session stopped')
  }

  /** Goes on with what ran when the hub went away, and notes for how long nobody looked. */
  async function resume(): Promise<void> {
    for (const session of sessions.running()) {
      const asked = askedOf(session.asked)
      run(session, asked)
      const fromMs = session.aliveAtMs ?? session.startedAtMs
      const gap = { fromMs, toMs: clock.now(), reason: 'hub_off', cameraId: null }
      await deps.store.write([sessionLog.planGap(session.key, gap)])
      log.info({ sessionId: session.id, gapMs: gap.toMs - fromMs }, 'live session goes on')
    }
  }

  function take(picture: Picture, tellPose: (sessionId: string) => void): void {
    people.set(
      picture.cameraId,
      picture.people.map(({ box }) => scaled(box, picture.width)),
    )
    const one = withCamera(picture.cameraId)
    if (!one) return
    one.take(picture)
    tellPose(one.id)
  }

  function tellAll(): void {
    for (const one of running.values()) {
      noteAway(one)
      const cameraStates = parts.cameraStates(one)
      const { pictures } = one.stats()
      const mark = [pictures, ...cameraStates.map(({ status, recording }) => `${status} ${recording}`)].join(
        ' ',
      )
      if (told.get(one.id) === mark) continue
      told.set(one.id, mark)
      const metrics = metricsOf(one, cameraStates, clock.now())
      deps.tell(one.id, 'metrics_update', metrics)
      for (const player of metrics.players)
        deps.tellPlayer(player.player_id, { ...metrics, players: [player], tracks: [] })
    }
  }

  function noteAway(one: Running): void {
    for (const cameraId of one.asked.cameraIds) {
      const key = `${one.id}/${cameraId}`
      const isOnline = cameras.get(cameraId)?.online === true
      const sinceMs = awaySince.get(key)
      if (!isOnline && sinceMs === undefined) awaySince.set(key, clock.now())
      if (isOnline && sinceMs !== undefined) {
        awaySince.delete(key)
        const gap = { fromMs: sinceMs, toMs: clock.now(), reason: 'camera_away', cameraId }
        void keep([sessionLog.planGap(one.key, gap)])
      }
    }
  }

  async function closeGaps(one: Running, nowMs: number): Promise<void> {
    for (const cameraId of one.asked.cameraIds) {
      const key = `${one.id}/${cameraId}`
      const fromMs = awaySince.get(key)
      awaySince.delete(key)
      outOfOrder.delete(key)
      newestFrameMs.delete(key)
      if (fromMs === undefined) continue
      await keep([sessionLog.planGap(one.key, { fromMs, toMs: nowMs, reason: 'camera_away', cameraId })])
    }
    told.delete(one.id)
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
    const nowMs = clock.now()
    await keep([
      sessionLog.planGap(one.key, { fromMs: nowMs, toMs: nowMs, reason: 'camera_moved', cameraId }),
    ])
    deps.tell(one.id, 'metrics_update', metricsOf(one, parts.cameraStates(one), nowMs))
  }

  function runningFor(actor: Actor, id: string): Running {
    const one = running.get(id)
    if (one && seesWholeSession(actor, one.access(), clock.now())) return one
    throw notRunning()
  }

  const parts: LiveParts = {
    ...deps,
    ...{ sessionLog, start, stop, runningFor },
    async record(actor, one, wish) {
      await switchRecording(actor, one, wish, deps)
      deps.tell(one.id, 'metrics_update', metricsOf(one, parts.cameraStates(one), clock.now()))
    },
    hasEnded(actor, id) {
      const session = running.has(id) ? null : sessions.get(id)
      return session !== null && session.endedAtMs !== null && seesWholeSession(actor, session, clock.now())
    },
    async assign(one, track, personId) {
      await one.assign(track, personId)
      const { record, recordMinors } = one.asked
      if (record && !recordMinors && personId !== null && showsMinors([personId], deps.ageOf))
        recorder.endForMinor(one.id)
    },
    cameraStates: ({ id, asked }) =>
      asked.cameraIds.map((cameraId) => {
        const recording = recorder.state(id)?.find((one) => one.cameraId === cameraId)
        const camera = cameras.get(cameraId)
        const calibration = calibrations.get(cameraId)
        return {
          camera_id: cameraId,
          status: camera === null ? 'gone' : camera.online ? 'online' : 'offline',
          calibrated: calibration !== null,
          moved: calibration !== null && calibration.movedAtMs !== null,
          frames_out_of_order: outOfOrder.get(`${id}/${cameraId}`) ?? 0,
          recording: recording?.state ?? 'off',
          recording_reason: recording?.reason ?? null,
          recorded_files: recording?.files ?? 0,
          recorded_bytes: recording?.bytes ?? 0,
          recording_lost: recording?.lost ?? 0,
        }
      }),
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
    admit({ actor, sessionId, cameraId, capturedAtMs }) {
      const one = running.get(sessionId)
      if (!one) throw notRunning()
      const id = cameraId ?? onlySent(one, cameras)
      if (!one.asked.cameraIds.includes(id)) {
        // Whoever may not hear of the session hears no more about it than of one that is not there.
        if (actor.kind !== 'device' && !seesWholeSession(actor, one.access(), clock.now())) throw notRunning()
        throw new HubError(
          'CONFLICT',
          'This camera is not part of that session. Send its pictures to the one it is in.',
        )
      }
      const key = `${sessionId}/${id}`
      if (capturedAtMs === null) return { cameraId: id, isNext: true }
      if (capturedAtMs <= (newestFrameMs.get(key) ?? Number.NEGATIVE_INFINITY)) {
        outOfOrder.set(key, (outOfOrder.get(key) ?? 0) + 1)
        return { cameraId: id, isNext: false }
      }
      newestFrameMs.set(key, capturedAtMs)
      return { cameraId: id, isNext: true }
    },
    refused(cameraId, pictures) {
      const one = pictures > 0 ? withCamera(cameraId) : undefined
      if (!one) return
      const key = `${one.id}/${cameraId}`
      outOfOrder.set(key, (outOfOrder.get(key) ?? 0) + pictures)
    },
    begin: async (actor, wish) => startedOf(await start(actor, wishOf(wish))),
    end: async (actor, sessionId) => stop(runningFor(actor, sessionId)),
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
          clock.every(FLUSH_MS, () => {
            for (const one of running.values()) void one.flush()
          }),
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

function onlySent({ asked }: Running, cameras: LiveCameras): string {
  const sent = asked.cameraIds.filter((id) => cameras.get(id)?.kind === 'push')
  if (sent.length === 1 && sent[0] !== undefined) return sent[0]
  throw new HubError('VALIDATION_ERROR', 'Say whose picture this is: camera_id is missing.', {
    details: [{ path: 'camera_id', message: 'is missing' }],
  })
}

function askedOf(asked: Record<string, unknown> | null): Asked {
  const ids = asked?.['cameraIds']
  return {
    cameraIds: Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [],
    record: asked?.['record'] === true,
    recordMinors: asked?.['recordMinors'] === true,
  }
}

function scaled({ x, y, w, h }: Box, width: number): Box {
  const scale = LUMA_WIDTH / width
  return { x: x * scale, y: y * scale, w: w * scale, h: h * scale }
}
