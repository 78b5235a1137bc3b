/** Simulated cameras that do not share a thread with whoever measures: what they send must not delay what the watches and phones hear. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface Elsewhere {
  urls: readonly string[]
  stop(): Promise<void>
}

/** What the thread is told to serve. */
export interface Served {
  file: string
  count: number
}

/** Serves a video file without end as so many RTSP cameras. */
export async function serveElsewhere(served: Served): Promise<Elsewhere> {
  const thread = new Worker(new URL('./cameras-elsewhere-thread.js', import.meta.url), { workerData: served })
  const [urls] = (await once(thread, 'message')) as [string[]]
  return { urls, stop: async () => void (await thread.terminate()) }
}
