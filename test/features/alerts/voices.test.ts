import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createSpeech } from '../../../daemon/features/alerts/speech.ts'
import { createWebhook } from '../../../daemon/features/alerts/webhook.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { family, MINUTE } from './setup.ts'

/** A program on the network that answers with the given statuses, one after the other. */
async function listener(t: TestContext, statuses: number[]) {
  const heard: { key: string; signature: string; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      const { 'idempotency-key': key, 'x-homefield-signature': signature } = request.headers
      heard.push({ key: String(key), signature: String(signature), body })
      response.writeHead(statuses.shift() ?? 200, { location: '/elsewhere' }).end('thanks')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarm` }
}

test('a webhook is told until it answers with success, with a key that names the same telling', async (t) => {
  const { heard, url } = await listener(t, [500, 302, 200])
  const webhook = createWebhook({ url, secret: 'between us', fetch })
  const { raise, pass, alert } = await family(t, { voices: { webhook } })
  const id = await raise('urgent', 'Too fast')
  await pass(10_000)
  await pass(10_000)
  await pass(10_000)
  assert.deepEqual(
    heard.map(({ key }) => key),
    Array(3).fill(`${id}-0-1`),
  )
  const { signature, body } = heard[0]!
  assert.equal(signature, `sha256=${createHmac('sha256', 'between us').update(body).digest('hex')}`)
  assert.deepEqual([JSON.parse(body).title, JSON.parse(body).person_id], ['Too fast', 'mia'])
  const told = (await alert(id)).deliveries.find(({ channel }: { channel: string }) => channel === 'webhook')
  assert.deepEqual([told.state, told.attempts], ['delivered', 3])
})

/** Another program in the place of the synthesiser: says what it got, or how it ends. */
const synthesiser = (code: string, said: string[]) => (_command: string, args: readonly string[]) => {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdout.on('data', (chunk: Buffer) => said.push(`${args.join(' ')}: ${chunk.toString()}`))
  return child
}
const ECHO = 'process.stdin.pipe(process.stdout)'

test('an urgent alert is said aloud with name and words, one after the other', async (t) => {
  const said: string[] = []
  const speak = createSpeech({ clock: fakeClock(), voice: 'de', spawn: synthesiser(ECHO, said) })
  await Promise.all([speak('-w evil'), speak('two')])
  assert.deepEqual(said, ['-v de -s 140 --stdin: -w evil', '-v de -s 140 --stdin: two'])
  const { raise, alert } = await family(t, { voices: { speak } })
  const id = await raise('urgent', 'Too fast')
  assert.match(said.at(-1) ?? '', /mia\. Too fast\. 142 bpm/)
  const told = (await alert(id)).deliveries.find(({ channel }: { channel: string }) => channel === 'speech')
  assert.equal(told.state, 'sent')
})

test('a synthesiser that is missing, fails or hangs is a failure that is told, not a hub that waits', async () => {
  const clock = fakeClock()
  const failing = createSpeech({ clock, voice: 'en', spawn: synthesiser('process.exit(3)', []) })
  await assert.rejects(failing('x'), /ended with 3/)
  const missing = createSpeech({ clock, voice: 'en', spawn: () => spawn('/nowhere/espeak-ng') })
  await assert.rejects(missing('x'), /ENOENT/)
  const hanging = createSpeech({ clock, voice: 'en', spawn: synthesiser('setInterval(() => {}, 1e6)', []) })
  const waiting = Array.from({ length: 8 }, () => hanging('x').catch((cause: Error) => cause.message))
  await assert.rejects(hanging('x'), /too much waits/)
  for (const one of waiting) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(MINUTE)
    assert.match(String(await one), /ended with null/)
  }
})

test('a receipt over the live channel counts for the one who saw it, and not for alerts out of sight', async (t) => {
  const { raise, alert, alarms, mama, papa, accounts, consents, phone } = await family(t)
  const id = await raise()
  const { events } = phone(mama.user.id)
  const actorOf = (userId: string) => ({
    ...{ kind: 'user' as const, userId, signInId: '', role: 'member' as const, personId: null },
    grants: consents.grantsOf(userId),
  })
  const stranger = { ...actorOf(accounts.users()[0]!.id), grants: [] }
  await alarms.alerts.seen(stranger, [id])
  await alarms.alerts.seen(actorOf(papa.user.id), [id, 'nothing'])
  const seen = async () =>
    (await alert(id)).deliveries.filter(({ seen_at }: { seen_at: string | null }) => seen_at !== null).length
  assert.equal(await seen(), 0)
  const before = events.length
  await alarms.alerts.seen(actorOf(mama.user.id), [id])
  await alarms.alerts.seen(actorOf(mama.user.id), [id])
  assert.equal(await seen(), 1)
  assert.equal(events.length - before, 1, 'said again is told on to nobody')
})
