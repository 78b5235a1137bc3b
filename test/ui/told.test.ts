/** What the service worker shows and does while the app is closed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWaker, type NotificationWish, type WakerDeps } from '../../daemon/ui/offline/told.ts'

const ALERT = {
  ...{ type: 'alert', id: 'a1', telling: '0-1', kind: 'urgent' },
  ...{ title: 'Mia', body: 'Urgent: look at the app' },
}

function setup(over: Partial<WakerDeps> = {}) {
  const wishes: { title: string; options: NotificationWish }[] = []
  const asked: { url: string; init: RequestInit }[] = []
  const went: string[] = []
  const waker = createWaker({
    async show(title, options) {
      wishes.push({ title, options })
    },
    shown: async (tag) =>
      wishes.filter(({ options }) => options.tag === tag).map(({ options: { data } }) => ({ data })),
    pages: async () => [],
    open: async (url) => void went.push(url),
    async fetch(url, init) {
      asked.push({ url, init })
      return Response.json({ data: { access_token: 'fresh' } })
    },
    exclusively: (run) => run(),
    newId: () => 'one',
    ...over,
  })
  return { waker, wishes, asked, went }
}

test('an alert rings with its person and a way to answer, and stays until somebody touches it', async () => {
  const { waker, wishes } = setup()
  await waker.told(`${JSON.stringify(ALERT)}   `)
  const { title, options } = wishes[0]!
  assert.deepEqual([title, options.body, options.tag], ['Mia', 'Urgent: look at the app', 'a1'])
  assert.deepEqual([options.silent, options.renotify, options.requireInteraction], [false, true, true])
  assert.deepEqual(
    options.actions?.map(({ action }) => action),
    ['acknowledge'],
  )
})

test('the same telling twice rings once; the next step rings again', async () => {
  const { waker, wishes } = setup()
  for (const telling of ['0-1', '0-1', '1-1']) await waker.told(JSON.stringify({ ...ALERT, telling }))
  assert.deepEqual(
    wishes.map(({ options }) => options.silent),
    [false, true, false],
  )
})

test('that somebody takes care of it takes the alert’s place without a sound', async () => {
  const { waker, wishes } = setup()
  await waker.told(JSON.stringify(ALERT))
  await waker.told(JSON.stringify({ ...ALERT, type: 'over', telling: 'over', body: 'Papa takes care of it' }))
  const { options } = wishes[1]!
  assert.deepEqual([options.tag, options.silent, options.actions], ['a1', true, []])
  assert.equal(options.requireInteraction, false)
})

test('what cannot be read is shown as something to look at, because it may be an alarm', async () => {
  const { waker, wishes, went } = setup()
  for (const text of [null, 'x', '{}', '[]', 'null', JSON.stringify({ ...ALERT, title: 7 })])
    await waker.told(text)
  assert.deepEqual(
    new Set(wishes.map(({ title, options }) => `${title}: ${options.body}`)),
    new Set(['Homefield: Look at the app']),
  )
  await waker.touched('', wishes[0]!.options.data)
  assert.deepEqual(went, ['/app/alerts'])
})

test('a touch opens the alert, in the window that is open if there is one', async () => {
  const { waker, went } = setup()
  await waker.touched('', { id: 'a1' })
  assert.deepEqual(went, ['/app/alerts/a1'])
  const page = {
    url: '/app/',
    focus: async () => void went.push('focus'),
    navigate: async (url: string) => void went.push(url),
  }
  await setup({ pages: async () => [page] }).waker.touched('', { id: 'a1' })
  assert.deepEqual(went.slice(1), ['focus', '/app/alerts/a1'])
})

test('an answer on the notification reaches the hub with the browser’s own sign-in', async () => {
  const { waker, wishes, asked } = setup()
  await waker.touched('acknowledge', { id: 'a1', title: 'Mia' })
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['/api/v1/auth/refresh', '/api/v1/alerts/a1/acknowledge'],
  )
  assert.equal(new Headers(asked[1]!.init.headers).get('authorization'), 'Bearer fresh')
  assert.deepEqual([wishes[0]!.title, wishes[0]!.options.body], ['Mia', 'You take care of it'])
})

test('an answer that does not get through is said to be lost, aloud', async () => {
  for (const fetch of [
    async () => new Response('', { status: 401 }),
    () => Promise.reject(new Error('no network')),
  ]) {
    const { waker, wishes } = setup({ fetch })
    await waker.touched('acknowledge', { id: 'a1', title: 'Mia' })
    assert.match(String(wishes[0]!.options.body), /not reached/)
    assert.equal(wishes[0]!.options.silent, false)
  }
})
