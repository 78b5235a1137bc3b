/** One reading by its id: shown with what it was before, corrected, taken back. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Action, maySee } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { NaturalKey, Store } from '../../store/store.ts'
import type { Arrivals } from './arrivals.ts'
import { ChangeIn, ReadingOut, ReadingWithHistory } from './bodies.ts'
import type { ReadingIds } from './shown.ts'

export interface CorrectionRoutesDeps {
  arrivals: Arrivals
  ids: ReadingIds
  store: Pick<Store, 'observations'>
  now: () => number
}

const Params = Type.Object({ readingId: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })
/** Whose reading it is shows only once it is found, so the handlers ask for the person themselves. */
const USERS: Policy = { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member'] }

interface Found {
  key: NaturalKey
  stored: StoredObservation | null
  history: StoredObservation[]
}

export function correctionRoutes(http: Http, deps: CorrectionRoutesDeps): void {
  const { ids, store, now } = deps

  async function find(request: FastifyRequest, id: string, action: Action): Promise<Found> {
    const key = ids.keyOf(id)
    // An id of somebody out of sight is told like one that is not there.
    if (!key || !maySee(request.actor, key.personId, now())) throw notFound()
    request.authorize(key.personId, action, 'glucose')
    const stored = await storedAt(store, key)
    const history = await store.observations.history(key)
    if (!stored && history.length === 0) throw notFound()
    return { key, stored, history }
  }

  http.get(
    '/glucose/readings/:readingId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['glucose'],
        summary: 'One reading with everything it ever was',
        params: Params,
        response: { 200: Ok(ReadingWithHistory) },
      },
    },
    async (request) => {
      const { stored, history } = await find(request, request.params.readingId, 'read')
      const last = stored ?? history.at(-1)
      if (!last) throw notFound()
      const before = history.map(({ revision, value, source }) => ({ revision, value, source }))
      return ok(now(), { ...ids.view(last), deleted: stored === null, history: before })
    },
  )
  changeRoutes(http, deps, find)
}

type Find = (request: FastifyRequest, id: string, action: Action) => Promise<Found>

function changeRoutes(http: Http, { arrivals, ids, store, now }: CorrectionRoutesDeps, find: Find): void {
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/glucose/readings/:readingId',
    config: { policy: USERS },
    schema: {
      tags: ['glucose'],
      summary: 'Correct a reading; the old value stays in its history',
      params: Params,
      body: ChangeIn,
      response: { 200: Ok(ReadingOut) },
    },
    handler: async (request) => {
      const { stored, key } = await find(request, request.params.readingId, 'write')
      if (!stored) throw new HubError('GONE', 'This reading was deleted. Send it anew if it was right.')
      const { revision: _was, ...old } = stored
      await store.observations.append([arrivals.corrected(old, request.body)])
      return ok(now(), ids.view((await storedAt(store, key)) ?? stored))
    },
  })
  http.delete(
    '/glucose/readings/:readingId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['glucose'],
        summary: 'Take a reading back; it stays in its history',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async (request) => {
      const { key } = await find(request, request.params.readingId, 'write')
      await store.observations.retract([key])
      return ok(now(), {})
    },
  )
}

async function storedAt(
  store: Pick<Store, 'observations'>,
  key: NaturalKey,
): Promise<StoredObservation | null> {
  const { personId, metric, atMs, deviceId } = key
  // A page holds every device's value of one instant.
  const page = await store.observations.range({ personId, metric, fromMs: atMs, toMs: atMs + 1, limit: 1 })
  return page.points.find((point) => point.deviceId === deviceId) ?? null
}

function notFound(): HubError {
  return new HubError('NOT_FOUND', 'There is no reading with this id.')
}
