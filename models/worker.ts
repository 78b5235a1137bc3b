/** Entry of the models' process: does one job after the other, and answers each with its result and what it took. */
import { PICTURES, type Reply, type Request } from './inference.ts'
import { type Job, work } from './jobs.ts'
import { createPictureReader, type Place } from './picture-file.ts'
import { type LoadedRuntime, loadRuntime } from './runtime.ts'
import { createSessions, openOnnx } from './session.ts'
import { standBack } from './stand-back.ts'
import { UnreadableInput } from './vision/unreadable.ts'

standBack()

/** The folder of the ONNX Runtime, empty for the packaged one. */
const [, , folder = ''] = process.argv
const pictureAt = createPictureReader(PICTURES)
let loading: Promise<LoadedRuntime> | null = null

/** With the first model: a process that looks at nothing loads nothing. */
async function load(): Promise<LoadedRuntime> {
  const loaded = await loadRuntime(folder)
  const { providers, problem } = loaded
  reply({ runtime: { providers, problem } })
  return loaded
}

const sessions = createSessions({
  open: async (file) => {
    loading ??= load()
    return openOnnx(file, undefined, await loading)
  },
  clock: {
    monotonic: () => performance.now(),
    every(ms, fn) {
      const timer = setInterval(fn, ms)
      return () => clearInterval(timer)
    },
  },
})

async function answer({ id, job, place }: { id: number; job: Job; place: Place }): Promise<Reply> {
  const began = performance.now()
  let modelMs = 0
  const runs: Record<string, number> = {}
  try {
    const picture = { ...job.picture, data: pictureAt(place) }
    const result = await work({ ...job, picture }, async (file, input) => {
      const asked = performance.now()
      const outputs = await sessions.run(file, input)
      modelMs += performance.now() - asked
      runs[file.name] = (runs[file.name] ?? 0) + 1
      return outputs
    })
    return {
      id,
      result,
      tookMs: { total: performance.now() - began, model: modelMs, runs },
      loaded: sessions.loaded(),
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return { id, failed: { message, unreadable: cause instanceof UnreadableInput } }
  }
}

function reply(message: Reply): void {
  process.send?.(message)
}

let turn: Promise<void> = Promise.resolve()
// Only the hub writes here: its own messages need no second check.
process.on('message', (request) => {
  const asked = request as Request
  turn = turn.then(async () => {
    if (asked.kind === 'job') return reply(await answer(asked))
    await sessions.close()
    // Sends what is still to be sent first.
    process.disconnect?.()
  })
})
// Without the hub there is nothing to look for; with it, the hub says when it ends, whatever its service manager tells everybody.
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => {})
process.on('SIGINT', () => {})
