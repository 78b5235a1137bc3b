/** Whether this browser is told while the app is closed, and how it begins and ends. */
import type { Api } from '../../net/api.ts'
import type { PushState } from './answers.ts'

const SCOPE = '/app/'
const SUBSCRIPTIONS = '/alerts/push/subscriptions'

/** `impossible`: this browser cannot, or not before the app stands on the home screen. */
export type Permission = 'impossible' | 'asked' | 'denied' | 'granted'

export function permission(): Permission {
  if (!('PushManager' in window) || !('Notification' in window) || !('serviceWorker' in navigator))
    return 'impossible'
  const given = Notification.permission
  return given === 'default' ? 'asked' : given
}

async function subscriptionHere(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE)
  return (await registration?.pushManager.getSubscription()) ?? null
}

/** As the hub lists it; null where this browser is not told. */
export async function fingerprintHere(): Promise<string | null> {
  if (permission() === 'impossible') return null
  const subscription = await subscriptionHere()
  if (subscription === null) return null
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(subscription.endpoint))
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Asks the person, then the browser's service, then the hub. Null: the person or the browser said no. */
export async function tellHere(api: Api, publicKey: string): Promise<PushState | null> {
  if ((await Notification.requestPermission()) !== 'granted') return null
  const { pushManager } = await navigator.serviceWorker.ready
  // Another key is another hub's, or this one's of before.
  await (await pushManager.getSubscription())?.unsubscribe()
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
  return hand(api, subscription)
}

export async function tellNoMore(api: Api, id: string, isHere: boolean): Promise<void> {
  if (isHere) await (await subscriptionHere())?.unsubscribe()
  await api.remove(`${SUBSCRIPTIONS}/${encodeURIComponent(id)}`)
}

/** A browser changes its address at times, and who is signed in changes too: the hub is told at each start. */
export async function tellAgain(api: Api): Promise<void> {
  if (permission() !== 'granted') return
  const subscription = await subscriptionHere()
  if (subscription !== null) await hand(api, subscription)
}

function hand(api: Api, subscription: PushSubscription): Promise<PushState> {
  const { endpoint, keys } = subscription.toJSON()
  return api.post<PushState>(SUBSCRIPTIONS, { endpoint, keys, name: nameOf(navigator.userAgent) })
}

/** `Chrome on Android`, as a person would tell their devices apart. */
export function nameOf(userAgent: string): string {
  const browsers = {
    Firefox: /Firefox|FxiOS/,
    Edge: /Edg/,
    Samsung: /SamsungBrowser/,
    Chrome: /Chrome|CriOS/,
  }
  const systems = {
    iPhone: /iPhone/,
    iPad: /iPad/,
    Android: /Android/,
    Windows: /Windows/,
    Mac: /Mac/,
    Linux: /Linux/,
  }
  const first = (all: Record<string, RegExp>) =>
    Object.entries(all).find(([, sign]) => sign.test(userAgent))?.[0] ?? null
  const browser = first(browsers) ?? (/Safari/.test(userAgent) ? 'Safari' : 'Browser')
  const system = first(systems)
  return system === null ? browser : `${browser} on ${system}`
}
