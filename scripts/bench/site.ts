import { type Household, makeHousehold } from './household.ts'
import { type HubProcess, startHub, temporaryData } from './hub-process.ts'

/** A hub in its own process with watches to its name. */
export interface Site {
  hub: HubProcess
  household: Household
  dataDir: string
  stop(): Promise<void>
}

/** Only the rates are raised: they are there to hold back what the bench wants to see. */
export const RATES = {
  HOMEFIELD_MQTT_MESSAGES_PER_SECOND: '1000000',
  HOMEFIELD_MQTT_MESSAGE_BURST: '1000000',
  HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE: '1000000',
  HOMEFIELD_HTTP_DEVICE_RATE_LIMIT_PER_MINUTE: '1000000',
}

export async function openSite(
  counts: { persons: number; watches: number },
  env: Record<string, string> = {},
  dataDir = temporaryData(),
): Promise<Site> {
  const hub = await startHub(dataDir, { ...RATES, ...env })
  const household = await makeHousehold(hub, dataDir, counts)
  return { hub, household, dataDir, stop: async () => void (await hub.kill('SIGTERM')) }
}
