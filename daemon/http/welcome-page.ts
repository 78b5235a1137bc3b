import { escapeXml } from './mobile-config.ts'

export interface WelcomeFacts {
  hubName: string
  fingerprintWords: readonly string[]
  httpsUrl: string
}

/** The page that a phone sees before it trusts the hub: what to install, what to compare, where to go on. */
export function welcomePage({ hubName, fingerprintWords, httpsUrl }: WelcomeFacts): string {
  const words = fingerprintWords.map((word) => `<li>${escapeXml(word)}</li>`).join('')
  const name = escapeXml(hubName)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome to ${name}</title>
<link rel="stylesheet" href="/welcome.css">
</head>
<body>
<main>
<h1>Welcome to ${name}</h1>
<p>This hub keeps your family's measurements at home. So that your phone knows it is talking to this hub and to nobody else,
install its certificate once. It vouches for addresses at home only, never for a site on the internet.</p>
<h2>1. Compare four words</h2>
<p>The hub shows these words at its start and in its settings. If they differ, stop here.</p>
<ol class="words">${words}</ol>
<h2>2. Install the certificate</h2>
<section><h3>iPhone, iPad</h3>
<p><a class="button" href="/ca.mobileconfig">Download the profile</a></p>
<p>Then Settings &rsaquo; Profile Downloaded &rsaquo; Install, and Settings &rsaquo; General &rsaquo; About &rsaquo; Certificate
Trust Settings: switch it on.</p></section>
<section><h3>Android</h3>
<p><a class="button" href="/ca.crt">Download the certificate</a></p>
<p>Then Settings &rsaquo; Security &rsaquo; Encryption &amp; credentials &rsaquo; Install a certificate &rsaquo; CA certificate.</p></section>
<section><h3>Computer</h3>
<p><a class="button" href="/ca.pem">Download the certificate</a></p>
<p>Then add it to your browser's or system's trusted certificate authorities.</p></section>
<h2>3. Open the app</h2>
<p><a class="button primary" href="${escapeXml(httpsUrl)}">Open ${name}</a></p>
<p>Without the certificate the browser warns you; the app then works, but not offline.</p>
</main>
</body>
</html>
`
}

/** Styles of the welcome page, readable in daylight and at night. */
export const WELCOME_CSS = `:root { color-scheme: light dark; --text: #181e26; --back: #fff; --accent: #2d6abc; --line: #77818b }
@media (prefers-color-scheme: dark) { :root { --text: #e8effa; --back: #181e26; --accent: #3d86f3; --line: #a8b0bc } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 36rem; margin: 0 auto; padding: 24px 16px 48px }
h1 { font-size: 28px; line-height: 1.2 } h2 { margin-top: 32px; font-size: 20px } h3 { margin: 0; font-size: 16px }
section { margin-top: 16px; padding-top: 12px; border-top: 1px solid var(--line) }
.words { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; padding: 0; list-style: none; font-size: 20px; font-weight: 600 }
.words li { padding: 12px; border: 1px solid var(--line); border-radius: 8px; text-align: center }
.button { display: inline-block; min-height: 44px; padding: 10px 16px; border: 2px solid var(--accent); border-radius: 8px; color: inherit; text-decoration: none; font-weight: 600 }
.primary { border-color: #2d6abc; background: #2d6abc; color: #fff }
`
