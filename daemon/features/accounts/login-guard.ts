/** Decides whether one more password may be tried: few from one place, and a flood from many places keeps nobody at home out. */
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { senderOf } from '../../kernel/sender.ts'
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
      const place = senderOf(from)
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
