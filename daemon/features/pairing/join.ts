/** The steps of joining that touch more than one table at once. */
import type { Action, DataClass, Role, UserRole } from '../../domain/access.ts'
import type { Device, DeviceType } from '../../domain/device.ts'
import type { Tokens, User } from '../../domain/user.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { type Offer, type Offers, over } from './offers.ts'
import type { Requests, StoredRequest } from './requests.ts'

/** What an invitation or an approved phone makes of somebody. */
export interface Membership {
  role: UserRole
  personId: string | null
  grants: readonly { class: DataClass; action: Action }[]
}

/** What pairing needs of accounts. */
export interface Phones {
  planPhone(name: string, membership: Membership): Promise<Plan<Tokens>>
  /** Live sign-ins that came by pairing. */
  paired(): {
    signIn: { id: string; deviceName: string | null; pairedAtMs: number | null; lastSeenAtMs: number }
    user: User
  }[]
  revokeSignIn(signInId: string): Promise<void>
}

/** What pairing needs of devices. */
export interface DeviceKeys {
  plan(request: {
    name: string
    type: DeviceType
    personId: string | null
  }): Plan<{ id: string; apiKey: string }>
  list(): Device[]
  revoke(deviceId: string): Promise<void>
}

/** Publishes a live event for owners. */
export type Notify = (topic: string, type: string, data: unknown, personId: null) => void

export interface Collected {
  tokens?: Tokens
  device?: { id: string; api_key: string }
}

export interface Joined {
  id: string
  pollToken: string
  expiresAtMs: number
}

export interface Join {
  /** The open offer behind a code or token. Throws PAIRING_INVALID, counted against every open code, or PAIRING_EXPIRED. */
  open(secret: string): Promise<Offer>
  /** Spends the offer and leaves a request that waits; of two at once one gets PAIRING_EXPIRED. */
  connect(secret: string, deviceName: string, deviceType: DeviceType): Promise<Joined>
  /** What an approved request gets, the first time it asks; nothing the second time. */
  collect(request: StoredRequest): Promise<Collected>
}

export interface JoinDeps {
  store: Store
  log: Log
  offers: Offers
  requests: Requests
  phones: Phones
  devices: DeviceKeys
  notify: Notify
}

export function createJoin(deps: JoinDeps): Join {
  const { store, log, offers, requests } = deps
  let lastLook: Promise<unknown> = Promise.resolve()

  /** One after the other, so that codes guessed at the same moment cannot all be compared before the first is counted. */
  function open(secret: string): Promise<Offer> {
    const look = lastLook.then(() => lookUp(secret))
    lastLook = look.catch(() => {})
    return look
  }

  async function lookUp(secret: string): Promise<Offer> {
    const offer = offers.find(secret)
    if (offer) return offer
    const burnt = await offers.countWrong()
    log.warn({ burnt: burnt.length }, 'wrong pairing code')
    for (const id of burnt)
      deps.notify('pairing', 'pairing_failed', { id, reason: 'too_many_wrong_codes' }, null)
    throw new HubError(
      'PAIRING_INVALID',
      'This pairing code is not right. Five wrong ones end every code that is open.',
    )
  }

  /** Answers false when another request was first. */
  async function first(plans: readonly Pick<Plan<unknown>, 'writes'>[]): Promise<boolean> {
    try {
      await store.write(plans.flatMap(({ writes }) => writes))
      return true
    } catch (cause) {
      if (cause instanceof HubError && cause.code === 'CONFLICT') return false
      throw cause
    }
  }

  return {
    open,
    async connect(secret, deviceName, deviceType) {
      const offer = await open(secret)
      if (offer.deviceType !== deviceType) {
        throw new HubError(
          'VALIDATION_ERROR',
          `This code is for a ${offer.deviceType}, not for a ${deviceType}.`,
          {
            details: [{ path: 'device_type', message: `must be ${offer.deviceType}`, value: deviceType }],
          },
        )
      }
      const request = requests.plan(offer, deviceName)
      if (!(await first([offers.use(offer), request]))) throw over()
      const stored = requests.get(request.result.id)
      if (stored) deps.notify('pairing', 'pairing_request', requests.view(stored), null)
      return request.result
    },
    async collect(request) {
      if (request.status !== 'approved' || request.collected) return {}
      const planned = await planFor(request, deps)
      if (!(await first([{ writes: [requests.collect(request.id)] }, planned]))) return {}
      planned.committed()
      const { id, deviceName: name } = request
      deps.notify('pairing', 'pairing_success', { id, device_name: name, role: request.role }, null)
      return planned.result
    },
  }
}

async function planFor(request: StoredRequest, { phones, devices }: JoinDeps): Promise<Plan<Collected>> {
  const { deviceName: name, deviceType: type, role, personId } = request
  if (role !== 'device') {
    const { result: tokens, ...plan } = await phones.planPhone(name, membershipOf({ ...request, role }))
    return { ...plan, result: { tokens } }
  }
  const { result, ...plan } = devices.plan({ name, type, personId })
  return { ...plan, result: { device: { id: result.id, api_key: result.apiKey } } }
}

const ACTION = {
  owner: 'write',
  caregiver: 'write',
  coach: 'read',
  member: 'write',
} as const satisfies Record<UserRole, Action>

/** Caregivers and coaches get grants on the person; owners see everybody and members are that person. */
export function membershipOf(terms: {
  role: UserRole
  personId: string | null
  classes: readonly DataClass[]
}): Membership {
  const { role, personId, classes } = terms
  const needsGrants = role === 'caregiver' || role === 'coach'
  return {
    role,
    personId,
    grants: needsGrants ? classes.map((one) => ({ class: one, action: ACTION[role] })) : [],
  }
}

/** What a role may see of the person when nobody said more. */
export function defaultClasses(role: Role): readonly DataClass[] {
  if (role === 'caregiver') return ['wellness']
  return role === 'coach' ? ['training'] : []
}
