/**
 * Breaks the cloud and the hub's way there on purpose, one line at a time, and asks the tests whether they notice: a harness that lets one of these live
 * proves nothing.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { withoutPostgres } from '../sync/postgres.ts'

interface Mutant {
  name: string
  file: string
  /** What stands in the compiled file, and what is put in its place. */
  from: RegExp
  to: string
  /** The test that must fail. */
  test: string
  pattern: string
}

const MUTANTS: readonly Mutant[] = [
  {
    name: 'the answer goes out before the commit',
    file: 'sync/cloud/database.js',
    from: /const \{ command \} = await client\.query\(["']COMMIT["']\);/,
    to: 'await new Promise((later) => setTimeout(later, 20)); setTimeout(() => client.query("COMMIT").catch(() => {}), 150); const command = "COMMIT";',
    test: 'faults/cloud.test.js',
    pattern: 'cloud.after-answer',
  },
  {
    name: 'rows have no sequence guard',
    file: 'sync/cloud/tables.js',
    from: /const NEWER = ["']\(t\.epoch, t\.seq\) < \(excluded\.epoch, excluded\.seq\)["']/,
    to: 'const NEWER = "true"',
    test: 'sync/apply.test.js',
    pattern: 'gone on the hub stays as a mark',
  },
  {
    name: 'roll-ups have no sequence guard',
    file: 'sync/cloud/tables.js',
    from: /\(\(t\.epoch = excluded\.epoch AND t\.seq < excluded\.seq\)/,
    to: '((t.epoch = excluded.epoch)',
    test: 'sync/apply.test.js',
    pattern: 'an older copy that comes late',
  },
  {
    name: 'a gap is not noticed',
    file: 'sync/cloud/lane.js',
    from: /asked\.prev > lane\.watermark/,
    to: 'false',
    test: 'sync/apply.test.js',
    pattern: 'a cloud that was restored',
  },
  {
    name: 'any token is good',
    file: 'sync/cloud/lane.js',
    from: /asked\.token !== lane\.token/,
    to: 'false',
    test: 'sync/apply.test.js',
    pattern: 'restored from yesterday',
  },
  {
    name: 'hashes are not compared',
    file: 'sync/cloud/lane.js',
    from: /hash !== rowHash\(row\)/,
    to: 'false',
    test: 'sync/apply.test.js',
    pattern: 'known by the hash',
  },
  {
    name: 'a clone is not noticed',
    file: 'sync/cloud/lane.js',
    from: /retiredSeen: lane\.retiredSeen \|\| isRetired\(lane, asked\)/,
    to: 'retiredSeen: false',
    test: 'sync/apply.test.js',
    pattern: 'two machines with one identity',
  },
  {
    name: 'a restored hub shrinks what it told',
    file: 'sync/cloud/tables.js',
    from: /excluded\.n >= t\.n/,
    to: 'true',
    test: 'sync/apply.test.js',
    pattern: 'restored from yesterday',
  },
  {
    name: 'rows of the erased are kept',
    file: 'sync/cloud/apply.js',
    from: /return subject === null \|\| !erased\.has\(subject\)/,
    to: 'return true',
    test: 'sync/apply.test.js',
    pattern: 'an erasure takes everything',
  },
  {
    name: 'a poison row stops the batch',
    file: 'sync/cloud/apply.js',
    from: /if \(!isAboutData\(cause\)\) throw cause;\s*return inOneTransaction/,
    to: 'throw cause; return inOneTransaction',
    test: 'sync/apply.test.js',
    pattern: 'a poison row is set aside',
  },
  {
    name: 'wild clocks are believed',
    file: 'sync/clock.js',
    from: /ms > nowMs \+ MAX_AHEAD_MS \?/,
    to: 'false ?',
    test: 'sync/apply.test.js',
    pattern: 'edits of two hubs meet',
  },
  {
    name: 'signatures are not checked',
    file: 'sync/signing.js',
    from: /return verify\(null, Buffer\.from\(text\), key, Buffer\.from\(signature, ["']base64url["']\)\)/,
    to: 'return true',
    test: 'sync/apply.test.js',
    pattern: 'an unsigned, foreign',
  },
  {
    name: 'the role of the service is not taken',
    file: 'sync/cloud/database.js',
    from: /SET LOCAL ROLE \$\{EDGE_ROLE\};/,
    to: '',
    test: 'sync/apply.test.js',
    pattern: 'row-level security holds',
  },
  {
    name: 'the client says which rows it reads',
    file: 'sync/cloud/gatekeeper.js',
    from: /address\.searchParams\.set\(["']where["'], ["'][^"']+["']\)/,
    to: 'address.searchParams.set("where", String(asked["where"] ?? "hlc <> $2"))',
    test: 'sync/household.test.js',
    pattern: "another household's rows",
  },
  {
    name: 'a revoked hub reads on',
    file: 'sync/cloud/gatekeeper.js',
    from: /cut\(generation === null \? ["']revoked["'] : ["']erasure["']\)/,
    to: 'void 0',
    test: 'sync/household.test.js',
    pattern: 'a stream ends within a minute',
  },
  {
    name: 'a consent can be granted again',
    file: 'sync/merge.js',
    from: /revoked: revoked\[0\] \?\? null/,
    to: 'revoked: one.revoked && other.revoked ? revoked[0] : null',
    test: 'sync/merge.test.js',
    pattern: 'a withdrawal wins',
  },
  {
    name: 'the later edit loses',
    file: 'sync/merge.js',
    from: /one\[1\] > other\[1\] \? one : other/,
    to: 'one[1] > other[1] ? other : one',
    test: 'sync/merge.test.js',
    pattern: 'two coaches',
  },
  {
    name: 'the last one to send wins in the cloud',
    file: 'sync/cloud/feed.js',
    from: /before \? mergeBodies\(kind, before, body\) : body/,
    to: 'body',
    test: 'sync/convergence.test.js',
    pattern: 'seed 1',
  },
  {
    name: 'the log of the erased is read on',
    file: 'sync/cloud/feed.js',
    from: /UPDATE household SET feed_generation = feed_generation \+ 1/,
    to: 'UPDATE household SET feed_generation = feed_generation',
    test: 'sync/household.test.js',
    pattern: 'after an erasure hubs read another shape',
  },
  {
    name: 'the snapshot does not know what it saw',
    file: 'sync/cloud/shapes/shape.js',
    from: /\|\| snapshot\.saw\(transaction\.xid\)/,
    to: '|| true',
    test: 'sync/shapes.test.js',
    pattern: 'by a stream',
  },
  {
    name: 'the hub believes answers without a signature',
    file: 'sync/hub-client.js',
    from: /if \(!isRefusal && !isProven\(sent, bytes\)\)/,
    to: 'if (false)',
    test: 'sync-hub/whole.test.js',
    pattern: 'a portal that answers 200',
  },
  {
    name: 'the hub acknowledges before the cloud has answered',
    file: 'sync/push.js',
    from: /const answer = await deps\.client\(\)\.ask\(/,
    to: 'await store.write([{ sql: "UPDATE sync_lane SET acked = :upto WHERE lane = :lane", params: { upto: batch.upto, lane } }]); const answer = await deps.client().ask(',
    test: 'sync-hub/whole.test.js',
    pattern: 'lose nothing .seed 1',
  },
  {
    name: 'the hub sends what was added instead of what is',
    file: 'sync/compact.js',
    from: /\.\.\.found && \{ \.\.\.found, bins/,
    to: '...found && { ...found, n: found.n - (globalThis.sent?.[key] ?? 0), ...void ((globalThis.sent ??= {})[key] = found.n), bins',
    test: 'sync-hub/whole.test.js',
    pattern: 'lose nothing .seed 1',
  },
  {
    name: 'a changed key keeps its old number',
    file: 'daemon/store/migrations/0025_sync.sql',
    from: /DELETE FROM sync_feed WHERE kind = CASE new\.level WHEN 60 THEN 'rollup_hour' ELSE 'rollup_day' END AND key = new\.person [^;]*;\s*INSERT INTO sync_feed(?=[^;]*;\s*END;\s*CREATE TRIGGER sync_rollup_delete)/,
    to: 'INSERT OR IGNORE INTO sync_feed',
    test: 'sync-hub/feed.test.js',
    pattern: 'the feed holds each changed key once',
  },
  {
    name: 'a restored hub goes on in its old epoch',
    file: 'sync/push.js',
    from: /UPDATE sync_hub SET epoch = max\(epoch, :epoch\)/,
    to: 'UPDATE sync_hub SET epoch = max(epoch, min(epoch, :epoch))',
    test: 'sync-hub/whole.test.js',
    pattern: 'brought back from an older copy',
  },
  {
    name: 'what was let go is not told',
    file: 'sync/compact.js',
    from: /return lost && found \?/,
    to: 'return false ?',
    test: 'sync-hub/limits.test.js',
    pattern: 'days that are let go',
  },
  {
    name: 'what waits has no bound',
    file: 'sync/hub-plans.js',
    from: /if \(over <= 0\)/,
    to: 'if (true)',
    test: 'sync-hub/limits.test.js',
    pattern: 'beyond the bound',
  },
  {
    name: "the day's megabytes are not counted",
    file: 'sync/push.js',
    from: /\(row\?\.bytes \?\? 0\) >= bytesPerDay/,
    to: 'false',
    test: 'sync-hub/limits.test.js',
    pattern: 'paid by the megabyte',
  },
  {
    name: 'a row that cannot be made stops its lane',
    file: 'sync/push.js',
    from: /batch\.aside\.push\(\{ kind, key, reason/,
    to: 'throw cause; batch.aside.push({ kind, key, reason',
    test: 'sync-hub/limits.test.js',
    pattern: 'a row that cannot be made',
  },
  {
    name: 'what the cloud merged is taken for a restored copy',
    file: 'sync/cloud/lane.js',
    from: /if \(isFeedKind\(row\.kind\)\)\s+return false/,
    to: '',
    test: 'sync/lane.test.js',
    pattern: 'makes nobody a copy',
  },
]

/** Answer in a second, and need no Postgres. */
const QUICK: readonly string[] = ['sync/merge.test.js', 'sync/lane.test.js']
/** Every mutant when faults are tried for long; a few otherwise. */
const isLong = process.env['HOMEFIELD_FAULT_ROUNDS'] !== undefined
const chosen = process.env['HOMEFIELD_MUTANT']
const TRIED = chosen
  ? MUTANTS.filter(({ name }) => name.includes(chosen))
  : isLong
    ? MUTANTS
    : MUTANTS.filter(({ test }) => QUICK.includes(test))

for (const mutant of TRIED)
  test(`dies: ${mutant.name}`, {
    skip: QUICK.includes(mutant.test) ? false : withoutPostgres(),
  }, () => {
    const root = mkdtempSync(join(tmpdir(), 'homefield-mutant-'))
    try {
      for (const part of [
        'sync',
        'daemon',
        'test/sync',
        'test/sync-hub',
        'test/fakes',
        'test/faults',
        'config',
        'firmware-bridge',
        'models',
      ])
        cpSync(join('dist', part), join(root, 'dist', part), {
          recursive: true,
          filter: (path) => !/\.(?:onnx|map)$|\/ui\//.test(path),
        })
      cpSync('package.json', join(root, 'package.json'))
      symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
      const path = join(root, 'dist', mutant.file)
      const code = readFileSync(path, 'utf8')
      assert.match(code, mutant.from, 'the line to break is not there any more')
      const run = () =>
        spawnSync(
          process.execPath,
          ['--test', `--test-name-pattern=${mutant.pattern}`, join('dist/test', mutant.test)],
          {
            cwd: root,
            timeout: 90_000,
            env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: '' },
          },
        )
      if (isLong) assert.equal(run().status, 0, 'without the mutation the test must pass')
      writeFileSync(
        path,
        code.replace(mutant.from, () => mutant.to),
      )
      assert.notEqual(run().status, 0, 'no test noticed')
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
