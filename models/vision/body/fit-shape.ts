/** The shape numbers of one body from many frames of it: they are shared, because one frame cannot tell length from pose. */
import { at, solveCholesky } from '../numeric/dense.ts'
import { type BodyModel, distance, restJoints } from './body-model.ts'
import { movableJoints, poseEquations } from './equations.ts'
import type { PoseFit } from './fit-pose.ts'
import { type PosedBody, turned } from './pose.ts'
import type { SeenJoints } from './start-pose.ts'

const LENGTH_ROUNDS = 8
/**
 * A first guess from the median length of every bone that was seen, by Gauss–Newton. `prior` (m²) pulls each shape number, which
 * varies by about 1 among people, to 0.
 */
export function shapeFromLengths(
  model: BodyModel,
  frames: readonly SeenJoints[],
  prior: number,
): Float64Array {
  const { joints, parents, shapes, byShape } = model
  const lengths = Array.from({ length: joints }, (_, joint) =>
    medianLength(frames, joint, at(parents, joint)),
  )
  let beta: Float64Array = new Float64Array(shapes)
  for (let round = 0; round < LENGTH_ROUNDS; round++) {
    const rest = restJoints(model, beta)
    const equations = createEquations(shapes)
    lengths.forEach((seen, joint) => {
      const parent = at(parents, joint)
      const now = parent < 0 ? 0 : distance(rest, joint, parent)
      if (seen === null || now === 0) return
      const row = Array.from({ length: shapes }, (_, shape) => {
        let sum = 0
        for (let axis = 0; axis < 3; axis++) {
          const along = (at(rest, joint * 3 + axis) - at(rest, parent * 3 + axis)) / now
          sum += along * boneByShape(byShape, shapes, joint, parent, axis, shape)
        }
        return sum
      })
      equations.add(row, seen - now + row.reduce((sum, value, shape) => sum + value * at(beta, shape), 0))
    })
    beta = equations.solve(prior)
  }
  return beta
}

function medianLength(frames: readonly SeenJoints[], joint: number, parent: number): number | null {
  if (parent < 0) return null
  const lengths = frames
    .map((seen) => distance(seen, joint, parent))
    .filter((length) => !Number.isNaN(length))
  return lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? null
}

function boneByShape(
  byShape: Float64Array,
  shapes: number,
  joint: number,
  parent: number,
  axis: number,
  shape: number,
): number {
  return at(byShape, (joint * 3 + axis) * shapes + shape) - at(byShape, (parent * 3 + axis) * shapes + shape)
}

/** A frame with the pose that fits it best at the shape in hand. */
export interface FittedPose {
  seen: SeenJoints
  fit: PoseFit
}

/**
 * One Gauss–Newton step of shape with every pose following: the poses are eliminated from the joint normal equations frame by
 * frame (Schur complement), so that a few steps suffice where alternating pose and shape creeps. Shape numbers
 * vary by about 1 among people and are held near 0 accordingly.
 */
export function shapeStep(
  model: BodyModel,
  fitted: readonly FittedPose[],
  beta: Float64Array,
  noiseM: number,
): Float64Array {
  const movable = movableJoints(model)
  const equations = createEquations(model.shapes)
  for (const { seen, fit } of fitted) {
    const slopes = slopesOf(model, fit.body)
    const { normal, right, size } = poseEquations(model, fit.body, fit.pose, seen, movable, noiseM, slopes)
    eliminate(normal, right, size, size - model.shapes)
    equations.addBlock(normal, right, size)
  }
  equations.pullToZero(beta, noiseM ** 2)
  const step = equations.solve(noiseM ** 2)
  return beta.map((value, shape) => value + at(step, shape))
}

/** Gauss elimination of the first unknowns of a positive definite system; the last ones keep their own. */
function eliminate(normal: Float64Array, right: Float64Array, size: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const pivot = at(normal, k * size + k)
    for (let row = k + 1; row < size; row++) {
      const factor = at(normal, row * size + k) / pivot
      if (factor === 0) continue
      for (let col = k; col < size; col++)
        normal[row * size + col] = at(normal, row * size + col) - factor * at(normal, k * size + col)
      right[row] = at(right, row) - factor * at(right, k)
    }
  }
}

/** dP_j/dβ by the recursion of the forward kinematics: joints × 3 × shapes. */
function slopesOf({ joints, parents, shapes, byShape }: BodyModel, { frames }: PosedBody): Float64Array {
  const slopes = new Float64Array(joints * 3 * shapes)
  for (let joint = 0; joint < joints; joint++) {
    const parent = at(parents, joint)
    if (parent < 0) continue
    for (let shape = 0; shape < shapes; shape++) {
      const bone = [0, 1, 2].map((axis) => boneByShape(byShape, shapes, joint, parent, axis, shape))
      turned(frames, parent * 9, bone).forEach((value, axis) => {
        slopes[(joint * 3 + axis) * shapes + shape] = at(slopes, (parent * 3 + axis) * shapes + shape) + value
      })
    }
  }
  return slopes
}

function createEquations(unknowns: number) {
  const normal = new Float64Array(unknowns * unknowns)
  const right = new Float64Array(unknowns)
  return {
    add(row: readonly number[], wanted: number) {
      for (let i = 0; i < unknowns; i++) {
        right[i] = at(right, i) + at(row, i) * wanted
        for (let j = 0; j < unknowns; j++)
          normal[i * unknowns + j] = at(normal, i * unknowns + j) + at(row, i) * at(row, j)
      }
    },
    /** The last unknowns of a larger system. */
    addBlock(larger: Float64Array, largerRight: Float64Array, size: number) {
      const from = size - unknowns
      for (let i = 0; i < unknowns; i++) {
        right[i] = at(right, i) + at(largerRight, from + i)
        for (let j = 0; j < unknowns; j++)
          normal[i * unknowns + j] = at(normal, i * unknowns + j) + at(larger, (from + i) * size + from + j)
      }
    },
    pullToZero(values: Float64Array, prior: number) {
      for (let i = 0; i < unknowns; i++) right[i] = at(right, i) - prior * at(values, i)
    },
    /** The prior makes the system positive definite, so there is always a solution. */
    solve(prior: number): Float64Array {
      for (let i = 0; i < unknowns; i++) normal[i * unknowns + i] = at(normal, i * unknowns + i) + prior
      solveCholesky(normal, right, unknowns)
      return right
    },
  }
}
