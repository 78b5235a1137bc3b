/** Speaks to the hub's API: bearer token, one refresh on 401, idempotent writes, errors as codes. */

/** A refusal of the hub, or `OFFLINE` when it could not be asked. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly details: readonly { path: string; message: string }[]
  readonly retryAfterS: number | null

  constructor(
    code: string,
    message: string,
    status = 0,
    details: readonly { path: string; message: string }[] = [],
    retryAfterS: number | null = null,
  ) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.details = details
    this.retryAfterS = retryAfterS
  }
}

export interface RequestOptions {
  body?: unknown
  headers?: Readonly<Record<string, string>>
  /** `none`: neither sends the access token nor tries to renew it. */
  auth?: 'session' | 'none'
  signal?: AbortSignal | undefined
  /** Same key for the same intent, so that pressing a button twice does a thing once. */
  idempotencyKey?: string
}

export interface Api {
  get<Data>(path: string, options?: RequestOptions): Promise<Data>
  /** All pages of a list, at most `LIST_LIMIT` items. */
  all<Item>(path: string, options?: RequestOptions): Promise<Item[]>
  post<Data>(path: string, body?: unknown, options?: RequestOptions): Promise<Data>
  patch<Data>(path: string, body: unknown): Promise<Data>
  put<Data>(path: string, body: unknown): Promise<Data>
  remove(path: string): Promise<void>
}

export interface ApiDeps {
  fetch: typeof fetch
  newId: () => string
  /** Milliseconds after which an unanswered request counts as offline; null never (tests). */
  timeout: (ms: number) => AbortSignal
  token: () => string | null
  /** True when there is a new access token; single flight is the session's business. */
  renew: () => Promise<boolean>
  /** Asks whoever sits there for the password again; false when they would not. */
  prove?: () => Promise<boolean>
  /** Every answer tells the hub's clock, for honest ages on a phone whose clock is off. */
  onHubTime: (hubMs: number) => void
  onReachable: (reachable: boolean) => void
}

const REQUEST_TIMEOUT_MS = 15_000
const PAGE = 200
const LIST_LIMIT = 2_000
const RENEWABLE: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED'])

interface Envelope {
  success?: boolean
  data?: unknown
  timestamp?: string
  error?: { code?: string; message?: string; details?: { path: string; message: string }[] }
  pagination?: { pages: number }
}

export function createApi(deps: ApiDeps): Api {
  return {
    get: async <Data>(path: string, options: RequestOptions = {}) =>
      (await request('GET', path, options)).data as Data,
    async all<Item>(path: string, options: RequestOptions = {}) {
      const items: Item[] = []
      const joint = path.includes('?') ? '&' : '?'
      for (let page = 1; items.length < LIST_LIMIT; page += 1) {
        const answer = await request('GET', `${path}${joint}page=${page}&per_page=${PAGE}`, options)
        // The envelope's data is the hub's own schema, checked there on the way out.
        items.push(...(answer.data as Item[]))
        if (page >= (answer.pagination?.pages ?? 1)) break
      }
      return items
    },
    post: async <Data>(path: string, body?: unknown, options: RequestOptions = {}) =>
      (
        await request('POST', path, {
          idempotencyKey: deps.newId(),
          ...options,
          body: body ?? {},
        })
      ).data as Data,
    patch: async <Data>(path: string, body: unknown) => (await request('PATCH', path, { body })).data as Data,
    put: async <Data>(path: string, body: unknown) => (await request('PUT', path, { body })).data as Data,
    async remove(path) {
      await request('DELETE', path, {})
    },
  }

  async function request(method: string, path: string, options: RequestOptions): Promise<Envelope> {
    const session = options.auth !== 'none'
    const used = session ? deps.token() : null
    try {
      return await once(method, path, options, used)
    } catch (error) {
      if (!session || !(error instanceof ApiError)) throw error
      if (error.code === 'STEP_UP_REQUIRED' && (await deps.prove?.()))
        return await once(method, path, options, deps.token())
      if (!RENEWABLE.has(error.code)) throw error
      // Another request may have renewed it while this one was under way.
      const renewed = deps.token() !== used || (await deps.renew())
      if (!renewed) throw error
      return await once(method, path, options, deps.token())
    }
  }

  async function once(
    method: string,
    path: string,
    options: RequestOptions,
    token: string | null,
  ): Promise<Envelope> {
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers }
    if (token !== null) headers['authorization'] = `Bearer ${token}`
    if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey
    if (options.body !== undefined) headers['content-type'] = 'application/json'
    const response = await reach(`/api/v1${path}`, {
      method,
      headers,
      signal: options.signal ?? deps.timeout(REQUEST_TIMEOUT_MS),
      credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
    const envelope = await readEnvelope(response)
    if (envelope.timestamp !== undefined) deps.onHubTime(Date.parse(envelope.timestamp))
    if (response.ok) return envelope
    throw refusal(response, envelope)
  }

  async function reach(url: string, init: RequestInit): Promise<Response> {
    try {
      const response = await deps.fetch(url, init)
      deps.onReachable(true)
      return response
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'AbortError') throw cause
      deps.onReachable(false)
      throw new ApiError('OFFLINE', cause instanceof Error ? cause.message : 'no answer')
    }
  }
}

async function readEnvelope(response: Response): Promise<Envelope> {
  if (response.status === 204) return {}
  try {
    return (await response.json()) as Envelope
  } catch {
    return {}
  }
}

function refusal(response: Response, { error }: Envelope): ApiError {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError(
    error?.code ?? 'INTERNAL',
    error?.message ?? `The hub answered ${response.status}.`,
    response.status,
    error?.details ?? [],
    Number.isFinite(retryAfter) ? retryAfter : null,
  )
}
