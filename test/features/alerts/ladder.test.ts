import assert from 'node:assert/strict'
import { test } from 'node:test'
import { family, MINUTE } from './setup.ts'

const word = (alert: string, more: object = {}) => Buffer.from(JSON.stringify({ alert, ...more }))

test('the first on the ladder is told at once, the second after two minutes, and his wrist ends it for all', async (t) => {
  const { raise, pass, phone, mama, papa, connect, rangOn, alarms, alert } = await family(t)
  const [hers, his] = [phone(mama.user.id), phone(papa.user.id)]
  await connect('watch-papa')
  const id = await raise()
  assert.deepEqual([hers.rang(), his.rang(), rangOn('watch-papa').length], [['Too fast'], [], 0])
  await pass(2 * MINUTE - 1000)
  assert.deepEqual(rangOn('watch-papa'), [])
  await pass(1000)
  assert.equal(rangOn('watch-papa').length, 1)
  assert.deepEqual(his.rang(), ['Too fast'])
  await alarms.alerts.fromDevice('watch-papa', word(id))
  const after = await alert(id)
  assert.deepEqual(
    [after.state, after.acknowledged_by_name, after.next_step_at],
    ['acknowledged', 'phone of member', null],
  )
  assert.equal(hers.events.at(-1).data.state, 'acknowledged')
  await pass(60 * MINUTE)
  assert.deepEqual([hers.rang().length, his.rang().length, rangOn('watch-papa').length], [1, 1, 1])
})

test('an urgent alert goes on to the owner, then to all again and again until somebody answers', async (t) => {
  const { raise, pass, phone, mama, again, call, alert } = await family(t)
  const hers = phone(mama.user.id)
  const id = await raise()
  for (let minute = 0; minute < 40; minute += 1) await pass(MINUTE)
  const { round, next_step_at } = await alert(id)
  assert.ok(round >= 3 && next_step_at !== null)
  assert.equal(hers.rang().length, 1 + round)
  const acknowledged = await call('POST', `/alerts/${id}/acknowledge`, { token: await again() })
  assert.equal(acknowledged.status, 200)
  const rang = hers.rang().length
  await pass(120 * MINUTE)
  assert.equal(hers.rang().length, rang)
})

test('a warning that nobody answers is said to be unheard after a day, not forgotten', async (t) => {
  const { raise, pass, alert } = await family(t)
  const id = await raise('warning')
  await pass(2 * MINUTE)
  await pass(2 * MINUTE)
  await pass(24 * 60 * MINUTE)
  assert.equal((await alert(id)).state, 'expired')
})

test('a tip is shown and never rings', async (t) => {
  const { raise, phone, mama, pass, published, alert } = await family(t)
  const hers = phone(mama.user.id)
  const id = await raise('tip', 'Well done')
  await pass(60 * MINUTE)
  assert.deepEqual([hers.heard(), hers.rang(), published], [['Well done'], [], []])
  assert.deepEqual((await alert(id)).deliveries, [])
})

test('quiet hours hold a warning until morning and let an urgent alert through', async (t) => {
  const { raise, pass, phone, mama, call, clock } = await family(t)
  const body = { quiet: { from: '22:00', to: '07:00' } }
  const set = await call('PUT', '/alerts/settings', { token: mama.access_token, body })
  assert.equal(set.status, 200)
  const hers = phone(mama.user.id)
  await pass(Date.parse('2026-03-14T22:00:00Z') - clock.now())
  await raise('warning', 'Cool')
  await raise('urgent', 'Hot')
  assert.deepEqual(hers.rang(), ['Hot'])
  await pass(Date.parse('2026-03-15T06:00:00Z') - clock.now())
  assert.ok(hers.rang().includes('Cool'))
})

