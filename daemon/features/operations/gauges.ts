import { Gauge, type Registry } from 'prom-client'

/** What a part counts about itself; nested groups become part of the name, nulls and text are left out. */
export type Counts = Readonly<Record<string, unknown>>

/** Publishes the parts' own counts as `homefield_<part>_<count>`, read at the moment of the scrape. */
export function exposeCounts(registry: Registry, parts: Readonly<Record<string, () => Counts>>): void {
  for (const [part, read] of Object.entries(parts)) {
    for (const path of paths(read())) {
      new Gauge({
        name: `homefield_${[part, ...path].map(snake).join('_')}`,
        help: `${path.join(' ')} of the ${part}`,
        registers: [registry],
        collect() {
          const value = at(read(), path)
          if (value !== null) this.set(value)
        },
      })
    }
  }
}

function paths(counts: Counts): string[][] {
  return Object.entries(counts).flatMap(([name, value]) => {
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return [[name]]
    if (typeof value !== 'object' || Array.isArray(value)) return []
    return paths(value as Counts).map((path) => [name, ...path])
  })
}

function at(counts: Counts, path: readonly string[]): number | null {
  const found = path.reduce<unknown>((inner, name) => (inner as Counts | undefined)?.[name], counts)
  if (typeof found === 'boolean') return Number(found)
  return typeof found === 'number' ? found : null
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, '_$&').toLowerCase()
}
