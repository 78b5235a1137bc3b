/** Follows the people of one camera from frame to frame: the detector looks now and then, landmarks carry everybody in between. */
import type { Region } from '../detect/frame.ts'
import { isSamePerson } from '../detect/people.ts'
import type { Inference } from '../inference.ts'
import {
  type DetectorFiles,
  MOST_PEOPLE,
  type Picture,
  type Pose,
  type SearchFiles,
  type Where,
} from '../jobs.ts'
import type { Landmark } from '../pose/landmarks.ts'
import { cocoOf, type Keypoint } from '../pose/skeleton.ts'
import { createPoseSmoother, type PoseSmoother } from '../pose/smoother.ts'
import type { ModelFile } from '../session.ts'
import type { Box } from '../vision/boxes.ts'
import { createTracker, type TrackedBox, type TrackerOptions } from '../vision/track/tracker.ts'
import { createBallFollower, type SeenBall } from './ball.ts'
import { belongs, carryBox, isSameRegion } from './carry.ts'

/** Which models look, and how often the detector does: every n-th frame. */
export interface LookPlan {
  detector: DetectorFiles
  landmarks: ModelFile | null
  detectEvery: number
  /** Whether the detector is cheap enough to look out of turn when somebody was lost or is new. */
  looksAgain: boolean
}

export interface FollowedPerson {
  trackId: number
  box: Box
  score: number
  /** COCO's 17; score 0 where nobody looked in this frame. */
  keypoints: Keypoint[]
  /** BlazePose's 33, smoothed; null when the landmark model did not find the body in this frame. */
  landmarks: Landmark[] | null
}

export interface Followed {
  people: FollowedPerson[]
  ball: SeenBall | null
  /** Milliseconds of this frame's stages on the inference thread; null when a stage did not run. `poses` is how many bodies it looked at. */
  took: { detect: StageTime | null; pose: (StageTime & { poses: number }) | null }
}

/** A stage's whole time, and the part of it that the models themselves ran. */
export interface StageTime {
  total: number
  model: number
}

export interface Follower {
  /** Takes one frame, in order. Rejects as `Inference.run` does; then the frame counts as not seen. */
  step(frame: Picture, atMs: number, plan: LookPlan): Promise<Followed>
}

export interface FollowerDeps {
  run: Inference['run']
  /** Nominal rate of the frames, for the tracker's motion model. */
  frameRateHz?: number
  firstTrackId?: number
}

/** The landmark model itself says that nobody is there below this. */
const MIN_PRESENCE = 0.5
/** Frames for which somebody is carried by speed alone. */
const MOST_BLIND = 5
/** Looks in a row out of turn, to find whom the landmarks lost and to confirm who is new. */
const MOST_EXTRA = 2
/**
 * Thresholds of the tracker by detector. YOLOX has ByteTrack's own. What BlazePose finds was confirmed by the landmark model
 * already, and has its scores lower.
 */
const TRACKING = {
  yolox: {},
  'blazepose-detector': { trackThreshold: 0.45, newTrackThreshold: 0.5, confirmAtOnce: true },
} as const satisfies Record<DetectorFiles['family'], Partial<TrackerOptions>>

/** Sweeps of the whole picture without seeing somebody, after which the landmark model has to be this sure of a body. */
const SWEEPS = 2
const SURELY_A_BODY = 0.8

interface Person {
  smoother: PoseSmoother
  /** Where the landmarks of the last frame say the body is. */
  next: Region | null
  body: Box | null
  box: Box
  score: number
  atMs: number
  /** Pixels a millisecond, of the box's centre. */
  vx: number
  vy: number
  /** Frame in which the landmark model looked at this body last, and the one in which it or the detector found it. */
  lookedAt: number
  foundAt: number
  /** Frame in which a sweep of the detector saw this body. */
  seenAt: number
  /** In how many sweeps. */
  sightings: number
}

interface Found extends Box {
  score: number
  region?: Region
  /** Whose box this is, when somebody was carried here. */
  id?: number
}

const NOTHING: Keypoint[] = Array.from({ length: 17 }, () => ({ x: 0, y: 0, score: 0 }))

