import type { Command } from 'commander'
import { answer, rows, type Shell, subcommand, table, text } from './shell.ts'

const DEVICE_TYPES = 'watch|phone|camera|gateway|wall|integration'

interface Json {
  json?: boolean
}

/** `person` and `device`: who lives here and what they wear. */
export function registerHousehold(program: Command, shell: Shell): void {
  const person = program.command('person').description('the people this hub knows')
  registerPersonAdd(person, shell)
  subcommand(person, 'list', 'list them').action((options: Json) =>
    answer(
      shell,
      options,
      () => shell.control().call('GET', '/people?per_page=200'),
      (data) =>
        table(
          rows(data),
          ['id', 'name', 'kind', 'birth_date', 'timezone'],
          'Nobody yet. Add someone: homefield person add --name NAME',
        ),
    ),
  )
  const device = program.command('device').description('watches, sensors, cameras and phones')
  registerDeviceAdd(device, shell)
  subcommand(device, 'list', 'list them').action((options: Json) =>
    answer(
      shell,
      options,
      () => shell.control().call('GET', '/devices?per_page=200'),
      (data) =>
        table(
          rows(data),
          ['id', 'name', 'type', 'person_id', 'online', 'battery', 'last_seen', 'revoked'],
          'No device yet. Add one: homefield device add --type watch --name NAME',
        ),
    ),
  )
  subcommand(device, 'remove <id>', 'revoke its key at once').action((id: string, options: Json) =>
    answer(
      shell,
      options,
      () => shell.control().call('DELETE', `/devices/${encodeURIComponent(id)}`),
      () => `${id} is removed: its key no longer works.`,
    ),
  )
}

interface PersonOptions extends Json {
  name: string
  birthDate?: string
  timezone?: string
  id?: string
  kind?: string
}

function registerPersonAdd(person: Command, shell: Shell): void {
  subcommand(person, 'add', 'add a person')
    .requiredOption('--name <name>', 'how the family calls them')
    .option('--birth-date <YYYY-MM-DD>')
    .option('--timezone <zone>', "IANA zone; otherwise the household's")
    .option('--kind <kind>', 'child, teen or adult')
    .option('--id <id>', 'an id of your own')
    .action(({ name, birthDate, timezone, kind, id, json }: PersonOptions) =>
      answer(
        shell,
        { json: json === true },
        async () => {
          const body = { name, birth_date: birthDate, timezone, kind, id }
          return { id: text(await shell.control().call('POST', '/people', body), 'id') }
        },
        (added) => `${name} is added, id ${added.id}.`,
      ),
    )
}

interface DeviceOptions extends Json {
  type: string
  name: string
  person?: string
  id?: string
}

function registerDeviceAdd(device: Command, shell: Shell): void {
  subcommand(device, 'add', 'add a device; its key is shown once')
    .requiredOption('--type <type>', DEVICE_TYPES)
    .requiredOption('--name <name>', 'what you call it')
    .option('--person <id>', 'who wears it')
    .option('--id <id>', 'an id of your own')
    .action(({ type, name, person, id, json }: DeviceOptions) =>
      answer(
        shell,
        { json: json === true },
        async () => {
          const added = await shell.control().call('POST', '/devices', { type, name, person_id: person, id })
          return { id: text(added, 'id'), key: text(added, 'api_key') }
        },
        (added) =>
          [
            `${name} is added.`,
            `  id and user name  ${added.id}`,
            `  key and password  ${added.key}   (shown this once)`,
            `  it publishes to   hf/${added.id}/obs or hf/${added.id}/raw/gatt/2a37`,
          ].join('\n'),
      ),
    )
}
