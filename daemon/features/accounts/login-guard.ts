/** Decides whether one more password may be tried: few from one place, and a flood from many places keeps nobody at home out. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { createThrottle } from './throttle.ts'

export interface LoginGuard {
  /** Counts one try of `name` from `address`; throws RATE_LIMITED. The returned function says that it was the right password. */
  enter(name: string, address: string): () => void
}

/** Five wrong passwords for one name from one place, then one every 12 s. */
const PAIR = { burst: 5, refillMs: 12_000 }
/** Twenty from one place whatever the name, then one every 3 s. */
const ADDRESS = { burst: 20, refillMs: 3_000 }
/** Fifty for one name from anywhere; beyond, a place gets one try and only waits when that was wrong. */
const NAME = { burst: 50, refillMs: 12_000 }

export function createLoginGuard(clock: Clock): LoginGuard {
  const pairs = createThrottle({ clock, ...PAIR })
  const addresses = createThrottle({ clock, ...ADDRESS })
  const names = createThrottle({ clock, ...NAME })
  return {
    enter(name, from) {
      const place = placeOf(from)
      const pair = `${place} ${name}`
      const isNew = pairs.isFresh(pair)
      hold(addresses.take(place))
      hold(pairs.take(pair))
      const nameWaitS = names.take(name)
      if (!isNew) hold(nameWaitS)
      return () => {
        addresses.giveBack(place)
        pairs.giveBack(pair)
        if (nameWaitS === 0) names.giveBack(name)
      }
    },
  }
}

function hold(waitS: number): void {
  if (waitS === 0) return
  throw new HubError('RATE_LIMITED', `Too many wrong passwords. Try again in ${waitS} s.`, {
    retryAfterS: waitS,
  })
}

/** One IPv6 host has a whole /64 to choose its address from. */
function placeOf(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [front = '', back] = host.split('::')
  const groups =
    back === undefined ? front.split(':') : [...front.split(':').filter(Boolean), '0', '0', '0', '0']
  return groups.slice(0, 4).join(':')
}
