/** The decoders' wall clock of a place, made from the hub's own knowledge of time zones. */
import type { LocalClock } from '../../../firmware-bridge/local-clock.ts'
import { isZone, localDay, wallTimeToMs } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'

/** Throws HubError VALIDATION_ERROR for a zone that is none. */
export function localClock(zone: string): LocalClock {
  if (!isZone(zone))
    throw new HubError('VALIDATION_ERROR', `zone must be a time zone such as Europe/Berlin, not "${zone}".`)
  return { instantOf: (wallTime) => wallTimeToMs(wallTime, zone), dayOf: (atMs) => localDay(atMs, zone) }
}
