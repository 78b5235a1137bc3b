import type { Command } from 'commander'
import { answer, rows, type Shell, subcommand, table, text } from './shell.ts'

interface Json {
  json?: boolean
}

interface NameAndPassword extends Json {
  name: string
  passwordStdin?: boolean
}

/** `claim-code`, `claim`, `login`, `passwd`, `user`, `reset`: who owns the hub and who may sign in. */
export function registerOwnership(program: Command, shell: Shell): void {
  subcommand(program, 'claim-code', 'show the code that makes the first person the owner').action(
    (options: Json) =>
      answer(
        shell,
        options,
        () => shell.control().call('GET', '/local/claim-code'),
        (data) => `Claim code ${text(data, 'code')}, until ${text(data, 'expires_at')}.`,
      ),
  )
  withPassword(subcommand(program, 'claim', 'make the owner here, without a browser')).action(
    (options: NameAndPassword) =>
      answer(
        shell,
        options,
        async () => {
          const body = { name: options.name, password: await password(shell, options) }
          return { user: pick(await shell.control().call('POST', '/local/claim', body), 'user') }
        },
        () => `${options.name} now owns this hub.`,
      ),
  )
  withPassword(subcommand(program, 'login', 'get tokens for a program of your own')).action(
    (options: NameAndPassword) =>
      answer(
        shell,
        options,
        async () => {
          const body = { name: options.name, password: await password(shell, options) }
          const tokens = await shell.control().call('POST', '/auth/login', body)
          return {
            access_token: text(tokens, 'access_token'),
            refresh_token: text(tokens, 'refresh_token'),
            expires_in: Number(text(tokens, 'expires_in')),
          }
        },
        (tokens) =>
          `access token (${tokens.expires_in} s): ${tokens.access_token}\nrefresh token: ${tokens.refresh_token}`,
      ),
  )
  withPassword(subcommand(program, 'passwd', 'set a new password and sign that user out everywhere')).action(
    (options: NameAndPassword) =>
      answer(
        shell,
        options,
        async () =>
          shell
            .control()
            .call('POST', '/local/passwd', { name: options.name, password: await password(shell, options) }),
        () => `${options.name} has a new password and is signed out everywhere.`,
      ),
  )
  registerUsers(program, shell)
  subcommand(program, 'reset', 'take ownership and every account away, for whoever claims the hub next')
    .requiredOption('--keep-data', 'persons, devices and what was recorded stay; nothing else is offered')
    .action((options: Json) =>
      answer(
        shell,
        options,
        () => shell.control().call('POST', '/local/reset'),
        (data) =>
          `Nobody owns this hub now. Claim code ${text(data, 'code')}, until ${text(data, 'expires_at')}.`,
      ),
    )
}

function registerUsers(program: Command, shell: Shell): void {
  const user = program.command('user').description('who may sign in')
  subcommand(user, 'list', 'list them').action((options: Json) =>
    answer(
      shell,
      options,
      () => shell.control().call('GET', '/users'),
      (data) =>
        table(
          rows(data),
          ['id', 'name', 'role', 'person_id', 'disabled'],
          'Nobody yet: the hub is not claimed.',
        ),
    ),
  )
  subcommand(user, 'disable <id>', 'sign them out everywhere and keep them out').action(
    (id: string, options: Json) =>
      answer(
        shell,
        options,
        () => shell.control().call('POST', `/local/users/${encodeURIComponent(id)}/disable`),
        () => `${id} can no longer sign in.`,
      ),
  )
}

function withPassword(command: Command): Command {
  return command
    .requiredOption('--name <name>', 'user name')
    .option(
      '--password-stdin',
      'read the password from standard input (the only way: it must not stand in a process list)',
    )
}

/** The password from standard input, without its line end. */
async function password(shell: Shell, options: NameAndPassword): Promise<string> {
  if (options.passwordStdin !== true)
    throw new Error('Pass --password-stdin and give the password on standard input.')
  return (await shell.stdin()).replace(/\r?\n$/, '')
}

function pick(data: unknown, name: string): { id: string; name: string } {
  const user: unknown =
    typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : null
  return { id: text(user, 'id'), name: text(user, 'name') }
}
