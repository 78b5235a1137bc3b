/** What a household does while its cameras are looked at: it asks for values, and now and then somebody's values breach a rule. */
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { WebSocket } from 'ws'
import { OWNER } from './household.ts'
import { quantile } from './row.ts'
import type { Site } from './site.ts'

export interface Beside {
  /** Asks and breaches for as long as the work takes; what begins in its first `warmMs` is not counted. Every breach is waited for. */
  during<Result>(work: () => Promise<Result>, warmMs: number): Promise<Result & BesideTimes>
  close(): void
}

export interface BesideTimes {
  apiP50Ms: number
  apiP99Ms: number
  /** From the publish of the value to the ring on an open phone, each. */
  alertMs: readonly number[]
  /** Breaches that no phone heard of in time. */
  unheard: number
}

/** Each rings once for each person: a rule that has rung stays broken. When all have rung, no more is breached. */
const RULES = [
  { metric: 'respiratory_rate', threshold: 40, breach: 60 },
  { metric: 'skin_temp', threshold: 39, breach: 41 },
  { metric: 'body_temp', threshold: 39, breach: 40.5 },
  { metric: 'hrv_rmssd', threshold: 300, breach: 350 },
  { metric: 'speed', threshold: 30, breach: 40 },
  { metric: 'cadence', threshold: 300, breach: 350 },
  { metric: 'hrv_sdnn', threshold: 300, breach: 350 },
  { metric: 'stress', threshold: 0.9, breach: 0.95 },
  { metric: 'activity', threshold: 0.9, breach: 0.95 },
] as const
const ASK_EVERY_MS = 25
const BREACH_EVERY_MS = 400
const HEARD_WITHIN_MS = 5000

/** `watches` are connected by nobody else. */
export async function openBeside(site: Site, watches: Site['household']['watches']): Promise<Beside> {
  const { hub } = site
  for (const { person } of watches)
    for (const { metric, threshold } of RULES)
      await hub.control.call('POST', '/rules', {
        ...{ person_id: person, name: `${metric} of ${person}`, severity: 'urgent' },
        condition: { type: 'above', metric, threshold },
      })
  const { access_token: token } = (await hub.control.call('POST', '/auth/login', OWNER)) as {
    access_token: string
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
  const phone = new WebSocket(
    `wss://127.0.0.1:${hub.json.httpsPort}/api/v1/ws`,
    ['homefield.v1', `bearer.${token}`],
    { rejectUnauthorized: false },
  )
  await once(phone, 'open')
  phone.send(JSON.stringify({ type: 'subscribe', topics: ['alerts'] }))
  const clients = await Promise.all(
    watches.map(({ id, key }) =>
      mqtt.connectAsync(`mqtt://127.0.0.1:${hub.json.mqttPort}`, {
        ...{ clientId: id, username: id, password: key, reconnectPeriod: 0 },
      }),
    ),
  )
  const waiting = new Map<string, (atMs: number) => void>()
  const rung = new Set<string>()
  phone.on('message', (data: Buffer) => {
    const { type, data: alert } = JSON.parse(data.toString()) as {
      type: string
      data?: { id: string; person_id: string; ring?: string[] }
    }
    if (type !== 'alert' || !alert?.ring?.length || rung.has(alert.id)) return
    rung.add(alert.id)
    waiting.get(alert.person_id)?.(performance.now())
    waiting.delete(alert.person_id)
  })
  let breached = 0

  async function breach(): Promise<number | null> {
    const watch = watches[breached % watches.length]
    const client = clients[breached % watches.length]
    const rule = RULES[Math.floor(breached / watches.length)]
    breached += 1
    if (!watch || !client || !rule) throw new Error('every rule of everybody is broken already')
    const fromMs = performance.now()
    const heard = new Promise<number>((resolve) => {
      waiting.set(watch.person, resolve)
    })
    const value = { ts: Date.now(), metric: rule.metric, value: rule.breach }
    await client.publishAsync(`hf/${watch.id}/obs`, JSON.stringify(value), { qos: 1 })
    const atMs = await Promise.race([heard, sleep(HEARD_WITHIN_MS, null, { ref: false })])
    return atMs === null ? null : atMs - fromMs
  }

  async function ask(personId: string): Promise<number> {
    const fromMs = performance.now()
    const asked = request({
      ...{ host: '127.0.0.1', port: hub.json.httpsPort, path: `/api/v1/people/${personId}/latest`, agent },
      headers: { authorization: `Bearer ${token}` },
    }).end()
    const [answer] = await once(asked, 'response')
    answer.resume()
    await once(answer, 'end')
    if (answer.statusCode !== 200) throw new Error(`asked for values, answered ${answer.statusCode}`)
    return performance.now() - fromMs
  }

  return {
    async during(work, warmMs) {
      const asked: Promise<number>[] = []
      const breaches: Promise<number | null>[] = []
      const countedFromMs = performance.now() + warmMs
      let asks = 0
      const asking = setInterval(() => {
        const answered = ask(watches[asks++ % watches.length]?.person ?? '')
        if (performance.now() >= countedFromMs) asked.push(answered)
      }, ASK_EVERY_MS)
      const breaching = setInterval(() => {
        const isLeft = breached < RULES.length * watches.length
        if (isLeft && performance.now() >= countedFromMs) breaches.push(breach())
      }, BREACH_EVERY_MS)
      const result = await work().finally(() => {
        clearInterval(asking)
        clearInterval(breaching)
      })
      const api = await Promise.all(asked)
      const late = await Promise.all(breaches)
      const alertMs = late.filter((ms) => ms !== null)
      return {
        ...result,
        ...{ apiP50Ms: quantile(api, 0.5), apiP99Ms: quantile(api, 0.99), alertMs },
        unheard: late.length - alertMs.length,
      }
    },
    close() {
      agent.destroy()
      phone.terminate()
      for (const client of clients) client.end(true)
    },
  }
}
