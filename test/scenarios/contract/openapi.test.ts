/** The hub's own description of itself, checked for structure and against the contract's closed lists. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { household, type Json } from './client.ts'

const hub = await household()
const answer = await hub.ask('GET', '/api/v1/openapi.json')
const spec: Json = answer.json

const CODES =
  `VALIDATION_ERROR UNKNOWN_METRIC UNAUTHENTICATED TOKEN_EXPIRED TOKEN_REUSED PAIRING_INVALID FORBIDDEN
  NOT_CLAIMED INVITE_REQUIRED STEP_UP_REQUIRED CROSS_SITE NOT_FOUND NOT_ENOUGH_DATA CONFLICT IDEMPOTENCY_MISMATCH
  IN_PROGRESS PAIRING_EXPIRED GONE TOO_LARGE UNSUPPORTED_MEDIA WRONG_HOST OUT_OF_RANGE FUTURE_TIMESTAMP UNCALIBRATED
  USE_HTTPS RATE_LIMITED INTERNAL OVERLOADED DISK_FULL SHUTTING_DOWN`.split(/\s+/)

/** What the contract names for the hub that runs now. */
const ROUTES =
  `GET /health|GET /ready|GET /metrics|GET /welcome|POST /claim|POST /auth/register|POST /auth/login
  |POST /auth/refresh|GET /auth/me|PATCH /auth/me|POST /auth/logout|GET /people|POST /people|GET /people/{personId}
  |PATCH /people/{personId}|PUT /people/{personId}|DELETE /people/{personId}|GET /people/{personId}/observations
  |GET /people/{personId}/latest|GET /people/{personId}/timeline|GET /devices|POST /devices|GET /devices/{deviceId}
  |PATCH /devices/{deviceId}|PUT /devices/{deviceId}|DELETE /devices/{deviceId}|GET /devices/{deviceId}/quarantine
  |POST /pairing/generate|POST /pairing/connect|GET /pairing/devices|DELETE /pairing/{device_id}
  |GET /pairing/requests/{id}|POST /pairing/requests/{id}/approve|POST /pairing/requests/{id}/deny|POST /ingest
  |POST /health_data/ingest|GET /ws|GET /events|GET /privacy/consents|POST /privacy/consents`
    .split('|')
    .map((route) => route.trim())

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

function operations(): { where: string; path: string; operation: Json }[] {
  return Object.entries<Json>(spec.paths).flatMap(([path, item]) =>
    Object.entries<Json>(item).map(([method, operation]) => {
      assert.ok(METHODS.includes(method), `${path} has ${method}`)
      return { where: `${method.toUpperCase()} ${path}`, path, operation }
    }),
  )
}

function* nodes(value: Json, path = '#'): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return
  yield [path, value]
  for (const [name, inner] of Object.entries(value)) yield* nodes(inner, `${path}/${name}`)
}

test('the document is OpenAPI 3.1 with every route of the contract', () => {
  assert.equal(answer.status, 200)
  assert.match(spec.openapi, /^3\.1\.\d$/)
  assert.ok(spec.info.title && spec.info.version)
  const known = new Set(operations().map(({ where }) => where.replace(' /api/v1', ' ')))
  assert.deepEqual(
    ROUTES.filter((route) => !known.has(route)),
    [],
  )
})

test('the error codes are the contract’s closed list, with details of path, message and value', () => {
  const { error } = spec.components.schemas.Failure.properties
  assert.deepEqual([...error.properties.code.enum].sort(), [...CODES].sort())
  assert.deepEqual(Object.keys(error.properties.details.items.properties), ['path', 'message', 'value'])
})

test('every operation describes its parameters, body and answers, and names are unique', () => {
  const ids = new Set<string>()
  for (const { where, path, operation } of operations()) {
    const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name)
    const declared = (operation.parameters ?? []).filter((one: Json) => one.in === 'path')
    assert.deepEqual(declared.map((one: Json) => one.name).sort(), named.sort(), where)
    for (const parameter of operation.parameters ?? []) {
      assert.ok(parameter.name && parameter.schema, `${where} ${parameter.name}`)
      if (parameter.in === 'path') assert.equal(parameter.required, true, where)
    }
    assert.ok(operation.summary, `${where} has no summary`)
    const answers = Object.entries<Json>(operation.responses)
    assert.ok(
      answers.some(([status]) => /^[12]\d\d$/.test(status)),
      `${where} has no answer`,
    )
    for (const [status, one] of answers) {
      assert.match(status, /^([1-5]\d\d|default)$/)
      assert.equal(typeof one.description, 'string', `${where} ${status}`)
      for (const media of Object.values<Json>(one.content ?? {}))
        assert.ok(media.schema, `${where} ${status}`)
    }
    const sends = operation.requestBody
    for (const media of Object.values<Json>(sends?.content ?? {})) assert.ok(media.schema, where)
    if (operation.operationId === undefined) continue
    assert.ok(!ids.has(operation.operationId), operation.operationId)
    ids.add(operation.operationId)
  }
})

test('a body that a schema describes takes no unknown fields', () => {
  for (const { where, operation } of operations()) {
    const schema = operation.requestBody?.content['application/json']?.schema
    if (!schema) continue
    const objects = (schema.anyOf ?? [schema]).filter((one: Json) => one.type === 'object')
    for (const one of objects) assert.equal(one.additionalProperties, false, where)
  }
})

test('every reference leads somewhere and every schema uses words of JSON Schema 2020-12', () => {
  const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
  for (const [path, node] of nodes(spec)) {
    if (typeof node.$ref === 'string') {
      const found = node.$ref
        .slice(2)
        .split('/')
        .reduce((inner: Json, name: string) => inner?.[name], spec)
      assert.ok(found, `${path} → ${node.$ref}`)
    }
    if (typeof node.type === 'string' && /\/schema(\/|$)/.test(path) && !path.endsWith('/properties'))
      assert.ok(types.includes(node.type), `${path} is of type ${node.type}`)
    assert.ok(!('nullable' in node && node.nullable === true), `${path} is nullable, a word of 3.0`)
  }
  for (const name of Object.keys(spec.components.securitySchemes))
    assert.ok(['http', 'apiKey'].includes(spec.components.securitySchemes[name].type))
})

test('the reference page asks nobody but the hub', async () => {
  const page = await hub.ask('GET', '/docs')
  const followed = page.status === 302 ? await hub.ask('GET', String(page.headers.location)) : page
  assert.equal(followed.status, 200)
  const html = followed.bytes.toString()
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source)
  assert.ok(sources.length > 0)
  for (const source of sources) {
    assert.doesNotMatch(source, /^(?:https?:)?\/\//)
    const path = new URL(source, 'https://hub/docs/').pathname
    assert.equal((await hub.ask('GET', path)).status, 200, path)
  }
  const policy = String(followed.headers['content-security-policy'])
  assert.doesNotMatch(policy, /https?:|\*/)
})
