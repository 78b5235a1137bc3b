import { createHash } from 'node:crypto'

export interface Authority {
  hubName: string
  caDer: Uint8Array
}

/**
 * The certificate authority as an Apple configuration profile. Its identifiers come from the certificate, so that
 * installing it twice replaces the first one.
 */
export function mobileConfig({ hubName, caDer }: Authority): string {
  const name = escapeXml(hubName)
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadContent</key><array><dict>
<key>PayloadCertificateFileName</key><string>homefield-ca.crt</string>
<key>PayloadContent</key><data>${Buffer.from(caDer).toString('base64')}</data>
<key>PayloadDescription</key><string>Lets this device recognise ${name} at home.</string>
<key>PayloadDisplayName</key><string>${name} certificate authority</string>
<key>PayloadIdentifier</key><string>local.homefield.ca.${uuid(caDer, 'certificate')}</string>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadUUID</key><string>${uuid(caDer, 'certificate')}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></array>
<key>PayloadDescription</key><string>Trust for the hub in this household. It vouches for names and addresses at home only.</string>
<key>PayloadDisplayName</key><string>${name}</string>
<key>PayloadIdentifier</key><string>local.homefield.${uuid(caDer, 'profile')}</string>
<key>PayloadRemovalDisallowed</key><false/>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadUUID</key><string>${uuid(caDer, 'profile')}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></plist>
`
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** A name-based UUID (RFC 9562, version 8). */
function uuid(der: Uint8Array, use: string): string {
  const bytes = createHash('sha256').update(use).update(der).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
