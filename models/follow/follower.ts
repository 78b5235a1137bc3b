/** Follows the people of one camera from frame to frame: the detector looks now and then, landmarks carry everybody in between. */
import type { Region } from '../detect/frame.ts'
import type { Background } from '../detect/motion.ts'
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
import { type Box, iou } from '../vision/boxes.ts'
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
  /** Milliseconds of this frame's stages in the inference process; null when a stage did not run. `poses` is how many bodies it looked at. */
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

/** When landmarks carry somebody between two looks. */
export const CARRYING = {
  /** The landmark model itself says that nobody is there below this presence. */
  yolox: { presence: 0.5, agreement: 0, mostBlind: 5, mostUnseen: 0, looksOn: false },
  'blazepose-detector': { presence: 0.8, agreement: 0.3, mostBlind: 2, mostUnseen: 3, looksOn: true },
}
/** Nobody is carried by their speed alone for longer: where pictures are looked at seldom, two of them are a long way. */
const MOST_BLIND_MS = 500
/** Overlap (IoU) of the tracker's box and the one seen, below which the former is too late. */
const LAGS = 0.7
/** Weight of the newest step in somebody's mean speed. */
const NEWEST = 0.3
/** Looks in a row out of turn, to find whom the landmarks lost and to confirm who is new. */
const MOST_EXTRA = 2
/**
 * Thresholds of the tracker by detector. YOLOX has ByteTrack's own. What BlazePose finds was confirmed by the landmark model
 * already, and has its scores lower.
 */
