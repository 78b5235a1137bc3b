/** Waits for long work of the hub and says how far it is. */
import type { Api } from '../../net/api.ts'
import { ApiError } from '../../net/api.ts'
import type { Job } from './answers.ts'

const LOOK_MS = 700

/** Resolves with the result; rejects with the reason when it failed. */
export async function untilDone(
  api: Api,
  jobId: string,
  onProgress: (percent: number) => void,
): Promise<unknown> {
  for (;;) {
    const job = await api.get<Job>(`/jobs/${encodeURIComponent(jobId)}`)
    onProgress(Math.round(job.progress * 100))
    if (job.status === 'finished') return job.result
    if (job.status === 'failed' || job.status === 'cancelled')
      throw new ApiError('JOB_FAILED', job.error ?? job.status)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Lets the browser fetch a link of the hub as a file. */
export function download(url: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = ''
  document.body.append(link)
  link.click()
  link.remove()
}
