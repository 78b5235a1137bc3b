/** The service's own description: OpenAPI 3.1, made from the routes themselves. */
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { HUB_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIME_HEADER } from '../signing.ts'
import { Refusal, SCHEMA } from '../wire.ts'

const SIGNED = Type.Object({
  [HUB_HEADER]: Type.String({ description: 'Id of the hub; `new` when it joins' }),
  [TIME_HEADER]: Type.String({
    description: 'Milliseconds UTC; within five minutes, or with a challenge as nonce',
  }),
  [NONCE_HEADER]: Type.String({ pattern: '^[\\w.-]{8,200}$' }),
  [SIGNATURE_HEADER]: Type.String({
    description: 'Ed25519 over method, path, body, time, nonce and hub, base64url',
  }),
})

/** Describes every route that registers after it, at `/openapi.json`; what routes check, they check themselves. */
export async function describeService(http: FastifyInstance): Promise<void> {
  // Schemas here are words about a route: bodies of hubs are signed bytes, and answers leave as they were made.
  http.setValidatorCompiler(() => (value: unknown) => ({ value }))
  http.setSerializerCompiler(() => (data) => JSON.stringify(data))
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Homefield cloud',
        version: String(SCHEMA),
        description:
          'Hubs send under /api/local-edge, signed; people and programs read and edit a household under /api/household with its token.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          hub: { type: 'apiKey', in: 'header', name: SIGNATURE_HEADER },
        },
      },
    },
  })
  http.get('/openapi.json', { schema: { hide: true } }, async () => http.swagger())
}

/** A hub's route: signed headers, an answer that is signed, and refusals that acknowledge nothing. */
export function askedByHubs(
  summary: string,
  answers: Readonly<Record<number, TSchema>>,
  more: { body?: TSchema; querystring?: TSchema } = {},
): FastifySchema {
  return {
    ...{ tags: ['local-edge'], summary, security: [{ hub: [] }], headers: SIGNED, ...more },
    response: { ...answers, '4xx': Refusal, '5xx': Refusal },
  }
}

export const open = (
  summary: string,
  answer: TSchema,
  refused: Readonly<Record<number, TSchema>> = {},
): FastifySchema => ({
  ...{ tags: ['service'], summary, security: [] },
  response: { 200: answer, ...refused },
})
