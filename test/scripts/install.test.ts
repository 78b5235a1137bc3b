/** Installing, upgrading, going back and uninstalling, below a folder of its own, with a stand-in for systemd. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'

/** What the hub would take for a setting stays out. */
const BARE = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('HOMEFIELD_')),
)

function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** Runs what the unit says, as systemd would, but without its sandbox and on free ports. */
const SYSTEMCTL = `#!/usr/bin/env bash
root=$(dirname "$0")
stop() {
  if [ -f "$root/pid" ]; then
    kill "$(cat "$root/pid")" 2>/dev/null
    while kill -0 "$(cat "$root/pid")" 2>/dev/null; do sleep 0.1; done
    rm -f "$root/pid"
  fi
}
start() {
  run=$(sed -n 's/^ExecStart=//p' "$root/etc/systemd/system/homefield.service" | sed "s#/opt/homefield#$root/opt/homefield#")
  env -i PATH="$PATH" HOMEFIELD_DATA="$root/var/lib/homefield" HOMEFIELD_HTTP_PORT=0 HOMEFIELD_HTTPS_PORT=0 HOMEFIELD_MQTT_PORT=0 \\
    HOMEFIELD_MQTTS_PORT=0 HOMEFIELD_MDNS_ENABLED=false setsid $run >"$root/log" 2>&1 </dev/null &
  echo $! >"$root/pid"
}
case "$1" in
  start) start ;;
  stop | disable) stop ;;
  restart) stop; start ;;
esac
exit 0
`

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-install-'))
  const root = join(folder, 'root')
  const systemctl = join(root, 'systemctl')
  mkdirSync(root)
  writeFileSync(systemctl, SYSTEMCTL, { mode: 0o755 })
  t.after(() => {
    spawnSync(systemctl, ['stop'])
    rmSync(folder, { recursive: true, force: true })
  })
  /** A program folder of its own, because what is installed is taken from where the script lies. */
  const version = (name: string, change: (dist: string) => void = () => undefined): string => {
    const from = repositoryRoot()
    const to = join(folder, name)
    mkdirSync(to)
    for (const part of [
      'scripts',
      'systemd',
      'config',
      'dist',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'package-lock.json',
    ])
      cpSync(join(from, part), join(to, part), { recursive: true })
    symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'))
    writeFileSync(join(to, 'dist/.inputs'), `${name}-build`.padEnd(64, '0'))
    change(join(to, 'dist'))
    return to
  }
  const run = (program: string, script: string, ...args: string[]) =>
    spawnSync(join(program, 'scripts', script), [...args, '--root', root], {
      encoding: 'utf8',
      // A broken version never gets well; one that is fine may need long on a busy machine.
      env: { ...BARE, SYSTEMCTL: systemctl, WELL_WITHIN_S: program.endsWith('bad') ? '8' : '60' },
      timeout: 240_000,
    })
  const status = () =>
    spawnSync(
      process.execPath,
      [join(root, 'opt/homefield/current/dist/daemon/main.js'), 'status', '--json'],
      {
        encoding: 'utf8',
        env: { ...BARE, HOMEFIELD_DATA: join(root, 'var/lib/homefield') },
      },
    )
  return { root, version, run, status }
}

/** A program that brings the database up to date and then falls over. */
function breakAfterMigrating(dist: string): void {
  writeFileSync(
    join(dist, 'daemon/store/migrations/9000_of_later.sql'),
    'CREATE TABLE of_later (a INTEGER) STRICT;',
  )
  const path = join(dist, 'daemon/house.js')
  const code = readFileSync(path, 'utf8')
  const opened = /(?=const \{ hubId, newestInstantMs \} = await ensureHub)/
  assert.match(code, opened)
  writeFileSync(path, code.replace(opened, 'throw new Error("broken after the database");'))
}

function schemaOf(folder: string): number {
  const db = new Database(join(folder, 'homefield.db'), { readonly: true })
  try {
    return Number(db.pragma('user_version', { simple: true }))
  } finally {
    db.close()
  }
}

test('an install runs, an upgrade that changes the database and does not get well is taken back with all data, and uninstalling keeps them', (t) => {
  const { root, version, run, status } = setup(t)
  const data = join(root, 'var/lib/homefield')
  const hubIdOf = () => (JSON.parse(status().stdout) as { hubId: string }).hubId
  const good = version('good')
  const installed = run(good, 'install', '--built')
  assert.equal(installed.status, 0, installed.stderr)
  const hubId = hubIdOf()
  const schema = schemaOf(data)

  const bad = version('bad', breakAfterMigrating)
  const upgraded = run(bad, 'install', '--built')
  assert.equal(upgraded.status, 1)
  assert.match(upgraded.stderr, /did not get well/)
  assert.match(upgraded.stderr, /The database is the one from before the upgrade/)
  assert.match(upgraded.stderr, /The old version runs again, with all its data/)
  assert.deepEqual([hubIdOf(), schemaOf(data)], [hubId, schema])
  const [aside = ''] = readdirSync(join(data, 'damaged'))
  assert.equal(schemaOf(join(data, 'damaged', aside)), 9000, 'what the new version wrote is kept aside')

  const next = version('next')
  assert.equal(run(next, 'install', '--built').status, 0)
  assert.deepEqual(
    readdirSync(join(root, 'opt/homefield/releases'))
      .map((name) => name.replace(/^.*-(\w+)-.*$/, '$1'))
      .sort(),
    ['good', 'next'],
    'the one before stays, for going back by hand',
  )

  const gone = run(good, 'uninstall')
  assert.equal(gone.status, 0, gone.stderr)
  assert.equal(existsSync(join(root, 'opt/homefield')), false)
  assert.ok(existsSync(join(root, 'var/lib/homefield/homefield.db')))
  run(good, 'uninstall', '--erase-data')
  assert.equal(existsSync(join(root, 'var/lib/homefield')), false)
})

test('the unit keeps the hub on the household network unless it is installed online', (t) => {
  const { root, version, run } = setup(t)
  const program = version('good')
  const unit = readFileSync(join(program, 'systemd/homefield.service'), 'utf8')
  assert.match(unit, /^IPAddressDeny=any$/m)
  const folder = join(root, 'etc/systemd/system')
  spawnSync(join(program, 'scripts/install'), ['--built', '--online', '--root', root], {
    env: { ...BARE, SYSTEMCTL: '' },
  })
  assert.match(readFileSync(join(folder, 'homefield.service.d/online.conf'), 'utf8'), /^IPAddressDeny=$/m)
  spawnSync(join(program, 'scripts/install'), ['--built', '--root', root], {
    env: { ...BARE, SYSTEMCTL: '' },
  })
  assert.deepEqual(readdirSync(join(folder, 'homefield.service.d')), [])
  assert.equal(run(program, 'install', '--unknown').status, 2)
})

test('the sandbox of the unit scores 1.5 or better', (t) => {
  const unit = join(repositoryRoot(), 'systemd/homefield.service')
  const asked = spawnSync('systemd-analyze', ['security', '--offline=true', unit], { encoding: 'utf8' })
  if (asked.error) return t.skip('systemd-analyze is not installed')
  const score = Number(/exposure level for homefield\.service: ([\d.]+)/.exec(asked.stdout)?.[1])
  assert.ok(score <= 1.5, `${score}`)
})
