/** What a person needs to know once the hub runs. */
export interface Running {
  name: string
  httpPort: number
  httpsPort: number
  mqttsPort: number
  /** Addresses and names others reach this machine by, best first. */
  hosts: readonly string[]
  fingerprintWords: readonly string[]
  /** Null once somebody owns the hub. */
  claim: { code: string; expiresAt: string } | null
}

/** The lines printed when the hub is ready: where to go, and what to type there. */
export function greeting(running: Running): string {
  const host = running.hosts[0] ?? 'localhost'
  const app = `https://${host}:${running.httpsPort}/app/`
  const lines = ['', `  ${running.name} is running.`, '', `  Open            ${app}`]
  if (running.claim) {
    const until = new Date(running.claim.expiresAt).toLocaleTimeString()
    lines.push(
      `  Claim code      ${running.claim.code}   (until ${until}; a new one: npx homefield claim-code)`,
    )
  }
  lines.push(
    `  Trust it first  http://${host}:${running.httpPort}/welcome   (certificate for phones and browsers)`,
    `  Its words       ${running.fingerprintWords.join(' ')}   (the trust page must show the same)`,
    `  Devices         mqtts://${host}:${running.mqttsPort}`,
  )
  if (running.hosts.length > 1) lines.push(`  Also            ${running.hosts.slice(1, 5).join('  ')}`)
  return `${lines.join('\n')}\n`
}