test('a snooze is for one recipient: it rings again later there, and goes on to the others', async (t) => {
  const { raise, pass, phone, mama, papa, call } = await family(t)
  const [hers, his] = [phone(mama.user.id), phone(papa.user.id)]
  const id = await raise()
  await call('POST', `/alerts/${id}/snooze`, { token: mama.access_token, body: { minutes: 15 } })
  await pass(2 * MINUTE)
  assert.deepEqual(his.rang(), ['Too fast'])
  await pass(12 * MINUTE)
  assert.equal(hers.rang().length, 1)
  await pass(1 * MINUTE)
  assert.equal(hers.rang().length, 2)
})

test('a watch that is out of reach is rung once when it is back', async (t) => {
  const { raise, pass, connect, rangOn, settle } = await family(t)
  await raise()
  await pass(3 * MINUTE)
  assert.equal(rangOn('watch-papa').length, 0)
  await connect('watch-papa')
  await settle()
  await settle()
  assert.equal(rangOn('watch-papa').length, 1)
})

test('the house hears and answers: siren and wall are told, a snooze and an acknowledgement come back', async (t) => {
  const { raise, wears, connect, published, alarms, alert, settle } = await family(t)
  await wears('ha', 'mia', 'integration')
  await wears('kitchen', 'mia', 'wall')
  await connect('kitchen')
  const id = await raise()
  const said = published.filter(({ topic }) => topic === 'hf/out/alert').map(({ message }) => message)
  assert.deepEqual([said.length, said[0].person_id, said[0].state], [1, 'mia', 'open'])
  assert.equal(published.filter(({ topic }) => topic === 'hf/kitchen/cmd').length, 1)
  await assert.rejects(alarms.ports.onAlertCommand('watch-papa', id, Buffer.from('ack')), {
    code: 'NOT_FOUND',
  })
  await assert.rejects(alarms.ports.onAlertCommand('ha', id, Buffer.from('off')), {
    code: 'VALIDATION_ERROR',
  })
  await alarms.ports.onAlertCommand('ha', id, Buffer.from('ack'))
  await settle()
  assert.equal((await alert(id)).acknowledged_by, 'device:ha')
  assert.equal(
    published.filter(({ topic }) => topic === 'hf/out/alert').at(-1)?.message.state,
    'acknowledged',
  )
  assert.equal(
    published.filter(({ topic }) => topic === 'hf/kitchen/cmd').at(-1)?.message.type,
    'alert_clear',
  )
})

test('a device speaks only of alerts that rang on it', async (t) => {
  const { raise, alarms, wears } = await family(t)
  const id = await raise()
  await wears('watch-leo', 'leo')
  await assert.rejects(alarms.alerts.fromDevice('watch-leo', word(id)), { code: 'NOT_FOUND' })
  await assert.rejects(alarms.alerts.fromDevice('watch-leo', Buffer.from('{')), { code: 'VALIDATION_ERROR' })
})

test('two who acknowledge at once are both told yes, and it is written down once', async (t) => {
  const { raise, mama, papa, call, alert } = await family(t)
  const id = await raise()
  const answers = await Promise.all(
    [mama, papa].map(({ access_token: token }) => call('POST', `/alerts/${id}/acknowledge`, { token })),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
  assert.equal(new Set(answers.map(({ body }) => body.data.acknowledged_by)).size, 1)
  assert.equal((await alert(id)).state, 'acknowledged')
})

test('the meter says who would hear, by what, and which watch is out of reach', async (t) => {
  const { call, again, connect, pass } = await family(t)
  const reach = async () => {
    const { data } = (await call('GET', '/alerts/reach', { token: await again() })).body
    const mia = data.find(({ person_id }: { person_id: string }) => person_id === 'mia')
    return mia.recipients.map(({ step, channels }: { step: number; channels: Record<string, unknown>[] }) => [
      step,
      ...channels.map(({ channel, would_hear }) => `${channel} ${would_hear}`),
    ])
  }
  assert.deepEqual(await reach(), [
    [1, 'app true'],
    [2, 'app true', 'watch false'],
    [3, 'app true'],
  ])
  await connect('watch-papa')
  await pass(60 * MINUTE)
  assert.deepEqual(await reach(), [
    [1, 'app false'],
    [2, 'app false', 'watch true'],
    [3, 'app true'],
  ])
})
