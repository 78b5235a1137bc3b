/** Tells a user about an alert by mail, over TLS, without saying what was measured unless that is wished for. */
import { messageOf } from '../../kernel/errors.ts'
import type { StoredAlert } from './table.ts'

export interface MailSettings {
  /** `smtps://host:465`, or `smtp://host:587`, which must turn to TLS unless it is this box. */
  url: string
  /** Empty: the server asks nobody who they are. */
  user: string
  /** Empty: `homefield` at the server's name. */
  from: string
  /** Whether title and message of the alert are written into the mail. */
  hasWords: boolean
}

export interface MailDeps extends MailSettings {
  password: () => Promise<string>
}

/** Resolves once the server has taken the mail for its recipient. */
export type Mail = (to: string, alert: StoredAlert, name: string, telling: string) => Promise<void>

const PATIENCE_MS = 10_000
const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/

/**
 * Sends one mail a telling. A telling that is sent again after a crash bears the same Message-ID, by which mail programs know it
 * again. Certificates are checked as everywhere; a server that offers no TLS is refused unless it is this box.
 */
export function createMail({ url, user, from, hasWords, password }: MailDeps): Mail {
  const { protocol, hostname, port } = new URL(url)
  const isSecure = protocol === 'smtps:'
  const sender = from === '' ? `homefield@${hostname}` : from
  const isHere = LOOPBACK.test(hostname)
  return async (to, alert, name, telling) => {
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? PORTS[isSecure ? 'smtps:' : 'smtp:'] : Number(port),
      secure: isSecure,
      requireTLS: !isSecure && !isHere,
      ignoreTLS: !isSecure && isHere,
      ...(user !== '' && { auth: { user, pass: await password() } }),
      ...{ connectionTimeout: PATIENCE_MS, greetingTimeout: PATIENCE_MS, socketTimeout: PATIENCE_MS },
      ...{ disableFileAccess: true, disableUrlAccess: true },
    })
    try {
      const { subject, text } = wordsOf(alert, name, hasWords)
      const messageId = `<${telling}@homefield.invalid>`
      await transport.sendMail({ from: sender, to: { name: '', address: to }, subject, text, messageId })
    } catch (cause) {
      // Servers like to repeat the address; it does not belong into logs.
      throw new Error(messageOf(cause).replaceAll(to, 'the recipient'), { cause })
    } finally {
      transport.close()
    }
  }
}

function wordsOf({ kind, title, message }: StoredAlert, name: string, hasWords: boolean) {
  const urgent = kind === 'urgent' ? 'This alert is urgent. ' : ''
  const closing = `${urgent}Answer it in the app; then nobody else is called.`
  if (!hasWords)
    return { subject: `${name}: look at the app`, text: `${name}: look at the app.\n\n${closing}\n` }
  return { subject: `${name}: ${title}`, text: `${title}\n${message}\n\n${closing}\n` }
}
