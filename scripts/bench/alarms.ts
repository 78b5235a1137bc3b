/** From a value beyond its threshold to the ring on an open phone, and what judging costs a value. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { WebSocket } from 'ws'
import type { StoredObservation } from '../../daemon/domain/observation.ts'
import { createEvaluator } from '../../daemon/features/rules/evaluator.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import type { CommitListener } from '../../daemon/store/store.ts'
import { loadPulseNet } from '../../models/pulsenet.ts'
import { calibrateAnomaly, createAnomaly } from '../../models/series/anomaly.ts'
import { createDraw } from '../../models/training/random.ts'
import { drawPerson } from '../../models/training/vitals-events.ts'
import { OWNER } from './household.ts'
import { quantile, type Row } from './row.ts'
import { openSite, type Site } from './site.ts'
import { shortNumber } from './table.ts'

const PERSONS = 50
const BREACH_EVERY_MS = 250
const RULES_EACH = 4
const JUDGED = 200_000
const NOTICED_WITHIN_MS = 1000
const WAIT_MS = 5000

const WATCHED_DAYS = 14
const RESUMED = 50

/** 50 people of one value a second each; every quarter second another one's heart races. */
export async function alarmRows(): Promise<Row[]> {
  const site = await openSite({ persons: PERSONS, watches: PERSONS })
  try {
    const late = await breaches(site)
    const [p50, p99] = [quantile(late, 0.5), quantile(late, 0.99)]
    const costUs = await judging()
    return [
      {
        name: `alarm, breach to open phone, ${PERSONS} people at 1 Hz`,
        hub: `p50 ${shortNumber(p50)} p99 ${shortNumber(p99)} ms of ${late.length}/${PERSONS}`,
        beside: '',
        ratio: null,
        target: `all, p99 <= ${NOTICED_WITHIN_MS} ms`,
        met: late.length === PERSONS && p99 <= NOTICED_WITHIN_MS,
      },
      {
        name: `rules, ${RULES_EACH} on the metric, per value`,
        hub: `${shortNumber(costUs)} µs`,
        beside: `${PERSONS} people at 1 Hz: ${shortNumber((costUs * PERSONS) / 10_000)} % of a core`,
        ratio: null,
        target: '< 1 ms a minute and person',
        met: costUs * 60 < 1000,
      },
      ...vitals(),
    ]
  } finally {
    await site.stop()
  }
}

/** Processor time of PulseNet and its checks, without the database: a minute, learning a person, going on with one that is kept. */
function vitals(): Row[] {
  const { net, population, checks } = loadPulseNet()
  const wanted = { days: WATCHED_DAYS, quietDays: WATCHED_DAYS, eventsPerDay: 0 }
  const { minutes } = drawPerson(wanted, createDraw(1))
  const { ms: learningMs, result: profile } = spent(() => calibrateAnomaly(net, minutes))
  const deps = { net, population, checks, profile }
  const anomaly = createAnomaly(deps)
  const judged = spent(() => minutes.map((minute) => anomaly.step(minute)))
  const minuteUs = (judged.ms * 1000) / minutes.length
  const kept = JSON.stringify({ profile, state: anomaly.state() })
  const resumed = spent(() => {
    // What the hub itself has written.
    for (let at = 0; at < RESUMED; at += 1)
      createAnomaly({ ...deps, ...(JSON.parse(kept) as Pick<typeof deps, 'profile'>) })
  })
  const goingOnMs = resumed.ms / RESUMED
  return [
    {
      name: 'vitals, PulseNet and checks, per person and minute',
      hub: `${shortNumber(minuteUs)} µs`,
      beside: '',
      ratio: null,
      target: '< 1 ms',
      met: minuteUs < 1000,
    },
    {
      name: 'vitals, a person after a start, from what is kept',
      hub: `${shortNumber(goingOnMs)} ms, ${shortNumber(kept.length / 1024)} KB`,
      beside: `learnt anew from ${WATCHED_DAYS} days: ${shortNumber(learningMs)} ms`,
      ratio: goingOnMs / learningMs,
      target: '',
      met: null,
    },
  ]
}

/** Processor time, so that what else runs on the machine counts little. */
function spent<Result>(work: () => Result): { ms: number; result: Result } {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return { ms: (user + system) / 1000, result }
}

