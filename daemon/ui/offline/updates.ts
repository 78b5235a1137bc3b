/** Registers the service worker and says when a new version waits or why offline use is not possible here. */
import { type ReadonlySignal, signal } from '@preact/signals'

/** `untrusted`: the browser refused, which on a hub means that its certificate is not installed on this device. */
export type UpdateState = 'unknown' | 'ready' | 'new-version' | 'untrusted'

export interface Updates {
  state: ReadonlySignal<UpdateState>
  start(): Promise<void>
  /** Lets the waiting version take over; the page loads again when it has. */
  apply(): void
  check(): void
}

interface ScriptPolicy {
  createScriptURL(url: string): string
}

export interface UpdatesDeps {
  workers: ServiceWorkerContainer | undefined
  trustedTypes:
    | { createPolicy(name: string, rules: { createScriptURL(url: string): string }): ScriptPolicy }
    | undefined
  reload: () => void
}

const SCRIPT = '/app/sw.js'
const SCOPE = '/app/'

export function createUpdates({ workers, trustedTypes, reload }: UpdatesDeps): Updates {
  const state = signal<UpdateState>('unknown')
  let registration: ServiceWorkerRegistration | null = null
  let accepted = false

  return {
    state,
    async start() {
      if (!workers) {
        state.value = 'untrusted'
        return
      }
      workers.addEventListener('controllerchange', () => {
        if (accepted) reload()
      })
      try {
        registration = await workers.register(trusted(SCRIPT), { scope: SCOPE, type: 'module' })
      } catch {
        state.value = 'untrusted'
        return
      }
      state.value = registration.waiting ? 'new-version' : 'ready'
      registration.addEventListener('updatefound', () => watch(registration?.installing ?? null))
      watch(registration.installing)
    },
    apply() {
      accepted = true
      registration?.waiting?.postMessage('use-new-version')
    },
    check() {
      registration?.update().catch(() => undefined)
    },
  }

  function watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      // The very first version has nobody to replace.
      if (worker.state === 'installed' && workers?.controller) state.value = 'new-version'
    })
  }

  /** Under Trusted Types a worker's address must come from a policy; this one knows a single address. */
  function trusted(url: string): string {
    if (!trustedTypes) return url
    return trustedTypes
      .createPolicy('homefield', {
        createScriptURL(asked) {
          if (asked !== SCRIPT) throw new TypeError('not the app’s worker')
          return asked
        },
      })
      .createScriptURL(url)
  }
}
