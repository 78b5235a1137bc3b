/** What may be kept and changed about cameras. */
import type { CameraKind } from '../../domain/camera.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { type Address, type Credentials, isSameDoor, readAddress } from './address.ts'
import {
  CAMERAS_MAX,
  type Directory,
  deleteCamera,
  insertCamera,
  type KnownCamera,
  updateCamera,
} from './directory.ts'
import type { Seal, Secret } from './seal.ts'

export interface CameraRequest extends CameraChanges {
  id?: string | undefined
  name: string
  kind?: CameraKind | undefined
}

/** Absent fields stay. */
export interface CameraChanges {
  name?: string | undefined
  url?: string | undefined
  username?: string | undefined
  password?: string | undefined
  deviceId?: string | null | undefined
  personIds?: readonly string[] | undefined
  analyse?: boolean | undefined
  enabled?: boolean | undefined
}

/** A phone that somebody lends to a running session. */
export interface Loan {
  /** The user whose phone it is. */
  lender: string
  sessionId: string
  /** What it is called the first time. */
  name: string
  /** Who took it. */
  addedBy: string | null
  /** Whom it films. */
  personIds: readonly string[]
}

export interface Register {
  get(id: string): KnownCamera | undefined
  all(): KnownCamera[]
  ofDevice(deviceId: string): KnownCamera | undefined
  /** How to reach it; null when there is nothing to reach, or its seal does not open with this hub's secret. */
  secretOf(camera: KnownCamera): Secret | null
  add(request: CameraRequest, addedBy: string | null): Promise<KnownCamera>
  /** Throws NOT_FOUND. */
  change(id: string, changes: CameraChanges): Promise<KnownCamera>
  remove(id: string): Promise<void>
  /** The phone of that user, made the first time, films for a session from now on. Throws CONFLICT while it films for another one. */
  lend(loan: Loan): Promise<KnownCamera>
  /** It films for no session any more, and is switched off. */
  takeBack(id: string): Promise<void>
  /** Reads again after another part changed persons or users. */
  reload(): void
}

export interface RegisterDeps {
  store: Store
  clock: Clock
  directory: Directory
  seal: Seal
  /** Whether this is a device in use that is a camera. */
  isCameraDevice: (deviceId: string) => boolean
  personExists: (personId: string) => boolean
  /** What other parts keep about a camera goes in the same unit as the camera. */
  forget?: (cameraId: string) => Plan<null>
}

const FETCHED: ReadonlySet<CameraKind> = new Set(['rtsp', 'mjpeg', 'file'])

