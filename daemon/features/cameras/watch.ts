/** Which cameras run: started with the hub, started anew when what they run on changes, and told of on the live channel. */
import type { Log } from '../../kernel/log.ts'
import type { KnownCamera } from './directory.ts'
import type { Footage, Running } from './footage.ts'
import type { Register } from './register.ts'

export interface WatchDeps {
  footage: Footage
  register: Register
  log: Log
  /** Tells that a camera came or went. */
  tell: (camera: KnownCamera, online: boolean, reason: string | null) => void
}

export interface Watch {
  /** Starts every camera, once it is known how. */
  start(): Promise<void>
  of(cameraId: string): Running | undefined
  /** Starts, restarts or stops the camera so that what runs is what is kept; before `start` it only waits for it. */
  follow(cameraId: string): Promise<void>
  stop(): Promise<void>
}

interface Entry {
  running: Running
  /** What it was started with. */
  runsOn: string
  online: boolean
  forget(): void
}

export function createWatch({ footage, register, log, tell }: WatchDeps): Watch {
  const entries = new Map<string, Entry>()
  let state: 'closed' | 'open' | 'stopped' = 'closed'

  async function end(cameraId: string): Promise<void> {
    const entry = entries.get(cameraId)
    if (!entry) return
    entries.delete(cameraId)
    entry.forget()
    await entry.running.stop()
  }

  function run(camera: KnownCamera, runsOn: string): void {
    const secret = register.secretOf(camera)
    const { id, kind, analyse } = camera
    if (camera.sealed !== null && secret === null)
      log.error(
        { cameraId: id },
        'camera not started: its credentials belong to another hub. Enter them again',
      )
    else {
      const running = footage.run({
        ...{ id, kind, analyse },
        ...{ url: secret?.url ?? null, credentials: secret?.credentials ?? null },
      })
      const entry: Entry = { running, runsOn, online: false, forget: () => {} }
      entry.forget = running.onState(() => changed(id, entry))
      entries.set(id, entry)
    }
  }

  function changed(id: string, entry: Entry): void {
    const { status, reason } = entry.running.state()
    const online = status === 'online'
    if (online === entry.online) return
    entry.online = online
    log.info({ cameraId: id, status, error: reason?.code }, 'camera changed')
    const camera = register.get(id)
    if (camera) tell(camera, online, reason?.message ?? null)
  }

  return {
    of: (cameraId) => entries.get(cameraId)?.running,
    async start() {
      await footage.open()
      if (state === 'stopped') return
      state = 'open'
      for (const { id } of register.all()) await follow(id)
    },
    follow,
    async stop() {
      state = 'stopped'
      await Promise.all([...entries.keys()].map(end))
      await footage.close()
    },
  }

  async function follow(cameraId: string): Promise<void> {
    if (state !== 'open') return
    const camera = register.get(cameraId)
    const runsOn = camera?.enabled ? doorOf(camera) : null
    if (entries.get(cameraId)?.runsOn === runsOn) return
    await end(cameraId)
    if (camera && runsOn !== null && !entries.has(cameraId)) run(camera, runsOn)
  }
}

/** Each seal has its own nonce, so a changed password shows without being looked at. */
function doorOf({ kind, sealed, deviceId, analyse }: KnownCamera): string {
  return JSON.stringify([kind, sealed && Buffer.from(sealed).toString('base64'), deviceId, analyse])
}
