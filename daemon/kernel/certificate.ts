/** Makes X.509 certificates (RFC 5280) of the two kinds a hub needs: its household CA, and a leaf for its own listeners. */
import 'reflect-metadata'
import { type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509'
import * as x509 from '@peculiar/x509'
import { DOMAINS, SUBNETS } from './local-names.ts'
import { spkiOf } from './spki.ts'

export interface Validity {
  notBeforeMs: number
  notAfterMs: number
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const SERIAL_BYTES = 16

/** A self-signed CA that may sign leaves only (pathlen 0), and only for names and addresses of a home. */
export async function caCertificate(key: KeyObject, commonName: string, validity: Validity): Promise<string> {
  const keys = await cryptoKeys(key)
  const name = `CN=${commonName}`
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(validity),
    name,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(id_ce_nameConstraints, true, AsnConvert.serialize(householdOnly())),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return pem(made)
}

export interface LeafRequest {
  caKey: KeyObject
  caName: string
  commonName: string
  key: KeyObject
  names: readonly string[]
  addresses: readonly string[]
  validity: Validity
}

/** A server certificate signed by the household CA. */
export async function leafCertificate(request: LeafRequest): Promise<string> {
  const [ca, leaf] = await Promise.all([cryptoKeys(request.caKey), cryptoKeys(request.key)])
  const made = await x509.X509CertificateGenerator.create({
    ...common(request.validity),
    issuer: `CN=${request.caName}`,
    subject: `CN=${request.commonName}`,
    publicKey: leaf.publicKey,
    signingKey: ca.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...request.names.map((value) => ({ type: 'dns' as const, value })),
        ...request.addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  })
  return pem(made)
}

function common({ notBeforeMs, notAfterMs }: Validity) {
  return {
    serialNumber: serial(),
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: ECDSA,
  }
}

/** Positive and without a leading zero byte, as DER demands. */
function serial(): string {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function cryptoKeys(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, true, ['sign']),
    webcrypto.subtle.importKey('spki', spkiOf(key), ECDSA, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`
}

/** Any name below a domain, any address of a subnet (address, then mask: RFC 5280 4.2.1.10). */
function householdOnly(): NameConstraints {
  const domains = DOMAINS.map((dNSName) => new GeneralName({ dNSName }))
  const subnets = SUBNETS.map(({ address, prefix }) => new GeneralName({ iPAddress: `${address}/${prefix}` }))
  const permitted = [...domains, ...subnets].map((base) => new GeneralSubtree({ base }))
  return new NameConstraints({ permittedSubtrees: new GeneralSubtrees(permitted) })
}
