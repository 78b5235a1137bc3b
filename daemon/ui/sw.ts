/** Service worker: keeps one version of the app's files for offline use, and shows alerts while the app is closed. */
import { createWaker, type NotificationWish } from './offline/told.ts'

/** Written in by the build: every file of this version, and a hash over them. */
declare const PRECACHE: readonly string[]
declare const VERSION: string

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface FetchRequested extends Extendable {
  request: Request
  respondWith(answer: Promise<Response>): void
}
interface Messaged extends Extendable {
  data: unknown
}
interface Pushed extends Extendable {
  data: { text(): string } | null
}
interface Touched extends Extendable {
  action: string
  notification: Notification
}
interface Page {
  url: string
  focus(): Promise<unknown>
  navigate(url: string): Promise<unknown>
}
interface WorkerScope {
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchRequested) => void): void
  addEventListener(type: 'message', listener: (event: Messaged) => void): void
  addEventListener(type: 'push', listener: (event: Pushed) => void): void
  addEventListener(type: 'notificationclick', listener: (event: Touched) => void): void
  skipWaiting(): Promise<void>
  clients: {
    claim(): Promise<void>
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Page[]>
    openWindow(url: string): Promise<unknown>
  }
  registration: {
    showNotification(title: string, options: NotificationWish): Promise<void>
    getNotifications(filter: { tag: string }): Promise<Notification[]>
  }
  location: { origin: string }
}

// The DOM types describe a page; in this file the global object is the worker's.
const worker = globalThis as unknown as WorkerScope
const CACHE = `homefield-${VERSION}`
const SHELL = '/app/'

const waker = createWaker({
  show: (title, options) => worker.registration.showNotification(title, options),
  shown: (tag) => worker.registration.getNotifications({ tag }),
  pages: () => worker.clients.matchAll({ type: 'window', includeUncontrolled: true }),
  open: (url) => worker.clients.openWindow(url),
  fetch: (...request) => fetch(...request),
  exclusively: (run) => navigator.locks.request('homefield-refresh', run),
  newId: () => crypto.randomUUID(),
})

worker.addEventListener('push', (event) => {
  event.waitUntil(waker.told(event.data?.text() ?? null))
})

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(waker.touched(event.action, event.notification.data))
})

worker.addEventListener('install', (event) => {
  event.waitUntil(fill())
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(takeOver())
})

worker.addEventListener('message', (event) => {
  if (event.data === 'use-new-version') event.waitUntil(worker.skipWaiting())
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  if (!url.pathname.startsWith(SHELL)) return
  event.respondWith(request.mode === 'navigate' ? page(request) : file(request))
})

/** `reload` skips the HTTP cache: a stale copy must not be sealed into a new version. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll(PRECACHE.map((path) => new Request(path, { cache: 'reload' })))
}

async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('homefield-') && name !== CACHE) await caches.delete(name)
  }
  await worker.clients.claim()
}

/** Every page of the app is the same document. */
async function page(request: Request): Promise<Response> {
  return (await kept(SHELL)) ?? fetch(request)
}

async function file(request: Request): Promise<Response> {
  return (await kept(request.url)) ?? fetch(request)
}

async function kept(url: string): Promise<Response | undefined> {
  const cache = await caches.open(CACHE)
  return await cache.match(url, { ignoreVary: true, ignoreSearch: true })
}
