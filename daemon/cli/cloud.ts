import { type Command, Option } from 'commander'
import type { Cloudbase } from '../../sync/cloud/database.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import { createLog } from '../kernel/log.ts'
import { answer, type Shell, subcommand, table } from './shell.ts'

interface Deps {
  shell: Shell
  clock: Clock
  /** Resolves when the program is asked to stop. */
  untilStopped(): Promise<string>
  /** Ends the program on the spot, as a power cut would. */
  die(): void
  isRelease: boolean
}

interface ServeOptions {
  database?: string
  listen: string
  shapes?: string
  shapesSecret?: string
  shapesListen: string
  log: string
  failpoint?: string
}

/** `cloud`: the service that hubs send to, over a Postgres of your own; `cloud household` makes who may join. */
export function registerCloud(program: Command, deps: Deps): void {
  const { shell } = deps
  const cloud = program
    .command('cloud')
    .description('run the cloud service over Postgres, for the hubs of your households')
    .addOption(new Option('--database <url>', 'Postgres 15 or newer').env('HOMEFIELD_CLOUD_DATABASE'))
    .addOption(
      new Option('--listen <host:port>', 'where it answers')
        .env('HOMEFIELD_CLOUD_LISTEN')
        .default('127.0.0.1:8090'),
    )
    .addOption(
      new Option(
        '--shapes <builtin|url>',
        'what tells hubs of changes: the built-in server, or Electric',
      ).env('HOMEFIELD_CLOUD_SHAPES'),
    )
    .addOption(new Option('--shapes-secret <text>', "Electric's secret").env('HOMEFIELD_CLOUD_SHAPES_SECRET'))
    .addOption(
      new Option('--shapes-listen <host:port>', 'where the built-in server answers other instances').default(
        '127.0.0.1:0',
      ),
    )
    .addOption(new Option('--log <level>', 'what is logged').env('HOMEFIELD_LOG').default('info'))
    .addOption(new Option('--failpoint <name:nth>').env('HF_FAILPOINT').hideHelp())
    .action((options: ServeOptions) => serve(deps, options))
  const household = cloud.command('household').description('households that keep their data here')
  const owned = (usage: string, description: string) =>
    subcommand(household, usage, description).addOption(
      new Option('--database <url>', 'Postgres 15 or newer').env('HOMEFIELD_CLOUD_DATABASE'),
    )
  owned('add', 'make a household; prints its token once')
    .requiredOption('--name <name>', 'what to call it')
    .action((options: { json?: boolean; database?: string; name: string }) =>
      answer(
        shell,
        options,
        () =>
          withBase(options, cloud, async ({ owner }) => {
            const { addHousehold } = await import('../../sync/cloud/households.ts')
            return addHousehold(owner, options.name, deps.clock.now())
          }),
        ({ id, token }) => `Household ${id}\nToken     ${token}\nThe token is not shown again.`,
      ),
    )
  owned('list', 'households and how many hubs each has').action(
    (options: { json?: boolean; database?: string }) =>
      answer(
        shell,
        options,
        () =>
          withBase(options, cloud, async ({ owner }) => {
            const { listHouseholds } = await import('../../sync/cloud/households.ts')
            return listHouseholds(owner)
          }),
        (rows) =>
          table(
            rows.map((row) => ({ ...row })),
            ['id', 'name', 'hubs'],
            'No household yet.',
          ),
      ),
  )
  owned('code <household>', 'a code with which one hub joins within a day').action(
    (id: string, options: { json?: boolean; database?: string }) =>
      answer(
        shell,
        options,
        () =>
          withBase(options, cloud, async ({ owner }) => {
            const { addCode, listHouseholds } = await import('../../sync/cloud/households.ts')
            const { serviceKey } = await import('../../sync/cloud/identity.ts')
            const known = (await listHouseholds(owner)).some((one) => one.id === id)
            if (!known)
              throw new HubError(
                'NOT_FOUND',
                `There is no household ${id}. See \`homefield cloud household list\`.`,
              )
            return addCode(owner, await serviceKey(owner), id, deps.clock.now())
          }),
        ({ code }) => `Enter this at the hub under Cloud within a day: ${code}`,
      ),
  )
}

async function serve(deps: Deps, options: ServeOptions): Promise<void> {
  const { shell, clock, untilStopped, die, isRelease } = deps
  const log = createLog(options.log).child({ part: 'cloud' })
  if (options.failpoint && isRelease)
    log.warn('HF_FAILPOINT is for development and tests: it is ignored here')
  // Loaded here and not above: the other commands answer sooner without Postgres and a web server.
  const { runCloud } = await import('../../sync/cloud/run.ts')
  const { failpointsFrom } = await import('../../sync/failpoint.ts')
  const running = await runCloud({
    databaseUrl: databaseOf(options),
    listen: options.listen,
    shapes: options.shapes ?? null,
    shapesSecret: options.shapesSecret ?? null,
    shapesListen: options.shapesListen,
    clock,
    log,
    failpoints: failpointsFrom(isRelease ? undefined : options.failpoint, die),
  })
  shell.out(`The cloud service answers at ${running.address}`)
  if (running.shapesAddress !== null)
    log.info({ address: running.shapesAddress }, 'shapes are served by the built-in server')
  const reason = await untilStopped()
  log.info({ reason }, 'stopping')
  await running.close()
}

function databaseOf({ database }: { database?: string }): string {
  if (database === undefined)
    throw new HubError(
      'VALIDATION_ERROR',
      'Say where Postgres is: --database URL, or HOMEFIELD_CLOUD_DATABASE.',
    )
  return database
}

async function withBase<Result>(
  options: { database?: string },
  cloud: Command,
  work: (base: Cloudbase) => Promise<Result>,
): Promise<Result> {
  const url = databaseOf({ ...cloud.opts<{ database?: string }>(), ...options })
  const { createCloudbase, migrate } = await import('../../sync/cloud/database.ts')
  await migrate(url)
  const base = createCloudbase({ url, connections: 1 })
  try {
    return await work(base)
  } finally {
    await base.close()
  }
}