/** One for each camera; the plan may change with every frame. */
export function createFollower({ run, frameRateHz = 15, firstTrackId = 1 }: FollowerDeps): Follower {
  const ball = createBallFollower()
  const people = new Map<number, Person>()
  let family: DetectorFiles['family'] | null = null
  let tracker = createTracker()
  let lastId = firstTrackId - 1
  let frames = 0
  let detectedAt = Number.NEGATIVE_INFINITY
  let extraLooks = 0
  let looksAgain = false

  /** Another family of detectors has other thresholds; identities start anew with it. */
  function suit(plan: LookPlan): void {
    if (plan.detector.family === family) return
    family = plan.detector.family
    tracker = createTracker({ frameRateHz, firstTrackId: lastId + 1, ...TRACKING[family] })
    people.clear()
  }

  function track(boxes: readonly Found[], atMs: number): TrackedBox[] {
    const { tracks, ended } = tracker.update(boxes, atMs)
    for (const trackId of ended) people.delete(trackId)
    for (const tracked of tracks) place(tracked, boxes[tracked.boxIndex], atMs)
    return tracks
  }

  function place({ trackId, x, y, w, h, score }: TrackedBox, seen: Found | undefined, atMs: number): void {
    lastId = Math.max(lastId, trackId)
    const known = people.get(trackId)
    const box = { x, y, w, h }
    const passed = atMs - (known?.atMs ?? atMs)
    const speed = (to: number, from: number) => (passed > 0 ? (to - from) / passed : 0)
    people.set(trackId, {
      smoother: known?.smoother ?? createPoseSmoother(),
      next: known?.next ?? seen?.region ?? null,
      body: known?.next ? known.body : null,
      box,
      score,
      atMs,
      vx: known ? speed(x + w / 2, known.box.x + known.box.w / 2) : 0,
      vy: known ? speed(y + h / 2, known.box.y + known.box.h / 2) : 0,
      lookedAt: known?.lookedAt ?? 0,
      foundAt: known?.foundAt ?? frames,
      seenAt: known?.seenAt ?? frames,
      sightings: known?.sightings ?? 1,
    })
  }

  /** Landmarks of these people; whom the limit leaves out is looked at first in the next frame. */
  async function pose(frame: Picture, file: ModelFile | null, ids: readonly number[]) {
    const found = new Map<number, Pose>()
    const chosen = [...people].filter(([id]) => ids.includes(id))
    chosen.sort(([, a], [, b]) => a.lookedAt - b.lookedAt)
    chosen.splice(MOST_PEOPLE)
    if (file === null || chosen.length === 0) return { found, took: null }
    const where = chosen.map(([, person]) => whereIs(person))
    const { poses, tookMs } = await run({ kind: 'pose', picture: frame, landmarks: file, people: where })
    chosen.forEach(([id, person], at) => {
      const pose = poses[at]
      person.lookedAt = frames
      if (pose && pose.presence >= MIN_PRESENCE) found.set(id, pose)
    })
    return { found, took: { ...tookMs, poses: chosen.length } }
  }

  /** The detector looks: its boxes are the truth, landmarks fill them. */
  async function detect(frame: Picture, atMs: number, plan: LookPlan): Promise<Followed> {
    const { detections, tookMs } = await run({ kind: 'detect', picture: frame, detector: plan.detector })
    extraLooks = frames - detectedAt < plan.detectEvery ? extraLooks + 1 : 0
    detectedAt = frames
    const persons = detections.filter(({ kind }) => kind === 'person')
    const balls = detections.filter(({ kind }) => kind === 'ball')
    const tracks = track(persons, atMs)
    for (const { trackId } of tracks) Object.assign(people.get(trackId) ?? {}, { foundAt: frames })
    const matched = new Set(tracks.map(({ boxIndex }) => boxIndex))
    looksAgain = persons.some(({ score }, at) => score >= SURE && !matched.has(at))
    const ids = tracks.map(({ trackId }) => trackId)
    const { found, took } = await pose(frame, plan.landmarks, ids)
    return {
      people: tracks.map((tracked) => finished(tracked, found.get(tracked.trackId), atMs)),
      ball: ball.seen(balls, atMs),
      took: { detect: tookMs, pose: took },
    }
  }

  /** Everybody's landmarks, or else their speed, move their own box, and the tracker sees those boxes. */
  async function carry(frame: Picture, atMs: number, plan: LookPlan): Promise<Followed> {
    const ids = [...people].filter(([, { next }]) => next !== null).map(([id]) => id)
    const { found, took } = await pose(frame, plan.landmarks, ids)
    const boxes = carriedBoxes(found, atMs)
    looksAgain = ids.some((id) => people.get(id)?.foundAt !== frames)
    const tracks = track(boxes, atMs)
    return {
      people: tracks.map((tracked) => finished(tracked, found.get(boxes[tracked.boxIndex]?.id ?? -1), atMs)),
      ball: ball.carried(atMs),
      took: { detect: null, pose: took },
    }
  }

  /**
   * With a detector that is slow and finds some: everybody known is carried, and a share of the picture is searched for more. Whom
   * the detector has not seen for long has to look the more like a body.
   */
  async function sweep(
    frame: Picture,
    atMs: number,
    plan: LookPlan & { detector: SearchFiles },
  ): Promise<Followed> {
    const ids = [...people].filter(([, { next }]) => next !== null).map(([id]) => id)
    const { found, took } = await pose(frame, plan.landmarks, ids)
    for (const [id, { presence }] of found) {
      const unseen = frames - (people.get(id)?.seenAt ?? frames)
      const isBody = presence >= SURELY_A_BODY && isConfirmed(people.get(id))
      if (unseen > SWEEPS * plan.detectEvery && !isBody) found.delete(id)
    }
    const bodies = [...found]
    const turn = { turn: frames - 1, of: plan.detectEvery, known: bodies.map(([, { next }]) => next) }
    // The first picture is searched whole, so that the overlay does not begin empty.
    const wanted = frames === 1 ? { ...turn, of: 1 } : turn
    const searched = await run({ kind: 'search', picture: frame, detector: plan.detector, turn: wanted })
    for (const at of searched.again) sighted(people.get(bodies[at]?.[0] ?? -1))
    const boxes = carriedBoxes(found, atMs)
    const fresh = searched.detections.filter((box) => !boxes.some((known) => isSamePerson(known, box)))
    boxes.push(...fresh)
    const tracks = track(boxes, atMs)
    const seen = tracks.map((tracked) =>
      finished(tracked, found.get(boxes[tracked.boxIndex]?.id ?? -1), atMs),
    )
    return {
      people: seen.filter(({ trackId }) => isConfirmed(people.get(trackId))),
      ball: null,
      took: { detect: searched.tookMs, pose: took },
    }
  }

  /** BlazePose's boxes are those around the landmarks; those of YOLOX have their own size and move along. */
  function moveBox({ box, body }: Person, pose: Pose): Box | null {
    const moved = carryBox(box, body ?? pose.box, pose.box)
    return moved !== null && family === 'blazepose-detector' ? pose.box : moved
  }

  function sighted(person: Person | undefined): void {
    if (person === undefined || person.seenAt === frames) return
    person.seenAt = frames
    person.sightings++
  }

  function carriedBoxes(found: ReadonlyMap<number, Pose>, atMs: number): Found[] {
    const boxes: Found[] = []
    for (const [id, person] of people) {
      const box = carried(id, person, found, atMs)
      if (box !== null) boxes.push({ ...box, score: person.score, id })
    }
    return boxes
  }

  function carried(id: number, person: Person, found: ReadonlyMap<number, Pose>, atMs: number): Box | null {
    const pose = found.get(id)
    // Two people whose landmarks fell onto one body: the older track keeps it.
    const isTaken =
      pose && [...found].some(([other, { next }]) => other < id && isSameRegion(next, pose.next))
    const moved = pose && !isTaken ? moveBox(person, pose) : null
    if (moved !== null) {
      person.foundAt = frames
      return moved
    }
    if (isTaken || frames - person.foundAt > MOST_BLIND) {
      person.next = null
      return null
    }
    const { box, vx, vy } = person
    return { ...box, x: box.x + vx * (atMs - person.atMs), y: box.y + vy * (atMs - person.atMs) }
  }

  function finished(tracked: TrackedBox, pose: Pose | undefined, atMs: number): FollowedPerson {
    const { trackId, x, y, w, h, score } = tracked
    const box = { x, y, w, h }
    const person = people.get(trackId)
    if (pose === undefined || person === undefined || !belongs(pose.box, box)) {
      // A new body whose place the detector told keeps it for the next frame.
      if (person && person.foundAt !== frames) Object.assign(person, { next: null, body: null })
      return { trackId, box, score, keypoints: NOTHING, landmarks: null }
    }
    const landmarks = person.smoother.smooth(pose.landmarks, atMs, pose.next.size)
    Object.assign(person, { next: pose.next, body: pose.box })
    return { trackId, box, score, keypoints: cocoOf(landmarks), landmarks }
  }

  return {
    async step(frame, atMs, plan) {
      frames++
      suit(plan)
      if (plan.detector.family === 'blazepose-detector')
        return sweep(frame, atMs, { ...plan, detector: plan.detector })
      const isDue = frames - detectedAt >= plan.detectEvery || plan.landmarks === null
      const isExtra = looksAgain && extraLooks < MOST_EXTRA && plan.looksAgain
      return isDue || isExtra ? detect(frame, atMs, plan) : carry(frame, atMs, plan)
    },
  }
}

/** ByteTrack's threshold of a new track: a box above it that no track took is somebody new. */
const SURE = 0.7

/** Things that look like a body once are many: somebody counts from the second sighting on. */
function isConfirmed(person: Person | undefined): boolean {
  return person !== undefined && person.sightings >= 2
}

/** Where to look for somebody's body: where its landmarks were, unless the box went elsewhere. */
function whereIs({ next, body, box }: Person): Where {
  return next !== null && (body === null || belongs(body, box)) ? { region: next } : { box }
}
