/** What the models saw, read back, and which models there are. */
import { type Static, Type } from 'typebox'
import { PullFailed } from '../../../models/pull.ts'
import type { Shelf } from '../../../models/shelf.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Job } from '../../domain/job.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { movementRoutes } from './routes-movement.ts'

export interface VisionFeatureDeps {
  store: Pick<Store, 'all'>
  now: () => number
  shelf: Pick<Shelf, 'list' | 'pull' | 'pullable'>
  /** Whether the actor may see a camera's pictures; false for one that does not exist. */
  maySeeCamera: (actor: Actor, cameraId: string) => boolean
  submit: (
    kind: string,
    payload: unknown,
    options: { uniqueKey: string; requestedBy: string | null },
  ) => Promise<Job>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** Kind of the job that fetches models. */
export const PULL_MODELS = 'pull-models'

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNERS: Policy = { access: 'signed-in', roles: ['owner'] }
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

const Models = Type.Object({
  models: Type.Array(
    Type.Object({
      name: Type.String(),
      version: orNull(Type.String()),
      family: Type.String(),
      licence: orNull(Type.String()),
      bytes: orNull(Type.Integer()),
      sha256: orNull(Type.String()),
      state: Type.String({ description: 'bundled, imported, pulled, or the command that brings it' }),
    }),
  ),
  unreadable: Type.Array(Type.String()),
  hint: orNull(Type.String()),
  packs: Type.Array(Type.String(), { description: 'What can be pulled' }),
})
const Wanted = Type.Object(
  { pack: Type.String({ minLength: 1, maxLength: 64, default: 'training' }) },
  { additionalProperties: false },
)
const Pulling = Type.Object({ job_id: Id, status: Type.String() })
const pullPayload = Type.Object({ pack: Type.String() })

export function createVisionFeature(deps: VisionFeatureDeps): Feature {
  return {
    name: 'vision',
    routes(http) {
      modelRoutes(http, deps)
      movementRoutes(http, deps)
    },
    start: deps.start,
    stop: deps.stop,
  }
}

function modelRoutes(http: Http, { shelf, now, submit }: VisionFeatureDeps): void {
  http.get(
    '/models',
    {
      config: { policy: USERS },
      schema: {
        tags: ['vision'],
        summary: 'Models that are here, and those that can be had',
        response: { 200: Ok(Models) },
      },
    },
    async () => ok(now(), { ...(await shelf.list()), packs: shelf.pullable() }),
  )
  http.post(
    '/models/pull',
    {
      config: { policy: OWNERS },
      schema: {
        tags: ['vision'],
        summary: 'Fetch a pack or a model from its authors; how far it is stands in the job',
        body: Wanted,
        response: { 202: Ok(Pulling) },
      },
    },
    async ({ actor, body }, reply) => {
      if (!shelf.pullable().includes(body.pack)) {
        const message = `There is nothing to pull called ${body.pack}, only: ${shelf.pullable().join(', ')}.`
        throw new HubError('VALIDATION_ERROR', message, {
          details: [{ path: 'pack', message: 'is unknown' }],
        })
      }
      const requestedBy = actor.kind === 'user' ? actor.userId : null
      const job = await submit(PULL_MODELS, body, { uniqueKey: `${PULL_MODELS} ${body.pack}`, requestedBy })
      return reply.code(202).send(ok(now(), { job_id: job.id, status: job.status }))
    },
  )
}

/** What the job does: fetches, and says in plain words why it could not. */
export async function pullModels(
  shelf: Pick<Shelf, 'pull'>,
  payload: unknown,
  progress: (fraction: number, stage: string) => void,
): Promise<{ installed: string[] }> {
  // The payload was checked when the job was asked for.
  const { pack } = payload as Static<typeof pullPayload>
  try {
    const records = await shelf.pull(pack, (done, of, name) => progress(done / of, name))
    return { installed: records.map(({ name }) => name) }
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw new HubError('VALIDATION_ERROR', cause.message, { cause })
    // Trying again by itself would only delay the answer: the message says what the owner can do.
    if (cause instanceof PullFailed) throw new HubError('NOT_FOUND', cause.message, { cause })
    throw cause
  }
}