export const TRACKING = {
  yolox: {},
  'blazepose-detector': { trackThreshold: 0.45, newTrackThreshold: 0.5, confirmAtOnce: true },
} as const satisfies Record<DetectorFiles['family'], Partial<TrackerOptions>>

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
  foundAtMs: number
  /** Looks in a row that did not find this body. */
  unseen: number
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
  let looks = 0
  let background: Background = null

  /** Another family of detectors has other thresholds; identities start anew with it. */
  function suit(plan: LookPlan): void {
    if (plan.detector.family === family) return
    family = plan.detector.family
    tracker = createTracker({ frameRateHz, firstTrackId: lastId + 1, ...TRACKING[family] })
    people.clear()
    background = null
  }

  function track(boxes: readonly Found[], atMs: number): TrackedBox[] {
    const { tracks: filtered, ended } = tracker.update(boxes, atMs)
    for (const trackId of ended) people.delete(trackId)
    const tracks = family === 'yolox' ? filtered : filtered.map((tracked) => asSeen(tracked, boxes))
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
      vx: steady(known?.vx, speed(x + w / 2, known ? known.box.x + known.box.w / 2 : 0), known !== undefined),
      vy: steady(known?.vy, speed(y + h / 2, known ? known.box.y + known.box.h / 2 : 0), known !== undefined),
      lookedAt: known?.lookedAt ?? 0,
      foundAt: known?.foundAt ?? frames,
      foundAtMs: known?.foundAtMs ?? atMs,
      unseen: known?.unseen ?? 0,
    })
  }

  /** Landmarks of these people; whom the limit leaves out is looked at first in the next frame. */
  async function pose(frame: Picture, atMs: number, file: ModelFile | null, ids: readonly number[]) {
    const found = new Map<number, Pose>()
    const chosen = [...people].filter(([id]) => ids.includes(id))
    chosen.sort(([, a], [, b]) => a.lookedAt - b.lookedAt)
    chosen.splice(MOST_PEOPLE)
    if (file === null || chosen.length === 0) return { found, took: null }
    const where = chosen.map(([, person]) => whereIs(person, expected(person, atMs)))
    const { poses, tookMs } = await run({ kind: 'pose', picture: frame, landmarks: file, people: where })
    chosen.forEach(([id, person], at) => {
      const pose = poses[at]
      person.lookedAt = frames
      if (pose && pose.presence >= CARRYING[family ?? 'yolox'].presence) found.set(id, pose)
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
    for (const { trackId } of tracks)
      Object.assign(people.get(trackId) ?? {}, { foundAt: frames, foundAtMs: atMs })
    const matched = new Set(tracks.map(({ boxIndex }) => boxIndex))
    looksAgain = persons.some(({ score }, at) => score >= SURE && !matched.has(at))
    const ids = tracks.map(({ trackId }) => trackId)
    const { found, took } = await pose(frame, atMs, plan.landmarks, ids)
    return {
      people: tracks.map((tracked) => finished(tracked, found.get(tracked.trackId), atMs)),
      ball: ball.seen(balls, atMs),
      took: { detect: tookMs, pose: took },
    }
  }

  /** Everybody's landmarks, or else their speed, move their own box, and the tracker sees those boxes. */
  async function carry(frame: Picture, atMs: number, plan: LookPlan): Promise<Followed> {
    const { mostBlind, looksOn } = CARRYING[plan.detector.family]
    const isFollowed = ({ next, foundAt }: Person) =>
      next !== null || (looksOn && frames - foundAt <= mostBlind)
    const ids = [...people].filter(([, person]) => isFollowed(person)).map(([id]) => id)
    const { found, took } = await pose(frame, atMs, plan.landmarks, ids)
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
   * BlazePose's search has confirmed each body by its landmarks. Whom it missed is carried by landmarks that are sure of themselves,
   * for as long as a few searches may miss somebody.
   */
  async function search(
    frame: Picture,
    atMs: number,
    plan: LookPlan & { detector: SearchFiles },
  ): Promise<Followed> {
    const { mostUnseen } = CARRYING[plan.detector.family]
    const known = [...people.values()].map(({ box }) => box)
    const turn = { look: looks++, background, known }
    const searched = await run({ kind: 'search', picture: frame, detector: plan.detector, turn })
    background = searched.background
    detectedAt = frames
    const isMissed = ([, person]: [number, Person]) =>
      person.next !== null &&
      person.unseen < mostUnseen &&
      !searched.people.some((found) => iou(found, expected(person, atMs)) > 0.3)
    const missed = [...people].filter(isMissed).map(([id]) => id)
    const { found, took } = await pose(frame, atMs, plan.landmarks, missed)
    const carried = carriedBoxes(found, atMs).filter(
      (box) => found.has(box.id ?? -1) && !searched.people.some((person) => isSamePerson(person, box)),
    )
    const tracks = track([...searched.people, ...carried], atMs)
    const seen = new Set<number>()
    const shown = tracks.map((tracked) => {
      const fresh = searched.people[tracked.boxIndex]
      if (fresh !== undefined) seen.add(tracked.trackId)
      const id = carried[tracked.boxIndex - searched.people.length]?.id ?? -1
      return finished(tracked, fresh?.pose ?? found.get(id), atMs)
    })
    for (const [id, person] of people) {
      person.unseen = seen.has(id) ? 0 : person.unseen + 1
      if (seen.has(id)) Object.assign(person, { foundAt: frames, foundAtMs: atMs })
      // Landmarks alone believe in somebody for only so long.
      else if (person.unseen > mostUnseen)
        Object.assign(person, { next: null, foundAt: Number.NEGATIVE_INFINITY })
    }
    return { people: shown, ball: null, took: { detect: searched.tookMs, pose: took } }
  }

  /** BlazePose's boxes are those around the landmarks; those of YOLOX have their own size and move along. */
  function moveBox({ box, body }: Person, pose: Pose): Box | null {
    const moved = carryBox(box, body ?? pose.box, pose.box)
    return moved !== null && family === 'blazepose-detector' ? pose.box : moved
  }

  /** Where somebody's box is by now if it goes on as it went. */
  function expected({ box, vx, vy, atMs }: Person, nowMs: number): Box {
    return { ...box, x: box.x + vx * (nowMs - atMs), y: box.y + vy * (nowMs - atMs) }
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
    const { agreement, mostBlind, looksOn } = CARRYING[family ?? 'yolox']
    const pose = found.get(id)
    const ahead = expected(person, atMs)
    // Two people whose landmarks fell onto one body: the older track keeps it.
    const isTaken =
      pose && [...found].some(([other, { next }]) => other < id && isSameRegion(next, pose.next))
    const moved = pose && !isTaken && iou(pose.box, ahead) >= agreement ? moveBox(person, pose) : null
    if (moved !== null) {
      Object.assign(person, { foundAt: frames, foundAtMs: atMs })
      return moved
    }
    if (looksOn) person.next = null
    const isLost = frames - person.foundAt > mostBlind || atMs - person.foundAtMs > MOST_BLIND_MS
    if (isTaken || isLost) {
      person.next = null
      return null
    }
    return ahead
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
      const { detector } = plan
      const isDue = frames - detectedAt >= plan.detectEvery || plan.landmarks === null
      const isExtra = looksAgain && extraLooks < MOST_EXTRA && plan.looksAgain
      if (!isDue && !isExtra) return carry(frame, atMs, plan)
      return detector.family === 'yolox'
        ? detect(frame, atMs, plan)
        : search(frame, atMs, { ...plan, detector })
    },
  }
}

/** ByteTrack's threshold of a new track: a box above it that no track took is somebody new. */
const SURE = 0.7

/** Where to look for somebody's body: where its landmarks were, unless the box went elsewhere. */
function whereIs({ next, body, box }: Person, expected: Box): Where {
  return next !== null && (body === null || belongs(body, box)) ? { region: next } : { box: expected }
}

/** The tracker's own box is steadier, but its motion model lags behind whoever comes near a slow camera: then the box that was seen. */
function asSeen(tracked: TrackedBox, boxes: readonly Box[]): TrackedBox {
  const { x, y, w, h } = boxes[tracked.boxIndex] ?? tracked
  return iou(tracked, { x, y, w, h }) >= LAGS ? tracked : { ...tracked, x, y, w, h }
}

/** The mean speed, newest values weighing most: one frame's step is mostly noise of the box. */
function steady(before: number | undefined, now: number, isKnown: boolean): number {
  if (!isKnown) return 0
  return before === undefined ? now : before + NEWEST * (now - before)
}
