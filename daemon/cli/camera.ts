import type { Command } from 'commander'
import { answer, rows, type Shell, subcommand, table, text } from './shell.ts'

interface Json {
  json?: boolean
}

interface AddOptions extends Json {
  name: string
  url?: string
  kind?: string
  username?: string
  passwordStdin?: boolean
  device?: string
  person?: string[]
  analyse?: boolean
  id?: string
}

interface ProbeOptions extends Json {
  username?: string
  passwordStdin?: boolean
}

const COLUMNS = ['id', 'name', 'kind', 'url', 'status', 'reason', 'size', 'fps', 'frames']

/** `camera`: what is looked through. Passwords come from standard input, because command lines are seen by others. */
export function registerCamera(program: Command, shell: Shell): void {
  const camera = program.command('camera').description('cameras of this household')
  subcommand(camera, 'list', 'list them').action((options: Json) =>
    answer(
      shell,
      options,
      () => shell.control().call('GET', '/cameras?per_page=200'),
      (data) =>
        table(
          rows(data).map(flat),
          COLUMNS,
          'No camera yet. Add one: homefield camera add --name NAME --url rtsp://…',
        ),
    ),
  )
  registerAdd(camera, shell)
  registerProbe(camera, shell)
  subcommand(camera, 'remove <id>', 'forget it, and how to sign in to it').action(
    (id: string, options: Json) =>
      answer(
        shell,
        options,
        () => shell.control().call('DELETE', `/cameras/${encodeURIComponent(id)}`),
        () => `${id} is removed.`,
      ),
  )
}

function registerAdd(camera: Command, shell: Shell): void {
  subcommand(camera, 'add', 'add a camera; it is fetched from at once')
    .requiredOption('--name <name>', 'what you call it')
    .option('--url <url>', 'rtsp://, rtsps://, http://, https://, or file:// with a video on this machine')
    .option('--kind <kind>', 'push or phone, for cameras that are sent to the hub')
    .option('--device <id>', 'the device of type camera that sends its frames by MQTT')
    .option('--username <name>')
    .option('--password-stdin', 'read the password from standard input')
    .option('--person <id...>', 'whom it films')
    .option('--no-analyse', 'only look, without boxes and skeletons')
    .option('--id <id>', 'an id of your own')
    .action((options: AddOptions) => {
      const { name, url, kind, device, username, person, analyse, id } = options
      return answer(
        shell,
        options,
        async () => {
          const password = options.passwordStdin ? await passwordFrom(shell) : undefined
          const body = {
            id,
            name,
            url,
            kind,
            username,
            password,
            device_id: device,
            person_ids: person,
            analyse,
          }
          return { id: text(await shell.control().call('POST', '/cameras', body), 'id') }
        },
        (added) => `${name} is added, id ${added.id}. See how it is doing: homefield camera list`,
      )
    })
}

function registerProbe(camera: Command, shell: Shell): void {
  subcommand(camera, 'probe <url>', 'look through a camera once, without keeping it')
    .option('--username <name>')
    .option('--password-stdin', 'read the password from standard input')
    .action((url: string, options: ProbeOptions) =>
      answer(
        shell,
        options,
        async () => {
          const password = options.passwordStdin ? await passwordFrom(shell) : undefined
          return shell.control().call('POST', '/cameras/probe', { url, username: options.username, password })
        },
        told,
      ),
    )
}

async function passwordFrom(shell: Shell): Promise<string> {
  return (await shell.stdin()).replace(/\r?\n$/, '')
}

function flat(camera: Record<string, unknown>): Record<string, unknown> {
  const stream = inner(camera, 'stream')
  const size = typeof stream?.['width'] === 'number' ? `${stream['width']} × ${stream['height']}` : null
  return { ...camera, reason: inner(camera, 'reason')?.['code'], size, fps: stream?.['fps'] }
}

function told(data: unknown): string {
  const seen = inner({ data }, 'data')
  const problem = seen && inner(seen, 'problem')
  if (problem) return `No picture: ${text(problem, 'message')}`
  const stream = seen && inner(seen, 'stream')
  return [
    `${text(stream, 'codec')} ${text(stream, 'width')} × ${text(stream, 'height')}, ${text(stream, 'fps')} pictures a second`,
    `  keyframe every  ${text(stream, 'keyframe_interval_s')} s`,
    `  clock           ${text(stream, 'clock')}`,
    `  first picture   after ${text(seen, 'first_frame_ms')} ms`,
  ].join('\n')
}

function inner(outer: Record<string, unknown>, name: string): Record<string, unknown> | null {
  const found = outer[name]
  return typeof found === 'object' && found !== null ? { ...found } : null
}
