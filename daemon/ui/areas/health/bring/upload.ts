/** Sends a file to the hub with its progress; a browser tells that only of the older kind of request. */
import { ApiError } from '../../../net/api.ts'

export interface Entered {
  job_id: string
  import_id: string
}

export interface Upload {
  done: Promise<Entered>
  abort(): void
}

export interface UploadOptions {
  path: string
  file: Blob
  /** The hub reads what a file is from its bytes, unless this says it. */
  type?: string
  token: string
  onProgress: (fraction: number) => void
  /** A new, unopened request; the browser's own unless a test brings another. */
  request?: () => XMLHttpRequest
}

interface Answer {
  data?: Entered
  error?: { code?: string; message?: string; details?: { path: string; message: string }[] }
}

/** `done` rejects with ApiError: a refusal, OFFLINE, or CANCELLED after `abort`. */
export function upload({
  path,
  file,
  type = 'application/octet-stream',
  token,
  onProgress,
  request = ownRequest,
}: UploadOptions): Upload {
  const xhr = request()
  const done = new Promise<Entered>((resolve, reject) => {
    xhr.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable && total > 0) onProgress(loaded / total)
    }
    xhr.onabort = () => reject(new ApiError('CANCELLED', ''))
    xhr.onerror = () => reject(new ApiError('OFFLINE', ''))
    xhr.onload = () => {
      const { data, error } = answerOf(xhr.responseText)
      if (xhr.status < 300 && data) resolve(data)
      else
        reject(
          new ApiError(
            error?.code ?? 'INTERNAL',
            error?.message ?? `The hub answered ${xhr.status}.`,
            xhr.status,
            error?.details ?? [],
          ),
        )
    }
  })
  xhr.open('POST', `/api/v1${path}`)
  xhr.setRequestHeader('authorization', `Bearer ${token}`)
  xhr.setRequestHeader('content-type', type)
  xhr.send(file)
  return { done, abort: () => xhr.abort() }
}

function ownRequest(): XMLHttpRequest {
  return new XMLHttpRequest()
}

function answerOf(text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return {}
  }
}
