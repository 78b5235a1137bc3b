/** Every route of the cloud asked by everybody who must not have it: another household's owner, hub, token; and what its document says. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { Compile } from 'typebox/compile'
import { addToken, revokeHub } from '../../sync/cloud/households.ts'
import { LIMITS, PATHS } from '../../sync/wire.ts'
import type { TestHub } from './hub.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from './postgres.ts'
import { hourRow, type TestCloud, testCloud } from './setup.ts'

type Who = 'open' | 'viewer' | 'editor' | 'owner' | 'hub'
interface Route {
  /** The least that is needed. */
  who: Who
  body?: object
}

const START = Date.UTC(2026, 2, 14, 16)
/** What a new event needs beside its title, so that a hub can show it. */
function shown(name: string): object {
  return name === 'calendar' ? { start_at: START, group: 'u12' } : {}
}

/** Who may ask what. A route that is not here fails the first test. */
const ORACLE: Readonly<Record<string, Route>> = {
  'GET /health': { who: 'open' },
  'GET /ready': { who: 'open' },
  'GET /metrics': { who: 'open' },
  'GET /openapi.json': { who: 'open' },
  'POST /api/local-edge/register': { who: 'open', body: {} },
  'POST /api/local-edge/sync': { who: 'hub', body: {} },
  'GET /api/local-edge/status': { who: 'hub' },
  'GET /api/local-edge/keys': { who: 'hub' },
  'POST /api/local-edge/process': {
    who: 'hub',
    body: { job_id: 'secret-job', state: 'done', result: 'stolen' },
  },
  'GET /api/local-edge/shape': { who: 'hub' },
  'GET /api/household': { who: 'viewer' },
  'GET /api/household/tokens': { who: 'owner' },
  'POST /api/household/tokens': { who: 'owner', body: { role: 'owner', name: 'mine' } },
  'DELETE /api/household/tokens/:id': { who: 'owner' },
  'GET /api/household/hubs': { who: 'viewer' },
  'POST /api/household/hubs/codes': { who: 'owner' },
  'DELETE /api/household/hubs/:id': { who: 'owner' },
  ...Object.fromEntries(
    ['calendar', 'people', 'groups'].flatMap((name): [string, Route][] => [
      [`GET /api/household/${name}`, { who: 'viewer' }],
      [`GET /api/household/${name}/:id`, { who: 'viewer' }],
      [
        `POST /api/household/${name}`,
        { who: 'editor', body: { fields: { timezone: 'UTC', ...shown(name) } } },
      ],
      [`PATCH /api/household/${name}/:id`, { who: 'editor', body: { fields: { timezone: 'UTC' } } }],
      [`DELETE /api/household/${name}/:id`, { who: 'editor' }],
    ]),
  ),
  'GET /api/household/consents': { who: 'viewer' },
  'POST /api/household/consents': {
    who: 'owner',
    body: { subject: 'secret-mia', grantee: 'me', class: 'glucose', action: 'read' },
  },
  'DELETE /api/household/consents/:id': { who: 'owner' },
  'GET /api/household/erasures': { who: 'viewer' },
  'POST /api/household/erasures': { who: 'owner', body: { subject: 'secret-mia' } },
  'GET /api/household/jobs': { who: 'viewer' },
  'GET /api/household/jobs/:id': { who: 'viewer' },
  'POST /api/household/jobs': { who: 'editor', body: { kind: 'calibrate' } },
  'GET /api/household/rows/:kind': { who: 'viewer' },
  'GET /api/household/rollups': { who: 'viewer' },
}
const QUERIES: Readonly<Record<string, string>> = {
  'GET /api/household/rollups': '?subject=secret-mia&metric=heart_rate&from=0&to=9999999999999',
  'GET /api/local-edge/shape': '?offset=-1&table=vault.subject_key&where=true',
}

