/** What the hub answers about a camera's calibration; names are the API's. */
export interface Place {
  x: number
  y: number
}

export interface CalibratedPoint {
  pixel: Place
  metres: Place
  error_px: number
  /** Null at the horizon. */
  error_m: number | null
  /** False: it contradicts the others and was left out. */
  used: boolean
}

export interface Calibration {
  width: number
  height: number
  pitch: { length: number; width: number }
  points: CalibratedPoint[]
  reprojection_error_px: number
  reprojection_error_m: number
  moved_at: string | null
}
