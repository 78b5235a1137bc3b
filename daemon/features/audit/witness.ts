/** Turns answered requests into entries of the audit log; reads of the same data by the same reader become one for a while. */
import type { Actor } from '../../domain/access.ts'
import { ACCOUNT_PAGES, ACTS, READS, REFUSALS, UNLISTED } from './acts.ts'
import type { AuditFact } from './entry.ts'

/** One answered request, as the HTTP face tells it. */
export interface Answered {
  method: string
  route: string
  status: number
  actor: Actor
  address: string
  params: Readonly<Record<string, unknown>>
  data: unknown
  touched: readonly { personId: string; action: 'read' | 'write'; class: string }[]
  uploader: boolean
  ownersOnly: boolean
}

export interface Witness {
  answered(seen: Answered): void
  /** Somebody began to listen to a topic of the live channel. */
  joined(actor: Actor, topic: string): void
  /** Somebody read a person's data in another way. */
  read(actor: Actor, personId: string, dataClass: string): void
  /** A program hears of a person over MQTT, which goes on for years: one entry a day. */
  heard(deviceId: string, personId: string): void
}

export interface WitnessDeps {
  now: () => number
  append: (fact: AuditFact) => void
  /** Who is filmed by a camera or takes part in a session. */
  peopleOf: (what: 'camera' | 'session', id: string) => readonly string[]
}

export const COALESCE_MS = 5 * 60_000
const HEARD_MS = 24 * 3_600_000
/** Readers × persons × classes remembered at once; the oldest is forgotten, which costs one more entry. */
const REMEMBERED_MAX = 5000
const LISTED_MAX = 500
const FACTS = ['id', 'role', 'class', 'action', 'type', 'device_type', 'user_id', 'kind'] as const
const SHORT = /^[A-Za-z0-9_-]{1,64}$/

export function createWitness({ now, append, peopleOf }: WitnessDeps): Witness {
  const lately = new Map<string, number>()

  /** Whether this is the first of its kind within the time that entries are coalesced over. */
  function isNew(key: string, forMs = COALESCE_MS): boolean {
    const untilMs = lately.get(key)
    if (untilMs !== undefined && now() < untilMs && untilMs - now() <= forMs) return false
    lately.delete(key)
    lately.set(key, now() + forMs)
    const oldest = lately.size > REMEMBERED_MAX ? lately.keys().next() : null
    if (oldest && !oldest.done) lately.delete(oldest.value)
    return true
  }

  function read(actor: Actor, personId: string, dataClass: string): void {
    const who = whoOf(actor)
    if (!isNew(`${who.kind} ${who.id} ${personId} ${dataClass}`)) return
    append({ act: 'read', who, personId, class: dataClass })
  }

  function refused({ method, route, actor, address }: Answered): void {
    const act = REFUSALS[`${method} ${route}`]
    if (act !== undefined && isNew(`${act} ${address}`))
      append({ act, who: whoOf(actor), detail: { address } })
  }

  return {
    read,
    heard(deviceId, personId) {
      if (isNew(`heard ${deviceId} ${personId}`, HEARD_MS))
        append({
          act: 'read',
          who: { kind: 'device', id: deviceId },
          personId,
          class: 'any',
          detail: { by: 'mqtt' },
        })
    },
    joined(actor, topic) {
      const [kind = '', id = ''] = topic.split(':')
      if (kind === 'person') read(actor, id, 'any')
      else if (kind === 'camera' || kind === 'session')
        for (const personId of peopleOf(kind, id)) read(actor, personId, READS[`${kind}s`] ?? 'any')
    },
    answered(seen) {
      const { method, route, status, actor } = seen
      if (status === 401 || status === 403 || status === 410) return refused(seen)
      if (status >= 400) return
      const act = ACTS[`${method} ${route}`] ?? otherAct(seen)
      if (act !== null) append(actOf(act, seen))
      for (const { personId, action, class: dataClass } of seen.touched)
        if (action === 'read' && !ACCOUNT_PAGES.has(route)) read(actor, personId, dataClass)
      for (const { personId, class: dataClass } of readsOf(seen, peopleOf)) read(actor, personId, dataClass)
    },
  }
}

/** What only owners may do changes how the hub works: none of it is left out because it came later than the list. */
function otherAct({ method, route, ownersOnly }: Answered): string | null {
  if (!ownersOnly || method === 'GET' || method === 'HEAD') return null
  return UNLISTED.has(`${method} ${route}`) ? null : `${method.toLowerCase()} ${route}`
}

/** Who is meant: of an open route, whoever it made or signed in. */
function actOf(act: string, { actor, data, params }: Answered): AuditFact {
  const made = fieldsOf(data)
  const user = fieldsOf(made['user'])
  const detail: Record<string, string | number | boolean> = {}
  for (const name of FACTS) {
    const value = made[name] ?? made[`${name}s`]
    if (typeof value === 'string' && SHORT.test(value)) detail[name] = value
  }
  for (const [name, value] of Object.entries(params))
    if (typeof value === 'string' && SHORT.test(value)) detail[name] = value
  const who = actor.kind === 'anonymous' && typeof user['id'] === 'string' ? user['id'] : null
  const person = made['person_id'] ?? params['personId'] ?? params['person']
  return {
    act,
    who: who === null ? whoOf(actor) : { kind: 'user', id: who },
    personId: typeof person === 'string' ? person : null,
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  }
}

function whoOf(actor: Actor): AuditFact['who'] {
  switch (actor.kind) {
    case 'user':
      return { kind: 'user', id: actor.userId }
    case 'device':
      return { kind: 'device', id: actor.deviceId }
    default:
      return { kind: actor.kind, id: null }
  }
}

/** Whose data an answer held where the route decided that itself. */
function readsOf(
  { method, route, actor, params, data, uploader }: Answered,
  peopleOf: WitnessDeps['peopleOf'],
): { personId: string; class: string }[] {
  if (method !== 'GET' && !/\/(?:view|webrtc)$/.test(route)) return []
  if (uploader && actor.kind === 'device')
    return actor.serves.slice(0, 1).map((personId) => ({ personId, class: 'glucose' }))
  const [, root = '', ...rest] = route.split('/')
  const dataClass = READS[root]
  if (dataClass === undefined) return []
  const id = (name: string) => (typeof params[name] === 'string' ? params[name] : null)
  const cameraId = rest.length > 1 ? id('cameraId') : null
  const sessionId = id('sessionId')
  const named =
    root === 'cameras' ? [] : (Array.isArray(data) ? data.slice(0, LISTED_MAX) : [data]).flatMap(peopleIn)
  const behind = [
    ...(cameraId === null ? [] : peopleOf('camera', cameraId)),
    ...(sessionId === null ? [] : peopleOf('session', sessionId)),
  ]
  return [...new Set([...named, ...behind])].map((personId) => ({ personId, class: dataClass }))
}

function peopleIn(item: unknown): string[] {
  const fields = fieldsOf(item)
  const participants = Array.isArray(fields['participants'])
    ? fields['participants'].slice(0, LISTED_MAX)
    : []
  return [fields, ...participants.map(fieldsOf)].flatMap((one) =>
    [one['person_id'], one['player_id']].filter((value) => typeof value === 'string'),
  )
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