describe('who may ask the cloud what', { skip: withoutPostgres() }, () => {
  let postgres: TestPostgres
  let at: TestCloud
  let electric: ReturnType<typeof createServer>
  const shapes: URLSearchParams[] = []
  before(async () => {
    postgres = await startPostgres()
    electric = createServer((request, answer) => {
      shapes.push(new URL(request.url ?? '', 'http://electric').searchParams)
      answer
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=604800' })
        .end('[]')
    })
    await new Promise<void>((resolve) => electric.listen(0, '127.0.0.1', resolve))
    const { port } = electric.address() as AddressInfo
    at = await testCloud(postgres, {
      shapes: { url: `http://127.0.0.1:${port}`, secret: 's' },
      accountPerMinute: 1e9,
    })
  })
  after(async () => {
    await at.close()
    electric.close()
    await postgres.stop()
  })

  interface House {
    id: string
    tokens: Record<'viewer' | 'editor' | 'owner' | 'revoked', string>
    ownerTokenId: string
    hub: TestHub
    revoked: TestHub
  }

  async function house(): Promise<House> {
    const { owner } = at.cloud.parts.base
    const { id } = await at.household()
    const role = (name: 'viewer' | 'editor' | 'owner') =>
      addToken(owner, id, { role: name, name }, at.clock.now())
    const [viewer, editor, asOwner, gone] = [
      await role('viewer'),
      await role('editor'),
      await role('owner'),
      await role('owner'),
    ]
    await at.sql('UPDATE cloud_token SET revoked_at = 1 WHERE id = $1', [gone.id])
    const revoked = await at.hub(id)
    await revokeHub(owner, id, revoked.id, at.clock.now())
    const tokens = { viewer: viewer.token, editor: editor.token, owner: asOwner.token, revoked: gone.token }
    return { id, tokens, ownerTokenId: asOwner.id, hub: await at.hub(id), revoked }
  }

  async function ask(method: string, url: string, token: string | null, body?: object) {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    const answer = await at.cloud.http.inject({
      ...{ method: method as 'GET', url, headers },
      ...(body ? { payload: body } : {}),
    })
    return { status: answer.statusCode, text: answer.body, headers: answer.headers }
  }

  /** A household with something of every kind in it, each with a word that must not be read elsewhere. */
  async function victim() {
    const mine = await house()
    const { owner } = mine.tokens
    await ask('POST', '/api/household/people', owner, { id: 'secret-mia', fields: { name: 'Secret Mia' } })
    await ask('POST', '/api/household/groups', owner, { id: 'secret-team', fields: { name: 'Secret team' } })
    await ask('POST', '/api/household/calendar', owner, {
      id: 'secret-event',
      subject: 'secret-mia',
      fields: { title: 'Secret', start_at: START },
    })
    await ask('POST', '/api/household/consents', owner, {
      ...{
        id: 'secret-consent',
        subject: 'secret-mia',
        grantee: 'secret-aunt',
        class: 'training',
        action: 'read',
      },
    })
    await ask('POST', '/api/household/jobs', owner, {
      job_id: 'secret-job',
      kind: 'forecast',
      subject: 'secret-mia',
    })
    await mine.hub.push('now', [
      {
        ...{ seq: 1, kind: 'alert', v: 1, key: 'secret-alert' },
        body: {
          ...{ subject: 'secret-mia', episode: null, kind: 'tip', class: 'wellness', state: 'open' },
          ...{ created_at: 1, acknowledged_at: null },
        },
      },
    ])
    await mine.hub.push('state', [hourRow(2, 0, { subject: 'secret-mia' })])
    return mine
  }

  const IDS: Readonly<Record<string, (mine: House) => string>> = {
    tokens: ({ ownerTokenId }) => ownerTokenId,
    hubs: ({ hub }) => hub.id,
    calendar: () => 'secret-event',
    people: () => 'secret-mia',
    groups: () => 'secret-team',
    consents: () => 'secret-consent',
    jobs: () => 'secret-job',
    rows: () => 'alert',
  }
  const addressOf = (route: string, mine: House) => {
    const [method = '', path = ''] = route.split(' ')
    const name = /household\/([a-z]+)\/:/.exec(path)?.[1] ?? ''
    const url = path.replace(/:(?:id|kind)/, () => IDS[name]?.(mine) ?? 'x') + (QUERIES[route] ?? '')
    return { method, url }
  }
  const TABLES = [
    'household_feed',
    'hub',
    'hub_lane',
    'cloud_token',
    'erasure',
    'alert',
    'rollup_hour',
    'vault.subject_key',
  ]
  const everything = async ({ id }: House) =>
    Promise.all(
      TABLES.map(async (table) => [
        table,
        await at.sql(`SELECT * FROM ${table} t WHERE household_id = $1 ORDER BY t::text`, [id]),
      ]),
    )

  test('every route is known here, and every known one is there', () => {
    const found = at.cloud.routes.map(({ method, url }) => `${method} ${url}`).sort()
    assert.deepEqual(found, Object.keys(ORACLE).sort())
  })

  test('nobody, a made-up token and a token that was taken back get nothing but what is open', async () => {
    const mine = await victim()
    const before = await everything(mine)
    for (const [route, { who, body }] of Object.entries(ORACLE)) {
      if (who === 'open') continue
      const { method, url } = addressOf(route, mine)
      for (const token of [null, 'x'.repeat(43), mine.tokens.revoked]) {
        const { status, text } = await ask(method, url, token, body)
        assert.deepEqual([status, /secret/i.test(text)], [401, false], route)
      }
    }
    assert.deepEqual(await everything(mine), before)
  })

  test('the owner of another household reads nothing of this one, and changes nothing in it, on any route', async () => {
    const [mine, other] = [await victim(), await house()]
    const before = await everything(mine)
    for (const [route, { who, body }] of Object.entries(ORACLE)) {
      if (who === 'open' || who === 'hub') continue
      const { method, url } = addressOf(route, mine)
      const { status, text } = await ask(method, url, other.tokens.owner, body)
      assert.ok(status < 500, `${route}: ${status} ${text}`)
      // What was sent may come back: in the other one's own household it is made anew.
      if (!JSON.stringify(body ?? {}).includes('secret')) assert.doesNotMatch(text, /secret/i, route)
      if (/:id/.test(route)) assert.equal(status, 404, route)
    }
    assert.deepEqual(await everything(mine), before)
  })

  test('a role does what it is for and no more, on every route', async () => {
    const roles = ['viewer', 'editor', 'owner'] as const
    for (const [route, { who, body }] of Object.entries(ORACLE)) {
      const least = roles.indexOf(who as 'viewer')
      if (least <= 0) continue
      const mine = await victim()
      const before = await everything(mine)
      const { method, url } = addressOf(route, mine)
      for (const role of roles.slice(0, least))
        assert.equal((await ask(method, url, mine.tokens[role], body)).status, 403, `${route} as ${role}`)
      assert.deepEqual(await everything(mine), before, route)
      assert.ok((await ask(method, url, mine.tokens.owner, body)).status < 300, `${route} as owner`)
    }
  })

  test("another household's hub, one that was taken out, and one that signs for another get nothing", async () => {
    const [mine, other] = [await victim(), await house()]
    const before = await everything(mine)
    for (const [route, { who, body }] of Object.entries(ORACLE)) {
      if (who !== 'hub') continue
      const { method, url } = addressOf(route, mine)
      const batch = route.endsWith('/sync')
        ? { hub: mine.hub.id, epoch: 1, lane: 'now', prev: 0, max_seq: 9, token: null, schema: 1, rows: [] }
        : body
      const foreign = await other.hub.ask(method as 'GET', url, batch)
      assert.doesNotMatch(JSON.stringify(foreign.body), /secret|stolen/i, route)
      if (method === 'POST') assert.ok([400, 404].includes(foreign.status), `${route}: ${foreign.status}`)
      assert.equal((await mine.revoked.ask(method as 'GET', url, batch)).status, 403, route)
      const forged = await mine.hub.ask(method as 'GET', url, batch, { key: other.hub.key })
      assert.equal(forged.status, 401, route)
      assert.equal((await ask(method, url, mine.tokens.owner, body)).status, 401, `${route} with a token`)
    }
    assert.deepEqual(await everything(mine), before)
    for (const query of shapes)
      assert.deepEqual(
        [query.get('table'), query.get('params[1]'), query.get('where')],
        ['household_feed', other.id, 'household_id = $1 AND hlc <> $2'],
      )
    assert.equal(shapes.length, 1)
  })

  test('what answers is never for a shared cache', async () => {
    const mine = await victim()
    for (const [route, { who }] of Object.entries(ORACLE)) {
      if (!route.startsWith('GET') || who === 'open' || who === 'hub') continue
      const { method, url } = addressOf(route, mine)
      assert.equal(
        (await ask(method, url, mine.tokens.owner)).headers['cache-control'],
        'private, no-store',
        route,
      )
    }
    const shape = await mine.hub.ask('GET', `${PATHS.shape}?offset=-1`)
    assert.equal(shape.headers['cache-control'], 'private, no-store')
  })

  interface Operation {
    responses: Record<string, { content?: Record<string, { schema: object }> }>
    requestBody?: object
    summary?: string
  }

  test('the document describes every route, and what the routes answer is what it says', async () => {
    const { text } = await ask('GET', '/openapi.json', null)
    const document = JSON.parse(text) as { openapi: string; paths: Record<string, Record<string, Operation>> }
    assert.equal(document.openapi, '3.1.0')
    const mine = await victim()
    await mine.hub.push('now', [])
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    assert.deepEqual([...described, 'GET /openapi.json'].sort(), Object.keys(ORACLE).sort())
    for (const [route, { who, body }] of Object.entries(ORACLE)) {
      if (route === 'GET /openapi.json') continue
      const [method = '', path = ''] = route.split(' ')
      const operation = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
      assert.ok(operation?.summary, route)
      if (['POST', 'PATCH'].includes(method) && body && Object.keys(body).length > 0)
        assert.ok(operation.requestBody, route)
      if (path.endsWith('/shape') || path === '/metrics' || method === 'DELETE') continue
      const { url } = addressOf(route, mine)
      const heard =
        who === 'hub' || path.startsWith('/api/local-edge')
          ? await mine.hub.ask(method as 'GET', url, body)
          : await ask(method, url, who === 'open' ? null : mine.tokens.owner, body)
      const told: unknown = 'body' in heard ? heard.body : JSON.parse(heard.text)
      const answer = operation.responses[heard.status] ?? operation.responses[`${String(heard.status)[0]}XX`]
      const schema = answer?.content?.['application/json']?.schema
      assert.ok(schema, `${route}: ${heard.status} is not described`)
      const check = Compile(schema as Parameters<typeof Compile>[0])
      assert.deepEqual([...check.Errors(told)], [], `${route}: ${JSON.stringify(told)}`)
    }
  })

  test('an edit made upon what was read is refused when somebody was faster', async () => {
    const { tokens } = await house()
    const asOwner = (
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
      path: string,
      body?: object,
      revision?: string,
    ) =>
      at.cloud.http.inject({
        ...{ method, url: `/api/household${path}` },
        headers: {
          authorization: `Bearer ${tokens.owner}`,
          ...(revision ? { 'if-match': `"${revision}"` } : {}),
        },
        ...(body ? { payload: body } : {}),
      })
    for (const name of ['calendar', 'people', 'groups']) {
      const title = name === 'calendar' ? 'title' : 'name'
      const make = (called: string) =>
        asOwner('POST', `/${name}`, { id: 'one', fields: { [title]: called, ...shown(name) } })
      const made = (await make('First')).json()
      const again = await make('First')
      assert.deepEqual([again.statusCode, again.json().revision], [201, made.revision])
      assert.equal((await make('Other')).statusCode, 409)
      const read = await asOwner('GET', `/${name}/one`)
      assert.equal(read.headers['etag'], `"${made.revision}"`)
      const edit = await asOwner('PATCH', `/${name}/one`, { fields: { [title]: 'Second' } }, made.revision)
      assert.deepEqual([edit.statusCode, edit.json().fields[title]], [200, 'Second'])
      const late = await asOwner('PATCH', `/${name}/one`, { fields: { [title]: 'Late' } }, made.revision)
      assert.deepEqual([late.statusCode, late.json().current.fields[title]], [412, 'Second'])
      assert.equal((await asOwner('DELETE', `/${name}/one`, undefined, made.revision)).statusCode, 412)
      assert.equal((await asOwner('DELETE', `/${name}/one`, undefined, edit.json().revision)).statusCode, 204)
      assert.equal((await asOwner('GET', `/${name}/one`)).statusCode, 404)
      assert.equal((await asOwner('PATCH', `/${name}/one`, { fields: { [title]: 'x' } })).statusCode, 404)
      const back = await make('Back')
      assert.deepEqual([back.statusCode, (await asOwner('GET', `/${name}/one`)).statusCode], [201, 200])
    }
    for (const [path, fields] of [
      ['/calendar', { title: '', ...shown('calendar') }],
      ['/calendar', { title: 'x', ...shown('calendar'), start_at: 'soon' }],
      ['/calendar', { title: 'x', ...shown('calendar'), timezone: 'Mars/Olympus' }],
      ['/calendar', { title: 'x', start_at: START }],
      ['/calendar', { title: 'x', group: 'u12' }],
      ['/people', { name: 'x'.repeat(101) }],
      ['/groups', { name: 'x', 'member:mia': { role: 'king' } }],
      ['/groups', { name: 'x', notes: 'x'.repeat(70_000) }],
    ] as const)
      assert.equal(
        (await asOwner('POST', path, { fields })).statusCode,
        400,
        JSON.stringify(fields).slice(0, 80),
      )
  })

  test('a token is taken back by its owner, and is worth nothing from then on', async () => {
    const { tokens } = await house()
    const made = await ask('POST', '/api/household/tokens', tokens.owner, { role: 'viewer', name: 'aunt' })
    const { id, token } = JSON.parse(made.text) as { id: string; token: string }
    assert.equal((await ask('GET', '/api/household', token)).status, 200)
    assert.doesNotMatch((await ask('GET', '/api/household/tokens', tokens.owner)).text, new RegExp(token))
    assert.equal((await ask('DELETE', `/api/household/tokens/${id}`, tokens.owner)).status, 204)
    assert.equal((await ask('GET', '/api/household', token)).status, 401)
  })

  test('health, readiness and figures tell of the service and of nobody', async () => {
    await victim()
    assert.deepEqual(JSON.parse((await ask('GET', '/health', null)).text), { status: 'healthy' })
    assert.deepEqual(JSON.parse((await ask('GET', '/ready', null)).text), { postgres: 'ok' })
    const { text } = await ask('GET', '/metrics', null)
    assert.match(text, /homefield_cloud_batches_total\{lane="now",outcome="acknowledged"\} [1-9]/)
    assert.match(text, /homefield_cloud_refused_total/)
    assert.doesNotMatch(text, /secret/i)
  })

  test('a few kilobytes that hold gigabytes are refused however they are packed, and cost no memory', async () => {
    const { hub } = await house()
    const zeros = Buffer.alloc(LIMITS.inflatedBytes + 1)
    for (const [encoding, raw] of [
      ['br', brotliCompressSync(zeros)],
      ['gzip', gzipSync(zeros)],
      ['deflate', deflateSync(zeros)],
    ] as const) {
      assert.ok(raw.length < 100_000)
      const heard = await hub.ask('POST', PATHS.sync, undefined, {
        raw,
        headers: { 'content-encoding': encoding },
      })
      assert.deepEqual([heard.status, heard.body.reason, heard.signed], [413, 'too_large', true], encoding)
    }
    const odd = { raw: Buffer.from('{}'), headers: { 'content-encoding': 'zip' } }
    assert.equal((await hub.ask('POST', PATHS.sync, undefined, odd)).status, 400)
  })

  test('accounts, newcomers and strangers who ask too often are told how long to wait', async (t) => {
    const slow = await testCloud(postgres, { accountPerMinute: 3, registrationsPerMinute: 1 })
    t.after(() => slow.close())
    const { token } = await slow.household()
    const get = (authorization: string, remoteAddress: string) =>
      slow.cloud.http.inject({ url: '/api/household', headers: { authorization }, remoteAddress })
    const statuses = async (count: number, authorization: string, address: string) => {
      const found: number[] = []
      for (let index = 0; index < count; index += 1)
        found.push((await get(authorization, address)).statusCode)
      return found
    }
    const asked = await statuses(120, `Bearer ${token}`, '192.0.2.1')
    assert.deepEqual([asked[0], asked.at(-1)], [200, 429])
    const refused = await get(`Bearer ${token}`, '192.0.2.1')
    assert.ok(Number(refused.headers['retry-after']) > 0)
    // Somebody who guesses tokens is slowed down by address, and nobody else with them.
    const guesses = await statuses(120, `Bearer ${'x'.repeat(43)}`, '192.0.2.2')
    assert.deepEqual([guesses[0], guesses.at(-1)], [401, 429])
    const other = await slow.household('Other')
    assert.equal((await get(`Bearer ${other.token}`, '192.0.2.1')).statusCode, 200)
    const joins: number[] = []
    for (let index = 0; index < 30; index += 1)
      joins.push(
        (await slow.cloud.http.inject({ method: 'POST', url: PATHS.register, payload: {} })).statusCode,
      )
    assert.deepEqual([joins[0], joins.at(-1)], [400, 429])
  })
})
