import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Observation } from '../../daemon/domain/observation.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store, StoreOptions, Write } from '../../daemon/store/store.ts'

export const MORNING = Date.UTC(2026, 2, 14, 8)

/** A folder that goes when the test ends. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function person(id: string, timezone = 'Europe/Berlin'): Write {
  return {
    sql: `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (:id, :id, :timezone, 0, 0)`,
    params: { id, timezone },
  }
}

export function device(id: string, rank = 100): Write {
  return {
    sql: `INSERT INTO device (id, name, type, rank, created_at) VALUES (:id, :id, 'watch', :rank, 0)`,
    params: { id, rank },
  }
}

/** Mia and Tom, a watch and a band that the watch is preferred to. */
export const HOUSEHOLD: readonly Write[] = [
  person('mia'),
  person('tom'),
  device('watch-1', 10),
  device('band-2', 20),
]

export function pulse(atMs: number, value = 72, more: Partial<Observation> = {}): Observation {
  return {
    personId: 'mia',
    deviceId: 'watch-1',
    metric: 'heart_rate',
    atMs,
    value,
    source: 'obs',
    quality: null,
    extra: null,
    ...more,
  }
}

/** A store with the household in it; `clock.nowMs` is the wall clock it sees. */
export async function setup(t: TestContext, options: Partial<StoreOptions> = {}) {
  const path = options.path ?? join(scratch(t), 'hub.db')
  const clock = { nowMs: MORNING }
  const failures: unknown[] = []
  const open = async (): Promise<Store> => {
    const store = await createStore({
      path,
      now: () => clock.nowMs,
      onFailure: (cause) => failures.push(cause),
      ...options,
    })
    t.after(() => store.close())
    return store
  }
  const store = await open()
  await store.write(HOUSEHOLD)
  return { store, path, clock, failures, reopen: open }
}

/** For stores whose writer thread must not die. */
export function unexpected(cause: unknown): never {
  throw cause
}
