/** Every path up the ladder, walked twice: by a hub that runs on, and by one that starts anew before each step and is off whenever time passes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fakeClock } from '../../fakes/clock.ts'
import { family, leftBehind, MINUTE, open } from './setup.ts'

type Home = Awaited<ReturnType<typeof open>>
type Who = 'owner' | 'mama' | 'papa'

/** Who is at hand on a path. */
interface Walk {
  home: Home
  tokens: Readonly<Record<Who, string>>
  /** The newest alert. */
  id(): string
  online: Set<string>
}
/** Somebody does something, or so many milliseconds pass. */
type Act = (walk: Walk) => Promise<unknown>
type Step = Act | number

interface Path {
  name: string
  steps: Step[]
  /** Who rang how often, and how it ended. */
  rings: Partial<Record<Who | 'wrist' | 'wall' | 'webhook', number>>
  ends: string
}

const HOUR = 60 * MINUTE
const UP = 2 * MINUTE

const raise =
  (kind: 'tip' | 'warning' | 'urgent' = 'urgent', more: object = {}): Act =>
  ({ home }) =>
    home.alarms.alerts.raise({
      ...{ personId: 'mia', kind, class: 'wellness', title: kind, message: '142 bpm', source: 'rule' },
      ...more,
    })
const notice =
  (severity: 'warning' | 'urgent' = 'urgent'): Act =>
  ({ home }) =>
    home.alarms.episodes.open({
      ...{ personId: 'mia', kind: 'too_fast', class: 'wellness', severity, title: 'Too fast', message: '' },
      ...{ origin: 'rule', originId: 'r', by: 'rule:r', atMs: home.clock.now(), evidence: [] },
    })
const fine =
  (resolves = true): Act =>
  ({ home }) =>
    home.alarms.episodes.remark('mia', 'too_fast', { kind: 'cleared', by: 'rule:r', text: null }, resolves)
const wrist =
  (action: 'ack' | 'snooze' | 'seen', minutes?: number): Act =>
  ({ home, id }) =>
    home.alarms.alerts.fromDevice('watch-papa', Buffer.from(JSON.stringify({ alert: id(), action, minutes })))
const house =
  (word: string): Act =>
  ({ home, id }) =>
    home.alarms.ports.onAlertCommand('ha', id(), Buffer.from(word))
const app =
  (who: Who, action: string, body: object = {}): Act =>
  async ({ home, id, tokens }) => {
    const asked = { token: tokens[who], ...(action === 'acknowledge' ? {} : { body }) }
    const { status } = await home.call('POST', `/alerts/${id()}/${action}`, asked)
    assert.equal(status, 200)
  }
const episode =
  (action: string): Act =>
  async ({ home, tokens }) => {
    const { id } = home.store.get<{ id: string }>('SELECT id FROM episode')!
    const method = action === 'resolve' ? 'PUT' : 'POST'
    const { status } = await home.call(method, `/episodes/${id}/${action}`, { token: tokens.mama, body: {} })
    assert.equal(status, 200)
  }
const connect =
  (deviceId: string, isThere = true): Act =>
  async ({ home, online }) => {
    if (isThere) online.add(deviceId)
    else online.delete(deviceId)
    await home.connect(deviceId, isThere)
  }

