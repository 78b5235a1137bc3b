/** What only root on the box may do, through the control socket: the owner's way back in when every password is forgotten. */
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'

/** What accounts lend to the box itself. */
export interface LocalPorts {
  claimCode(): Promise<{ code: string; expiresAtMs: number }>
  claimLocally(claimant: { name: string; password: string }): Promise<{ id: string; name: string }>
  setPassword(name: string, password: string): Promise<void>
  disableUser(userId: string): Promise<void>
  /** Takes ownership and accounts away; persons, devices and what was recorded stay. */
  reset(): Promise<void>
}

const LOCAL: Policy = { access: 'local' }
const Nothing = Type.Object({}, { additionalProperties: false })
const Credentials = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 120 }),
    password: Type.String({ minLength: 1, maxLength: 1024 }),
  },
  { additionalProperties: false },
)
const ClaimCode = Type.Object({ code: Type.String(), expires_at: Timestamp })
const Params = Type.Object({ userId: Id }, { additionalProperties: false })

export function createLocal({ clock, ports }: { clock: Clock; ports: LocalPorts }): Feature {
  return { name: 'local', routes: (http) => localRoutes(http, clock, ports) }
}

function localRoutes(http: Http, clock: Clock, ports: LocalPorts): void {
  http.get(
    '/local/claim-code',
    {
      config: { policy: LOCAL },
      schema: { response: { 200: Ok(ClaimCode) } },
    },
    async () => ok(clock.now(), claimView(await ports.claimCode())),
  )
  http.post(
    '/local/claim',
    {
      config: { policy: LOCAL },
      schema: {
        body: Credentials,
        response: { 201: Ok(Type.Object({ user: Type.Object({ id: Type.String(), name: Type.String() }) })) },
      },
    },
    async ({ body }, reply) => {
      const user = await ports.claimLocally(body)
      return reply.code(201).send(ok(clock.now(), { user }))
    },
  )
  http.post(
    '/local/passwd',
    { config: { policy: LOCAL }, schema: { body: Credentials, response: { 200: Ok(Nothing) } } },
    async ({ body }) => {
      await ports.setPassword(body.name, body.password)
      return ok(clock.now(), {})
    },
  )
  http.post(
    '/local/reset',
    { config: { policy: LOCAL }, schema: { response: { 200: Ok(ClaimCode) } } },
    async () => {
      await ports.reset()
      return ok(clock.now(), claimView(await ports.claimCode()))
    },
  )
  http.post(
    '/local/users/:userId/disable',
    { config: { policy: LOCAL }, schema: { params: Params, response: { 200: Ok(Nothing) } } },
    async ({ params }) => {
      await ports.disableUser(params.userId)
      return ok(clock.now(), {})
    },
  )
}

function claimView({ code, expiresAtMs }: { code: string; expiresAtMs: number }) {
  return { code, expires_at: iso(expiresAtMs) }
}
