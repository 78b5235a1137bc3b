/** HTTP of phones that film for a running session: a player asks, who runs the session says yes or no, either ends it. */
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import type { LiveParts } from './parts.ts'
import type { Phone } from './phones.ts'
import { SeenPhone } from './shown.ts'

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const TAGS = ['live']
const closed = { additionalProperties: false }
const Params = Type.Object({ sessionId: Id }, closed)
const PhoneParams = Type.Object({ sessionId: Id, userId: Id }, closed)
const Asked = Type.Object(
  {
    again: Type.Optional(
      Type.Boolean({ default: false, description: 'Ask anew after a no; without it a no stays one' }),
    ),
  },
  closed,
)
const Nothing = Type.Object({}, closed)

export function phoneRoutes(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.post(
    '/live/:sessionId/phones',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'Ask to film a running session with my phone, and whether I may by now; say it every five seconds while you wait',
        params: Params,
        body: Asked,
        response: { 200: Ok(SeenPhone) },
      },
    },
    async ({ actor, params, body }) => {
      const running = parts.watchedBy(actor, params.sessionId)
      return ok(clock.now(), shownPhone(parts.phones.ask(actor, running, body.again ?? false)))
    },
  )
  http.post(
    '/live/:sessionId/phones/:userId/accept',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Take a phone as a camera of the session, until it ends or is sent away',
        params: PhoneParams,
        response: { 200: Ok(SeenPhone) },
      },
    },
    async ({ actor, params }) =>
      ok(clock.now(), shownPhone(await parts.acceptPhone(actor, params.sessionId, params.userId))),
  )
  http.delete(
    '/live/:sessionId/phones/:userId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Say no to a phone, or send it away; everybody may take back their own',
        params: PhoneParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params }) => {
      await parts.refusePhone(actor, params.sessionId, params.userId)
      return ok(clock.now(), {})
    },
  )
}

export function shownPhone({ userId, name, state, cameraId }: Phone) {
  return { user_id: userId, name, state, camera_id: cameraId }
}
