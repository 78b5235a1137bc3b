/** Tells what requests came to once they are answered: who did what, and whose data went out. */
import type { FastifyRequest } from 'fastify'
import type { Actor, DataClass } from '../domain/access.ts'
import type { Http } from '../domain/route.ts'

/** Data of one person that a request was let at. */
export interface Touched {
  personId: string
  action: 'read' | 'write'
  class: DataClass | 'any'
}

/** One answered request. */
export interface Seen {
  method: string
  /** The route's pattern without the API's prefix. */
  route: string
  status: number
  actor: Actor
  address: string
  params: Readonly<Record<string, unknown>>
  /** `data` of the answer; null where it was a file or a stream. */
  data: unknown
  touched: readonly Touched[]
  /** Whether the route is a third-party protocol for one person's programs. */
  uploader: boolean
  /** Whether the route is for owners alone, as settings are. */
  ownersOnly: boolean
}

const PREFIX = /^\/api\/v1(?=\/)/

/** Remembers for this request that its caller was let at a person's data. */
export function touch(request: FastifyRequest, touched: Touched): void {
  if (request.touched === null) request.touched = [touched]
  else request.touched.push(touched)
}

/** After the answer has left, so that nobody waits for it. */
export function tellWitness(http: Http, saw: (seen: Seen) => void): void {
  http.decorateRequest('told', null)
  http.addHook('preSerialization', async (request, _reply, payload: unknown) => {
    if (typeof payload === 'object' && payload !== null && 'data' in payload) request.told = payload.data
    return payload
  })
  http.addHook('onResponse', async (request, reply) => {
    const { url, config } = request.routeOptions
    const policy = config.policy
    if (!policy || url === undefined) return
    const { params } = request
    saw({
      method: request.method,
      route: url.replace(PREFIX, ''),
      status: reply.statusCode,
      actor: request.actor,
      address: request.ip,
      params: typeof params === 'object' && params !== null ? { ...params } : {},
      data: request.told,
      touched: request.touched ?? [],
      uploader: config.uploader === true,
      ownersOnly: policy.access === 'signed-in' && policy.roles.every((role) => role === 'owner'),
    })
  })
}

declare module 'fastify' {
  interface FastifyRequest {
    told: unknown
    touched: Touched[] | null
  }
}
