/** What people in the cloud and hubs tell each other, through the one door, over real HTTP. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type Message, ShapeStream } from '@electric-sql/client'
import { shapeAddress } from '../../sync/cloud/gatekeeper.ts'
import { addCode, addHousehold, addToken } from '../../sync/cloud/households.ts'
import { type RunningCloud, runCloud, sweep } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { openJson, sealJson } from '../../sync/seal.ts'
import {
  HUB_HEADER,
  NONCE_HEADER,
  requestText,
  SIGNATURE_HEADER,
  signText,
  TIME_HEADER,
} from '../../sync/signing.ts'
import { PATHS } from '../../sync/wire.ts'
import { fakeClock } from '../fakes/clock.ts'
import { registerHub, type TestHub } from './hub.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from './postgres.ts'
import { hourRow, testCloud } from './setup.ts'

const SILENT = { info() {}, warn() {}, error() {} }

describe('a household in the cloud', { skip: withoutPostgres() }, () => {
  const clock = fakeClock()
  let postgres: TestPostgres
  let running: RunningCloud
  /** Electric's client leaves a timer of a minute behind, which would hold the test's process for as long. */
  const setTimer = globalThis.setTimeout
  before(async () => {
    globalThis.setTimeout = Object.assign(
      (work: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
        const timer = setTimer(work, ms, ...given)
        return (ms ?? 0) >= 30_000 ? timer.unref() : timer
      },
      setTimer,
    )
    postgres = await startPostgres()
    running = await runCloud({
      databaseUrl: await postgres.freshDatabase(),
      listen: '127.0.0.1:0',
      shapes: 'builtin',
      shapesSecret: null,
      shapesListen: '127.0.0.1:0',
      clock,
      log: SILENT,
      failpoints: NO_FAILPOINTS,
    })
  })
  after(async () => {
    await running.close()
    await postgres.stop()
    globalThis.setTimeout = setTimer
  })

  async function setup() {
    const { parts, http } = running.cloud
    const { id, token } = await addHousehold(parts.base.owner, 'Home', clock.now())
    const join = async () => {
      const { code } = await addCode(parts.base.owner, parts.key, id, clock.now())
      return registerHub({ door: http, code, now: () => clock.now() })
    }
    const ask = async (
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
      path: string,
      body?: object,
      bearer = token,
    ) => {
      const answer = await http.inject({
        method,
        url: `/api/household${path}`,
        headers: { authorization: `Bearer ${bearer}` },
        ...(body ? { payload: body } : {}),
      })
      return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
    }
    return { id, token, join, ask, hub: await join() }
  }

  /** Signs like a hub, also for a client that only knows `fetch`. */
  function signing(hub: TestHub, at: Pick<typeof clock, 'now'> = clock): typeof fetch {
    return (input, init) => {
      const url = new URL(String(input))
      const signed = {
        method: 'GET',
        path: url.pathname + url.search,
        body: Buffer.alloc(0),
        timeMs: at.now(),
        nonce: randomBytes(12).toString('base64url'),
        hub: hub.id,
      }
      const headers = {
        [HUB_HEADER]: hub.id,
        [TIME_HEADER]: String(signed.timeMs),
        [NONCE_HEADER]: signed.nonce,
        [SIGNATURE_HEADER]: signText(hub.key.pem, requestText(signed)),
      }
      return fetch(url, { ...init, headers })
    }
  }

  /** The feed as a hub holds it. */
  function follow(hub: TestHub, liveSse = true) {
    const rows = new Map<string, Record<string, string>>()
    const waiters = new Set<() => void>()
    const aborter = new AbortController()
    const ends: string[] = []
    const stream = new ShapeStream<Record<string, string>>({
      url: running.address + PATHS.shape,
      fetchClient: signing(hub),
      liveSse,
      signal: aborter.signal,
      onError: (cause) => void ends.push(String(cause)),
    })
    stream.subscribe((messages: Message<Record<string, string>>[]) => {
      for (const message of messages) {
        if ('key' in message) {
          const key = `${message.value['kind']} ${message.value['id']}`
          if (message.headers.operation === 'delete') rows.delete(key)
          else rows.set(key, { ...message.value, body: JSON.stringify(message.value['body']) })
        } else if (message.headers['control'] === 'must-refetch') rows.clear()
      }
      for (const waiter of waiters) waiter()
    })
    return {
      rows,
      ends,
      stop: () => aborter.abort(),
      async until(isSo: () => boolean) {
        while (!isSo())
          await new Promise<void>((resolve) => {
            const waiter = () => {
              waiters.delete(waiter)
              resolve()
            }
            waiters.add(waiter)
            setTimeout(waiter, 50)
          })
      },
    }
  }

  test('an event that a coach enters in the cloud reaches the hub, sealed with the key of whom it is about', {
    timeout: 20_000,
  }, async () => {
    const { hub, ask } = await setup()
    const feed = follow(hub)
    const team = await ask('POST', '/calendar', {
      id: 'e1',
      fields: { title: 'Passing', start_at: 1000, group: 'team' },
    })
    assert.equal(team.status, 201)
    await ask('POST', '/calendar', { id: 'e2', subject: 'mia', fields: { title: 'Dentist', start_at: 2000 } })
    await feed.until(() => feed.rows.size === 2)
    const event = JSON.parse(feed.rows.get('calendar e2')?.['body'] ?? '')
    assert.doesNotMatch(JSON.stringify([...feed.rows]), /Dentist/)
    const { keys } = (await hub.ask('GET', PATHS.keys)).body
    assert.equal(openJson(Buffer.from(keys.mia, 'base64'), 'mia', event.fields.title[0]), 'Dentist')
    await ask('PATCH', '/calendar/e1', { fields: { title: 'Pressing' } })
    await feed.until(() => /Pressing/.test(feed.rows.get('calendar e1')?.['body'] ?? ''))
    feed.stop()
  })

  test('what a hub sends is read opened in the cloud, and an edit made upon it wins over it', async () => {
    const { hub, ask } = await setup()
    const key = randomBytes(32)
    await hub.push('now', [
      {
        seq: 1,
        kind: 'subject_key',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', key: key.toString('base64') },
      },
      {
        seq: 2,
        kind: 'person',
        v: 1,
        key: 'mia',
        body: {
          subject: 'mia',
          fields: {
            name: [
              sealJson(key, 'mia', 'Mia'),
              `${(clock.now() + 200_000).toString(16).padStart(12, '0')}0000-hub`,
            ],
          },
        },
      },
      {
        seq: 3,
        kind: 'alert',
        v: 1,
        key: 'a1',
        body: {
          subject: 'mia',
          episode: null,
          kind: 'tip',
          class: 'wellness',
          state: 'open',
          created_at: 1,
          acknowledged_at: null,
          enc: sealJson(key, 'mia', { title: 'Drink' }).enc,
        },
      },
    ])
    await hub.push('state', [hourRow(4, 0)])
    assert.deepEqual(
      (await ask('GET', '/people')).body.people.map((one: { fields: object }) => one.fields),
      [{ name: 'Mia' }],
    )
    // The hub's clock runs minutes ahead; the edit still comes later than what it was made upon.
    await ask('PATCH', '/people/mia', { fields: { name: 'Mia L.' } })
    assert.equal((await ask('GET', '/people')).body.people[0].fields.name, 'Mia L.')
    assert.equal((await ask('GET', '/rows/alert')).body.rows[0].title, 'Drink')
    const rollups = await ask('GET', '/rollups?subject=mia&metric=heart_rate&from=0&to=1')
    assert.equal(rollups.body.rollups[0].max, 121)
  })

  test('a withdrawn consent stays withdrawn although the hub grants it again', {
    timeout: 20_000,
  }, async () => {
    const { hub, ask } = await setup()
    const { id } = (
      await ask('POST', '/consents', { subject: 'mia', grantee: 'coach', class: 'training', action: 'read' })
    ).body
    const granted = (await ask('GET', '/consents')).body.consents[0]
    assert.notEqual((await ask('DELETE', `/consents/${id}`)).body.revoked, null)
    const { subject, grant } = granted
    await hub.push('now', [
      { seq: 1, kind: 'consent', v: 1, key: id, body: { subject, grant, revoked: null } },
    ])
    assert.notEqual((await ask('GET', '/consents')).body.consents[0].revoked, null)
  })

  test('an erasure in the cloud reaches the hub, and its old log is told to nobody any more', {
    timeout: 20_000,
  }, async () => {
    const { hub, ask } = await setup()
    await ask('POST', '/calendar', { id: 'e1', subject: 'mia', fields: { title: 'Dentist', start_at: 2000 } })
    await ask('POST', '/people', { id: 'mia', fields: { name: 'Mia' } })
    const feed = follow(hub)
    await feed.until(() => feed.rows.size === 2)
    const asked = await ask('POST', '/erasures', { subject: 'mia' })
    assert.deepEqual([asked.status, asked.body.erasures[0].hubs_waiting], [202, [hub.id]])
    await feed.until(() => feed.rows.size === 1 && feed.rows.has('erasure mia'))
    const afresh = await signing(hub)(`${running.address}${PATHS.shape}?offset=-1`)
    assert.deepEqual(
      (await afresh.json()).flatMap(({ value }: { value?: { kind: string } }) => value?.kind ?? []),
      ['erasure'],
    )
    assert.equal((await ask('POST', '/people', { id: 'mia', fields: { name: 'Mia' } })).status, 410)
    await hub.push('now', [
      { seq: 1, kind: 'erasure_done', v: 1, key: 'mia', body: { subject: 'mia', purged_at: 1 } },
    ])
    assert.deepEqual((await ask('GET', '/erasures')).body.erasures[0].hubs_waiting, [])
    feed.stop()
  })

  test("another household's rows are out of reach, whatever a hub asks for", {
    timeout: 20_000,
  }, async () => {
    const [mine, other] = [await setup(), await setup()]
    await mine.ask('POST', '/calendar', {
      id: 'secret',
      fields: { title: 'Secret', start_at: 1000, group: 'team' },
    })
    await mine.hub.push('now', [
      {
        seq: 1,
        kind: 'alert',
        v: 1,
        key: 'a1',
        body: {
          subject: 'mia',
          episode: null,
          kind: 'tip',
          class: 'wellness',
          state: 'open',
          created_at: 1,
          acknowledged_at: null,
        },
      },
    ])
    await mine.ask('POST', '/jobs', { job_id: 'j1', kind: 'calibrate' })
    const shape = (hub: TestHub, query: string) => signing(hub)(`${running.address}${PATHS.shape}?${query}`)
    const own = await shape(mine.hub, 'offset=-1')
    assert.match(await own.text(), /Secret/)
    for (const query of [
      'offset=-1',
      'offset=-1&table=alert',
      `offset=-1&where=true&params[1]=${mine.id}&columns=body`,
      `offset=-1&where=household_id='${mine.id}'`,
      `offset=-1&table=vault.subject_key&secret=x&subset__where=true&subset__limit=9`,
      `offset=-1&params%5B1%5D=${mine.id}`,
    ]) {
      const answer = await shape(other.hub, query)
      const text = await answer.text()
      assert.doesNotMatch(text, /Secret|"(a1|j1)"/, query)
      assert.equal(answer.status, 200)
    }
    const foreign = await shape(other.hub, `offset=0_0&handle=${own.headers.get('electric-handle')}`)
    assert.equal(foreign.status, 409)
    for (const path of ['/calendar', '/rows/alert', '/jobs', '/consents', '/people', '/erasures', '/hubs'])
      assert.doesNotMatch(JSON.stringify((await other.ask('GET', path)).body), /"(secret|a1|j1|mia)"/i, path)
    assert.equal((await other.ask('PATCH', '/calendar/secret', { fields: { title: 'x' } })).status, 404)
    assert.equal((await other.ask('DELETE', `/hubs/${mine.hub.id}`)).status, 404)
    assert.equal((await other.hub.ask('POST', PATHS.process, { job_id: 'j1', state: 'running' })).status, 404)
    assert.equal(
      (await fetch(`${running.shapesAddress}/v1/shape?table=household_feed&offset=-1`)).status,
      401,
    )
  })

  test('answers of the shape are for nobody else, and their head is signed', async () => {
    const { hub } = await setup()
    const answer = await signing(hub)(`${running.address}${PATHS.shape}?offset=-1`)
    assert.equal(answer.headers.get('cache-control'), 'private, no-store')
    assert.equal(answer.headers.get('etag'), null)
    assert.match(answer.headers.get('vary') ?? '', /Authorization/)
    assert.match(answer.headers.get('homefield-server-signature') ?? '', /^[\w-]{86}$/)
    assert.equal((await fetch(`${running.address}${PATHS.shape}?offset=-1`)).status, 401)
    await answer.body?.cancel()
  })

  test('after an erasure hubs read another shape, also where the log of the old one cannot be cleared', async (t) => {
    const asked: URLSearchParams[] = []
    const electric = createServer((request, answer) => {
      asked.push(new URL(request.url ?? '', 'http://electric').searchParams)
      answer.writeHead(200, { 'content-type': 'application/json' }).end('[]')
    })
    await new Promise<void>((resolve) => electric.listen(0, '127.0.0.1', resolve))
    const { port } = electric.address() as AddressInfo
    const at = await testCloud(postgres, { shapes: { url: `http://127.0.0.1:${port}`, secret: 's' } })
    t.after(async () => {
      await at.close()
      electric.close()
    })
    const hub = await at.hub((await at.household()).id)
    await hub.ask('GET', `${PATHS.shape}?offset=-1`)
    await hub.push('now', [
      {
        seq: 1,
        kind: 'erasure',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', requested_at: 1, requested_by: 'hub:a' },
      },
    ])
    await hub.ask('GET', `${PATHS.shape}?offset=-1`)
    const [before, later] = asked.map((query) => [query.get('params[1]'), query.get('params[2]')])
    assert.equal(before?.[0], later?.[0])
    assert.notEqual(before?.[1], later?.[1])
  })

  test('only a place in the log passes through the door', () => {
    const address = shapeAddress(
      { url: 'http://shapes', secret: 's' },
      { household: 'home', generation: 7 },
      {
        offset: '0_0',
        handle: '1-2',
        live: 'true',
        table: 'alert',
        where: 'true',
        columns: 'body',
        'params[1]': 'other',
        secret: 'mine',
        replica: 'default',
        cursor: ['1', '2'],
        log: 'full&where=true',
      },
    )
    assert.deepEqual(Object.fromEntries(address.searchParams), {
      offset: '0_0',
      handle: '1-2',
      live: 'true',
      table: 'household_feed',
      columns: 'household_id,kind,id,subject,hlc,body',
      where: 'household_id = $1 AND hlc <> $2',
      'params[1]': 'home',
      'params[2]': 'generation-7',
      replica: 'full',
      secret: 's',
    })
  })

  test('a stream ends within a minute of its hub being taken out', { timeout: 20_000 }, async () => {
    const { hub, ask } = await setup()
    const shape = (query: string) => signing(hub)(`${running.address}${PATHS.shape}?${query}`)
    const first = await shape('offset=-1')
    await first.text()
    const place = `offset=${first.headers.get('electric-offset')}&handle=${first.headers.get('electric-handle')}`
    const stream = await shape(`${place}&live=true&live_sse=true`)
    assert.match(stream.headers.get('content-type') ?? '', /event-stream/)
    let text = ''
    const ended = (async () => {
      for await (const piece of stream.body ?? []) text += Buffer.from(piece).toString()
    })()
    assert.equal((await ask('DELETE', `/hubs/${hub.id}`)).status, 204)
    // The stream itself would go on for a minute.
    clock.advance(30_000)
    await ended.catch(() => {})
    assert.match(text, /up-to-date/)
    assert.equal((await shape('offset=-1')).status, 403)
    assert.equal((await hub.push('now', [])).status, 403)
  })

  test('a stream whose hub cannot be checked any more is not served on trust for longer than a minute', {
    timeout: 120_000,
  }, async (t) => {
    const electric = createServer((_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
    })
    await new Promise<void>((resolve) => electric.listen(0, '127.0.0.1', resolve))
    const { port } = electric.address() as AddressInfo
    const at = await testCloud(postgres, { shapes: { url: `http://127.0.0.1:${port}`, secret: 's' } })
    const address = await at.cloud.http.listen({ host: '127.0.0.1', port: 0 })
    t.after(async () => {
      electric.closeAllConnections()
      electric.close()
      await at.close()
    })
    const hub = await at.hub((await at.household()).id)
    const stream = await signing(hub, at.clock)(`${address}${PATHS.shape}?offset=-1&live=true&live_sse=true`)
    const { identity, metrics } = at.cloud.parts
    let asked = 0
    identity.generationOf = async () => {
      asked += 1
      throw new Error('Postgres is away')
    }
    at.clock.advance(30_000)
    assert.equal(asked, 1)
    await new Promise((resolve) => setImmediate(resolve))
    assert.doesNotMatch(await metrics.text(), /streams_cut_total\{/)
    at.clock.advance(30_000)
    // Ends, or the test does not.
    for await (const _ of stream.body ?? []) {
      // What was sent before.
    }
    assert.match(await metrics.text(), /streams_cut_total\{reason="unchecked"\} 1/)
  })

  test('a job that ended long ago leaves the feed, one that is open stays', async () => {
    const { hub, ask } = await setup()
    await ask('POST', '/jobs', { job_id: 'open', kind: 'calibrate' })
    await ask('POST', '/jobs', { job_id: 'ended', kind: 'calibrate' })
    await hub.ask('POST', PATHS.process, { job_id: 'ended', state: 'done', result: { km: 4 } })
    const jobs = async () =>
      (await ask('GET', '/jobs')).body.jobs.map(({ job_id: id }: { job_id: string }) => id).sort()
    await sweep(running.cloud, clock.now() + 29 * 86_400_000)
    assert.deepEqual(await jobs(), ['ended', 'open'])
    await sweep(running.cloud, clock.now() + 31 * 86_400_000)
    assert.deepEqual(await jobs(), ['open'])
  })

  test("an event that no hub could put on its calendar is refused: without a start, or nobody's", async () => {
    const { ask } = await setup()
    const refused = async (body: object) => {
      const { status, body: said } = await ask('POST', '/calendar', body)
      assert.equal(status, 400)
      return said.error.message
    }
    assert.match(await refused({ subject: 'mia', fields: { title: 'Match', starts_at: 1000 } }), /start_at/)
    assert.match(await refused({ fields: { title: 'Match', start_at: 1000, person_id: 'mia' } }), /subject/)
  })

  test('a token does what its role says, an unknown one nothing', async () => {
    const { id, ask } = await setup()
    const { owner } = running.cloud.parts.base
    const viewer = await addToken(owner, id, { role: 'viewer', name: 'aunt' }, clock.now())
    const editor = await addToken(owner, id, { role: 'editor', name: 'coach' }, clock.now())
    const event = { id: 'e1', fields: { title: 'Passing', start_at: 1000, group: 'team' } }
    assert.equal((await ask('POST', '/calendar', event, viewer.token)).status, 403)
    assert.equal((await ask('POST', '/calendar', event, editor.token)).status, 201)
    assert.equal((await ask('GET', '/calendar', undefined, viewer.token)).status, 200)
    assert.equal((await ask('POST', '/erasures', { subject: 'mia' }, editor.token)).status, 403)
    assert.equal((await ask('DELETE', '/calendar/e1', undefined, editor.token)).status, 204)
    assert.deepEqual((await ask('GET', '/calendar')).body.calendar, [])
    assert.equal((await ask('GET', '/calendar', undefined, 'x'.repeat(43))).status, 401)
    assert.equal((await ask('POST', '/calendar', { fields: 3 })).status, 400)
    assert.equal((await ask('POST', '/hubs/codes')).status, 201)
  })
})
