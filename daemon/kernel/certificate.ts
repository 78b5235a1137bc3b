/** Makes X.509 certificates (RFC 5280) of the two kinds a hub needs: its household CA, and a leaf for its own listeners. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'
import * as der from './der.ts'
import { addressBytes, DOMAINS, SUBNETS } from './local-names.ts'

export interface Validity {
  notBeforeMs: number
  notAfterMs: number
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

const GENERAL_NAME = { dns: 2, address: 7 } as const
/** Bits of KeyUsage counted from the left: digitalSignature 0, keyCertSign 5, cRLSign 6. */
const KEY_USAGE = {
  leaf: der.bitString(Buffer.from([0b1000_0000]), 7),
  ca: der.bitString(Buffer.from([0b0000_0110]), 1),
}
const CERTIFICATE_V3 = Buffer.from([2])
const SERIAL_BYTES = 16

/** A self-signed CA that may sign leaves only (pathlen 0), and only for names and addresses of a home. */
export function caCertificate(key: KeyObject, commonName: string, validity: Validity): string {
  return certificate({
    signer: key,
    issuer: commonName,
    subject: commonName,
    subjectKey: spkiOf(key),
    validity,
    extensions: [
      extension(OID.basicConstraints, true, der.sequence(der.yes(), der.integer(Buffer.from([0])))),
      extension(OID.keyUsage, true, KEY_USAGE.ca),
      extension(OID.nameConstraints, true, der.sequence(der.constructed(0, ...permittedSubtrees()))),
      extension(OID.subjectKeyId, false, der.octetString(keyId(spkiOf(key)))),
    ],
  })
}

export interface LeafRequest {
  caKey: KeyObject
  caName: string
  commonName: string
  key: KeyObject
  /** From `subjectAltNames`. */
  names: Buffer
  validity: Validity
}

/** A server certificate signed by the household CA. */
export function leafCertificate({ caKey, caName, commonName, key, names, validity }: LeafRequest): string {
  return certificate({
    signer: caKey,
    issuer: caName,
    subject: commonName,
    subjectKey: spkiOf(key),
    validity,
    extensions: [
      extension(OID.basicConstraints, true, der.sequence()),
      extension(OID.keyUsage, true, KEY_USAGE.leaf),
      extension(OID.extendedKeyUsage, false, der.sequence(der.oid(OID.serverAuth))),
      extension(OID.subjectAltName, false, names),
      extension(OID.subjectKeyId, false, der.octetString(keyId(spkiOf(key)))),
      extension(OID.authorityKeyId, false, der.sequence(der.primitive(0, keyId(spkiOf(caKey))))),
    ],
  })
}

/** SubjectAltName in a fixed order, so that the same names always give the same bytes. */
export function subjectAltNames(names: readonly string[], addresses: readonly Buffer[]): Buffer {
  return der.sequence(
    ...[...names].sort().map((name) => der.primitive(GENERAL_NAME.dns, Buffer.from(name, 'ascii'))),
    ...[...addresses].sort(Buffer.compare).map((bytes) => der.primitive(GENERAL_NAME.address, bytes)),
  )
}

/** SubjectPublicKeyInfo in DER, what a pinning client hashes. */
export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

interface Draft {
  signer: KeyObject
  issuer: string
  subject: string
  subjectKey: Buffer
  validity: Validity
  extensions: Buffer[]
}

function certificate({ signer, issuer, subject, subjectKey, validity, extensions }: Draft): string {
  const algorithm = der.sequence(der.oid(OID.ecdsaSha256))
  const signed = der.sequence(
    der.constructed(0, der.integer(CERTIFICATE_V3)),
    der.integer(serial()),
    algorithm,
    nameOf(issuer),
    der.sequence(der.time(validity.notBeforeMs), der.time(validity.notAfterMs)),
    nameOf(subject),
    subjectKey,
    der.constructed(3, der.sequence(...extensions)),
  )
  const signature = sign('sha256', signed, { key: signer, dsaEncoding: 'der' })
  const whole = der.sequence(signed, algorithm, der.bitString(signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${whole.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** Positive and without a leading zero byte, as DER demands. */
function serial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function nameOf(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.utf8(commonName))))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.yes()] : []), der.octetString(value))
}

/** RFC 7093, method 1. */
function keyId(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20)
}

/** Any name below a domain, any address of a subnet (address, then mask: RFC 5280 4.2.1.10). */
function permittedSubtrees(): Buffer[] {
  const domains = DOMAINS.map((name) => der.primitive(GENERAL_NAME.dns, Buffer.from(name, 'ascii')))
  const subnets = SUBNETS.map(({ address, prefix }) =>
    der.primitive(
      GENERAL_NAME.address,
      Buffer.concat([bytesOf(address), mask(prefix, isIPv4(address) ? 4 : 16)]),
    ),
  )
  return [...domains, ...subnets].map((base) => der.sequence(base))
}

function bytesOf(address: string): Buffer {
  const bytes = addressBytes(address)
  if (!bytes) throw new Error(`${address} is no address`)
  return bytes
}

function mask(prefix: number, bytes: number): Buffer {
  const bit = (byte: number) => Math.max(0, Math.min(8, prefix - byte * 8))
  return Buffer.from(Array.from({ length: bytes }, (_, byte) => (0xff << (8 - bit(byte))) & 0xff))
}
