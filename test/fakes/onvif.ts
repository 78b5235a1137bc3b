import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { first, parseXml } from '../../daemon/media/onvif/xml.ts'

export interface OnvifDouble {
  /** Where it answers WS-Discovery. */
  target: { address: string; port: number }
  xaddr: string
  /** What was asked, in order. */
  asked: string[]
}

export interface OnvifOptions {
  credentials?: { username: string; password: string }
  /** How far its clock is from ours. */
  aheadMs?: number
  /** Answers of WS-Discovery, instead of its own; `$ID` stands for the question's id. */
  answers?: readonly (string | Buffer)[]
  /** Whole HTTP answers instead of SOAP. */
  garbage?: { status: number; body: string }
}

const TOLERANCE_MS = 30_000

/** An ONVIF camera with odd prefixes: UDP and HTTP on loopback. Tokens of another time than its own are refused, as cameras do. */
export async function onvifDouble(t: TestContext, options: OnvifOptions = {}): Promise<OnvifDouble> {
  const asked: string[] = []
  const now = () => Date.now() + (options.aheadMs ?? 0)
  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { status, body } = options.garbage ?? answer(Buffer.concat(chunks))
      response.writeHead(status, { 'Content-Type': 'application/soap+xml' }).end(body)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`

  function answer(bytes: Buffer): { status: number; body: string } {
    const root = parseXml(bytes)
    const action = (root && first(root, 'Body'))?.children[0]?.name ?? ''
    asked.push(action)
    if (action === 'GetSystemDateAndTime') return soap(dateAndTime(new Date(now())))
    const token = root && first(root, 'UsernameToken')
    if (options.credentials !== undefined && !known(token)) {
      return {
        status: 400,
        body: envelope(
          '<q:Fault><q:Code><q:Value>q:Sender</q:Value><q:Subcode><q:Value>ter:NotAuthorized</q:Value></q:Subcode></q:Code></q:Fault>',
        ),
      }
    }
    if (action === 'GetCapabilities')
      return soap('<r><Media><XAddr>http://203.0.113.7/onvif/media_service</XAddr></Media></r>')
    if (action === 'GetProfiles') return soap(PROFILES)
    const profile = (root && first(root, 'ProfileToken'))?.text ?? ''
    const uri = URIS[profile]
    return uri === undefined
      ? { status: 500, body: envelope('<q:Fault/>') }
      : soap(`<r><MediaUri><tt:Uri>${uri}</tt:Uri></MediaUri></r>`)
  }

  function known(token: ReturnType<typeof first>): boolean {
    const field = (name: string) => (token && first(token, name))?.text ?? ''
    const { username, password } = options.credentials ?? { username: '', password: '' }
    const nonce = Buffer.from(field('Nonce'), 'base64')
    const expected = createHash('sha1')
      .update(nonce)
      .update(field('Created'))
      .update(password)
      .digest('base64')
    const createdMs = Date.parse(field('Created'))
    return (
      field('Username') === username &&
      field('Password') === expected &&
      Math.abs(createdMs - now()) < TOLERANCE_MS
    )
  }

  const udp = createSocket('udp4')
  udp.on('message', (bytes, from) => {
    const id = /urn:uuid:([0-9a-f-]{36})/.exec(bytes.toString())?.[1] ?? ''
    for (const each of options.answers ?? [probeMatch(`http://${host}/onvif/device_service`)]) {
      const text = typeof each === 'string' ? each.replace('$ID', id) : each
      udp.send(text, from.port, from.address)
    }
  })
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  t.after(() => {
    udp.close()
    http.close()
    http.closeAllConnections()
  })
  const target = { address: '127.0.0.1', port: udp.address().port }
  return { target, xaddr: `http://${host}/onvif/device_service`, asked }
}

const envelope = (body: string) =>
  `<?xml version="1.0"?><q:Envelope xmlns:q="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><q:Body>${body}</q:Body></q:Envelope>`
const soap = (body: string) => ({ status: 200, body: envelope(body) })

const dateAndTime = (at: Date) =>
  `<r><UTCDateTime><Time><Hour>${at.getUTCHours()}</Hour><Minute>${at.getUTCMinutes()}</Minute><Second>${at.getUTCSeconds()}</Second></Time><Date><Year>${at.getUTCFullYear()}</Year><Month>${at.getUTCMonth() + 1}</Month><Day>${at.getUTCDate()}</Day></Date></UTCDateTime></r>`

const profile = (token: string, name: string, encoding: string, width: number, height: number) =>
  `<trt:Profiles token="${token}" fixed="true"><tt:Name>${name}</tt:Name><tt:VideoSourceConfiguration><tt:Name>Lens</tt:Name></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration><tt:Name>Enc</tt:Name><tt:Encoding>${encoding}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>`
const PROFILES = `<trt:GetProfilesResponse xmlns:trt="http://www.onvif.org/ver10/media/wsdl">${profile('main&amp;1', 'Main', 'H264', 1920, 1080)}${profile('sub', 'Sub', 'JPEG', 640, 360)}${profile('away', 'Away', 'H264', 640, 360)}<trt:Profiles token="sound"><tt:Name>Sound</tt:Name></trt:Profiles></trt:GetProfilesResponse>`

const URIS: Record<string, string> = {
  'main&1': 'rtsp://admin:secret@192.168.1.64:554/cam?channel=1&amp;subtype=0',
  sub: 'rtsp://127.0.0.1:554/sub',
  away: 'rtsp://203.0.113.9/elsewhere',
}

/** The answer of a camera called `name` at `xaddrs`. */
export function probeMatch(xaddrs: string, name = 'IPC%20Pitch%20North', relatesTo = 'urn:uuid:$ID'): string {
  return `<?xml version="1.0"?><zz:Envelope xmlns:zz="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.xmlsoap.org/ws/2005/04/discovery"><zz:Header><a:RelatesTo>${relatesTo}</a:RelatesTo></zz:Header><zz:Body><w:ProbeMatches><w:ProbeMatch><w:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/${name} onvif://www.onvif.org/hardware/DS-2CD</w:Scopes><w:XAddrs>${xaddrs}</w:XAddrs></w:ProbeMatch></w:ProbeMatches></zz:Body></zz:Envelope>`
}
