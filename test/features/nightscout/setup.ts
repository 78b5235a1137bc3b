/** A household with one person, an uploader bound to her, and Nightscout's routes behind the real server. */
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createGlucose } from '../../../daemon/features/glucose/glucose.ts'
import { createNightscout, type Nightscout } from '../../../daemon/features/nightscout/nightscout.ts'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { ensureHub } from '../../../daemon/store/hub.ts'
import { createSources } from '../../../daemon/store/sources.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openHousehold } from '../../fakes/household.ts'

export const NOW = Date.UTC(2026, 2, 14, 8, 20)

export function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

export async function setup(t: TestContext) {
  let nightscout: Nightscout | null = null
  const zoneOf = () => 'Europe/Berlin'
  const house = await openHousehold(t, {
    clock: fakeClock(NOW),
    fromUploader: (secret) => nightscout?.fromUploader(secret) ?? null,
    more(store, now, { devices, secret }) {
      const sources = createSources({ store, now })
      const { wearerAt } = devices
      const glucose = createGlucose({ store, sources, now, zoneOf, wearerAt })
      const records = createRecords({ store, sources, now, zoneOf, wearerAt, newId: () => newId(now()) })
      nightscout = createNightscout({
        ...{ store, secret, now, wearerAt, keys: devices, version: '0.0.0', glucose: glucose.traces.read },
        meals: {
          tell: (meal, teller) => records.tell('meal', meal, teller),
          takeBack: (at) => records.takeBack('meal', at),
        },
      })
      return [glucose.feature, records.feature, nightscout.feature]
    },
  })
  await ensureHub(house.store, 'hub-1', house.clock.now())
  const owner = await house.claimed()
  await house.people.add({ id: 'mia', name: 'Mia' })
  await house.people.add({ id: 'leo', name: 'Leo' })

  async function add(body: object): Promise<{ id: string; key: string }> {
    const { data } = (await house.call('POST', '/devices', { token: owner, body })).body
    return { id: data.id, key: data.api_key }
  }
  const uploader = await add({ type: 'integration', name: 'xDrip+ of Mia', person_id: 'mia' })
  const http = await house.server.ready()

  /** As an uploader asks: any path, its own headers, its bodies as they are. */
  async function ask(
    method: string,
    url: string,
    asked: { key?: string; body?: unknown; headers?: object } = {},
  ) {
    const signedIn = asked.headers ?? { 'api-secret': sha1(asked.key ?? uploader.key) }
    const answer = await http.inject({
      method: method as 'GET',
      url,
      remoteAddress: '192.168.1.60',
      headers: {
        host: 'homefield.local',
        ...(asked.body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
        ...signedIn,
      },
      ...(asked.body === undefined ? {} : { payload: JSON.stringify(asked.body) }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    const body: any = answer.body === '' ? null : answer.json()
    return { status: answer.statusCode, body, headers: answer.headers }
  }
  const readings = async (metric = 'glucose', personId = 'mia') => {
    const range = { personId, metric, fromMs: 0, toMs: NOW * 2, limit: 1000 }
    return (await house.store.observations.range(range)).points
  }
  const quarantined = async () =>
    (await house.call('GET', `/devices/${uploader.id}/quarantine`, { token: owner })).body.data as {
      topic: string
      reason: string
      code: string
    }[]
  return { ...house, owner, uploader, add, ask, readings, quarantined }
}
