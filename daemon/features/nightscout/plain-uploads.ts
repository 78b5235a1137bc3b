/** Old uploaders trust no private certificate: an owner may open a listener without TLS for them, for a while, in sight of everybody. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'

/** Who opened it and until when. */
export interface OpenUploads {
  port: number
  openedBy: string | null
  openedAtMs: number
  expiresAtMs: number
}

export interface PlainUploads {
  feature: Feature
  /** Null while it is shut. */
  state(): OpenUploads | null
}

export interface PlainUploadsDeps {
  store: Pick<Store, 'get' | 'write'>
  clock: Pick<Clock, 'now' | 'after'>
  log: Pick<Log, 'warn'>
  /** The listener itself: `open` resolves with the port that it got. */
  listener: { open(port: number): Promise<number>; close(): Promise<void> }
  /** The hub's addresses, as an uploader has to be told them. */
  hosts: () => readonly string[]
}

const OWNERS: Policy = { access: 'signed-in', roles: ['owner'] }
/** Nightscout's own, which is what people copy from its guides. */
const PORT = 1337
const HOUR_MS = 3_600_000
const HOURS_MAX = 30 * 24
/** The longest wait of a timer that this program starts. */
const LOOK_AGAIN_MS = 12 * HOUR_MS
const NAME = 'plain_uploads'
const READ = `SELECT value FROM meta WHERE name = '${NAME}'`
const WRITE = `INSERT INTO meta (name, value) VALUES ('${NAME}', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
const FORGET = `DELETE FROM meta WHERE name = '${NAME}'`

const Opening = Type.Object(
  {
    hours: Type.Integer({ minimum: 1, maximum: HOURS_MAX, default: 24 }),
    port: Type.Optional(
      Type.Union([Type.Literal(0), Type.Integer({ minimum: 1024, maximum: 65_535 })], {
        description: `${PORT} unless said otherwise; 0 takes any that is free`,
      }),
    ),
  },
  { additionalProperties: false },
)
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const Shown = Type.Object({
  open: Type.Boolean(),
  port: Maybe(Type.Integer()),
  urls: Type.Array(Type.String(), { description: 'What an uploader is given as address, without its key' }),
  opened_by: Maybe(Type.String()),
  opened_at: Maybe(Timestamp),
  expires_at: Maybe(Timestamp),
})

export function createPlainUploads(deps: PlainUploadsDeps): PlainUploads {
  const { store, clock, log, listener } = deps
  let open: OpenUploads | null = null
  let stopWaiting: (() => void) | null = null

  /** Shuts it on time, whatever became of the clock in between. */
  function waitForItsEnd(): void {
    stopWaiting?.()
    stopWaiting = null
    if (!open) return
    const leftMs = Math.max(0, open.expiresAtMs - clock.now())
    stopWaiting = clock.after(Math.min(leftMs, LOOK_AGAIN_MS), () => {
      if (open && open.expiresAtMs <= clock.now()) void shut('its time was over')
      else waitForItsEnd()
    })
  }

  async function shut(reason: string): Promise<void> {
    const was = open
    open = null
    waitForItsEnd()
    await listener.close()
    if (was) log.warn({ port: was.port, reason }, 'the plain listener for uploaders is shut')
    await store.write([{ sql: FORGET }])
  }

  async function openFor(wanted: OpenUploads): Promise<void> {
    const port = await listener.open(wanted.port)
    open = { ...wanted, port }
    await store.write([{ sql: WRITE, params: { value: JSON.stringify(open) } }])
    const { openedBy, expiresAtMs } = open
    log.warn({ port, openedBy, expiresAt: iso(expiresAtMs) }, 'the plain listener for uploaders is open')
    waitForItsEnd()
  }

  /** What was open when the hub stopped is open again until its time is over. */
  async function resume(): Promise<void> {
    const row = store.get<{ value: string }>(READ)
    if (!row) return
    // Written above.
    const was = JSON.parse(row.value) as OpenUploads
    if (was.expiresAtMs <= clock.now()) await shut('its time was over')
    else
      await openFor(was).catch((cause: unknown) =>
        log.warn(
          { port: was.port, cause: messageOf(cause) },
          'the plain listener for uploaders could not be opened',
        ),
      )
  }

  return {
    state: () => open,
    feature: {
      name: 'plain-uploads',
      routes: (http) => uploadRoutes(http, { ...deps, state: () => open, openFor, shut }),
      start: resume,
      async stop() {
        stopWaiting?.()
        await listener.close()
      },
    },
  }
}

interface Doing extends PlainUploadsDeps {
  state(): OpenUploads | null
  openFor(wanted: OpenUploads): Promise<void>
  shut(reason: string): Promise<void>
}

function uploadRoutes(http: Http, { clock, hosts, state, openFor, shut }: Doing): void {
  const config = { policy: OWNERS }
  const tags = ['nightscout']
  const response = { 200: Ok(Shown) }
  const shown = () => ok(clock.now(), view(state(), hosts()))
  http.get(
    '/uploaders/plain',
    {
      config,
      schema: { tags, summary: 'Whether uploaders may come in without TLS, and until when', response },
    },
    async () => shown(),
  )
  http.put(
    '/uploaders/plain',
    {
      config,
      schema: {
        tags,
        summary:
          'Let uploaders in without TLS for some hours: everybody on the network can read what they send',
        body: Opening,
        response,
      },
    },
    async ({ body, actor }) => {
      const openedAtMs = clock.now()
      await openFor({
        port: body.port ?? PORT,
        openedBy: nameOf(actor),
        openedAtMs,
        expiresAtMs: openedAtMs + body.hours * HOUR_MS,
      })
      return shown()
    },
  )
  http.delete(
    '/uploaders/plain',
    { config, schema: { tags, summary: 'Let nobody in without TLS any more', response } },
    async () => {
      await shut('an owner shut it')
      return shown()
    },
  )
}

function nameOf(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

function view(open: OpenUploads | null, hosts: readonly string[]) {
  return {
    open: open !== null,
    port: open?.port ?? null,
    urls: open ? hosts.map((host) => `http://${host.includes(':') ? `[${host}]` : host}:${open.port}/`) : [],
    opened_by: open?.openedBy ?? null,
    opened_at: open ? iso(open.openedAtMs) : null,
    expires_at: open ? iso(open.expiresAtMs) : null,
  }
}
