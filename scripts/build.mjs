// Compiles the hub and its tests to dist/, copies what is not code, builds the app. `--if-changed` skips a build whose inputs did not change.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const INPUTS = [
  'config',
  'daemon',
  'firmware-bridge',
  'models',
  'scripts',
  'sync',
  'test',
  'package-lock.json',
  'tsconfig.json',
]
const STAMP = 'dist/.inputs'

function* filesUnder(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) yield* filesUnder(inner)
    else yield inner
  }
}

function inputsHash() {
  const hash = createHash('sha256').update(process.version)
  for (const input of INPUTS.filter((path) => existsSync(path))) {
    const files = /\.[a-z]+$/.test(input) ? [input] : filesUnder(input)
    for (const file of files) hash.update(file).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/** npm links the commands of packages, but not the project's own: without this `npx homefield` finds nothing. */
function linkCommand() {
  const link = 'node_modules/.bin/homefield'
  rmSync(link, { force: true })
  symlinkSync('../../dist/daemon/main.js', link)
}

linkCommand()
const hash = inputsHash()
if (process.argv.includes('--if-changed') && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash)
  process.exit(0)

console.error('Building (a minute on a small box)')
// An old dist would keep deleted tests passing.
rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  stdio: 'inherit',
})
for (const path of ['daemon/store/migrations', 'test/fixtures'])
  if (existsSync(path)) cpSync(path, join('dist', path), { recursive: true })
chmodSync('dist/daemon/main.js', 0o755)
execFileSync(process.execPath, ['scripts/convert-models.mjs'], { stdio: 'inherit' })
if (existsSync('scripts/build-ui.mjs'))
  execFileSync(process.execPath, ['scripts/build-ui.mjs'], { stdio: 'inherit' })
mkdirSync('dist', { recursive: true })
writeFileSync(STAMP, hash)
