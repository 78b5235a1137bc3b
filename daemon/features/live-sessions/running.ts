/** One session that runs: who is seen by its cameras, what each player did so far, and what of it is on disk. */
import type { GaitSummary } from '../../../models/vision/kpi/gait.ts'
import {
  createPlayerPace,
  type PlayerPace,
  paceOf,
  type SlotSpeeds,
  speedTable,
} from '../../../models/vision/kpi/pace.ts'
import type { KpiReason, Kpis } from '../../domain/kpi.ts'
import type { SessionAccess } from '../../domain/session.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { readPaths, type StoredPath } from '../../store/session-paths.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Calibrations } from './calibrations.ts'
import { kpisOf } from './kpis.ts'
import { type SessionLog, summed } from './log.ts'
import type { PlayerThresholds } from './thresholds.ts'
import { createTrack, type LiveTrack, type Picture } from './track.ts'
import { mayBe } from './whereabouts.ts'

/** What a session was asked to do; kept with it, so that a start of the hub can go on. */
export interface Asked {
  cameraIds: string[]
  record: boolean
  /** An owner gave leave to record minors. */
  recordMinors: boolean
}

export interface RunningDeps {
  session: {
    key: number
    id: string
    startedAtMs: number
    /** When the hub was last at it, before it went away. */
    aliveAtMs: number | null
    createdBy: string | null
    playerIds: readonly string[]
  }
  asked: Asked
  store: Pick<Store, 'all' | 'write'>
  log: Log
  sessionLog: SessionLog
  calibrations: Calibrations
  thresholdsOf: (personId: string) => PlayerThresholds
  planAlive: (atMs: number) => Write
  /** The hub's wall clock. */
  now: () => number
  planJoin: (personId: string) => Write
}

export interface SeenTrack {
  cameraId: string
  trackId: number
  personId: string | null
  lastAtMs: number
  place: { x: number; y: number } | null
  speedMps: number | null
  reason: KpiReason | null
  /** Players who were named before and are lost, whom a track of nobody may be: one alone where it is clear. */
  maybe: readonly string[]
}

export interface Running {
  readonly id: string
  readonly key: number
  readonly startedAtMs: number
  readonly asked: Asked
  access(): SessionAccess
  /**
   * An instant of the hub's clock as the session counts it. A box whose clock starts in the past after a power cut goes on where the
   * session was, until its clock is right again.
   */
  time(atMs: number): number
  /** Takes what one of its cameras saw; pictures that are older than the camera's last one are left out and counted. */
  take(picture: Picture): void
  /** Says who a track is, null: nobody known. Throws NOT_FOUND for a track that was never seen. */
  assign(track: { cameraId: string; trackId: number }, personId: string | null): Promise<void>
  /** The players whom a picture shows, with their tracks in it. */
  namedIn(picture: Picture): Map<string, number[]>
  /** Since when a track is seen, by the hub's clock; null: the session has none of it. */
  sinceOf(track: { cameraId: string; trackId: number }): number | null
  /** Stores what was gathered, and that the hub is at it. */
  flush(): Promise<void>
  /** Lets a player go who is being erased: their tracks are from now on those of nobody, seen for the first time. */
  forget(personId: string): Promise<void>
  players(): { personId: string; tracks: { cameraId: string; trackId: number }[]; kpis: Kpis }[]
  tracks(): SeenTrack[]
  stats(): { pictures: number; outOfOrder: number; lost: number; tracks: number }
  /** The KPIs of each player from what is on disk; call it after the last `flush`. */
  final(): Promise<Map<string, Kpis>>
}

/** A track out of sight for this long leaves memory; what it did stays. */
const FORGET_MS = 30_000
/** Above this many tracks the one silent longest leaves memory early. */
const MOST_TRACKS = 256
/** Somebody seen within this time is shown as being there. */
const PRESENT_MS = 1500

/** Nobody is asked about somebody who was seen for a moment. */
const SURE_MS = 1000

/** A clock that falls back by more was set; a picture is never on its way for so long. */
const SET_BACK_MS = 10_000

interface Player {
  personId: string
  thresholds: PlayerThresholds
  pace: PlayerPace
  /** Where they were when they were last seen under their name; null: never. */
  seen: { atMs: number; place: { x: number; y: number } | null } | null
  /** Of tracks that have left memory. */
  past: { gait: GaitSummary; reasons: Partial<Record<KpiReason, number>> }[]
}

