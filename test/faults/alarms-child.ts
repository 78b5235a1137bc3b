/**
 * A hub with a child, a mother, a father's watch and an owner, on the store at `argv[2]`, until it is killed or an alarm has run
 * its whole course. It kills itself at the boundary `argv[3]`: before or after a unit of the store or a message to the outside.
 * What happens outside is written to standard output, which is synchronous on a pipe.
 */
import { createAlarms } from '../../daemon/composition/alarms.ts'
import type { Observation } from '../../daemon/domain/observation.ts'
import { createDevices } from '../../daemon/features/devices/devices.ts'
import { createPeople } from '../../daemon/features/people/people.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createLive } from '../../daemon/live/live.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store, Write } from '../../daemon/store/store.ts'
import { fakeClock } from '../fakes/clock.ts'

const [, , path = '', boundary = '0', startMs = '0'] = process.argv
const MINUTE = 60_000
const clock = fakeClock(Number(startMs))
let passed = 0

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Between every two steps there is one of these. */
function step(name: string): void {
  passed += 1
  if (passed !== Number(boundary)) return
  say({ killed: name, nowMs: clock.now() })
  process.kill(process.pid, 'SIGKILL')
}

const real = await createStore({
  path,
  now: clock.now,
  onFailure: (cause) => {
    throw cause
  },
})

/** What a sender settles: from then on nothing of it may be sent again. */
function settledBy({ params = {} }: Write): object | null {
  return 'claim' in params && params['state'] === 'sent' ? params : null
}

let isWatched = false
const store: Store = {
  ...real,
  async write(unit) {
    if (isWatched) step('before a unit')
    const results = await real.write(unit)
    for (const settled of unit.map(settledBy)) if (settled) say({ settled })
    if (isWatched) step('after a unit')
    return results
  },
}
const log = createLog('silent')
const zone = () => 'UTC'
const people = createPeople({ store: real, clock, timezone: zone })
const devices = createDevices({
  ...{ store: real, clock, log, secret: new Uint8Array(32), timezone: zone, notify: () => {} },
  zoneOfPerson: zone,
})

async function furnish(): Promise<void> {
  for (const [id, kind] of [
    ['mia', 'child'],
    ['mama', 'adult'],
    ['papa', 'adult'],
  ] as const)
    await people.add({ id, name: id, kind })
  for (const [id, personId] of [
    ['watch-mia', 'mia'],
    ['watch-papa', 'papa'],
  ] as const) {
    const plan = devices.plan({ id, name: id, type: 'watch', personId })
    await real.write(plan.writes)
    plan.committed()
  }
  const member = (personId: string, role: string, order: number | null): Write => ({
    sql: `INSERT INTO group_member (group_id, member_id, person_key, role, escalation_order, created_at)
      SELECT 'family', id, key, :role, :order, 1 FROM person WHERE id = :personId`,
    params: { personId, role, order },
  })
  const condition = { type: 'above', metric: 'heart_rate', threshold: 130, for_seconds: 60, clear_at: 120 }
  const definition = JSON.stringify({ name: 'Too fast', condition, severity: 'urgent', enabled: true })
  await real.write([
    {
      sql: `INSERT INTO people_group (id, name, kind, timezone, step_minutes, created_at, updated_at)
        VALUES ('family', 'Us', 'family', 'UTC', 2, 1, 1)`,
    },
    member('mia', 'cared_for', null),
    member('mama', 'parent', 1),
    member('papa', 'parent', 2),
    {
      sql: `INSERT INTO rule (id, person_key, definition, created_at, updated_at, updated_by)
        SELECT 'fast', key, :definition, 1, 1, 'test' FROM person WHERE id = 'mia'`,
      params: { definition },
    },
  ])
}

if (people.all().length === 0) await furnish()
const user = (id: string, role: 'owner' | 'member', personId: string | null) => ({
  ...{ id, name: id, role, person_id: personId, email: null, disabled: false, created_at: '' },
  ...{ preferences: {}, last_seen: null },
})
const users = [user('anna', 'owner', null), user('u-mama', 'member', 'mama')]
const live = createLive({ clock, base: 0 })
const publish = live.publish
live.publish = (topic, type, data, audience) => {
  const { ring = [], id, round } = Object(data) as { ring?: string[]; id?: string; round?: number }
  step('before an event')
  for (const one of ring) say({ sent: 'app', to: one, id, round })
  const seq = publish(topic, type, data, audience)
  step('after an event')
  return seq
}
const alarms = createAlarms({
  house: { store, clock, log },
  ...{ live, devices, timezone: zone, users: () => users },
  grantsOf: (userId) =>
    userId === 'u-mama' ? [{ personId: 'mia', class: 'wellness', action: 'read', expiresAtMs: null }] : [],
  people: { ids: () => people.all().map(({ id }) => id), get: people.get },
  voices: {
    async speak(text) {
      step('before speech')
      say({ sent: 'speech', to: 'house', id: text, round: 0 })
      step('after speech')
    },
    async webhook(_body, key) {
      step('before a post')
      say({ sent: 'webhook', to: 'house', id: key, round: 0 })
      step('after a post')
    },
  },
})
alarms.setPublish(async (topic, payload) => {
  const { type, id, round } = JSON.parse(payload) as { type?: string; id: string; round: number }
  step('before a message')
  if (type === 'alert') say({ sent: 'watch', to: topic, id, round })
  step('after a message')
})

const value = (beats: number): Observation => ({
  ...{ personId: 'mia', deviceId: 'watch-mia', metric: 'heart_rate', atMs: clock.now(), value: beats },
  ...{ source: 'obs', quality: null, extra: null },
})
interface Place {
  id: string
  state: string
  step: number
  round: number
}
const alertNow = () => real.get<Place>('SELECT id, state, step, round FROM alert ORDER BY seq DESC LIMIT 1')
const episodeNow = () =>
  real.get<{ state: string }>('SELECT state FROM episode ORDER BY created_at DESC LIMIT 1')

isWatched = true
for (const feature of alarms.features) await feature.start?.()
devices.setPresence('watch-papa', true, clock.now())
await alarms.alerts.deviceIsBack('watch-papa')
const settle = async () => {
  await alarms.rules.settled()
  await alarms.alerts.settled()
}
const measure = async (beats: number) => {
  clock.advance(20_000)
  await real.observations.append([value(beats)])
  await settle()
}
await settle()
// The father answers when everybody was told twice; what he says comes again until it is acknowledged.
for (let alert = alertNow(); !alert || alert.state === 'open'; alert = alertNow()) {
  if (alert && alert.step >= 3 && alert.round >= 1)
    await alarms.alerts.fromDevice('watch-papa', Buffer.from(JSON.stringify({ alert: alert.id })))
  else await measure(140)
}
while (episodeNow()?.state !== 'resolved') await measure(100)
for (let minute = 0; minute < 10; minute += 1) {
  clock.advance(MINUTE)
  await settle()
}
say({ all: passed, nowMs: clock.now() })
process.exit(0)
