import { escapeXml } from './mobile-config.ts'

export interface WelcomeFacts {
  hubName: string
  fingerprintWords: readonly string[]
  /** `https://host:port`, without a path. */
  httpsUrl: string
  /** What the browser says it is; decides which steps are open. */
  userAgent: string
}

interface Steps {
  id: string
  title: string
  /** Which browsers run there. iPads say Macintosh, and cannot be told from Macs here. */
  is: RegExp
  file: string
  button: string
  steps: readonly string[]
}

const SYSTEMS: readonly Steps[] = [
  {
    id: 'android',
    title: 'Android',
    is: /Android/,
    file: '/ca.crt',
    button: 'Download the certificate',
    steps: [
      'Open Settings and search for “CA certificate” (Security &rsaquo; More security &rsaquo; Encryption &amp; credentials &rsaquo; Install a certificate).',
      'Choose CA certificate, accept the warning and pick the downloaded file <b>homefield-ca.crt</b>.',
      'Come back to this page.',
    ],
  },
  {
    id: 'ios',
    title: 'iPhone and iPad',
    is: /iPhone|iPad|Macintosh.*Mobile/,
    file: '/ca.mobileconfig',
    button: 'Download the profile',
    steps: [
      'Allow the download, then open Settings &rsaquo; Profile Downloaded &rsaquo; Install.',
      'Open Settings &rsaquo; General &rsaquo; About &rsaquo; Certificate Trust Settings and switch this hub on.',
      'Come back to this page.',
    ],
  },
  {
    id: 'windows',
    title: 'Windows',
    is: /Windows/,
    file: '/ca.crt',
    button: 'Download the certificate',
    steps: [
      'Open the file and press Install Certificate.',
      'Choose Current User, then “Place all certificates in the following store”: Trusted Root Certification Authorities.',
      'Confirm with Yes. Edge and Chrome use it at once.',
    ],
  },
  {
    id: 'mac',
    title: 'Mac',
    is: /Macintosh/,
    file: '/ca.crt',
    button: 'Download the certificate',
    steps: [
      'Open the file: Keychain Access takes it into “login”.',
      'Open it there by a double click, unfold Trust and choose “Always Trust”.',
      'Close the window and confirm with your password.',
    ],
  },
  {
    id: 'firefox',
    title: 'Firefox on a computer',
    is: /Firefox/,
    file: '/ca.pem',
    button: 'Download the certificate',
    steps: [
      'Open Settings &rsaquo; Privacy &amp; Security &rsaquo; Certificates &rsaquo; View Certificates &rsaquo; Authorities.',
      'Press Import, choose <b>ca.pem</b> and tick “Trust this CA to identify websites”.',
    ],
  },
  {
    id: 'linux',
    title: 'Linux, Chrome or Chromium',
    is: /Linux/,
    file: '/ca.pem',
    button: 'Download the certificate',
    steps: [
      'Open Settings &rsaquo; Privacy and security &rsaquo; Security &rsaquo; Manage certificates &rsaquo; Authorities.',
      'Press Import, choose <b>ca.pem</b> and tick “Trust this certificate for identifying websites”.',
      'If nothing happens here within a minute, close the browser and open it again.',
    ],
  },
]

/** The page that a phone sees before it trusts the hub: what to install, what to compare; goes on by itself once it is trusted. */
export function welcomePage({ hubName, fingerprintWords, httpsUrl, userAgent }: WelcomeFacts): string {
  const words = fingerprintWords.map((word) => `<li>${escapeXml(word)}</li>`).join('')
  const name = escapeXml(hubName)
  const own = ownSystem(userAgent)
  const systems = own ? [own, ...SYSTEMS.filter((system) => system !== own)] : SYSTEMS
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome to ${name}</title>
<link rel="stylesheet" href="/welcome.css">
<script src="/welcome.js" data-hub="${escapeXml(httpsUrl)}" defer></script>
</head>
<body>
<main>
<h1>Welcome to ${name}</h1>
<p>This hub keeps your family’s measurements at home. So that your device knows it is talking to this hub and to nobody else,
install its certificate once. It vouches for addresses at home only, never for a site on the internet.</p>
<h2>1. Compare four words</h2>
<p>The hub shows these words at its start and in its settings. If they differ, stop here.</p>
<ol class="words">${words}</ol>
<h2>2. Install the certificate</h2>
${systems.map((system) => section(system, system === own)).join('\n')}
<h2>3. Open the app</h2>
<p id="state" role="status"></p>
<p><a class="button primary" href="${escapeXml(httpsUrl)}/app/">Open ${name}</a></p>
<p>Without the certificate the browser warns you; the app then works, but not offline.</p>
</main>
</body>
</html>
`
}

function ownSystem(userAgent: string): Steps | undefined {
  const isFirefoxOnComputer = /Firefox/.test(userAgent) && !/Android/.test(userAgent)
  return SYSTEMS.find(({ id, is }) => (isFirefoxOnComputer ? id === 'firefox' : is.test(userAgent)))
}

function section({ title, file, button, steps }: Steps, isOpen: boolean): string {
  return `<details${isOpen ? ' open' : ''}><summary>${title}</summary>
<p><a class="button" href="${file}">${button}</a></p>
<ol>${steps.map((step) => `<li>${step}</li>`).join('')}</ol></details>`
}

/**
 * Asks the hub over HTTPS whether this device believes it by now, while the page is looked at, and goes to the app once it does.
 * What stands in the address is not taken along: on plain HTTP anybody on the way could have read it.
 */
export const WELCOME_JS = `const hub = document.currentScript.dataset.hub
const state = document.getElementById('state')
const EVERY_MS = 2000
state.textContent = 'Waiting until this device trusts the hub. The app then opens by itself.'
let timer
async function look() {
  clearTimeout(timer)
  if (document.hidden) return
  try {
    await fetch(hub + '/trusted', { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(5000) })
    state.textContent = 'This device trusts the hub. Opening the app.'
    location.replace(hub + '/app/')
  } catch {
    timer = setTimeout(look, EVERY_MS)
  }
}
document.addEventListener('visibilitychange', look)
look()
`

/** Styles of the welcome page, readable in daylight and at night. */
export const WELCOME_CSS = `:root { color-scheme: light dark; --text: #181e26; --back: #fff; --accent: #2d6abc; --line: #77818b }
@media (prefers-color-scheme: dark) { :root { --text: #e8effa; --back: #181e26; --accent: #3d86f3; --line: #a8b0bc } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 36rem; margin: 0 auto; padding: 24px 16px 48px }
h1 { font-size: 28px; line-height: 1.2 } h2 { margin-top: 32px; font-size: 20px }
details { border-top: 1px solid var(--line) } details:last-of-type { border-bottom: 1px solid var(--line) }
summary { min-height: 44px; padding: 10px 0; font-weight: 600; cursor: pointer }
details ol { padding-left: 24px } details li { margin-bottom: 8px }
.words { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; padding: 0; list-style: none; font-size: 20px; font-weight: 600 }
.words li { padding: 12px; border: 1px solid var(--line); border-radius: 8px; text-align: center; overflow-wrap: anywhere }
.button { display: inline-block; min-height: 44px; padding: 10px 16px; border: 2px solid var(--accent); border-radius: 8px; color: inherit; text-decoration: none; font-weight: 600 }
.primary { border-color: #2d6abc; background: #2d6abc; color: #fff }
#state { font-weight: 600 } #state:empty { display: none }
`
