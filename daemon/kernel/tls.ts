/** The household's certificate authority and the hub's own certificate: made at first boot, kept fresh at every later one. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePrivateFolder, PRIVATE_FILE, writeFileAtomic } from './atomic-file.ts'
import type { Validity } from './certificate.ts'
import { isMissing } from './errors.ts'
import { isLocalAddress, isLocalName, normalAddress, normalName } from './local-names.ts'
import { spkiOf } from './spki.ts'

export interface TlsRequest {
  /** Folder of the four files; made 0700 when absent. */
  dir: string
  /** Host names the hub answers to, such as `homefield.local`. */
  names: readonly string[]
  /** IP addresses the hub answers on. */
  addresses: readonly string[]
  /** The wall clock, which may stand at 1970. */
  nowMs: number
  /** When this program was built: no true instant is earlier. */
  buildDateMs: number
  /** The newest instant the store knows, null on a new hub. */
  newestInstantMs: number | null
}

export interface Tls {
  caPem: string
  caDer: Buffer
  /** Hexadecimal SHA-256 of the CA's DER. */
  caSha256: string
  /** Base64url SHA-256 of the CA's public key (SPKI): what pairing codes carry and clients pin. */
  spkiSha256: string
  /** The leaf, then the CA: what a listener sends. */
  certPem: string
  keyPem: string
  notAfterMs: number
  /** Names and addresses asked for that the CA may not vouch for. */
  leftOut: string[]
  /** Whether the leaf is new: listeners must load it. */
  renewed: boolean
}

/** Loaded when a certificate is made, once a year: a hub at rest saves the memory. */
const loadMaker = () => import('./certificate.ts')

const DAY_MS = 86_400_000
const CA_DAYS = 20 * 365
/** Phones refuse longer ones. */
const LEAF_DAYS = 397
const RENEW_BEFORE_DAYS = 30
const PUBLIC_FILE = 0o644

/**
 * Reads or makes the CA, then the leaf. The leaf is made anew when a name or address changed, its key does not fit, or fewer
 * than 30 days are left. Rejects when only half of the CA is there: a new one would lock every trusting phone out.
 */
export async function ensureTls(request: TlsRequest): Promise<Tls> {
  await ensurePrivateFolder(request.dir)
  const ca = await ensureCa(request)
  const wanted = wantedNames(request)
  const kept = await readLeaf(request.dir)
  const renewed = !kept || !isGood(kept, ca, wanted, request)
  const leaf = renewed ? await makeLeaf(ca, wanted, request) : kept
  return {
    caPem: ca.pem,
    caDer: ca.certificate.raw,
    caSha256: createHash('sha256').update(ca.certificate.raw).digest('hex'),
    spkiSha256: createHash('sha256').update(spkiOf(ca.key)).digest('base64url'),
    certPem: leaf.pem + ca.pem,
    keyPem: leaf.keyPem,
    notAfterMs: Date.parse(leaf.certificate.validTo),
    leftOut: wanted.leftOut,
    renewed,
  }
}

interface Wanted {
  names: string[]
  addresses: string[]
  leftOut: string[]
}

/** Rejected names and addresses are told apart by the reader, so the two lists become one. */
function wantedNames(request: TlsRequest): Wanted {
  const names = new Set<string>()
  const addresses = new Set<string>()
  const leftOut: string[] = []
  for (const text of request.names) {
    const name = normalName(text)
    if (name !== null && isLocalName(name)) names.add(name)
    else leftOut.push(text)
  }
  for (const text of request.addresses) {
    const address = normalAddress(text)
    if (address !== null && isLocalAddress(address)) addresses.add(address)
    else leftOut.push(text)
  }
  if (names.size + addresses.size === 0) names.add('localhost')
  return { names: [...names].sort(), addresses: [...addresses].sort(), leftOut }
}

interface Ca {
  pem: string
  key: KeyObject
  certificate: X509Certificate
}

interface Leaf {
  pem: string
  keyPem: string
  certificate: X509Certificate
}

async function ensureCa(request: TlsRequest): Promise<Ca> {
  const keyPath = join(request.dir, 'ca-key.pem')
  const pem = await readText(join(request.dir, 'ca.pem'))
  if (pem === null) return makeCa(request)
  const keyPem = await readText(keyPath)
  if (keyPem === null) {
    throw new Error(
      `${keyPath} is missing beside ca.pem: restore it from a backup, or remove both and pair every device again`,
    )
  }
  const ca = readCa(pem, keyPem)
  if (ca === null) {
    throw new Error(`${join(request.dir, 'ca.pem')} or ${keyPath} is damaged: restore both from one backup`)
  }
  if (!ca.certificate.checkPrivateKey(ca.key)) {
    throw new Error(`${keyPath} does not belong to ca.pem: restore both from one backup`)
  }
  return ca
}

