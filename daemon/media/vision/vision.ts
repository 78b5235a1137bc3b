/** Looks at the newest picture of every attached camera whenever an inference process is free: nothing waits, cameras take turns. */
import type { InstalledModel } from '../../../models/catalogue.ts'
import type { Inference } from '../../../models/inference.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { FrameRing } from '../frames.ts'
import { createLooker, type Looker } from './looker.ts'
import type { VisionResult, VisionState } from './result.ts'
import { createTimings } from './statistics.ts'

export interface Vision {
  /** Begins to look at a camera; the returned function ends it. A camera is attached once at a time. */
  attach(camera: { id: string; ring: FrameRing }): () => void
  /** Tells a result that was not found here, such as a phone's own. */
  admit(result: VisionResult): void
  /** Told each result, in the order of the camera's pictures; the returned function ends it. */
  onResult(listener: (result: VisionResult) => void): () => void
  /** Null when the camera is not attached. */
  state(cameraId: string): VisionState | null
  /** Reads anew which models are installed. */
  reload(): Promise<void>
  /** Ends every look and waits for those that run; the inference processes stay the caller's. */
  stop(): Promise<void>
}

export interface VisionDeps {
  /** One for each thread; a second one pays from four processor cores on. */
  inference: readonly Pick<Inference, 'run'>[]
  /** What is installed now. */
  models: () => Promise<readonly InstalledModel[]>
  /** First identity that was never given to anybody on this camera. */
  firstTrackId: (cameraId: string) => number
  clock: Clock
  log: Log
  /** No camera is looked at more often than this: skeletons go out at most 15 times a second. */
  mostFps?: number
}

/** How many inference processes a box with this many processor cores has. */
export function inferenceThreads(cores: number): number {
  return cores >= 4 ? 2 : 1
}

const MOST_FPS = 15
/** How often costs are weighed and installed models looked for. */
const WEIGH_MS = 1000
const RELOAD_MS = 15_000

export function createVision(deps: VisionDeps): Vision {
  const { clock, log, mostFps = MOST_FPS } = deps
  const lookers = new Map<string, Looker>()
  const listeners = new Set<(result: VisionResult) => void>()
  const threads = deps.inference.map((inference) => ({ inference, job: null as Promise<void> | null }))
  const timings = createTimings()
  let models: readonly InstalledModel[] | null = null
  let turn = 0
  let stopped = false
  let reloading: Promise<void> | null = null

  function tell(result: VisionResult): void {
    for (const listener of listeners) {
      try {
        listener(result)
      } catch (cause) {
        log.error({ err: cause }, 'a listener of vision results failed')
      }
    }
  }

  /** Gives free threads the cameras that waited longest and have something new. */
  function pump(): void {
    for (const thread of threads) {
      if (thread.job !== null || stopped) continue
      const ready = [...lookers.values()].filter((looker) => looker.isReady())
      const [next] = ready.sort((a, b) => a.lastTurn() - b.lastTurn())
      if (next === undefined) return
      turn++
      thread.job = next.look(thread.inference, turn).finally(() => {
        thread.job = null
        // After this turn of the event loop, so that whoever holds the thread lets others speak.
        setImmediate(pump)
      })
    }
  }

  function reload(): Promise<void> {
    reloading ??= readModels().finally(() => {
      reloading = null
    })
    return reloading
  }

  async function readModels(): Promise<void> {
    try {
      models = await deps.models()
      for (const looker of lookers.values()) looker.install(models)
      pump()
    } catch (cause) {
      log.error({ reason: messageOf(cause) }, 'the installed models could not be read')
    }
  }

  const stopWeighing = clock.every(WEIGH_MS, () => {
    const sharing = lookers.size / Math.max(1, threads.length)
    for (const looker of lookers.values()) looker.weigh(sharing)
    pump()
  })
  const stopReloading = clock.every(RELOAD_MS, () => {
    if (lookers.size > 0) void reload()
  })

  return {
    attach({ id, ring }) {
      if (lookers.has(id)) throw new Error(`camera ${id} is attached already`)
      const looker = createLooker({
        cameraId: id,
        ring,
        timings,
        firstTrackId: deps.firstTrackId(id),
        clock,
        log: log.child({ camera: id }),
        mostFps,
        onResult: tell,
      })
      lookers.set(id, looker)
      if (models !== null) looker.install(models)
      else void reload()
      const stopHearing = ring.onFrame(pump)
      pump()
      return () => {
        stopHearing()
        looker.close()
        if (lookers.get(id) === looker) lookers.delete(id)
      }
    },
    admit: tell,
    onResult(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    state: (cameraId) => lookers.get(cameraId)?.state() ?? null,
    reload,
    async stop() {
      stopped = true
      stopWeighing()
      stopReloading()
      for (const looker of lookers.values()) looker.close()
      await Promise.all(threads.map(({ job }) => job))
    },
  }
}
