/** Rotations as row-major 3 × 3 matrices inside larger arrays, and as vectors whose length is the angle. */
import { at } from './dense.ts'

/** Below this angle in radians the series is exact to double precision. */
const SMALL = 1e-6

/** Rodrigues' formula. */
export function rotationOf(x: number, y: number, z: number): Float64Array {
  const square = x * x + y * y + z * z
  const angle = Math.sqrt(square)
  const sine = angle < SMALL ? 1 - square / 6 : Math.sin(angle) / angle
  const rest = angle < SMALL ? 0.5 - square / 24 : (1 - Math.cos(angle)) / square
  return Float64Array.of(
    1 - rest * (y * y + z * z),
    rest * x * y - sine * z,
    rest * x * z + sine * y,
    rest * x * y + sine * z,
    1 - rest * (x * x + z * z),
    rest * y * z - sine * x,
    rest * x * z - sine * y,
    rest * y * z + sine * x,
    1 - rest * (x * x + y * y),
  )
}

/** The vector of the rotation that starts at `offset`; of the two for half a turn, either. */
export function vectorOf(matrices: Float64Array, offset: number): [number, number, number] {
  const m = (index: number) => at(matrices, offset + index)
  const x = m(7) - m(5)
  const y = m(2) - m(6)
  const z = m(3) - m(1)
  const sine = Math.hypot(x, y, z) / 2
  const cosine = (m(0) + m(4) + m(8) - 1) / 2
  const angle = Math.atan2(sine, cosine)
  if (sine > SMALL) return [(x * angle) / (2 * sine), (y * angle) / (2 * sine), (z * angle) / (2 * sine)]
  if (cosine > 0) return [x / 2, y / 2, z / 2]
  const axis = [m(0), m(4), m(8)].map((diagonal) => Math.sqrt(Math.max(0, (diagonal + 1) / 2)))
  const [ax = 0, ay = 0, az = 0] = axis
  if (ax >= ay && ax >= az) return [angle * ax, (angle * m(1)) / (2 * ax), (angle * m(2)) / (2 * ax)]
  if (ay >= az) return [(angle * m(1)) / (2 * ay), angle * ay, (angle * m(5)) / (2 * ay)]
  return [(angle * m(2)) / (2 * az), (angle * m(5)) / (2 * az), angle * az]
}

/** out[o…] = a[i…] · b[j…]; `out` may be `b` or `a` at the same offset. */
export function multiply(
  out: Float64Array,
  o: number,
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
): void {
  const product = new Float64Array(9)
  for (let row = 0; row < 3; row++)
    for (let col = 0; col < 3; col++)
      product[row * 3 + col] =
        at(a, i + row * 3) * at(b, j + col) +
        at(a, i + row * 3 + 1) * at(b, j + 3 + col) +
        at(a, i + row * 3 + 2) * at(b, j + 6 + col)
  out.set(product, o)
}

/** The smallest rotation that turns one direction into another. */
export function swing(from: readonly number[], to: readonly number[]): Float64Array {
  const [fx = 0, fy = 0, fz = 0] = from
  const [tx = 0, ty = 0, tz = 0] = to
  const lengths = Math.hypot(fx, fy, fz) * Math.hypot(tx, ty, tz)
  if (lengths === 0) return rotationOf(0, 0, 0)
  const [x, y, z] = [fy * tz - fz * ty, fz * tx - fx * tz, fx * ty - fy * tx]
  const sine = Math.hypot(x, y, z)
  const angle = Math.atan2(sine, fx * tx + fy * ty + fz * tz)
  if (sine > SMALL * lengths) return rotationOf((x * angle) / sine, (y * angle) / sine, (z * angle) / sine)
  if (angle < 1) return rotationOf(0, 0, 0)
  // Half a turn about any axis across.
  const [ax, ay, az] = Math.abs(fx) < Math.abs(fy) ? [0, fz, -fy] : [fz, 0, -fx]
  const across = Math.hypot(ax, ay, az)
  return rotationOf((Math.PI * ax) / across, (Math.PI * ay) / across, (Math.PI * az) / across)
}

/** Axes (as columns) with the third along `first` and the second square to it towards `second`; null when they are in line. */
export function axesOf(first: readonly number[], second: readonly number[]): Float64Array | null {
  const [ux = 0, uy = 0, uz = 0] = unit(first)
  const [sx = 0, sy = 0, sz = 0] = unit(second)
  const [nx, ny, nz] = [sy * uz - sz * uy, sz * ux - sx * uz, sx * uy - sy * ux]
  const length = Math.hypot(nx, ny, nz)
  if (length < 1e-3) return null
  const [x, y, z] = [nx / length, ny / length, nz / length]
  const [vx, vy, vz] = [uy * z - uz * y, uz * x - ux * z, ux * y - uy * x]
  return Float64Array.of(x, vx, ux, y, vy, uy, z, vz, uz)
}

function unit([x = 0, y = 0, z = 0]: readonly number[]): number[] {
  const length = Math.hypot(x, y, z)
  return length === 0 ? [0, 0, 0] : [x / length, y / length, z / length]
}

export function transposed(m: Float64Array): Float64Array {
  return Float64Array.from(m, (_, index) => at(m, (index % 3) * 3 + Math.floor(index / 3)))
}
