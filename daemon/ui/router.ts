/** Says which screen an address means and moves between screens without loading the page again. */
import { type ReadonlySignal, signal } from '@preact/signals'

export const BASE = '/app'

export interface Place {
  /** Path below the base, `/` for Home. */
  path: string
  query: URLSearchParams
}

export interface Router {
  place: ReadonlySignal<Place>
  /** `to` is below the base: `/devices`, `/p/mia/heart_rate?d=2026-11-20`. */
  go(to: string, options?: { replace?: boolean }): void
  back(fallback: string): void
  /** How the place came about: by loading the page, by a link, or by the browser's own back and forward. */
  arrival(): 'loaded' | 'linked' | 'popped'
}

/** What the router needs of a browser window. */
export interface RouterDeps {
  location: { pathname: string; search: string; origin: string }
  history: {
    pushState(state: null, title: string, url: string): void
    replaceState(state: null, title: string, url: string): void
    back(): void
  }
  onPop(listener: () => void): void
}

export function createRouter({ location, history, onPop }: RouterDeps): Router {
  const place = signal(read())
  let moves = 0
  let came: 'loaded' | 'linked' | 'popped' = 'loaded'
  onPop(() => {
    came = 'popped'
    place.value = read()
  })
  return {
    place,
    go(to, { replace = false } = {}) {
      const url = `${BASE}${to}`
      if (replace) history.replaceState(null, '', url)
      else {
        history.pushState(null, '', url)
        moves += 1
      }
      came = 'linked'
      place.value = read()
    },
    back(fallback) {
      if (moves > 0) {
        moves -= 1
        history.back()
      } else this.go(fallback, { replace: true })
    },
    arrival: () => came,
  }

  function read(): Place {
    const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname
    return { path: path === '' ? '/' : path, query: new URLSearchParams(location.search) }
  }
}

/** Fits a path to a pattern such as `/p/:id/:metric`; null when it is another place. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const found = path.replace(/\/$/, '').split('/')
  if (wanted.length !== found.length && !(pattern === '/' && path === '/')) return null
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = found[index] ?? ''
    if (part.startsWith(':')) {
      const plain = decoded(value)
      if (plain === null || plain === '') return null
      params[part.slice(1)] = plain
    } else if (part !== value) return null
  }
  return params
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
