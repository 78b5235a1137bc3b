/** Asks the network who is a camera: WS-Discovery as ONVIF uses it. */
import { randomUUID } from 'node:crypto'
import { createSocket, type RemoteInfo } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../kernel/clock.ts'
import { mayVisit } from './address.ts'
import { all, first, parseXml, type XmlNode } from './xml.ts'

export interface FoundCamera {
  /** As the camera calls itself; its address when it says nothing. */
  name: string
  /** The IP address it answered from. */
  address: string
  /** Where its device service is. */
  xaddr: string
  hardware: string | null
}

export interface DiscoverDeps {
  clock: Pick<Clock, 'after'>
  /** How long answers are waited for. */
  forMs: number
  /** Where the question goes; the group of WS-Discovery unless given. */
  target?: { address: string; port: number }
}

const GROUP = { address: '239.255.255.250', port: 3702 }
/** Datagrams may be lost, so the question is asked again. */
const AGAIN_AFTER_MS = 300
const MAX_CAMERAS = 64
const MAX_ANSWERS = 512
const MAX_NAME = 100

/** Resolves after `forMs` with every camera once; whatever else answers is passed over. */
export function discoverOnvif({ clock, forMs, target = GROUP }: DiscoverDeps): Promise<FoundCamera[]> {
  return new Promise((resolve) => {
    const found = new Map<string, FoundCamera>()
    const socket = createSocket('udp4')
    const messageId = randomUUID()
    let answers = 0
    const cancels = [clock.after(forMs, finish)]

    function finish(): void {
      for (const cancel of cancels) cancel()
      socket.removeAllListeners('message')
      socket.close()
      resolve([...found.values()])
    }

    function ask(): void {
      const question = Buffer.from(probe(messageId))
      for (const from of target === GROUP ? ownAddresses() : [null]) {
        try {
          if (from !== null) socket.setMulticastInterface(from)
          socket.send(question, target.port, target.address, () => {})
        } catch {
          // An interface that went away or has no multicast finds nothing; the others still do.
        }
      }
    }

    socket.on('error', () => {})
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (++answers > MAX_ANSWERS || found.size >= MAX_CAMERAS) return
      for (const camera of camerasIn(bytes, from.address, messageId)) found.set(camera.xaddr, camera)
    })
    socket.bind(0, () => {
      ask()
      cancels.push(clock.after(AGAIN_AFTER_MS, ask))
    })
  })
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
}

/** The cameras of one answer that may be visited; an answer to somebody else's question has none. */
export function camerasIn(bytes: Uint8Array, sender: string, messageId: string | null): FoundCamera[] {
  const root = parseXml(bytes)
  if (root === null) return []
  const relatesTo = first(root, 'RelatesTo')?.text ?? null
  if (messageId !== null && relatesTo !== null && !relatesTo.endsWith(messageId)) return []
  return all(root, 'ProbeMatch').flatMap((match) => cameraOf(match, sender))
}

function cameraOf(match: XmlNode, sender: string): FoundCamera[] {
  const addresses = (first(match, 'XAddrs')?.text ?? '').split(/\s+/).filter((text) => URL.canParse(text))
  const visitable = addresses
    .map((text) => new URL(text))
    .filter((url) => /^https?:$/.test(url.protocol) && url.username === '' && mayVisit(url, sender))
  // The address that answered is the one that is known to be reachable.
  const best = visitable.find((url) => url.hostname === sender) ?? visitable[0]
  if (best === undefined) return []
  const scopes = (first(match, 'Scopes')?.text ?? '').split(/\s+/)
  return [
    {
      name: scopeOf(scopes, 'name') ?? sender,
      address: sender,
      xaddr: best.href,
      hardware: scopeOf(scopes, 'hardware'),
    },
  ]
}

/** `onvif://www.onvif.org/name/IPC%20Pitch%20North` */
function scopeOf(scopes: readonly string[], kind: string): string | null {
  const marker = `/${kind}/`
  const scope = scopes.find((each) => /^onvif:/i.test(each) && each.includes(marker))
  if (scope === undefined) return null
  const text = scope.slice(scope.indexOf(marker) + marker.length)
  const plain = decoded(text)
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, MAX_NAME)
  return plain === '' ? null : plain
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const probe = (messageId: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>urn:uuid:${messageId}</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>`
