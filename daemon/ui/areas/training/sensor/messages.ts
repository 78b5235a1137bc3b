/** What the page and the worker that looks say to each other. */
export type ToWorker =
  | { kind: 'open'; loader: string; wasm: string; task: string }
  | { kind: 'look'; picture: ImageBitmap; atMs: number }

export interface LandmarkFrame {
  /** By this phone's clock. */
  at: number
  /** x, y, z in pixels and how surely it is seen, of BlazePose's 33. */
  people: number[][][]
}

export interface SeenHere {
  frame: LandmarkFrame
  width: number
  height: number
  tookMs: number
}

export type FromWorker = { kind: 'ready' } | { kind: 'failed'; why: string } | ({ kind: 'seen' } & SeenHere)
