/** Calibrated cameras of a rig: how a point in the room becomes a pixel. */
import { at } from '../numeric/dense.ts'
import { rotationOf } from '../numeric/rotation.ts'
import { UnreadableInput } from '../unreadable.ts'
import { parseToml, type TomlTable, type TomlValue } from './toml.ts'

export interface Camera {
  name: string
  /** 3 × 4, row-major: room in metres to homogeneous pixels, without lens distortion. */
  projection: Float64Array
  focal: { x: number; y: number }
  centre: { x: number; y: number }
  /** k1, k2, p1, p2 of Brown's model. */
  distortion: readonly [number, number, number, number]
}

export interface Pixel {
  x: number
  y: number
}

/** More than these would make trying every subset of cameras too slow. */
const MAX_CAMERAS = 12

/**
 * Cameras of a Pose2Sim calibration file (tables with `matrix`, `rotation` as a Rodrigues vector, `translation` in metres,
 * `distortions`), in file order. Throws UnreadableInput naming the camera.
 */
export function parseCalibration(text: string): Camera[] {
  const cameras = [...parseToml(text)]
    .filter(([, table]) => table.has('matrix'))
    .map(([key, table]) => cameraOf(key, table))
  if (cameras.length < 2)
    throw new UnreadableInput(
      'A calibration needs two or more cameras with matrix, rotation and translation.',
    )
  if (cameras.length > MAX_CAMERAS)
    throw new UnreadableInput(`A rig has at most ${MAX_CAMERAS} cameras, this one has ${cameras.length}.`)
  return cameras
}

function cameraOf(key: string, table: TomlTable): Camera {
  const name = table.get('name')
  if (table.get('fisheye') === true)
    throw new UnreadableInput(`Camera ${key} is a fisheye; calibrate it with the pinhole model.`)
  const intrinsic = numbers(key, table, 'matrix', 9)
  const [rx = 0, ry = 0, rz = 0] = numbers(key, table, 'rotation', 3)
  const rotation = rotationOf(rx, ry, rz)
  const translation = numbers(key, table, 'translation', 3)
  const [k1 = 0, k2 = 0, p1 = 0, p2 = 0] = table.has('distortions')
    ? numbers(key, table, 'distortions', 4)
    : []
  const projection = new Float64Array(12)
  for (let row = 0; row < 3; row++)
    for (let col = 0; col < 4; col++)
      for (let k = 0; k < 3; k++) {
        const pose = col < 3 ? at(rotation, k * 3 + col) : at(translation, k)
        projection[row * 4 + col] = at(projection, row * 4 + col) + at(intrinsic, row * 3 + k) * pose
      }
  return {
    name: typeof name === 'string' ? name : key,
    projection,
    focal: { x: at(intrinsic, 0), y: at(intrinsic, 4) },
    centre: { x: at(intrinsic, 2), y: at(intrinsic, 5) },
    distortion: [k1, k2, p1, p2],
  }
}

/** Extra numbers (a third radial coefficient) are not spoken here. */
function numbers(key: string, table: TomlTable, field: string, count: number): number[] {
  const flat = (value: TomlValue | undefined): TomlValue[] =>
    Array.isArray(value) ? value.flatMap(flat) : value === undefined ? [] : [value]
  const values = flat(table.get(field)).filter((value) => typeof value === 'number')
  if (values.length < count || !values.every(Number.isFinite))
    throw new UnreadableInput(`Camera ${key} needs ${count} numbers in ${field}.`)
  return values.slice(0, count)
}

/** Where a point in the room is seen; not finite in the camera's own plane. */
export function projectPoint({ projection: p }: Camera, x: number, y: number, z: number): Pixel {
  const depth = at(p, 8) * x + at(p, 9) * y + at(p, 10) * z + at(p, 11)
  return {
    x: (at(p, 0) * x + at(p, 1) * y + at(p, 2) * z + at(p, 3)) / depth,
    y: (at(p, 4) * x + at(p, 5) * y + at(p, 6) * z + at(p, 7)) / depth,
  }
}

const UNDISTORT_ROUNDS = 10

/** Where the pixel would be without lens distortion: Brown's model, inverted by fixed-point iteration. */
export function undistort(camera: Camera, pixel: Pixel): Pixel {
  const { focal, centre, distortion } = camera
  const [k1, k2, p1, p2] = distortion
  const bent = { x: (pixel.x - centre.x) / focal.x, y: (pixel.y - centre.y) / focal.y }
  let { x, y } = bent
  for (let round = 0; round < UNDISTORT_ROUNDS; round++) {
    const square = x * x + y * y
    const radial = 1 + k1 * square + k2 * square * square
    const sideways = {
      x: 2 * p1 * x * y + p2 * (square + 2 * x * x),
      y: p1 * (square + 2 * y * y) + 2 * p2 * x * y,
    }
    x = (bent.x - sideways.x) / radial
    y = (bent.y - sideways.y) / radial
  }
  return { x: x * focal.x + centre.x, y: y * focal.y + centre.y }
}
