/** Two hubs and people in the cloud edit the same things while cut off from each other; in the end all hold the same bytes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createHybridClock } from '../../sync/clock.ts'
import { mergeBodies } from '../../sync/cloud/feed.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { type RunningCloud, runCloud } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { canonicalJson, edited, mergeConsent, withoutErased } from '../../sync/merge.ts'
import type { Consent, Entity, Erasure } from '../../sync/rows.ts'
import { PATHS } from '../../sync/wire.ts'
import { fakeClock } from '../fakes/clock.ts'
import { seededRandom } from '../fakes/fault-proxy.ts'
import { registerHub, type TestHub } from './hub.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from './postgres.ts'

const SILENT = { info() {}, warn() {}, error() {} }
type Body = Entity | Consent | Erasure

describe('replicas converge', { skip: withoutPostgres() }, () => {
  const clock = fakeClock()
  let postgres: TestPostgres
  let running: RunningCloud
  before(async () => {
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
      hubPerMinute: 1e9,
    })
  })
  after(async () => {
    await running.close()
    await postgres.stop()
  })

  /** What a hub does with what it shares: a feed of changed keys up, the shape down, one merge for both. */
  function replica(hub: TestHub, skewMs: number) {
    const hlc = createHybridClock({ now: () => clock.now() + skewMs, node: hub.id })
    const rows = new Map<string, Body>()
    const feed = new Map<string, number>()
    let [seq, offset, handle] = [0, '-1', '']
    const erased = () =>
      new Set(
        [...rows]
          .filter(([name]) => name.startsWith('erasure '))
          .map(([name]) => name.slice('erasure '.length)),
      )
    const allowed = (name: string, body: Body): Body | null => {
      if (name.startsWith('erasure ')) return body
      if (body.subject !== null && erased().has(body.subject)) return null
      return name.startsWith('consent ') ? body : withoutErased(body as Entity, erased())
    }
    /** True when the merge changed something. */
    const take = (name: string, body: Body): boolean => {
      const before = rows.get(name)
      const left = allowed(name, before ? mergeBodies(name.split(' ')[0] ?? '', before, body) : body)
      const isNews = canonicalJson(left) !== canonicalJson(before ?? null)
      if (left) rows.set(name, left)
      else rows.delete(name)
      if (name.startsWith('erasure ') && isNews)
        for (const [other, held] of rows) keep(other, allowed(other, held))
      return isNews
    }
    const keep = (name: string, body: Body | null) => (body ? rows.set(name, body) : rows.delete(name))
    const changed = (name: string) => {
      seq += 1
      feed.set(name, seq)
    }
    return {
      rows,
      erased,
      hlc,
      edit(name: string, body: Body) {
        if (take(name, body)) changed(name)
      },
      entity: (name: string): Entity =>
        (rows.get(name) as Entity | undefined) ?? { subject: null, fields: {} },
      async push() {
        const acked = hub.lanes.get('now')?.prev ?? 0
        const due = [...feed].filter(([, at]) => at > acked).sort(([, one], [, other]) => one - other)
        const sent = due.slice(0, 3).map(([name, at]) => {
          const [kind = '', key = ''] = name.split(' ')
          return { seq: at, kind, v: 1, key, body: rows.get(name) ?? null }
        })
        if (sent.length === 0) return false
        const heard = await hub.push('now', sent)
        assert.ok(heard.status === 200, JSON.stringify(heard.body))
        return true
      },
      /** Reads the shape on; an edit that comes down and changes something is not sent up again: it came from there. */
      async pull(): Promise<boolean> {
        for (let isNews = false; ; ) {
          const query = offset === '-1' ? 'offset=-1' : `offset=${offset}&handle=${handle}`
          const heard = await hub.ask('GET', `${PATHS.shape}?${query}`)
          if (heard.status === 409) {
            offset = '-1'
            continue
          }
          assert.equal(heard.status, 200)
          offset = String(heard.headers['electric-offset'])
          handle = String(heard.headers['electric-handle'])
          for (const { value, headers } of heard.body) {
            if (!value || headers.operation === 'delete') continue
            const body = JSON.parse(value.body) as Body
            if ('job_id' in body) continue
            hlc.follow(String(value.hlc || hlc.tick()))
            isNews = take(`${value.kind} ${value.id}`, body) || isNews
          }
          if (heard.headers['electric-up-to-date'] !== undefined) return isNews
        }
      },
    }
  }
  type Replica = ReturnType<typeof replica>

  function randomEdit(one: Replica, random: () => number, name: string): void {
    const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value
    const dice = random()
    const id = pick(['e1', 'e2', 'e3'])
    if (dice < 0.55) {
      const before = one.entity(`calendar ${id}`)
      const subject = id === 'e3' ? 'mia' : null
      const field = pick(['title', 'start_at', 'deleted'])
      one.edit(
        `calendar ${id}`,
        edited({ ...before, subject }, { [field]: Math.floor(random() * 5) }, one.hlc.tick()),
      )
    } else if (dice < 0.75) {
      const field = `member:${pick(['mia', 'ben'])}`
      one.edit(
        'group u12',
        edited(one.entity('group u12'), { [field]: pick(['player', null]) }, one.hlc.tick()),
      )
    } else if (dice < 0.97) {
      const granted: Consent = {
        subject: pick(['mia', 'ben']),
        grant: {
          grantee: 'coach',
          class: 'training',
          action: 'read',
          expires_at: null,
          granted: one.hlc.tick(),
        },
        revoked: null,
      }
      const before = one.rows.get('consent c1') as Consent | undefined
      if (!before) one.edit('consent c1', granted)
      else if (random() < 0.3)
        one.edit('consent c1', mergeConsent(before, { ...before, revoked: one.hlc.tick() }))
    } else
      one.edit('erasure mia', {
        subject: 'mia',
        requested_at: Math.floor(random() * 100),
        requested_by: `hub:${name}`,
      })
  }

  for (const seed of [1, 2, 3])
    test(`two hubs and the cloud hold the same bytes after edits and partitions (seed ${seed})`, {
      timeout: 60_000,
    }, async () => {
      const random = seededRandom(seed)
      const { parts, http } = running.cloud
      const { id: household, token } = await addHousehold(parts.base.owner, 'Home', clock.now())
      const join = async () => {
        const { code } = await addCode(parts.base.owner, parts.key, household, clock.now())
        return registerHub({ door: http, code, now: () => clock.now() })
      }
      // One clock runs four minutes ahead, the other is an hour behind.
      const [one, two] = [replica(await join(), 240_000), replica(await join(), -3_600_000)]
      for (let step = 0; step < 80; step += 1) {
        clock.advance(Math.floor(random() * 5000))
        const dice = random()
        const [who, name] = random() < 0.5 ? ([one, 'one'] as const) : ([two, 'two'] as const)
        if (dice < 0.6) randomEdit(who, random, name)
        else if (dice < 0.7)
          await http.inject({
            method: 'POST',
            url: '/api/household/calendar',
            headers: { authorization: `Bearer ${token}` },
            payload: { id: 'e1', fields: { title: Math.floor(random() * 5) } },
          })
        else if (dice < 0.85) await who.push()
        else await who.pull()
      }
      const settled = async (who: Replica) => {
        while (await who.push()) {}
        await running.shapeServer?.shapes.caughtUp()
        return who.pull()
      }
      let rounds = 0
      for (let isNews = true; isNews; rounds += 1) {
        assert.ok(rounds < 10, 'edits go back and forth without end')
        isNews = (await settled(one)) || (await settled(two))
        isNews = (await settled(two)) || isNews
      }
      const bytes = (who: Replica) => canonicalJson([...who.rows].sort())
      const stored = await parts.base.household(household, (queries) =>
        queries.query<{ kind: string; id: string; body: Body }>('SELECT kind, id, body FROM household_feed'),
      )
      const inCloud = stored.rows.map(({ kind, id, body }): [string, Body] => [`${kind} ${id}`, body])
      assert.equal(bytes(one), bytes(two))
      assert.equal(canonicalJson(inCloud.sort()), bytes(one))
      assert.ok(one.rows.size > 1)
    })
})
