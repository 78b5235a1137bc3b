/** How a phone, watch or helper joins: a code, a yes from an owner who sees the same words, then its secrets, once. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { deriveKey } from '../../kernel/secrets.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import {
  createJoin,
  type DeviceKeys,
  type Membership,
  membershipOf,
  type Notify,
  type Phones,
} from './join.ts'
import { createOffers } from './offers.ts'
import { createRequests } from './requests.ts'
import { pairingRoutes, type Whereabouts } from './routes.ts'

export interface PairingDeps {
  store: Store
  clock: Clock
  log: Log
  /** From `ensureSecret`. */
  secret: Uint8Array
  /** Base64url SHA-256 of the household CA's public key. */
  spkiSha256: () => string
  whereabouts: () => Whereabouts
  phones: Phones
  devices: DeviceKeys
  notify: Notify
}

export interface Pairing {
  feature: Feature
  /** Prepares registering with an invitation. Throws PAIRING_INVALID (counted against every open code) or PAIRING_EXPIRED. */
  redeemInvite(code: string): Promise<Plan<Membership>>
  /** Prepares forgetting every code and request, where no owner stays. */
  planNone(): Plan<null>
}

const PRUNE_EVERY_MS = 3_600_000

export function createPairing(deps: PairingDeps): Pairing {
  const { store, clock, log } = deps
  const offers = createOffers({ store, clock, key: deriveKey(deps.secret, 'pairing code') })
  const requests = createRequests({ store, clock, spkiSha256: deps.spkiSha256 })
  const join = createJoin({ ...deps, offers, requests })
  const prune = () =>
    offers
      .prune()
      .catch((cause: unknown) => log.warn({ cause: messageOf(cause) }, 'old pairing codes not pruned'))
  let stopPruning = () => {}
  return {
    feature: {
      name: 'pairing',
      routes: (http) => pairingRoutes(http, { ...deps, offers, requests, join }),
      start() {
        stopPruning = clock.every(PRUNE_EVERY_MS, () => void prune())
      },
      stop: () => stopPruning(),
    },
    planNone: () => ({
      result: null,
      writes: [{ sql: 'DELETE FROM pairing_request' }, { sql: 'DELETE FROM pairing_offer' }],
      committed: () => {},
    }),
    async redeemInvite(code) {
      const offer = await join.open(code)
      const { role } = offer
      if (!offer.invite || role === 'device') {
        throw new HubError('PAIRING_INVALID', 'This code pairs a device; it is no invitation. Ask for one.')
      }
      return { ...offers.use(offer), result: membershipOf({ ...offer, role }) }
    },
  }
}
