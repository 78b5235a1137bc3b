/**
 * A real PostgreSQL for tests: HF_TEST_PG_URL, else the system's binaries on a copy of a prepared cluster in a temporary folder.
 * Where neither is there the tests are skipped, unless HF_REQUIRE_PG=1 asks for them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

const USER = 'homefield'
const SETTINGS = [
  'listen_addresses=',
  'wal_level=logical',
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'shared_buffers=16MB',
  'max_connections=60',
  'max_wal_senders=8',
  'max_replication_slots=8',
  'autovacuum=off',
  'log_min_messages=fatal',
]

export interface TestPostgres {
  /** Makes an empty database and answers with its address. */
  freshDatabase(): Promise<string>
  /** Ends every connection of a database from the server's side, as a failover would. */
  killBackends(url: string): Promise<number>
  /** Kills the server as a power cut would and starts it again; null where the server is not ours. */
  crash: (() => Promise<void>) | null
  stop(): Promise<void>
}

/** Why tests that need PostgreSQL cannot run here; false when they can. Throws when HF_REQUIRE_PG asks for them. */
export function withoutPostgres(): string | false {
  if (process.env['HF_TEST_PG_URL'] || binaries() !== null) return false
  const why = 'no PostgreSQL: set HF_TEST_PG_URL or install the package postgresql'
  if (process.env['HF_REQUIRE_PG'] === '1') throw new Error(why)
  return why
}

export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env['HF_TEST_PG_URL']
  if (given) return { ...databasesOf(given), crash: null, stop: () => Promise.resolve() }
  const bin = binaries()
  if (bin === null) throw new Error('no PostgreSQL')
  return ownServer(bin)
}

async function ownServer(bin: string): Promise<TestPostgres> {
  const who = runAs()
  const root = mkdtempSync(join(tmpdir(), 'homefield-pg-'))
  own(root, who)
  const cluster = join(root, 'cluster')
  execFileSync('cp', ['-r', template(bin, who), cluster], who)
  const url = `postgresql://${USER}@${encodeURIComponent(root)}/postgres`
  let server = await run(bin, cluster, root, who, url)
  return {
    ...databasesOf(url),
    async crash() {
      await ended(server, 'SIGKILL')
      rmSync(join(cluster, 'postmaster.pid'), { force: true })
      server = await run(bin, cluster, root, who, url)
    },
    async stop() {
      await ended(server, 'SIGINT')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function databasesOf(serverUrl: string): Pick<TestPostgres, 'freshDatabase' | 'killBackends'> {
  return {
    async freshDatabase() {
      const name = `hf_${randomBytes(6).toString('hex')}`
      await asked(serverUrl, `CREATE DATABASE ${name}`)
      const url = new URL(serverUrl)
      url.pathname = `/${name}`
      return url.toString()
    },
    async killBackends(url) {
      const name = new URL(url).pathname.slice(1)
      const sql = `SELECT count(pg_terminate_backend(pid))::int AS count FROM pg_stat_activity WHERE datname = $1`
      const [row] = await asked<{ count: number }>(serverUrl, sql, [name])
      return row?.count ?? 0
    },
  }
}

async function asked<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}

interface Who {
  uid?: number
  gid?: number
}

/** PostgreSQL refuses to run as root. */
function runAs(): Who {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // That account is not there: the next one.
    }
  }
  throw new Error('PostgreSQL cannot run as root, and there is no account "postgres" or "nobody"')
}

function own(path: string, { uid, gid }: Who): void {
  chmodSync(path, 0o700)
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

function binaries(): string | null {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base) : []
  const found = versions
    .map(Number)
    .filter((version) => version >= 14 && existsSync(join(base, String(version), 'bin', 'initdb')))
    .sort((one, other) => other - one)[0]
  if (found !== undefined) return join(base, String(found), 'bin')
  try {
    return execFileSync('pg_config', ['--bindir'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return null
  }
}

/** A cluster made once and copied for every run: a copy takes 50 ms, making one takes a second. */
function template(bin: string, who: Who): string {
  const shared = join(tmpdir(), `homefield-pg-template-${who.uid ?? process.getuid?.() ?? 0}`)
  mkdirSync(shared, { recursive: true })
  own(shared, who)
  const ready = join(shared, bin.replaceAll(/\W/g, '_'))
  if (existsSync(ready)) return ready
  const made = mkdtempSync(join(shared, 'making-'))
  own(made, who)
  execFileSync(
    join(bin, 'initdb'),
    ['-D', made, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...who, stdio: 'ignore', env: { ...process.env, TZ: 'UTC' } },
  )
  try {
    renameSync(made, ready)
  } catch {
    // Another test made one meanwhile.
    rmSync(made, { recursive: true, force: true })
  }
  return ready
}

async function run(bin: string, cluster: string, root: string, who: Who, url: string): Promise<ChildProcess> {
  const settings = [...SETTINGS, `unix_socket_directories=${root}`].flatMap((setting) => ['-c', setting])
  const server = spawn(join(bin, 'postgres'), ['-D', cluster, ...settings], {
    ...who,
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  // A test process that ends badly must not leave a server behind.
  process.once('exit', () => server.kill('SIGKILL'))
  for (let tries = 0; tries < 400; tries += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start: ${said}`)
    try {
      await asked(url, 'SELECT 1')
      return server
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  server.kill('SIGKILL')
  throw new Error(`PostgreSQL did not answer: ${said}`)
}

function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve()
    server.once('exit', () => resolve())
    server.kill(signal)
  })
}