/** Milliseconds from the publish to the live event that rings, for each person in turn. */
async function breaches({ hub, household }: Site): Promise<number[]> {
  const condition = { type: 'above', metric: 'heart_rate', threshold: 150 }
  for (const person of household.persons)
    await hub.control.call('POST', '/rules', {
      person_id: person,
      name: person,
      condition,
      severity: 'urgent',
    })
  const { access_token: token } = (await hub.control.call('POST', '/auth/login', OWNER)) as {
    access_token: string
  }
  const phone = new WebSocket(
    `wss://127.0.0.1:${hub.json.httpsPort}/api/v1/ws`,
    ['homefield.v1', `bearer.${token}`],
    { rejectUnauthorized: false },
  )
  await once(phone, 'open')
  phone.send(JSON.stringify({ type: 'subscribe', topics: ['alerts'] }))
  const sentMs = new Map<string, number>()
  const late = new Map<string, number>()
  phone.on('message', (data: Buffer) => {
    const { type, data: alert } = JSON.parse(data.toString()) as {
      type: string
      data?: { person_id: string; ring?: string[] }
    }
    const atMs = alert && sentMs.get(alert.person_id)
    if (type !== 'alert' || !alert?.ring?.length || atMs === undefined || late.has(alert.person_id)) return
    late.set(alert.person_id, performance.now() - atMs)
  })
  const watches = await Promise.all(
    household.watches.map(async ({ id, key, person }) => ({
      person,
      topic: `hf/${id}/obs`,
      client: await mqtt.connectAsync(`mqtt://127.0.0.1:${hub.json.mqttPort}`, {
        ...{ clientId: id, username: id, password: key, reconnectPeriod: 0 },
      }),
    })),
  )
  const measure = ({ client, topic }: (typeof watches)[number], beats: number) =>
    client.publishAsync(topic, JSON.stringify({ ts: Date.now(), metric: 'heart_rate', value: beats }), {
      qos: 1,
    })
  const calm = setInterval(() => {
    for (const watch of watches) if (!sentMs.has(watch.person)) void measure(watch, 80)
  }, 1000)
  try {
    for (const watch of watches) {
      await sleep(BREACH_EVERY_MS)
      sentMs.set(watch.person, performance.now())
      await measure(watch, 170)
    }
    const untilMs = performance.now() + WAIT_MS
    while (late.size < watches.length && performance.now() < untilMs) await sleep(20)
    return [...late.values()]
  } finally {
    clearInterval(calm)
    phone.terminate()
    for (const { client } of watches) client.end(true)
  }
}

/** Microseconds that the evaluator takes for one committed value, without disk or network. */
async function judging(): Promise<number> {
  let take: CommitListener = () => {}
  const values = Array.from({ length: JUDGED }, (_, index): StoredObservation => {
    const person = index % PERSONS
    return {
      ...{ personId: `person_${person}`, deviceId: `watch_${person}`, metric: 'heart_rate', revision: 0 },
      ...{ atMs: Date.now() - 300_000 + Math.floor(index / PERSONS), value: 70 + (index % 30) },
      ...{ source: 'obs', quality: null, extra: null },
    }
  })
  const conditions = [
    { type: 'above', metric: 'heart_rate', threshold: 150, for_seconds: 60 },
    { type: 'below', metric: 'heart_rate', threshold: 40, for_seconds: 60 },
    { type: 'rises', metric: 'heart_rate', change: 60, within_seconds: 300 },
    { type: 'no_data', metric: 'heart_rate', after_seconds: 600 },
  ] as const
  const rules = Array.from({ length: PERSONS }, (_, person) =>
    conditions.map((condition, index) => ({
      ...{ id: `${person}-${index}`, personId: `person_${person}`, revision: 0, updatedBy: 'bench' },
      ...{ createdAtMs: 0, updatedAtMs: 0 },
      definition: { name: condition.type, condition, severity: 'warning' as const, enabled: true },
    })),
  ).flat()
  const nothing = () => Promise.reject(new Error('the bench stores nothing'))
  const evaluator = createEvaluator({
    store: {
      onCommitted(listener) {
        take = listener
        return () => {}
      },
      observations: {
        ...{ append: nothing, level: nothing, history: nothing, retract: nothing, move: nothing },
        range: async () => ({ points: [], nextFromMs: null }),
        latest: async () => [],
      },
    },
    ...{ clock: systemClock(), log: createLog('silent'), table: { all: () => rules } },
    episodes: { open: nothing, remark: nothing, newest: () => undefined },
    isOnline: () => true,
    glucoseUnit: () => 'mg/dL',
  })
  await evaluator.start()
  const fromMs = performance.now()
  for (let from = 0; from < values.length; from += PERSONS) take(values.slice(from, from + PERSONS))
  const tookMs = performance.now() - fromMs
  evaluator.stop()
  return (tookMs * 1000) / JUDGED
}
