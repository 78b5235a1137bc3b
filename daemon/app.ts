/** The hub as one object. With `composition/`, which wires each area, it is the composition root: nothing else knows every part. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createHousehold, hubName } from './composition/household.ts'
import { type Listening, listen } from './composition/listening.ts'
import type { Accounts } from './features/accounts/accounts.ts'
import { type House, type HouseDeps, openHouse } from './house.ts'
import { writeFileAtomic } from './kernel/atomic-file.ts'
import { messageOf } from './kernel/errors.ts'
import { fingerprintWords } from './kernel/words.ts'

/** What the terminal tells the person who started the hub. */
export interface Running {
  name: string
  httpPort: number
  httpsPort: number
  mqttsPort: number
  hosts: readonly string[]
  fingerprintWords: readonly string[]
  claim: { code: string; expiresAt: string } | null
}

export interface Hub {
  /** Opens every listener, then writes `hub.json`. */
  start(): Promise<Running>
  /** Stops taking, finishes what is in hand within `deadlineMs`, closes the database. */
  stop(deadlineMs: number): Promise<void>
  /** Told when a part is gone without which nothing can be promised. */
  onFatal(listener: (cause: unknown) => void): void
}

const WORDS_SHOWN = 4

/** Opens the data directory and builds every part on it. Nothing listens before `start`. */
export async function createHub(deps: HouseDeps): Promise<Hub> {
  const failures = new Set<(cause: unknown) => void>()
  const house = await openHouse(deps, (cause) => {
    deps.log.fatal({ cause: messageOf(cause) }, 'a part is gone that the hub cannot do without')
    for (const listener of failures) listener(cause)
  })
  const household = createHousehold(house)
  let listening: Listening | null = null
  return {
    onFatal: (listener) => void failures.add(listener),
    async start() {
      listening = await listen(house, household)
      return announceReady(house, household.accounts, listening)
    },
    async stop(deadlineMs) {
      await rm(join(deps.dataDir, 'hub.json'), { force: true })
      // A full disk keeps nothing more: whoever waits for it hears so now, not when their connection is cut.
      const closed = house.store.stats().diskFull ? house.store.close() : null
      await Promise.all([closed, listening?.stop(deadlineMs), house.snapshots.stop()])
      await house.store.close()
    },
  }
}

/** Writes `hub.json` last, because whoever reads it takes the hub for ready. */
async function announceReady(
  house: House,
  accounts: Accounts,
  { broker, httpPort, httpsPort }: Listening,
): Promise<Running> {
  const { dataDir, hubId, clock, log, tls, network } = house
  const ports = { httpPort, httpsPort, mqttPort: broker.mqttPort, mqttsPort: broker.mqttsPort ?? 0 }
  const startedAt = new Date(clock.now()).toISOString()
  const json = { pid: process.pid, hubId, ...ports, caSha256: tls().caSha256, startedAt }
  await writeFileAtomic(join(dataDir, 'hub.json'), `${JSON.stringify(json, null, 1)}\n`, 0o600)
  log.info(ports, 'ready')
  const code = accounts.isClaimed() ? null : await accounts.claimCode()
  return {
    name: hubName(house, accounts),
    ...ports,
    hosts: network().reachable,
    fingerprintWords: fingerprintWords(tls().caSha256, WORDS_SHOWN),
    claim: code && { code: code.code, expiresAt: new Date(code.expiresAtMs).toISOString() },
  }
}
