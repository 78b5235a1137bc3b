/** Thread entry for inference: does one job after the other, and answers each with its result and what it took. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Reply, Request, WorkerOptions } from './inference.ts'
import { type Job, work } from './jobs.ts'
import { type LoadedRuntime, loadRuntime } from './runtime.ts'
import { createSessions, openOnnx } from './session.ts'
import { standBack } from './stand-back.ts'
import { UnreadableInput } from './vision/unreadable.ts'

standBack()

const { runtime: folder = '' } = (workerData ?? {}) as WorkerOptions
let loading: Promise<LoadedRuntime> | null = null

/** With the first model: a thread that looks at nothing loads nothing. */
async function load(): Promise<LoadedRuntime> {
  const loaded = await loadRuntime(folder)
  const { providers, problem } = loaded
  parentPort?.postMessage({ runtime: { providers, problem } } satisfies Reply)
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

async function answer({ id, job }: { id: number; job: Job }): Promise<Reply> {
  const began = performance.now()
  let modelMs = 0
  const runs: Record<string, number> = {}
  try {
    const result = await work(job, async (file, input) => {
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

let turn: Promise<void> = Promise.resolve()
parentPort?.on('message', (request: Request) => {
  turn = turn.then(async () => {
    if (request.kind === 'job') parentPort?.postMessage(await answer(request))
    else {
      await sessions.close()
      parentPort?.postMessage({ closed: true } satisfies Reply)
      parentPort?.close()
    }
  })
})
