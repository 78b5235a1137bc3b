/** Service worker: keeps one version of the app's files for offline use; the API never passes through it. */

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
interface WorkerScope {
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchRequested) => void): void
  addEventListener(type: 'message', listener: (event: Messaged) => void): void
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
  location: { origin: string }
}

// The DOM types describe a page; in this file the global object is the worker's.
const worker = globalThis as unknown as WorkerScope
const CACHE = `homefield-${VERSION}`
const SHELL = '/app/'

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