const PATHS: Path[] = [
  {
    name: 'the first answers at once: nobody else is rung',
    steps: [raise(), app('mama', 'acknowledge'), HOUR],
    rings: { mama: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'the second answers from the wrist',
    steps: [raise(), UP, wrist('ack'), HOUR],
    rings: { mama: 1, papa: 1, wrist: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'the owner, who comes last, answers',
    steps: [raise(), UP, UP, app('owner', 'acknowledge'), HOUR],
    rings: { mama: 1, papa: 1, wrist: 1, owner: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'an urgent one goes round three times until the house answers',
    steps: [...[raise(), UP, UP, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE], ...[house('ack'), 3 * HOUR]],
    rings: { mama: 4, papa: 4, wrist: 4, owner: 4 },
    ends: 'acknowledged',
  },
  {
    name: 'a warning that nobody answers is unheard after a day',
    steps: [raise('warning'), UP, UP, 24 * HOUR, 24 * HOUR],
    rings: { mama: 1, papa: 1, wrist: 1, owner: 1 },
    ends: 'expired',
  },
  {
    name: 'a tip rings nobody',
    steps: [raise('tip'), UP, 24 * HOUR],
    rings: {},
    ends: 'open',
  },
  {
    name: 'seen is not answered: it climbs on',
    steps: [raise(), app('mama', 'seen'), UP, wrist('seen'), UP, wrist('ack')],
    rings: { mama: 1, papa: 1, wrist: 1, owner: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'a snooze in the app rings again when it is over, and others are told meanwhile',
    steps: [raise(), app('mama', 'snooze', { minutes: 3 }), UP, MINUTE, wrist('ack'), HOUR],
    rings: { mama: 2, papa: 1, wrist: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'a snooze on the wrist is for app and watch of its wearer',
    steps: [raise(), UP, wrist('snooze', 30), UP, 5 * MINUTE, app('owner', 'acknowledge')],
    rings: { mama: 2, papa: 1, wrist: 1, owner: 2 },
    ends: 'acknowledged',
  },
  {
    name: 'a snooze of the house holds siren and wall, not people',
    steps: [connect('kitchen'), raise(), house('{"action":"snooze","minutes":60}'), UP, wrist('ack')],
    rings: { mama: 1, papa: 1, wrist: 1, wall: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'quiet hours hold a warning until the morning',
    steps: [
      async ({ home, tokens }) => {
        const body = { quiet: { from: '08:00', to: '10:30' } }
        assert.equal((await home.call('PUT', '/alerts/settings', { token: tokens.mama, body })).status, 200)
      },
      ...[raise('warning'), UP, UP, 2 * HOUR],
    ],
    rings: { mama: 1, papa: 1, wrist: 1, owner: 1 },
    ends: 'open',
  },
  {
    name: 'quiet hours let an urgent one through',
    steps: [
      async ({ home, tokens }) => {
        const body = { quiet: { from: '08:00', to: '10:30' } }
        assert.equal((await home.call('PUT', '/alerts/settings', { token: tokens.mama, body })).status, 200)
      },
      ...[raise(), app('mama', 'acknowledge')],
    ],
    rings: { mama: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'a watch out of reach is rung once when it is back',
    steps: [connect('watch-papa', false), raise(), UP, connect('watch-papa'), MINUTE, wrist('ack')],
    rings: { mama: 1, papa: 1, wrist: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'a watch that comes back when it is over is not rung at all',
    steps: [
      ...[connect('watch-papa', false), raise(), UP, app('mama', 'acknowledge'), connect('watch-papa')],
      HOUR,
    ],
    rings: { mama: 1, papa: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'a warning whose value is fine again climbs no further',
    steps: [notice('warning'), fine(), UP, HOUR],
    rings: { mama: 1 },
    ends: 'resolved',
  },
  {
    name: 'an urgent one whose value is fine again waits for somebody to look',
    steps: [notice(), fine(false), UP, wrist('ack'), HOUR],
    rings: { mama: 1, papa: 1, wrist: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'resolved by hand',
    steps: [notice(), UP, episode('resolve'), HOUR],
    rings: { mama: 1, papa: 1, wrist: 1 },
    ends: 'resolved',
  },
  {
    name: 'escalated by hand: the next step is told at once',
    steps: [notice(), episode('escalate'), 1000, wrist('ack'), HOUR],
    rings: { mama: 1, papa: 1, wrist: 1 },
    ends: 'acknowledged',
  },
  {
    name: 'reopened soon after it was over: a new alert climbs from the start',
    steps: [notice('warning'), fine(), MINUTE, notice('warning'), UP, wrist('ack'), HOUR],
    rings: { mama: 2, papa: 1, wrist: 1 },
    ends: 'resolved acknowledged',
  },
  {
    name: 'worse than it was: an urgent alert takes the place of the warning',
    steps: [notice('warning'), UP, notice('urgent'), UP, wrist('ack'), HOUR],
    rings: { mama: 2, papa: 2, wrist: 2 },
    ends: 'resolved acknowledged',
  },
  {
    name: 'a test alarm rings everybody once and climbs nowhere',
    steps: [raise('urgent', { source: 'test' }), UP, HOUR],
    rings: { mama: 1, papa: 1, wrist: 1, owner: 1 },
    ends: 'open',
  },
  {
    name: 'a child without a group: the owner is told first',
    steps: [raise('urgent', { personId: 'leo' }), 5 * MINUTE, app('owner', 'acknowledge'), HOUR],
    rings: { owner: 2 },
    ends: 'acknowledged',
  },
]

/** The family as it is before anything happens. */
async function furnished(t: TestContext) {
  const home = await family(t)
  const { owner, mama, papa } = home
  await home.wears('kitchen', 'mia', 'wall')
  await home.wears('ha', 'mia', 'integration')
  const tokens = { owner, mama: mama.access_token, papa: papa.access_token }
  const anna = home.accounts.users().find(({ role }) => role === 'owner')!.id
  const ids: Record<Who, string> = { owner: anna, mama: mama.user.id, papa: papa.user.id }
  const nowMs = home.clock.now()
  await home.close()
  return { folder: home.folder, tokens, ids, nowMs }
}

type Furnished = Awaited<ReturnType<typeof furnished>>

/** Walks a path; answers who was rung and what is left in the outbox. */
async function walked(t: TestContext, before: Furnished, path: Path, isRestless: boolean) {
  const clock = fakeClock(before.nowMs)
  const folder = leftBehind(t, before.folder)
  const lives: Home[] = []
  const online = new Set(['watch-papa'])
  const start = async () => {
    const home = await open(t, { folder, clock })
    lives.push(home)
    for (const deviceId of online) await home.connect(deviceId)
    await home.settle()
    return home
  }
  let home = await start()
  let isFresh = true
  for (const step of path.steps) {
    const isTime = typeof step === 'number'
    if (isRestless && (isTime || !isFresh)) await home.close()
    if (isTime && isRestless) clock.advance(step)
    else if (isTime) await home.pass(step)
    if (isRestless && (isTime || !isFresh)) home = await start()
    isFresh = isTime
    if (isTime) continue
    const id = () => home.store.get<{ id: string }>('SELECT id FROM alert ORDER BY seq DESC LIMIT 1')!.id
    await step({ home, id, online, tokens: before.tokens })
    await home.settle()
  }
  const deliveries = home.store.all(
    `SELECT alert_seq, recipient, channel, address, round, step, state FROM delivery
     ORDER BY alert_seq, recipient, channel, address, round`,
  )
  const states = home.store
    .all<{ state: string }>('SELECT state FROM alert ORDER BY seq')
    .map(({ state }) => state)
    .join(' ')
  const rows = home.store
    .all<{ kind: string }>('SELECT kind FROM episode_row ORDER BY 1')
    .map(({ kind }) => kind)
  await home.close()
  const rung = lives.flatMap((one) => one.rung)
  const bell = (deviceId: string) => lives.flatMap((one) => one.rangOn(deviceId)).length
  const rings = {
    ...(Object.fromEntries(
      Object.entries(before.ids).map(([who, id]) => [who, rung.filter(({ userId }) => userId === id).length]),
    ) as Record<Who, number>),
    ...{ wrist: bell('watch-papa'), wall: bell('kitchen') },
  }
  return { rings, states, rows, deliveries }
}

test('every path of the ladder, however often the hub starts anew on the way', async (t) => {
  const before = await furnished(t)
  for (const path of PATHS) {
    await t.test(path.name, async (one) => {
      const whole = await walked(one, before, path, false)
      const rings = { owner: 0, mama: 0, papa: 0, wrist: 0, wall: 0, ...path.rings }
      assert.deepEqual([whole.rings, whole.states], [rings, path.ends])
      assert.deepEqual(await walked(one, before, path, true), whole, 'with a start before each step')
    })
  }
  t.diagnostic(`${PATHS.length} paths, ${PATHS.length * 2} walks`)
})
