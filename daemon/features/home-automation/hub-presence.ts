/** Says on MQTT that the hub is there, so that the house notices when it no longer is. */
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'

export interface HubPresenceDeps {
  clock: Clock
  log: Log
  /** Publishes retained, for integrations. */
  publish: (topic: string, payload: string) => Promise<void>
}

export interface HubPresence {
  start(): void
  /** The last word of an orderly stop; resolves once the broker has it. */
  leave(): Promise<void>
}

export const HUB_TOPIC = 'hf/out/hub'
/** Whoever hears nothing for three of these takes the hub for gone: a hub that is killed says no last word. */
const EVERY_MS = 20_000

/**
 * `{"state":"online","ts","every_s"}` every 20 seconds, `offline` at the stop. The broker lives in the hub and cannot speak
 * for it after its death: the missing word (Home Assistant: `expire_after`) and the broken connection are what tells then.
 */
export function createHubPresence({ clock, log, publish }: HubPresenceDeps): HubPresence {
  let stop = () => {}

  function say(state: 'online' | 'offline'): Promise<void> {
    const word = { state, ts: iso(clock.now()), every_s: EVERY_MS / 1000 }
    return publish(HUB_TOPIC, JSON.stringify(word)).catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'integrations were not told that the hub is there')
    })
  }

  return {
    start() {
      void say('online')
      stop = clock.every(EVERY_MS, () => void say('online'))
    },
    leave() {
      stop()
      return say('offline')
    },
  }
}
