/** What may be asked and changed about devices: their keys, who wears them, whether they are there. */
import type { Actor } from '../../domain/access.ts'
import type { Device, DeviceType } from '../../domain/device.ts'
import { RESERVED_IDS } from '../../domain/id.ts'
import { isZone } from '../../domain/zone.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { deriveKey, keyedHash, tokenHash } from '../../kernel/secrets.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { handOver, insertDevice, type NewDevice, revokeDevice, serveOnly, updateDevice } from './changes.ts'
import type { Directory, KnownDevice } from './directory.ts'
import { apiSecretOf, deviceOfKey, keyFits, newKey } from './keys.ts'
import type { Presence } from './presence.ts'

/** What the broker hears of a device whose key was right. */
export interface DeviceIdentity {
  deviceId: string
  type: DeviceType
  prefixes: readonly string[]
  /** Zone of its wall clock: its own, its wearer's, or the household's. */
  zone: string
}

export interface DeviceRequest {
  id?: string
  name: string
  type: DeviceType
  personId?: string | null
  timezone?: string | null
  prefixes?: readonly string[]
  rank?: number
  serves?: readonly string[]
}

export interface DeviceChanges {
  name?: string
  /** Null: nobody wears it. */
  personId?: string | null
  /** Since when; absent means now, or all along for the first wearer. */
  fromMs?: number
  timezone?: string | null
  prefixes?: readonly string[]
  rank?: number
  serves?: readonly string[]
}

export interface Register {
  /** Null for an unknown or revoked device and for a wrong key. */
  authenticate(deviceId: string, key: string): DeviceIdentity | null
  /** The device behind an API key; throws UNAUTHENTICATED. */
  fromApiKey(key: string): Actor
  /** The integration behind the SHA-1 of its key, in hex; throws UNAUTHENTICATED. */
  fromApiSecret(sha1Hex: string): Actor
  /** The same device with the persons it serves now; null once it is revoked. */
  actorOf(deviceId: string): Actor | null
  /** Whom a sample of that instant belongs to, null for nobody. */
  wearerAt(deviceId: string, atMs: number): string | null
  /** Whether the device may name this person in a sample. */
  serves(deviceId: string, personId: string): boolean
  /** Whether an integration may hear of this person: one that the owner attached it to. */
  mayHear(deviceId: string, personId: string): boolean
  /** Persons whom at least one integration may hear of. */
  heard(): ReadonlySet<string>
  /** Zone of the device's wall clock. */
  zoneOf(deviceId: string): string
  setPresence(deviceId: string, online: boolean, atMs: number): void
  /** Notes that the device was heard. */
  seen(deviceId: string, atMs: number): void
  /** Notes the device's own battery, in percent. */
  charge(deviceId: string, percent: number): void
  /** Prepares a device with a key, which is in `result` and nowhere else. */
  plan(request: DeviceRequest): Plan<{ id: string; apiKey: string }>
  list(): Device[]
  /** Throws NOT_FOUND. */
  view(deviceId: string): Device
  change(deviceId: string, changes: DeviceChanges): Promise<void>
  /** Takes its key away at once; throws NOT_FOUND. */
  revoke(deviceId: string): Promise<void>
  /** Tells which device has just lost its key; returns the way to stop listening. */
  onRevoked(listener: (revoked: { deviceId: string }) => void): () => void
  /** Tells that devices, or who wears or hears whom, have changed; returns the way to stop listening. */
  onChanged(listener: () => void): () => void
  /** Reads again after another part changed persons. */
  reload(): void
}

export interface RegisterDeps {
  store: Store
  clock: Clock
  directory: Directory
  presence: Presence
  /** The hub's secret: a plain hash of a SHA-1 would be that SHA-1's equal. */
  secret: Uint8Array
  /** The household's zone. */
  timezone: () => string
  zoneOfPerson: (personId: string) => string | null
  /** Publishes a live event about a person, null for owners only. */
  notify: (topic: string, type: string, data: unknown, personId: string | null) => void
}

const DEFAULT_RANK = 100

