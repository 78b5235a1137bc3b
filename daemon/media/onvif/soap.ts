/** One question to an ONVIF service: SOAP 1.2 with WS-UsernameToken, and HTTP Digest where a camera wants that. */
import { createHash, randomBytes } from 'node:crypto'
import { type Credentials, createAuthorization } from '../digest.ts'
import { SourceFailure } from '../source.ts'
import { escaped, first, MAX_XML_BYTES, parseXml, type XmlNode } from './xml.ts'

export interface SoapDeps {
  credentials: Credentials | null
  /** The camera's wall clock as it is now; it refuses tokens of another time. */
  cameraNow(): number
  signal: AbortSignal
}

/** Resolves with the body's node. Throws SourceFailure unreachable, unauthorized or malformed. */
export async function askSoap(url: URL, action: string, body: string, deps: SoapDeps): Promise<XmlNode> {
  const { credentials } = deps
  const authorization = credentials && createAuthorization(credentials, () => randomBytes(8).toString('hex'))
  let response = await post(url, action, envelope(body, deps), null, deps.signal)
  if (response.status === 401) {
    const asked = response.headers.get('www-authenticate')
    await response.body?.cancel()
    if (asked === null || !authorization?.challenged([asked], null)) throw refused(credentials)
    const header = authorization.header('POST', `${url.pathname}${url.search}`)
    response = await post(url, action, envelope(body, deps), header, deps.signal)
  }
  const root = parseXml(await bodyOf(response))
  const fault = root === null ? null : first(root, 'Fault')
  const notAuthorized = fault !== null && /not\s*authori[sz]ed|authority failure/i.test(textOf(fault))
  if (response.status === 401 || response.status === 403 || notAuthorized) throw refused(credentials)
  if (root === null)
    throw new SourceFailure('malformed', 'The camera gave an ONVIF answer that cannot be read.')
  if (fault !== null || !response.ok)
    throw new SourceFailure('malformed', `The camera could not answer over ONVIF (HTTP ${response.status}).`)
  return first(root, 'Body') ?? root
}

const refused = (credentials: Credentials | null): SourceFailure =>
  new SourceFailure(
    'unauthorized',
    credentials === null
      ? 'The camera asks for a user name and a password.'
      : 'The camera refused the user name and the password. Some cameras have their own account for ONVIF.',
  )

const textOf = (node: XmlNode): string => [node.text, ...node.children.map(textOf)].join(' ')

async function post(
  url: URL,
  action: string,
  body: string,
  authorization: string | null,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal,
      headers: {
        'Content-Type': `application/soap+xml; charset=utf-8; action="${action}"`,
        ...(authorization === null ? {} : { Authorization: authorization }),
      },
      body,
    })
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

const unreachable = (url: URL, cause: unknown): SourceFailure => {
  const failure = new SourceFailure(
    'unreachable',
    `No ONVIF answer from ${url.host}. Is the camera on, and ONVIF allowed in it?`,
  )
  failure.cause = cause
  return failure
}

/** Reads no more than may be parsed. */
async function bodyOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      if (length > MAX_XML_BYTES)
        throw new SourceFailure('too-large', 'The camera gave an ONVIF answer that is too large.')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof SourceFailure) throw cause
    throw unreachable(new URL(response.url), cause)
  }
  return Buffer.concat(chunks)
}

function envelope(body: string, { credentials, cameraNow }: SoapDeps): string {
  const header = credentials === null ? '' : `<s:Header>${usernameToken(credentials, cameraNow())}</s:Header>`
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">${header}<s:Body>${body}</s:Body></s:Envelope>`
}

const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'

/** base64(sha1(nonce + created + password)), WS-Security UsernameToken profile 1.0. */
function usernameToken({ username, password }: Credentials, nowMs: number): string {
  const nonce = randomBytes(16)
  const created = new Date(nowMs).toISOString()
  const digest = createHash('sha1').update(nonce).update(created).update(password, 'utf8').digest('base64')
  return `<wsse:Security xmlns:wsse="${WSS}-wssecurity-secext-1.0.xsd" xmlns:wsu="${WSS}-wssecurity-utility-1.0.xsd" s:mustUnderstand="1"><wsse:UsernameToken><wsse:Username>${escaped(username)}</wsse:Username><wsse:Password Type="${WSS}-username-token-profile-1.0#PasswordDigest">${digest}</wsse:Password><wsse:Nonce EncodingType="${WSS}-soap-message-security-1.0#Base64Binary">${nonce.toString('base64')}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`
}
