// Runs every compiled test (or those whose path contains an argument) with Node's own runner; its exit code and summary are ours.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function testsUnder(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) return testsUnder(inner)
    return entry.name.endsWith('.test.js') ? [inner] : []
  })
}

if (!existsSync('dist/test')) {
  console.error('Nothing is built yet: run `npm run build` first.')
  process.exit(2)
}
const wanted = process.argv.slice(2)
const files = testsUnder('dist/test')
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`)
  process.exit(2)
}
// The faults alone, as `npm run test:faults` asks for them, run long; what is set in the environment stays.
const isLong = wanted.length === 1 && wanted[0] === 'faults'
const tableFolder = isLong ? mkdtempSync(join(tmpdir(), 'homefield-faults-')) : null
const tablePath = tableFolder === null ? undefined : join(tableFolder, 'rows')
const run = spawnSync(
  process.execPath,
  [
    ...['--enable-source-maps', '--import', './dist/test/same-cases.js'],
    ...['--test', '--test-concurrency=2', '--test-reporter=spec', ...files],
  ],
  {
    stdio: 'inherit',
    env: isLong
      ? {
          HOMEFIELD_FUZZ_CASES: '8000',
          HOMEFIELD_FAULT_ROUNDS: '20',
          // Who sets the rounds of all sets these too.
          ...(process.env.HOMEFIELD_FAULT_ROUNDS === undefined ? { HOMEFIELD_SYNC_ROUNDS: '200' } : {}),
          HOMEFIELD_FAULT_TABLE: tablePath,
          HOMEFIELD_SEED: 'random',
          ...process.env,
        }
      : process.env,
  },
)
if (tableFolder !== null) {
  if (existsSync(tablePath))
    printTable(
      readFileSync(tablePath, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
  rmSync(tableFolder, { recursive: true })
}

/** What the faults came to, as the tests wrote it down. */
function printTable(rows) {
  const columns = ['fault', 'rounds', 'acknowledged', 'lost', 'doubled', 'note']
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at].length)))
  const isText = (at) => at === 0 || at === columns.length - 1
  const padded = (cell, at) => (isText(at) ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))
  console.log(`\n${cells.map((row) => row.map(padded).join('  ').trimEnd()).join('\n')}`)
}

process.exit(run.status ?? 1)
