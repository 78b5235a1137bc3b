/**
 * Constant-velocity Kalman filter of a box (centre, aspect ratio, height), as in SORT, DeepSORT and ByteTrack. The published
 * filter has eight states, but its noise is diagonal and each position moves only with its own velocity, so its covariance is
 * four independent 2 × 2 blocks: the same numbers for a fraction of the work.
 */
import type { Box } from '../boxes.ts'

/** One coordinate with its velocity per frame and their covariance. */
interface Axis {
  at: number
  velocity: number
  varAt: number
  covariance: number
  varVelocity: number
}

export interface Motion {
  centreX: Axis
  centreY: Axis
  /** Width over height. */
  aspect: Axis
  height: Axis
}

// Noise of ByteTrack's kalman_filter.py (from DeepSORT, Wojke et al. 2017): shares of the height, absolute for the aspect ratio.
const POSITION_SHARE = 1 / 20
const VELOCITY_SHARE = 1 / 160
const ASPECT_SD = 1e-2
const ASPECT_VELOCITY_SD = 1e-5
const ASPECT_MEASURED_SD = 1e-1
/** A new track knows nothing of its velocity. */
const START_POSITION_FACTOR = 2
const START_VELOCITY_FACTOR = 10

export function startMotion(box: Box): Motion {
  const positionSd = START_POSITION_FACTOR * POSITION_SHARE * box.h
  const velocitySd = START_VELOCITY_FACTOR * VELOCITY_SHARE * box.h
  return {
    centreX: startAxis(box.x + box.w / 2, positionSd, velocitySd),
    centreY: startAxis(box.y + box.h / 2, positionSd, velocitySd),
    aspect: startAxis(box.w / box.h, ASPECT_SD, ASPECT_VELOCITY_SD),
    height: startAxis(box.h, positionSd, velocitySd),
  }
}

/** Moves the filter one frame on. */
export function predictMotion(motion: Motion): void {
  const positionSd = POSITION_SHARE * motion.height.at
  const velocitySd = VELOCITY_SHARE * motion.height.at
  predictAxis(motion.centreX, positionSd, velocitySd)
  predictAxis(motion.centreY, positionSd, velocitySd)
  predictAxis(motion.aspect, ASPECT_SD, ASPECT_VELOCITY_SD)
  predictAxis(motion.height, positionSd, velocitySd)
}

/** A lost track must not go on growing or shrinking. */
export function holdHeight(motion: Motion): void {
  motion.height.velocity = 0
}

export function updateMotion(motion: Motion, box: Box): void {
  const measuredSd = POSITION_SHARE * motion.height.at
  updateAxis(motion.centreX, box.x + box.w / 2, measuredSd)
  updateAxis(motion.centreY, box.y + box.h / 2, measuredSd)
  updateAxis(motion.aspect, box.w / box.h, ASPECT_MEASURED_SD)
  updateAxis(motion.height, box.h, measuredSd)
}

export function boxOfMotion({ centreX, centreY, aspect, height }: Motion): Box {
  const w = aspect.at * height.at
  return { x: centreX.at - w / 2, y: centreY.at - height.at / 2, w, h: height.at }
}

function startAxis(at: number, positionSd: number, velocitySd: number): Axis {
  return { at, velocity: 0, varAt: positionSd ** 2, covariance: 0, varVelocity: velocitySd ** 2 }
}

function predictAxis(axis: Axis, positionSd: number, velocitySd: number): void {
  axis.at += axis.velocity
  axis.varAt += 2 * axis.covariance + axis.varVelocity + positionSd * positionSd
  axis.covariance += axis.varVelocity
  axis.varVelocity += velocitySd * velocitySd
}

function updateAxis(axis: Axis, measured: number, measuredSd: number): void {
  const spread = axis.varAt + measuredSd * measuredSd
  const gainAt = axis.varAt / spread
  const gainVelocity = axis.covariance / spread
  const surprise = measured - axis.at
  axis.at += gainAt * surprise
  axis.velocity += gainVelocity * surprise
  axis.varVelocity -= gainVelocity * axis.covariance
  axis.covariance -= gainAt * axis.covariance
  axis.varAt -= gainAt * axis.varAt
}
