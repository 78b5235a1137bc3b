// Runs every compiled test (or those whose path contains an argument) with Node's own runner; its exit code and summary are ours.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
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
          HOMEFIELD_SEED: 'random',
          ...process.env,
        }
      : process.env,
  },
)
process.exit(run.status ?? 1)