function readCa(pem: string, keyPem: string): Ca | null {
  try {
    return { pem, key: createPrivateKey(keyPem), certificate: new X509Certificate(pem) }
  } catch {
    return null
  }
}

/** The key is written first: a key without a certificate was never shown to anybody and may be replaced. */
async function makeCa(request: TlsRequest): Promise<Ca> {
  const key = newKey()
  const tag = createHash('sha256').update(spkiOf(key)).digest('hex').slice(0, 4)
  const { caCertificate } = await loadMaker()
  const pem = await caCertificate(key, `Homefield household CA ${tag}`, validityFor(request, CA_DAYS))
  await writeFileAtomic(join(request.dir, 'ca-key.pem'), pemOf(key), PRIVATE_FILE)
  await writeFileAtomic(join(request.dir, 'ca.pem'), pem, PUBLIC_FILE)
  return { pem, key, certificate: new X509Certificate(pem) }
}

async function makeLeaf(ca: Ca, wanted: Wanted, request: TlsRequest): Promise<Leaf> {
  const key = newKey()
  const { leafCertificate } = await loadMaker()
  const pem = await leafCertificate({
    caKey: ca.key,
    caName: ca.certificate.subject.replace(/^CN=/, ''),
    commonName: 'Homefield hub',
    key,
    names: wanted.names,
    addresses: wanted.addresses,
    validity: withinCa(validityFor(request, LEAF_DAYS), ca),
  })
  const keyPem = pemOf(key)
  await writeFileAtomic(join(request.dir, 'hub-key.pem'), keyPem, PRIVATE_FILE)
  await writeFileAtomic(join(request.dir, 'hub.pem'), pem + ca.pem, PUBLIC_FILE)
  return { pem, keyPem, certificate: new X509Certificate(pem) }
}

/** Null when a file is missing or unreadable as what it should be: the leaf is ours to make again. */
async function readLeaf(dir: string): Promise<Leaf | null> {
  const [chain, keyPem] = await Promise.all([
    readText(join(dir, 'hub.pem')),
    readText(join(dir, 'hub-key.pem')),
  ])
  if (chain === null || keyPem === null) return null
  try {
    const certificate = new X509Certificate(chain)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return null
    return { pem: `${certificate.toString().trim()}\n`, keyPem, certificate }
  } catch {
    return null
  }
}

function isGood(leaf: Leaf, ca: Ca, wanted: Wanted, request: TlsRequest): boolean {
  const leftMs = Date.parse(leaf.certificate.validTo) - Math.max(request.nowMs, earliestNowMs(request))
  return (
    leaf.certificate.verify(createPublicKey(ca.key)) &&
    namesExactly(leaf.certificate, wanted) &&
    leftMs >= RENEW_BEFORE_DAYS * DAY_MS
  )
}

/** Neither a name too few nor one too many: a hub must not answer for an address it gave back. */
function namesExactly(certificate: X509Certificate, { names, addresses }: Wanted): boolean {
  const held = certificate.subjectAltName?.split(', ').length ?? 0
  return (
    held === names.length + addresses.length &&
    names.every((name) => certificate.checkHost(name, { wildcards: false }) !== undefined) &&
    addresses.every((address) => certificate.checkIP(address) !== undefined)
  )
}

function earliestNowMs({ buildDateMs, newestInstantMs }: TlsRequest): number {
  return Math.max(buildDateMs, newestInstantMs ?? 0)
}

/**
 * Starts a day before the later of build date and newest stored instant, because the clock may be unset or wrong. Only when
 * that would give a certificate already due for renewal does the clock decide.
 */
function validityFor(request: TlsRequest, days: number): Validity {
  const provenMs = earliestNowMs(request)
  const usefulMs = (days - RENEW_BEFORE_DAYS - 1) * DAY_MS
  const fromMs = request.nowMs - provenMs < usefulMs ? provenMs : request.nowMs
  const notBeforeMs = Math.floor(fromMs / 1000) * 1000 - DAY_MS
  return { notBeforeMs, notAfterMs: notBeforeMs + days * DAY_MS }
}

function withinCa(validity: Validity, ca: Ca): Validity {
  return {
    notBeforeMs: Math.max(validity.notBeforeMs, Date.parse(ca.certificate.validFrom)),
    notAfterMs: Math.min(validity.notAfterMs, Date.parse(ca.certificate.validTo)),
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (isMissing(cause)) return null
    throw cause
  }
}