export function createRegister(deps: RegisterDeps): Register {
  const { store, clock, directory, presence } = deps
  const listeners = new Set<(revoked: { deviceId: string }) => void>()
  const watchers = new Set<() => void>()
  const apiSecretKey = deriveKey(deps.secret, 'api secret of integrations')

  function reload(): void {
    directory.reload()
    for (const watcher of watchers) watcher()
  }

  const wearerNow = (id: string) => directory.wearerAt(id, clock.now())
  const live = (id: string) => {
    const device = directory.get(id)
    return device && device.revokedAtMs === null ? device : undefined
  }
  const view = (device: KnownDevice, quarantined: number) =>
    viewOf(device, wearerNow(device.id), presence, quarantined)

  function existing(id: string): KnownDevice {
    const device = live(id)
    if (!device) throw noSuchDevice()
    return device
  }

  /** The first wearer is taken to have worn it all along, a later one from now on. */
  function startOf({ worn }: KnownDevice): number {
    return worn.length === 0 ? 0 : clock.now()
  }

  function zoneOf(id: string): string {
    const wearer = wearerNow(id)
    const own = directory.get(id)?.timezone ?? (wearer === null ? null : deps.zoneOfPerson(wearer))
    return own ?? deps.timezone()
  }

  function authenticate(id: string, key: string): DeviceIdentity | null {
    const device = live(id)
    if (!keyFits(key, device?.keyHash ?? null) || !device) return null
    return { deviceId: id, type: device.type, prefixes: device.prefixes, zone: zoneOf(id) }
  }

  function attached(id: string): string[] {
    const wearer = wearerNow(id)
    return [...new Set([...(wearer === null ? [] : [wearer]), ...(directory.get(id)?.named ?? [])])]
  }

  function actorOf(id: string): Actor | null {
    const device = live(id)
    return device
      ? { kind: 'device', deviceId: id, type: device.type, role: 'device', serves: attached(id) }
      : null
  }

  const signedIn = (actor: Actor | null): Actor => {
    if (actor) return actor
    throw new HubError('UNAUTHENTICATED', 'This API key is unknown or revoked. Pair the device again.')
  }
  const apiSecretHash = (sha1Hex: string) => keyedHash(apiSecretKey, sha1Hex.toLowerCase())

  return {
    authenticate,
    actorOf,
    fromApiKey(key) {
      const id = deviceOfKey(key)
      return signedIn(id !== null && authenticate(id, key) ? actorOf(id) : null)
    },
    fromApiSecret(sha1Hex) {
      // Compared as keyed hashes, so how long it takes says nothing about a secret.
      const hash = apiSecretHash(sha1Hex)
      const found = directory
        .all()
        .find((device) => device.apiSecretHash && hash.equals(device.apiSecretHash))
      return signedIn(found ? actorOf(found.id) : null)
    },
    wearerAt: directory.wearerAt,
    serves: (id, personId) => live(id) !== undefined && attached(id).includes(personId),
    mayHear: (id, personId) => live(id)?.type === 'integration' && attached(id).includes(personId),
    heard: () => {
      const integrations = directory.all().filter(({ id, type }) => type === 'integration' && live(id))
      return new Set(integrations.flatMap(({ id }) => attached(id)))
    },
    zoneOf,
    setPresence(id, online, atMs) {
      if (!live(id) || !presence.set(id, online, atMs)) return
      const personId = wearerNow(id)
      const data = { device_id: id, person_id: personId, online }
      deps.notify('edge', online ? 'edge_connected' : 'edge_disconnected', data, personId)
    },
    seen(id, atMs) {
      if (live(id)) presence.seen(id, atMs)
    },
    charge(id, percent) {
      if (live(id)) presence.charge(id, percent)
    },
    plan(request) {
      const device = newDevice(request, store, directory, clock.now())
      const apiKey = newKey(device.id)
      return {
        result: { id: device.id, apiKey },
        writes: insertDevice(
          device,
          {
            key: tokenHash(apiKey),
            apiSecret: device.type === 'integration' ? apiSecretHash(apiSecretOf(apiKey)) : null,
          },
          clock.now(),
        ),
        committed: reload,
      }
    },
    list() {
      const quarantined = quarantinedByDevice(store)
      return directory
        .all()
        .filter(({ revokedAtMs }) => revokedAtMs === null)
        .map((device) => view(device, quarantined.get(device.id) ?? 0))
    },
    view(id) {
      const device = directory.get(id)
      if (!device) throw noSuchDevice()
      return view(device, quarantinedOf(store, device.id))
    },
    async change(id, changes) {
      const device = existing(id)
      checkPersons(store, [changes.personId ?? null, ...(changes.serves ?? [])])
      const next = checked({ ...device, ...definedOf(changes) })
      await store.write([
        updateDevice(next),
        ...(changes.personId === undefined
          ? []
          : handOver(id, changes.personId, changes.fromMs ?? startOf(device))),
        ...(changes.serves === undefined ? [] : serveOnly(id, changes.serves)),
      ])
      reload()
    },
    async revoke(id) {
      existing(id)
      await store.write(revokeDevice(id, clock.now()))
      reload()
      presence.forget(id)
      for (const listener of listeners) listener({ deviceId: id })
    },
    onRevoked(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onChanged(watcher) {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
    reload,
  }
}

function newDevice(request: DeviceRequest, store: Store, directory: Directory, nowMs: number): NewDevice {
  const id = request.id ?? newId(nowMs)
  if (RESERVED_IDS.has(id) || directory.get(id)) {
    throw new HubError('CONFLICT', 'This id is taken or was. Choose another, or leave it out.')
  }
  const device = {
    id,
    name: request.name.trim(),
    type: request.type,
    personId: request.personId ?? null,
    timezone: request.timezone ?? null,
    prefixes: request.prefixes ?? [],
    rank: request.rank ?? DEFAULT_RANK,
    serves: [...new Set(request.serves)],
  }
  checkPersons(store, [device.personId, ...device.serves])
  return checked(device)
}

function definedOf({ name, timezone, prefixes, rank }: DeviceChanges): Partial<KnownDevice> {
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(prefixes === undefined ? {} : { prefixes }),
    ...(rank === undefined ? {} : { rank }),
  }
}

function checked<Shape extends Pick<KnownDevice, 'timezone' | 'type' | 'prefixes'>>(device: Shape): Shape {
  const wrong = (path: string, message: string) =>
    new HubError('VALIDATION_ERROR', `The device cannot be kept: ${path} ${message}.`, {
      details: [{ path, message }],
    })
  if (device.timezone !== null && !isZone(device.timezone)) throw wrong('timezone', 'is no IANA time zone')
  if (device.prefixes.length > 0 && device.type !== 'gateway')
    throw wrong('prefixes', 'are for gateways only')
  return device
}

function checkPersons(store: Store, ids: readonly (string | null)[]): void {
  for (const id of ids) {
    if (id === null) continue
    if (!store.get('SELECT 1 FROM person WHERE id = :id AND deleted_at IS NULL', { id })) {
      throw new HubError('NOT_FOUND', 'There is no person with this id.')
    }
  }
}

function quarantinedOf(store: Store, id: string): number {
  const sql = 'SELECT count(*) AS entries FROM quarantine WHERE device_id = :id'
  return store.get<{ entries: number }>(sql, { id })?.entries ?? 0
}

/** In one question for all devices: every alert and every look at the rules lists them. */
function quarantinedByDevice(store: Store): ReadonlyMap<string, number> {
  const sql =
    'SELECT device_id AS deviceId, count(*) AS entries FROM quarantine GROUP BY device_id ORDER BY device_id'
  const rows = store.all<{ deviceId: string; entries: number }>(sql)
  return new Map(rows.map(({ deviceId, entries }) => [deviceId, entries]))
}

function viewOf(
  device: KnownDevice,
  personId: string | null,
  presence: Presence,
  quarantined: number,
): Device {
  const stamp = (atMs: number | null) => (atMs === null ? null : iso(atMs))
  return {
    id: device.id,
    name: device.name,
    type: device.type,
    person_id: device.revokedAtMs === null ? personId : null,
    online: presence.isOnline(device.id),
    battery: presence.battery(device.id) ?? device.battery,
    last_seen: stamp(presence.lastSeenMs(device.id) ?? device.lastSeenAtMs),
    paired_at: stamp(device.pairedAtMs),
    revoked: device.revokedAtMs !== null,
    rank: device.rank,
    timezone: device.timezone,
    prefixes: [...device.prefixes],
    serves: [...device.named],
    quarantined,
  }
}

export function noSuchDevice(): HubError {
  return new HubError('NOT_FOUND', 'There is no device with this id.')
}
