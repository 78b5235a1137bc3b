/** A push service on a real TLS socket: checks who signs (RFC 8292), opens what browsers would open (RFC 8291), keeps it. */
import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  type ECDH,
  randomBytes,
  verify,
  webcrypto,
} from 'node:crypto'
import 'reflect-metadata'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import * as x509 from '@peculiar/x509'

export const PUSH_HOST = 'fcm.googleapis.com'

export interface Pushed {
  path: string
  ttlS: number
  urgency: string
  topic: string
  /** What the browser's service worker gets. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  shown: any
  bytes: number
  /** Claims of the signed token. */
  // biome-ignore lint/suspicious/noExplicitAny: as it came
  claims: any
  publicKey: string
}

interface Browser {
  keys: ECDH
  auth: Buffer
}

export interface Answer {
  status: number
  headers?: Record<string, string>
}

const hmac = (key: Uint8Array, text: Uint8Array) => createHmac('sha256', key).update(text).digest()
const joined = (...parts: (Uint8Array | string)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))

/** Opens one message of the content coding aes128gcm, as RFC 8291 section 3.4 says. */
export function opened(body: Buffer, { keys, auth }: Browser): string {
  const salt = body.subarray(0, 16)
  const keyEnd = 21 + (body[20] ?? 0)
  const sender = body.subarray(21, keyEnd)
  const keyInfo = joined('WebPush: info\0', keys.getPublicKey(), sender, '\x01')
  const prk = hmac(salt, hmac(hmac(auth, keys.computeSecret(sender)), keyInfo))
  const key = hmac(prk, joined('Content-Encoding: aes128gcm\0\x01')).subarray(0, 16)
  const nonce = hmac(prk, joined('Content-Encoding: nonce\0\x01')).subarray(0, 12)
  const record = body.subarray(keyEnd)
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(record.subarray(-16))
  const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
  const end = plain.lastIndexOf(2)
  if (end < 0 || plain.subarray(end + 1).some((byte) => byte !== 0))
    throw new Error('no end of a last record')
  return plain.subarray(0, end).toString()
}

/** `answers` replace 201 one after the other. */
export async function pushService(t: TestContext, answers: Answer[] = []) {
  const pushed: Pushed[] = []
  const wrong: string[] = []
  const waiting: { count: number; done: () => void }[] = []
  const browsers = new Map<string, Browser>()
  const { key, cert } = await certificate()
  const server = createServer({ key, cert }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      try {
        pushed.push(read(request.url ?? '', request.headers, Buffer.concat(parts), browsers))
        const { status, headers } = answers.shift() ?? { status: 201 }
        response.writeHead(status, headers).end('x'.repeat(100))
        for (const { count, done } of waiting) if (pushed.length >= count) done()
      } catch (cause) {
        wrong.push(String(cause))
        response.writeHead(400).end()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    pushed,
    wrong,
    ca: cert,
    port: (server.address() as AddressInfo).port,
    /** Resolves once that many messages have come. */
    arrived: (count: number) =>
      new Promise<void>((done) => {
        if (pushed.length >= count) done()
        else waiting.push({ count, done })
      }),
    /** What a browser's `PushManager.subscribe` gives out. */
    subscribe(name: string) {
      const keys = createECDH('prime256v1')
      keys.generateKeys()
      const auth = randomBytes(16)
      browsers.set(`/fcm/send/${name}`, { keys, auth })
      return {
        endpoint: `https://${PUSH_HOST}/fcm/send/${name}`,
        expirationTime: null,
        keys: { p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') },
      }
    },
  }
}

function read(
  path: string,
  headers: NodeJS.Dict<string | string[]>,
  body: Buffer,
  browsers: ReadonlyMap<string, Browser>,
): Pushed {
  const browser = browsers.get(path)
  if (!browser) throw new Error(`nobody is at ${path}`)
  if (headers['content-encoding'] !== 'aes128gcm') throw new Error('another content coding')
  const [, token = '', publicKey = ''] =
    /^vapid t=([^,]+), k=([A-Za-z0-9_-]+)$/.exec(String(headers['authorization'])) ?? []
  const [head = '', claims = '', signature = ''] = token.split('.')
  const point = Buffer.from(publicKey, 'base64url')
  const jwk = {
    ...{ kty: 'EC', crv: 'P-256' },
    ...{ x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') },
  }
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) throw new Error('the token is not signed by its key')
  return {
    path,
    ttlS: Number(headers['ttl']),
    ...{ urgency: String(headers['urgency']), topic: String(headers['topic']) },
    shown: JSON.parse(opened(body, browser)),
    bytes: body.length,
    claims: JSON.parse(Buffer.from(claims, 'base64url').toString()),
    publicKey,
  }
}

async function certificate() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  x509.cryptoProvider.set(webcrypto as Crypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${PUSH_HOST}`, keys: keys as CryptoKeyPair, signingAlgorithm: algorithm },
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: PUSH_HOST }])],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    cert: made.toString('pem'),
  }
}
