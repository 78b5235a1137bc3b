/** Puts vision together: models, inference processes, what is told live and what is kept. */
import { availableParallelism } from 'node:os'
import { modelFolders } from '../../models/catalogue.ts'
import { createInference } from '../../models/inference.ts'
import { createShelf } from '../../models/shelf.ts'
import type { Actor } from '../domain/access.ts'
import type { Jobs } from '../features/jobs/jobs.ts'
import { createVisionFeature, PULL_MODELS, pullModels } from '../features/vision/vision.ts'
import type { House } from '../house.ts'
import { ensurePrivateFolder, writeFileAtomic } from '../kernel/atomic-file.ts'
import type { Live } from '../live/live.ts'
import type { FrameRing } from '../media/frames.ts'
import { publishPoses } from '../media/vision/pose-event.ts'
import { createVision, inferenceThreads } from '../media/vision/vision.ts'
import { forgetMovement } from '../store/movement/reading.ts'
import { createMovementRecorder } from '../store/movement/recorder.ts'
import { createRetentionSetting } from '../store/retention-limits.ts'

export type HubVision = ReturnType<typeof openVision>

interface Neighbours {
  jobs: Jobs
  live: Live
  /** Whether the actor may see a camera's pictures; false for one that does not exist. */
  maySeeCamera: (actor: Actor, cameraId: string) => boolean
}

const FORGET_MOVEMENT = 'forget-movement'

/** No model is loaded before a camera is attached. */
export function openVision(house: House, { jobs, live, maySeeCamera }: Neighbours) {
  const { store, clock, log, dataDir, config } = house
  const shelf = createShelf({
    folders: modelFolders(dataDir),
    ensureFolder: ensurePrivateFolder,
    write: writeFileAtomic,
    fetch: globalThis.fetch,
    now: clock.now,
  })
  const threads = Array.from({ length: inferenceThreads(availableParallelism()) }, () =>
    createInference({
      runtime: config.models.runtime,
      onRuntime({ providers, problem }) {
        if (problem !== null) log.warn({ reason: problem }, 'models run on the processor')
        else log.info({ providers }, 'models are loaded')
      },
    }),
  )
  const recorder = createMovementRecorder({ store, clock, log: log.child({ part: 'movement' }) })
  const vision = createVision({
    inference: threads,
    models: async () => (await shelf.read()).models,
    firstTrackId: recorder.firstTrackId,
    clock,
    log: log.child({ part: 'vision' }),
  })
  const stopRecording = vision.onResult(recorder.add)
  const stopTelling = publishPoses(vision, live.publishBinary)
  jobs.handle(PULL_MODELS, {
    queue: 'low',
    maxAttempts: 1,
    async run({ job, progress }) {
      const result = await pullModels(shelf, job.payload, progress)
      await vision.reload()
      return { result }
    },
  })
  const retention = createRetentionSetting(store)
  jobs.handle(FORGET_MOVEMENT, {
    queue: 'low',
    async run() {
      const keptMs = retention.read().movement_days * 86_400_000
      return { result: { rows: await forgetMovement(store, clock.now() - keptMs) } }
    },
  })
  jobs.schedule({ kind: FORGET_MOVEMENT, cron: '40 3 * * *' })
  const feature = createVisionFeature({
    store,
    now: clock.now,
    shelf,
    maySeeCamera,
    submit: jobs.submit,
    start: recorder.start,
    async stop() {
      await vision.stop()
      stopTelling()
      stopRecording()
      await recorder.flush()
      await Promise.all(threads.map((thread) => thread.close()))
    },
  })
  return {
    feature,
    state: vision.state,
    onResult: vision.onResult,
    /** Takes what a phone saw by itself as if a model of the hub had seen it. */
    admit: vision.admit,
    firstTrackId: recorder.firstTrackId,
    /** Looks at a camera until the returned function ends it; then what it saw is on its way to the disk. */
    attach(camera: { id: string; ring: FrameRing }): () => void {
      const detach = vision.attach(camera)
      return () => {
        detach()
        void recorder.flush(camera.id)
      }
    },
    /** Puts what one camera or all of them saw until now on the disk. */
    flush: (cameraId?: string) => recorder.flush(cameraId),
    stats: () => ({ ...recorder.stats(), threads: threads.map((thread) => thread.state()) }),
  }
}