export function createRegister(deps: RegisterDeps): Register {
  const { store, clock, directory, seal } = deps

  function existing(id: string): KnownCamera {
    const camera = directory.get(id)
    if (!camera) throw noSuchCamera()
    return camera
  }

  const secretOf = ({ id, sealed }: KnownCamera) => (sealed === null ? null : seal.open(id, sealed))

  function locked(id: string, kept: Secret | null, shown: string | null) {
    return {
      url: shown,
      sealed: kept === null ? null : seal.close(id, kept),
      hasCredentials: kept?.credentials != null,
    }
  }

  function checked(camera: KnownCamera): KnownCamera {
    const { kind, url, deviceId, id, personIds } = camera
    if (FETCHED.has(kind) !== (url !== null))
      throw wrong('url', FETCHED.has(kind) ? 'is missing' : `has no place in a camera of kind ${kind}`)
    if (kind === 'mqtt' && deviceId === null)
      throw wrong('device_id', 'is missing: which device of type camera sends its pictures')
    if (deviceId !== null && kind !== 'mqtt' && kind !== 'push')
      throw wrong('device_id', `has no place in a camera of kind ${kind}`)
    if (deviceId !== null && !deps.isCameraDevice(deviceId))
      throw wrong('device_id', 'is no device of type camera')
    const rival = deviceId === null ? undefined : directory.ofDevice(deviceId)
    if (rival && rival.id !== id) throw new HubError('CONFLICT', 'Another camera already shows this device.')
    for (const personId of personIds)
      if (!deps.personExists(personId)) throw new HubError('NOT_FOUND', 'There is no person with this id.')
    return camera
  }

  async function committed(writes: Parameters<Store['write']>[0], id: string): Promise<KnownCamera> {
    await store.write(writes)
    directory.reload()
    return existing(id)
  }

  return {
    get: directory.get,
    all: directory.all,
    ofDevice: directory.ofDevice,
    reload: directory.reload,
    secretOf,
    async add(request, addedBy) {
      const id = request.id ?? newId(clock.now())
      if (directory.get(id))
        throw new HubError('CONFLICT', 'This id is taken. Choose another, or leave it out.')
      if (directory.all().length >= CAMERAS_MAX) throw tooMany()
      const address = request.url === undefined ? null : readAddress(request.url)
      const kind = kindOf(request, address)
      const camera = checked({
        ...{ id, kind, addedBy, name: request.name.trim(), deviceId: request.deviceId ?? null },
        ...{ lender: null, lentTo: null },
        ...{ analyse: request.analyse ?? true, enabled: request.enabled ?? true },
        ...{ createdAtMs: clock.now(), updatedAtMs: clock.now(), personIds: [...new Set(request.personIds)] },
        ...locked(id, secretFrom(address, request, null), address?.shown ?? null),
      })
      return committed(insertCamera(camera), id)
    },
    async change(id, changes) {
      const camera = existing(id)
      const kept = secretOf(camera)
      const next = checked({
        ...camera,
        name: changes.name?.trim() ?? camera.name,
        deviceId: changes.deviceId === undefined ? camera.deviceId : changes.deviceId,
        personIds: changes.personIds === undefined ? camera.personIds : [...new Set(changes.personIds)],
        analyse: changes.analyse ?? camera.analyse,
        enabled: changes.enabled ?? camera.enabled,
        updatedAtMs: clock.now(),
        ...relocked(camera, kept, changes),
      })
      return committed(updateCamera(next), id)
    },
    async lend({ lender, sessionId, name, addedBy, personIds }) {
      const now = { addedBy, personIds, lender, lentTo: sessionId, enabled: true, analyse: true }
      const known = directory.all().find((camera) => camera.lender === lender)
      if (known?.lentTo != null)
        throw new HubError('CONFLICT', 'This phone films for another session. End that first.')
      const updatedAtMs = clock.now()
      if (known) return committed(updateCamera({ ...known, ...now, updatedAtMs }), known.id)
      if (directory.all().length >= CAMERAS_MAX) throw tooMany()
      const id = newId(updatedAtMs)
      const empty = { url: null, sealed: null, hasCredentials: false, deviceId: null }
      const kept = {
        id,
        name,
        kind: 'phone' as const,
        ...empty,
        ...now,
        createdAtMs: updatedAtMs,
        updatedAtMs,
      }
      return committed(insertCamera(kept), id)
    },
    async takeBack(id) {
      const camera = existing(id)
      const ended = { ...camera, lentTo: null, enabled: false, updatedAtMs: clock.now() }
      await committed(updateCamera(ended), id)
    },
    async remove(id) {
      existing(id)
      const others = deps.forget?.(id)
      await store.write([...deleteCamera(id), ...(others?.writes ?? [])])
      directory.reload()
      others?.committed()
    },
  }

  /** An address that is sent back as it was shown is the address that is kept. */
  function relocked(camera: KnownCamera, kept: Secret | null, changes: CameraChanges): Partial<KnownCamera> {
    const isNewUrl = changes.url !== undefined && changes.url !== camera.url
    if (!isNewUrl && changes.username === undefined && changes.password === undefined) return {}
    const address = isNewUrl && changes.url !== undefined ? readAddress(changes.url) : null
    if (address && address.kind !== camera.kind)
      throw wrong('url', `is no address of a camera of kind ${camera.kind}. Add it as another camera`)
    return locked(camera.id, secretFrom(address, changes, kept), address?.shown ?? camera.url)
  }
}

/** Credentials stay only while the camera stays at the same door: nobody gets them sent elsewhere. */
function secretFrom(address: Address | null, typed: CameraChanges, kept: Secret | null): Secret | null {
  const url = address?.url ?? kept?.url
  if (url === undefined) {
    if (typed.username === undefined && typed.password === undefined) return null
    throw wrong('username', 'is for cameras that have an address')
  }
  const inherited = kept && isSameDoor(kept.url, url) ? kept.credentials : null
  return { url, credentials: merged(typed, address?.credentials ?? inherited) }
}

function merged({ username, password }: CameraChanges, before: Credentials | null): Credentials | null {
  if (username === undefined && password === undefined) return before
  const after = { username: username ?? before?.username ?? '', password: password ?? before?.password ?? '' }
  return after.username === '' && after.password === '' ? null : after
}

function kindOf({ kind, deviceId }: CameraRequest, address: Address | null): CameraKind {
  const told = address?.kind ?? (deviceId === undefined || deviceId === null ? undefined : 'mqtt')
  if (kind === undefined && told === undefined)
    throw wrong('url', 'is missing, or say a kind that needs none')
  if (address && kind !== undefined && kind !== address.kind)
    throw wrong('kind', `does not fit the address, which is of kind ${address.kind}`)
  return kind ?? told ?? 'push'
}

export function noSuchCamera(): HubError {
  return new HubError('NOT_FOUND', 'There is no camera with this id.')
}

function tooMany(): HubError {
  return new HubError('CONFLICT', `This hub has ${CAMERAS_MAX} cameras, which is the most. Remove one first.`)
}

function wrong(path: string, message: string): HubError {
  return new HubError('VALIDATION_ERROR', `The camera cannot be kept: ${path} ${message}.`, {
    details: [{ path, message }],
  })
}
