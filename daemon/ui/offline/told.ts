/** What the service worker does with a message of the hub's that reached a closed app: shows it, and answers when it is touched. */

/** What the hub sends, encrypted for this browser. */
export interface Told {
  type: 'alert' | 'over'
  id: string
  /** The same once more is the same telling. */
  telling: string
  kind: string
  title: string
  body: string
}

interface Shown {
  data?: { telling?: string }
}

export interface NotificationWish extends NotificationOptions {
  renotify?: boolean
  actions?: { action: string; title: string }[]
}

interface Page {
  url: string
  focus(): Promise<unknown>
  navigate(url: string): Promise<unknown>
}

/** What it needs of a service worker. */
export interface WakerDeps {
  show(title: string, options: NotificationWish): Promise<void>
  shown(tag: string): Promise<readonly Shown[]>
  pages(): Promise<readonly Page[]>
  open(url: string): Promise<unknown>
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Runs while no page spends the refresh token. */
  exclusively: <Result>(run: () => Promise<Result>) => Promise<Result>
  newId: () => string
}

export interface Waker {
  /** `text` is what the browser has opened; null when it could not. Something is shown always, as browsers demand. */
  told(text: string | null): Promise<void>
  touched(action: string, data: unknown): Promise<void>
}

const ACKNOWLEDGE = 'acknowledge'
const UNREADABLE: Told = {
  ...{ type: 'alert', id: '', telling: '', kind: 'warning' },
  ...{ title: 'Homefield', body: 'Look at the app' },
}
const ICON = '/app/icon-180.png'
const PATIENCE_MS = 10_000

export function createWaker(deps: WakerDeps): Waker {
  async function show(told: Told, isNews: boolean): Promise<void> {
    const isOpen = told.type === 'alert' && told.id !== ''
    await deps.show(told.title, {
      body: told.body,
      ...(told.id !== '' && { tag: told.id, renotify: isNews }),
      silent: !isNews,
      requireInteraction: isOpen && told.kind === 'urgent',
      ...{ icon: ICON, data: { id: told.id, telling: told.telling, title: told.title } },
      actions: isOpen ? [{ action: ACKNOWLEDGE, title: 'I take care of it' }] : [],
    })
  }

  async function acknowledge(id: string): Promise<void> {
    const ask = async (path: string, headers: Record<string, string>) => {
      const answer = await deps.fetch(`/api/v1${path}`, {
        ...{
          method: 'POST',
          body: '{}',
          credentials: 'same-origin',
          signal: AbortSignal.timeout(PATIENCE_MS),
        },
        headers: { 'content-type': 'application/json', ...headers },
      })
      if (!answer.ok) throw new Error(`the hub answered ${answer.status}`)
      return answer
    }
    const signedIn = await deps.exclusively(() => ask('/auth/refresh', { 'x-homefield-cookie': '1' }))
    const { data }: { data: { access_token: string } } = await signedIn.json()
    await ask(`/alerts/${encodeURIComponent(id)}/acknowledge`, {
      authorization: `Bearer ${data.access_token}`,
      'idempotency-key': deps.newId(),
    })
  }

  async function open(id: string): Promise<void> {
    const url = id === '' ? '/app/alerts' : `/app/alerts/${encodeURIComponent(id)}`
    const [page] = await deps.pages()
    if (!page) return void (await deps.open(url))
    await page.focus()
    await page.navigate(url)
  }

  return {
    async told(text) {
      const told = text === null ? null : readTold(text)
      if (told === null) return show(UNREADABLE, true)
      const before = await deps.shown(told.id)
      const isKnown = before.some(({ data }) => data?.telling === told.telling)
      await show(told, told.type === 'alert' && !isKnown)
    },
    async touched(action, data) {
      const { id, title } = touchedOf(data)
      if (action !== ACKNOWLEDGE || id === '') return open(id)
      const answered = { ...UNREADABLE, id, title, telling: 'answered' }
      try {
        await acknowledge(id)
        await show({ ...answered, type: 'over', body: 'You take care of it' }, false)
      } catch {
        const body = 'The hub was not reached, so nobody knows of your answer. Touch to open the app.'
        await show({ ...answered, type: 'alert', body }, true)
      }
    },
  }
}

function readTold(text: string): Told | null {
  try {
    const told: unknown = JSON.parse(text)
    const isTold =
      typeof told === 'object' &&
      told !== null &&
      ['type', 'id', 'telling', 'kind', 'title', 'body'].every(
        (name) => typeof Reflect.get(told, name) === 'string',
      )
    // All of its fields were looked at.
    return isTold ? (told as Told) : null
  } catch {
    return null
  }
}

function touchedOf(data: unknown): { id: string; title: string } {
  const { id, title }: { id?: unknown; title?: unknown } = Object(data)
  return { id: typeof id === 'string' ? id : '', title: typeof title === 'string' ? title : 'Homefield' }
}
