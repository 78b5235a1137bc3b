/** HTTP of a camera's calibration: set from tapped points or a known map, shown with its error, dismissed and removed. */
import { type Static, Type } from 'typebox'
import type { PitchPoint } from '../../../models/vision/calibrate/homography.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type Calibration, type Calibrations, notCalibrated } from './calibrations.ts'
import { changeableCamera, type LiveCameras, seenCamera } from './cameras.ts'

export interface CalibrationRoutesDeps {
  calibrations: Calibrations
  cameras: LiveCameras
  now: () => number
}

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const TAGS = ['cameras']
const closed = { additionalProperties: false }
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const Place = Type.Object({ x: Type.Number(), y: Type.Number() }, closed)
const Params = Type.Object({ cameraId: Id }, closed)
const Nothing = Type.Object({}, closed)
const Pixels = Type.Integer({ minimum: 16, maximum: 16_384 })
const Metres = Type.Number({ minimum: 2, maximum: 300 })
const Pitch = Type.Object({ length: Metres, width: Metres }, closed)

const Wanted = Type.Object(
  {
    points: Type.Optional(
      Type.Array(Type.Object({ pixel: Place, metres: Place }, closed), {
        maxItems: 40,
        description:
          'At least four: where a spot of the pitch is in the picture, and where on the pitch in metres',
      }),
    ),
    homography: Type.Optional(
      Type.Array(Type.Number(), {
        minItems: 9,
        maxItems: 9,
        description: 'Instead of points: the map from metres to pixels, 3 × 3, row by row',
      }),
    ),
    /** Of the picture that pixels are measured in. */
    width: Pixels,
    height: Pixels,
    pitch: Type.Optional(Pitch),
  },
  closed,
)
const Shown = Type.Object(
  {
    camera_id: Id,
    width: Pixels,
    height: Pixels,
    pitch: Pitch,
    points: Type.Array(
      Type.Object(
        {
          pixel: Place,
          metres: Place,
          error_px: Type.Number(),
          error_m: orNull(Type.Number()),
          /** False: it contradicts the others and was left out. */
          used: Type.Boolean(),
        },
        closed,
      ),
    ),
    reprojection_error_px: Type.Number(),
    reprojection_error_m: Type.Number(),
    /** The map from metres to pixels, 3 × 3, row by row. */
    homography: Type.Array(Type.Number()),
    /** Since when no metres are given because the camera stands differently. */
    moved_at: orNull(Timestamp),
    created_at: Timestamp,
  },
  closed,
)
/** A full football pitch. */
const PITCH = { length: 105, width: 68 }

export function calibrationRoutes(http: Http, { calibrations, cameras, now }: CalibrationRoutesDeps): void {
  http.get(
    '/cameras/:cameraId/calibration',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'How a camera is calibrated',
        params: Params,
        response: { 200: Ok(Shown) },
      },
    },
    async ({ actor, params: { cameraId } }) => {
      seenCamera(cameras, actor, cameraId, now())
      const calibration = calibrations.get(cameraId)
      if (!calibration) throw notCalibrated()
      return ok(now(), shown(calibration))
    },
  )
  http.put(
    '/cameras/:cameraId/calibration',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Calibrate a camera; answers how far off each point is',
        params: Params,
        body: Wanted,
        response: { 200: Ok(Shown) },
      },
    },
    async ({ actor, params: { cameraId }, body }) => {
      changeableCamera(cameras, actor, cameraId, now())
      const { width, height, pitch = PITCH } = body
      const draft = { points: pointsIn(body, pitch), width, height, pitch }
      return ok(now(), shown(await calibrations.set(cameraId, draft, cameras.luma(cameraId))))
    },
  )
  http.post(
    '/cameras/:cameraId/calibration/dismiss',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'The camera did not move, or was put back: metres are given again',
        params: Params,
        response: { 200: Ok(Shown) },
      },
    },
    async ({ actor, params: { cameraId } }) => {
      changeableCamera(cameras, actor, cameraId, now())
      return ok(now(), shown(await calibrations.dismiss(cameraId, cameras.luma(cameraId))))
    },
  )
  http.delete(
    '/cameras/:cameraId/calibration',
    {
      config: { policy: USERS },
      schema: { tags: TAGS, summary: 'Forget a calibration', params: Params, response: { 200: Ok(Nothing) } },
    },
    async ({ actor, params: { cameraId } }) => {
      changeableCamera(cameras, actor, cameraId, now())
      await calibrations.remove(cameraId)
      return ok(now(), {})
    },
  )
}

