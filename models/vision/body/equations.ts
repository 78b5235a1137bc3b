/** The normal equations of one frame: how its joints would move with the pose and, if wanted, with the shape. */
import { at } from '../numeric/dense.ts'
import { vectorOf } from '../numeric/rotation.ts'
import { type BodyModel, JOINT_NAMES } from './body-model.ts'
import type { Pose, PosedBody } from './pose.ts'
import type { SeenJoints } from './start-pose.ts'

/** A joint further off than this many metres counts by its distance, not its square: triangulation errs by metres at times. */
export const HUBER_M = 0.1

/** How far joints turn from rest in everyday and sports poses, radians: hips, knees, shoulders and elbows … */
const LIMB_TURN_SD = 1
/** … and the rest, of which each spine joint, collar, foot or hand gives only some fifteen degrees. */
const OTHER_TURN_SD = 0.3
const LIMBS: ReadonlySet<number> = new Set(
  (['l_hip', 'r_hip', 'l_knee', 'r_knee', 'l_shoulder', 'r_shoulder', 'l_elbow', 'r_elbow'] as const).map(
    (name) => JOINT_NAMES.indexOf(name),
  ),
)

/** What a turn of a radian costs, m², beside joints that deviate by `noiseM`; the root may face anywhere. */
export function turnCost(joint: number, noiseM: number): number {
  if (joint === 0) return 0
  return (noiseM / (LIMBS.has(joint) ? LIMB_TURN_SD : OTHER_TURN_SD)) ** 2
}

/** A direction that no joint sees and no prior holds (the twist of the root of a stick) must not break the solution. */
const FLOOR = 1e-12

export interface Equations {
  /** Symmetric, size × size: the root's place, three per movable joint, then the shape numbers. */
  normal: Float64Array
  right: Float64Array
  size: number
}

/** A joint without children turns nothing that is seen. */
export function movableJoints({ joints, parents }: BodyModel): number[] {
  const withChildren = new Set(parents)
  return Array.from({ length: joints }, (_, joint) => joint).filter((joint) => withChildren.has(joint))
}

/** NaN for a joint that was not seen. */
export function distanceTo(places: Float64Array, seen: SeenJoints, joint: number): number {
  return Math.hypot(
    at(places, joint * 3) - at(seen, joint * 3),
    at(places, joint * 3 + 1) - at(seen, joint * 3 + 1),
    at(places, joint * 3 + 2) - at(seen, joint * 3 + 2),
  )
}

/**
 * Gauss–Newton equations at a pose, with `turnCost` holding every joint but the root near its rest turn. `slopes`
 * (dP/dβ, joints × 3 × shapes) adds the shape numbers as further unknowns.
 */
export function poseEquations(
  model: BodyModel,
  body: PosedBody,
  pose: Pose,
  seen: SeenJoints,
  movable: readonly number[],
  noiseM: number,
  slopes: Float64Array | null,
): Equations {
  const poseSize = 3 + movable.length * 3
  const size = poseSize + (slopes ? model.shapes : 0)
  const equations = { normal: new Float64Array(size * size), right: new Float64Array(size), size }
  const columnOf = new Int32Array(model.joints).fill(-1)
  movable.forEach((joint, index) => {
    columnOf[joint] = 3 + index * 3
  })
  const scratch = createScratch(size)
  for (let joint = 0; joint * 3 < seen.length; joint++) {
    if (Number.isNaN(at(seen, joint * 3))) continue
    scratch.begin()
    addPoseColumns(scratch, model, body, columnOf, joint)
    if (slopes) addShapeColumns(scratch, slopes, model.shapes, joint, poseSize)
    accumulate(equations, scratch, body.places, seen, joint)
  }
  addPrior(equations, pose, movable, columnOf, noiseM)
  return equations
}

/** The columns that one joint depends on, with its three rows. */
interface Scratch {
  count: number
  columns: Int32Array
  rows: readonly [Float64Array, Float64Array, Float64Array]
  begin(): void
  put(column: number, x: number, y: number, z: number): void
}

function createScratch(size: number): Scratch {
  const columns = new Int32Array(size)
  const [x, y, z] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  return {
    count: 0,
    columns,
    rows: [x, y, z],
    begin() {
      this.count = 0
    },
    put(column, dx, dy, dz) {
      columns[this.count] = column
      x[this.count] = dx
      y[this.count] = dy
      z[this.count] = dz
      this.count += 1
    },
  }
}

/** The root's place, then −[P_j − P_k]× · G_parent(k) for every ancestor k. */
function addPoseColumns(
  scratch: Scratch,
  { parents }: BodyModel,
  { frames, places }: PosedBody,
  columnOf: Int32Array,
  joint: number,
): void {
  scratch.put(0, 1, 0, 0)
  scratch.put(1, 0, 1, 0)
  scratch.put(2, 0, 0, 1)
  for (let k = at(parents, joint); k >= 0; k = at(parents, k)) {
    const x = at(places, joint * 3) - at(places, k * 3)
    const y = at(places, joint * 3 + 1) - at(places, k * 3 + 1)
    const z = at(places, joint * 3 + 2) - at(places, k * 3 + 2)
    const above = at(parents, k) * 9
    for (let axis = 0; axis < 3; axis++) {
      const gx = above < 0 ? Number(axis === 0) : at(frames, above + axis)
      const gy = above < 0 ? Number(axis === 1) : at(frames, above + 3 + axis)
      const gz = above < 0 ? Number(axis === 2) : at(frames, above + 6 + axis)
      scratch.put(at(columnOf, k) + axis, gy * z - gz * y, gz * x - gx * z, gx * y - gy * x)
    }
  }
}

function addShapeColumns(
  scratch: Scratch,
  slopes: Float64Array,
  shapes: number,
  joint: number,
  from: number,
): void {
  for (let shape = 0; shape < shapes; shape++) {
    const row = joint * 3 * shapes + shape
    scratch.put(from + shape, at(slopes, row), at(slopes, row + shapes), at(slopes, row + 2 * shapes))
  }
}

function accumulate(
  { normal, right, size }: Equations,
  { count, columns, rows }: Scratch,
  places: Float64Array,
  seen: SeenJoints,
  joint: number,
): void {
  const off = distanceTo(places, seen, joint)
  const weight = off <= HUBER_M ? 1 : HUBER_M / off
  rows.forEach((row, axis) => {
    const missing = at(seen, joint * 3 + axis) - at(places, joint * 3 + axis)
    for (let i = 0; i < count; i++) {
      const scaled = weight * at(row, i)
      if (scaled === 0) continue
      const column = at(columns, i)
      right[column] = at(right, column) + scaled * missing
      const line = column * size
      for (let j = 0; j < count; j++) {
        const cell = line + at(columns, j)
        normal[cell] = at(normal, cell) + scaled * at(row, j)
      }
    }
  })
}

function addPrior(
  { normal, right, size }: Equations,
  { turns }: Pose,
  movable: readonly number[],
  columnOf: Int32Array,
  noiseM: number,
): void {
  for (const joint of movable) {
    const cost = turnCost(joint, noiseM)
    const column = at(columnOf, joint)
    vectorOf(turns, joint * 9).forEach((value, axis) => {
      const diagonal = (column + axis) * (size + 1)
      normal[diagonal] = at(normal, diagonal) + cost
      right[column + axis] = at(right, column + axis) - cost * value
    })
  }
  for (let i = 0; i < size; i++) normal[i * (size + 1)] = at(normal, i * (size + 1)) + FLOOR
}