export function createRunning(deps: RunningDeps): Running {
  const { session, asked, store, log, sessionLog, calibrations } = deps
  const tracks = new Map<string, LiveTrack>()
  const players = new Map<string, Player>()
  const newestMs = new Map<string, number>()
  const counts = { pictures: 0, outOfOrder: 0, lost: 0 }
  let nowMs = session.startedAtMs
  let latestMs = Math.max(session.startedAtMs, session.aliveAtMs ?? 0)
  let aheadMs = 0
  let turn: Promise<void> = Promise.resolve()

  /** One writer at a time, so that what is read back is what was written. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = turn.then(work)
    turn = done.then(
      () => {},
      () => {},
    )
    return done
  }

  function time(atMs: number): number {
    if (aheadMs > 0 && atMs > latestMs) aheadMs = 0
    else if (atMs + aheadMs < latestMs - SET_BACK_MS) aheadMs = latestMs - atMs
    latestMs = Math.max(latestMs, atMs + aheadMs)
    return atMs + aheadMs
  }

  /** Reads anew what a player did, from the disk and from what waits for it. */
  function rebuild(personId: string): void {
    const thresholds = players.get(personId)?.thresholds ?? deps.thresholdsOf(personId)
    const waiting = [...tracks.values()].filter((track) => track.personId === personId)
    const inMemory = new Set(waiting.map(keyOf))
    const pace = createPlayerPace(thresholds.settings)
    const stored = readPaths(store, session.key, { players: [personId] })
    speedTable([
      ...stored.map(({ samples }) => samples),
      ...waiting.map(({ waiting: samples }) => columnsOf(samples)),
    ]).each(pace.add)
    const past = sessionLog
      .tracks(session.key)
      .filter((track) => track.personId === personId && !inMemory.has(keyOf(track)))
    players.set(personId, { personId, thresholds, pace, past, seen: lastSeen(personId, stored) })
  }

  function lastSeen(personId: string, paths: readonly StoredPath[]): Player['seen'] {
    const own = sessionLog.tracks(session.key).filter((track) => track.personId === personId)
    if (own.length === 0) return null
    const atMs = own.reduce((latest, { lastAtMs }) => Math.max(latest, lastAtMs), 0)
    const [last] = paths
      .map(({ samples: { length, slots, x, y } }) => ({
        slot: slots[length - 1] ?? 0,
        place: { x: x[length - 1] ?? 0, y: y[length - 1] ?? 0 },
      }))
      .toSorted((one, other) => other.slot - one.slot)
    return { atMs, place: last?.place ?? null }
  }

  /** Whom those may be of whom nobody said who they are. */
  function guesses(present: readonly LiveTrack[]): Map<string, string[]> {
    const named = new Set(present.map(({ personId }) => personId))
    const lost = [...players.values()].flatMap(({ personId, seen }) =>
      seen === null || named.has(personId) ? [] : [{ personId, lastAtMs: seen.atMs, place: seen.place }],
    )
    if (lost.length === 0) return new Map()
    const unknown = present.filter(
      ({ personId, isStranger, firstAtMs, lastAtMs }) =>
        personId === null && !isStranger && lastAtMs - firstAtMs >= SURE_MS,
    )
    return mayBe(
      unknown.map((track) => ({ key: keyOf(track), firstAtMs: track.firstAtMs, place: track.first })),
      lost,
    )
  }

  async function keep(): Promise<void> {
    const changed = [...tracks.values()].filter((track) => track.isChanged)
    const taken = changed.map((track) => {
      const planned = { track, samples: track.waiting, ...sessionLog.planTrack(session.key, track) }
      track.waiting = []
      track.isChanged = false
      return planned
    })
    try {
      await store.write([...taken.flatMap(({ writes }) => writes), deps.planAlive(time(deps.now()))])
      for (const { track, stored } of taken) track.stored = stored
    } catch (cause) {
      for (const { track } of taken) track.stored = []
      counts.lost += taken.reduce((sum, { samples }) => sum + samples.length, 0)
      log.error({ reason: messageOf(cause) }, 'what players did could not be stored')
    }
    letGo()
  }

  /** Lets tracks go that are on disk and out of sight. */
  function letGo(): void {
    const silent = [...tracks.values()]
      .filter((track) => track.waiting.length === 0 && nowMs - track.lastAtMs > PRESENT_MS)
      .sort((one, other) => one.lastAtMs - other.lastAtMs)
    silent.forEach((track, at) => {
      if (nowMs - track.lastAtMs < FORGET_MS && tracks.size - at <= MOST_TRACKS) return
      tracks.delete(keyOf(track))
      const player = track.personId === null ? undefined : players.get(track.personId)
      player?.past.push({ gait: track.gait.summary(), reasons: track.reasons })
    })
  }

  function see(picture: Picture): void {
    const { cameraId, capturedAtMs } = picture
    const ground = calibrations.plan(cameraId)
    const without: KpiReason = calibrations.get(cameraId) === null ? 'uncalibrated' : 'camera_moved'
    for (const seen of picture.people) {
      const key = keyOf({ cameraId, trackId: seen.trackId })
      const track = tracks.get(key) ?? createTrack(cameraId, seen.trackId, capturedAtMs)
      tracks.set(key, track)
      const samples = track.see(seen, picture, ground, without)
      const player = track.personId === null ? undefined : players.get(track.personId)
      for (const { slot, speedMps } of samples) player?.pace.add(slot, speedMps)
      if (player) player.seen = { atMs: capturedAtMs, place: track.newest ?? player.seen?.place ?? null }
    }
  }

  for (const personId of session.playerIds) rebuild(personId)

  return {
    id: session.id,
    key: session.key,
    startedAtMs: session.startedAtMs,
    asked,
    access: () => ({ createdBy: session.createdBy, playerIds: [...players.keys()] }),
    time,
    take(picture) {
      const { cameraId } = picture
      const capturedAtMs = time(picture.capturedAtMs)
      if (capturedAtMs <= (newestMs.get(cameraId) ?? session.startedAtMs)) {
        counts.outOfOrder += 1
        return
      }
      newestMs.set(cameraId, capturedAtMs)
      nowMs = Math.max(nowMs, capturedAtMs)
      counts.pictures += 1
      see({ ...picture, capturedAtMs })
    },
    assign: ({ cameraId, trackId }, personId) =>
      inTurn(async () => {
        await keep()
        const key = keyOf({ cameraId, trackId })
        const before = sessionLog.tracks(session.key).find((track) => keyOf(track) === key)
        if (!before) throw new HubError('NOT_FOUND', 'The session has no such track.')
        await store.write([
          ...(personId !== null && !players.has(personId) ? [deps.planJoin(personId)] : []),
          sessionLog.planAssign(session.key, { cameraId, trackId }, personId),
        ])
        const live = tracks.get(key)
        if (live) {
          live.personId = personId
          live.isStranger = personId === null
        }
        for (const id of new Set([before.personId, personId])) if (id !== null) rebuild(id)
      }),
    namedIn({ cameraId, people }) {
      const named = new Map<string, number[]>()
      for (const { trackId } of people) {
        const personId = tracks.get(keyOf({ cameraId, trackId }))?.personId ?? null
        if (personId !== null) named.set(personId, [...(named.get(personId) ?? []), trackId])
      }
      return named
    },
    sinceOf(track) {
      const key = keyOf(track)
      const known = tracks.get(key) ?? sessionLog.tracks(session.key).find((one) => keyOf(one) === key)
      return known ? known.firstAtMs - aheadMs : null
    },
    flush: () => inTurn(keep),
    forget: (personId) =>
      inTurn(async () => {
        await keep()
        players.delete(personId)
        for (const [key, track] of tracks) if (track.personId === personId) tracks.delete(key)
      }),
    players: () =>
      [...players.values()].map(({ personId, thresholds, pace, past }) => {
        const own = [...tracks.values()].filter((track) => track.personId === personId)
        const present = own.filter(({ lastAtMs }) => nowMs - lastAtMs <= PRESENT_MS)
        const [newest] = present.toSorted((one, other) => other.lastAtMs - one.lastAtMs)
        const all = [...past, ...own.map(({ gait, reasons }) => ({ gait: gait.summary(), reasons }))]
        const { gait, reason } = summed(all)
        return {
          personId,
          tracks: present.map(({ cameraId, trackId }) => ({ cameraId, trackId })),
          kpis: kpisOf({
            ...{ gait, thresholds, pace: pace.result(), now: newest?.gait.now() ?? null },
            reason: newest?.reason ?? reason ?? unseen(all.length),
          }),
        }
      }),
    tracks() {
      const present = [...tracks.values()].filter(({ lastAtMs }) => nowMs - lastAtMs <= PRESENT_MS)
      const maybe = guesses(present)
      return present.map((track) => {
        const { cameraId, trackId, personId, lastAtMs, newest, reason } = track
        return {
          ...{ cameraId, trackId, personId, lastAtMs, reason, maybe: maybe.get(keyOf(track)) ?? [] },
          place: newest && { x: newest.x, y: newest.y },
          speedMps: newest?.speedMps ?? null,
        }
      })
    },
    stats: () => ({ ...counts, tracks: tracks.size }),
    async final() {
      const stored = sessionLog.tracks(session.key)
      const done = new Map<string, Kpis>()
      for (const { personId, thresholds } of players.values()) {
        // Hours of a player take a tenth of a second: in between, others have their turn.
        await new Promise((resolve) => setImmediate(resolve))
        const own = stored.filter((track) => track.personId === personId)
        const { gait, reason } = summed(own)
        const paths = readPaths(store, session.key, { players: [personId] })
        const pace = paceOf(
          paths.map(({ samples }) => samples),
          thresholds.settings,
        )
        const why = reason ?? unseen(own.length)
        done.set(personId, kpisOf({ gait, thresholds, pace, now: null, reason: why }))
      }
      return done
    },
  }
}

/** Why there are no metres of somebody, though nothing hindered them. */
function unseen(tracks: number): KpiReason {
  return tracks === 0 ? 'not_assigned' : 'too_short'
}

function keyOf({ cameraId, trackId }: { cameraId: string; trackId: number }): string {
  return `${cameraId}/${trackId}`
}

function columnsOf(samples: readonly { slot: number; speedMps: number }[]): SlotSpeeds {
  return { slots: samples.map(({ slot }) => slot), speedsMps: samples.map(({ speedMps }) => speedMps) }
}
