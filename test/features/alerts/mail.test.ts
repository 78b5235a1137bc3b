import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createMail } from '../../../daemon/features/alerts/mail.ts'
import { mailServer } from '../../fakes/mail-server.ts'
import { family } from './setup.ts'

const ADDRESS = 'mama@example.org'

async function setup(t: TestContext, { answers = [] as string[], hasWords = false } = {}) {
  const server = await mailServer(t, answers)
  const mail = createMail({
    ...{ url: `smtp://127.0.0.1:${server.port}`, user: 'hub', from: 'hub@example.org', hasWords },
    password: async () => 'between us',
  })
  const home = await family(t, { voices: { mail } })
  await home.store.write([
    {
      sql: 'UPDATE user SET email = :email WHERE id = :id',
      params: { email: ADDRESS, id: home.mama.user.id },
    },
  ])
  home.accounts.reload()
  const byMail = async (id: string) =>
    (await home.alert(id)).deliveries.filter(({ channel }: { channel: string }) => channel === 'mail')
  return { ...home, ...server, byMail }
}

test('a user with an address gets a mail that says whom to look after, and nothing of what was measured', async (t) => {
  const { raise, taken, commands, byMail } = await setup(t)
  const id = await raise('urgent', 'Too fast')
  assert.deepEqual(
    taken.map(({ to }) => to),
    [ADDRESS],
  )
  const { text } = taken[0]!
  assert.match(text, /^Subject: mia: look at the app/m)
  assert.doesNotMatch(text, /142|Too fast/)
  assert.match(text, new RegExp(`^Message-ID:\\s+<${id}-0-1-`, 'm'))
  assert.ok(commands.some((line) => line.startsWith('AUTH ')))
  const [told] = await byMail(id)
  assert.deepEqual([told.state, told.attempts, told.step], ['sent', 1, 1])
})

test('with words wished for, title and message are in the mail', async (t) => {
  const { raise, taken } = await setup(t, { hasWords: true })
  await raise('urgent', 'Too fast')
  assert.match(taken[0]!.text, /^Subject: mia: Too fast/m)
  assert.match(taken[0]!.text, /142 bpm/)
})

test('a mail that the server does not take is tried again, with its reason and count in the outbox', async (t) => {
  const { raise, pass, taken, byMail } = await setup(t, { answers: ['450 later', '451 later'] })
  const id = await raise('urgent')
  const [waiting] = await byMail(id)
  assert.equal(waiting.state, 'waiting')
  assert.match(waiting.failure, /450/)
  await pass(6_000)
  await pass(16_000)
  assert.equal(taken.length, 1)
  const [told] = await byMail(id)
  assert.deepEqual([told.state, told.attempts], ['sent', 3])
})

test('a test alarm goes out by mail too, and mail alone is nobody who hears', async (t) => {
  const { call, again, taken, settle, mama } = await setup(t)
  const token = await again()
  assert.equal((await call('POST', '/alerts/test', { token, body: { person_id: 'mia' } })).status, 201)
  await settle()
  assert.equal(taken.length, 1)
  const reach = (await call('GET', '/alerts/reach', { token })).body.data
  const mia = reach.find(({ person_id: id }: { person_id: string }) => id === 'mia')
  const own = mia.recipients.find(({ user_id: id }: { user_id: string }) => id === mama.user.id)
  const mail = own.channels.find(({ channel }: { channel: string }) => channel === 'mail')
  assert.equal(mail.would_hear, false)
})

test('a server that offers no TLS is told nothing unless it is this box', async (t) => {
  const { port, taken } = await mailServer(t)
  const deps = { user: 'hub', from: 'hub@example.org', hasWords: true, password: async () => 'secret' }
  const alert = { kind: 'urgent', title: 'Too fast', message: '' } as Parameters<
    ReturnType<typeof createMail>
  >[1]
  await assert.rejects(createMail({ ...deps, url: `smtps://127.0.0.1:${port}` })(ADDRESS, alert, 'Mia', 'x'))
  await assert.rejects(
    createMail({ ...deps, url: `smtp://0.0.0.0:${port}` })(ADDRESS, alert, 'Mia', 'x'),
    /TLS/i,
  )
  assert.deepEqual(taken, [])
})
