import { isId } from '../domain/id.ts'
import type { DeviceIdentity } from './ports.ts'

/** What a topic is for, once it is known that the device may publish there. */
export type Route =
  | { kind: 'obs' }
  | { kind: 'raw'; codec: string; part: string | null }
  | { kind: 'frame' }
  | { kind: 'status' }
  | { kind: 'alert'; alertId: string }
  /** Under a gateway's own prefix, as third-party firmware publishes. */
  | { kind: 'foreign' }
  /** Inside the device's own tree, but nothing the hub knows. */
  | { kind: 'unknown' }

export type Ruling = { route: Route } | { violation: string }

const WORD = /^[A-Za-z0-9:_.-]{1,64}$/
/** Control characters, lone surrogates and noncharacters, which MQTT 3.1.1 (1.5.3) forbids or frowns on. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

/** Whether and for what this device may publish on `topic`. A violation ends the connection: 3.1.1 has no softer word. */
export function rulePublish(device: DeviceIdentity, topic: string, retain: boolean): Ruling {
  if (UNFIT.test(topic)) return { violation: 'the topic holds characters that MQTT forbids' }
  const route = routeOf(device, topic)
  if (route === null) return { violation: 'the topic belongs to somebody else' }
  if (route === 'cmd') return { violation: 'only the hub publishes commands' }
  if (route.kind === 'frame' && device.type !== 'camera')
    return { violation: 'only a camera publishes frames' }
  // Other firmware asks for everything to be kept; it is taken, and nothing of it is kept.
  if (retain && route.kind !== 'status' && route.kind !== 'foreign')
    return { violation: 'only status may be retained' }
  return { route }
}

function routeOf(device: DeviceIdentity, topic: string): Route | 'cmd' | null {
  const own = `hf/${device.deviceId}/`
  if (topic.startsWith(own)) return ownRoute(topic.slice(own.length).split('/'))
  const alertId = topic.startsWith('hf/in/alert/') ? topic.slice('hf/in/alert/'.length) : null
  if (alertId !== null && device.type === 'integration' && isId(alertId)) return { kind: 'alert', alertId }
  return device.type === 'gateway' && device.prefixes.some((prefix) => isUnder(topic, prefix))
    ? { kind: 'foreign' }
    : null
}

function ownRoute([first, second, third, ...more]: string[]): Route | 'cmd' {
  if (first === 'cmd') return 'cmd'
  if (first === 'raw' && second !== undefined && WORD.test(second) && more.length === 0) {
    if (third === undefined || WORD.test(third)) return { kind: 'raw', codec: second, part: third ?? null }
  }
  if (second === undefined && (first === 'obs' || first === 'frame' || first === 'status'))
    return { kind: first }
  return { kind: 'unknown' }
}

/** The hub's own trees and `$` topics are nobody's prefix, whatever was configured; devices may announce themselves, though. */
function isUnder(topic: string, prefix: string): boolean {
  const bare = prefix.replace(/\/?#?$/, '')
  if (bare === 'homeassistant') return topic.startsWith('homeassistant/') && topic.endsWith('/config')
  if (bare === '' || /^(?:\$|hf(?:\/|$)|homeassistant(?:\/|$))/.test(bare) || /[+#]/.test(bare)) return false
  return topic === bare || topic.startsWith(`${bare}/`)
}

/** Whether this device may subscribe to `filter`: its own tree, for integrations also what the hub publishes for them. */
export function maySubscribe(device: DeviceIdentity, filter: string): boolean {
  if (UNFIT.test(filter)) return false
  const trees = device.type === 'integration' ? ['hf/out/', 'homeassistant/'] : []
  return [`hf/${device.deviceId}/`, ...trees].some(
    (tree) => filter.startsWith(tree) && filter.length > tree.length,
  )
}

/** The person whom an outgoing topic is about, null when it names none. */
export function personOf(topic: string): string | null {
  return /^(?:hf\/out\/person|homeassistant\/[^/]+)\/([^/]+)\//.exec(topic)?.[1] ?? null
}

/** Whether an MQTT filter matches a topic; `$` topics match no leading wildcard. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (const [index, word] of wanted.entries()) {
    if (word === '#') return true
    if (index >= levels.length || (word !== '+' && word !== levels[index])) return false
  }
  return wanted.length === levels.length
}
