import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Http } from '../domain/route.ts'
import { Failure } from '../kernel/envelope.ts'

/** The reference page's own scripts draw with inline styles and HTML strings; nothing there may leave the hub. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

const OPEN = { policy: { access: 'open' }, envelope: false } as const

/** Describes every route that registers after it, as OpenAPI 3.1 at `/api/v1/openapi.json`. */
export async function describeRoutes(http: Http, version: string): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Homefield',
        version,
        description:
          'The local hub. Answers are {success, data, timestamp}; refusals are the schema Failure.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
        schemas: { Failure: JSON.parse(JSON.stringify(Failure)) },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.policy?.access
      if (access === 'local') return { url, schema: { hide: true } }
      // The WebSocket plugin hides its routes; the live channel is part of the API.
      const shown = route.websocket && url.startsWith('/api/') ? { ...schema, hide: false } : schema
      return { url, schema: withRefusals(shown, access === 'open') }
    },
  })
  http.get('/api/v1/openapi.json', { config: OPEN, schema: { hide: true } }, async () => http.swagger())
}

/** The reference page at `/docs`: served from the hub, usable offline, no data of anybody. */
export async function serveReference(http: Http): Promise<void> {
  await http.register(async (page) => {
    page.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...OPEN }
    })
    await page.register(swaggerUi, { routePrefix: '/docs', staticCSP: REFERENCE_POLICY })
  })
}

function withRefusals(schema: object | undefined, open: boolean): Record<string, unknown> {
  const own: Record<string, unknown> = { ...schema }
  const responses = typeof own['response'] === 'object' ? own['response'] : {}
  const refusal = { description: 'Refused', $ref: '#/components/schemas/Failure' }
  return {
    ...own,
    ...(open ? { security: [] } : {}),
    response: {
      ...responses,
      default: { description: 'Refused', content: { 'application/json': { schema: refusal } } },
    },
  }
}
