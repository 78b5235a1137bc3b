/** The closed list of error codes and the HTTP status each one answers with. Order follows the contract. */
export const CODES = {
  VALIDATION_ERROR: 400,
  UNKNOWN_METRIC: 400,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_REUSED: 401,
  PAIRING_INVALID: 401,
  FORBIDDEN: 403,
  NOT_CLAIMED: 403,
  INVITE_REQUIRED: 403,
  STEP_UP_REQUIRED: 403,
  CROSS_SITE: 403,
  NOT_FOUND: 404,
  NOT_ENOUGH_DATA: 404,
  CONFLICT: 409,
  IDEMPOTENCY_MISMATCH: 409,
  IN_PROGRESS: 409,
  PAIRING_EXPIRED: 410,
  GONE: 410,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA: 415,
  WRONG_HOST: 421,
  OUT_OF_RANGE: 422,
  FUTURE_TIMESTAMP: 422,
  UNCALIBRATED: 422,
  USE_HTTPS: 426,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  OVERLOADED: 503,
  DISK_FULL: 503,
  SHUTTING_DOWN: 503,
} as const

export type ErrorCode = keyof typeof CODES

/** One thing wrong with what the caller sent: where, why, and what was seen there. */
export interface ErrorDetail {
  path: string
  message: string
  value?: unknown
}

export interface HubErrorOptions {
  cause?: unknown
  details?: readonly ErrorDetail[]
  /** Seconds after which trying again makes sense (429 and 503). */
  retryAfterS?: number
}

/** The only error class of the hub: a code from `CODES` and a message that says what to do next. */
export class HubError extends Error {
  readonly code: ErrorCode
  readonly details: readonly ErrorDetail[]
  readonly retryAfterS: number | null

  constructor(code: ErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.details = options.details ?? []
    this.retryAfterS = options.retryAfterS ?? null
  }

  get status(): number {
    return CODES[this.code]
  }
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** Whether a file operation failed because nothing is there. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
