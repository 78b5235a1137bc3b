import type { Command } from 'commander'
import { answer, rows, type Shell, subcommand, text } from './shell.ts'

const POLL_MS = 1000

interface PairOptions {
  role: string
  person?: string
  type: string
  classes?: string
  json?: boolean
}

/** `pair`: shows a QR code in the terminal, waits for the phone and asks whether the words match. */
export function registerPair(program: Command, shell: Shell, sleep: (ms: number) => Promise<void>): void {
  subcommand(program, 'pair', 'let a phone, watch or sensor in: QR code in the terminal')
    .option('--role <role>', 'owner, caregiver, coach, member or device', 'owner')
    .option('--person <id>', 'whom it is about')
    .option('--type <type>', 'phone, watch, camera, gateway, wall or integration', 'phone')
    .option('--classes <list>', 'what it may see of that person: wellness,glucose,training,media')
    .action((options: PairOptions) =>
      options.json ? asJson(shell, options) : inTerminal(shell, options, sleep),
    )
}

function generate(shell: Shell, { role, person, type, classes }: PairOptions): Promise<unknown> {
  const body = { role, person_id: person, device_type: type, classes: classes?.split(',') }
  return shell.control().call('POST', '/pairing/generate', body)
}

function asJson(shell: Shell, options: PairOptions): Promise<void> {
  return answer(shell, options, () => generate(shell, options), String)
}

function inTerminal(shell: Shell, options: PairOptions, sleep: (ms: number) => Promise<void>): Promise<void> {
  return answer(
    shell,
    options,
    async () => {
      const offer = await generate(shell, options)
      const { default: QRCode } = await import('qrcode')
      shell.out(await QRCode.toString(text(offer, 'url'), { type: 'terminal', small: true }))
      shell.out(
        `Scan it, or open ${new URL(text(offer, 'url')).origin} and type ${text(offer, 'code')}. Valid until ${text(offer, 'expires_at')}.`,
      )
      return decide(shell, await firstRequest(shell, Date.parse(text(offer, 'expires_at')), sleep))
    },
    (said) => said,
  )
}

async function firstRequest(
  shell: Shell,
  untilMs: number,
  sleep: (ms: number) => Promise<void>,
): Promise<Record<string, unknown>> {
  while (Date.now() < untilMs) {
    const waiting = rows(await shell.control().call('GET', '/pairing/requests')).find(
      ({ status }) => status === 'waiting',
    )
    if (waiting) return waiting
    await sleep(POLL_MS)
  }
  throw new Error('Nobody used the code in time. Run homefield pair again for a new one.')
}

async function decide(shell: Shell, request: Record<string, unknown>): Promise<string> {
  const name = text(request, 'device_name')
  const words = Array.isArray(request['words']) ? request['words'].join(' ') : ''
  const yes = await shell.confirm(
    `"${name}" asks to join as ${text(request, 'role')}. Does it show the words  ${words} ?`,
  )
  await shell.control().call('POST', `/pairing/requests/${text(request, 'id')}/${yes ? 'approve' : 'deny'}`)
  return yes ? `${name} is in.` : `${name} was turned away.`
}