function pointsIn(
  { points, homography, width, height }: Static<typeof Wanted>,
  pitch: Static<typeof Pitch>,
): PitchPoint[] {
  if ((points === undefined) === (homography === undefined))
    throw new HubError('VALIDATION_ERROR', 'Send either points or a homography.', {
      details: [{ path: 'points', message: 'either this or homography' }],
    })
  if (homography !== undefined) return mapped(homography, { width, height, pitch })
  const outside = (points ?? []).findIndex(({ pixel: { x, y } }) => x < 0 || y < 0 || x > width || y > height)
  if (outside >= 0)
    throw new HubError('VALIDATION_ERROR', `Point ${outside + 1} lies outside of the picture.`, {
      details: [{ path: `points[${outside}].pixel`, message: 'lies outside of the picture' }],
    })
  const far = (points ?? []).findIndex(({ metres }) => isFarOff(metres, pitch))
  if (far >= 0)
    throw new HubError(
      'VALIDATION_ERROR',
      `Point ${far + 1} lies far off a pitch of ${pitch.length} × ${pitch.width} m. Say where it is in metres, or send the size of the pitch.`,
      { details: [{ path: `points[${far}].metres`, message: 'lies far off the pitch' }] },
    )
  return points ?? []
}

/** Posts, dugouts and fences around a pitch are spots as good as its corners. */
const AROUND_M = 50

function isFarOff({ x, y }: { x: number; y: number }, { length, width }: Static<typeof Pitch>): boolean {
  return x < -AROUND_M || y < -AROUND_M || x > length + AROUND_M || y > width + AROUND_M
}

/** Spots of the pitch, in steps of an eighth, that a known map puts into the picture. */
function mapped(
  map: readonly number[],
  { width, height, pitch }: { width: number; height: number; pitch: Static<typeof Pitch> },
): PitchPoint[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = map
  const spots = Array.from({ length: 81 }, (_, at) => ({
    x: ((at % 9) * pitch.length) / 8,
    y: (Math.floor(at / 9) * pitch.width) / 8,
  }))
  const seen = spots.flatMap((metres): PitchPoint[] => {
    const { x, y } = metres
    const depth = g * x + h * y + i
    const pixel = { x: (a * x + b * y + c) / depth, y: (d * x + e * y + f) / depth }
    const inside = pixel.x >= 0 && pixel.y >= 0 && pixel.x <= width && pixel.y <= height
    return inside && depth * i >= 0 ? [{ pixel, metres }] : []
  })
  if (seen.length < 4)
    throw new HubError('UNCALIBRATED', 'This homography puts no part of the pitch into the picture.')
  const step = Math.ceil(seen.length / 40)
  return seen.filter((_, index) => index % step === 0)
}

function shown(calibration: Calibration): Static<typeof Shown> {
  const { cameraId, width, height, pitch, points, movedAtMs, createdAtMs } = calibration
  return {
    ...{ camera_id: cameraId, width, height, pitch },
    points: points.map(({ pixel, metres, errorPx, errorM, used }) => ({
      ...{ pixel, metres, used },
      error_px: hundredths(errorPx),
      error_m: errorM === null ? null : hundredths(errorM),
    })),
    reprojection_error_px: hundredths(calibration.rmsPx),
    reprojection_error_m: hundredths(calibration.rmsM),
    homography: matrixOf(calibration),
    moved_at: movedAtMs === null ? null : iso(movedAtMs),
    created_at: iso(createdAtMs),
  }
}

/** The map between plain metres and pixels, out of the one between scaled coordinates. */
function matrixOf({ homography: { map, plane, image } }: Calibration): number[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = map
  const s = plane.scale
  const from = [a * s, b * s, c - s * (a * plane.x + b * plane.y)]
  const to = [d * s, e * s, f - s * (d * plane.x + e * plane.y)]
  const depth = [g * s, h * s, 1 - s * (g * plane.x + h * plane.y)]
  const rows = [
    from.map((value, at) => value / image.scale + image.x * (depth[at] ?? 0)),
    to.map((value, at) => value / image.scale + image.y * (depth[at] ?? 0)),
    depth,
  ]
  return rows.flat()
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
