// Bundles daemon/ui into dist/ui: hashed names, precache list in the service worker, .br and .gz beside each file; fails over budget.
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { buildSensor } from './build-sensor.mjs'

const FROM = 'daemon/ui'
const TO = 'dist/ui'
const BASE = '/app/'
const TARGET = ['chrome105', 'safari16.4', 'firefox110']
/** Compressed bytes (gzip) that a phone on a weak network may be asked to fetch. */
const BUDGETS = [
  { what: 'first route JS', limit: 35_000 },
  { what: 'chart chunk JS', limit: 25_000 },
  { what: 'CSS', limit: 14_000 },
  { what: 'whole precache', limit: 250_000 },
]
const COPIED = [
  ['manifest.webmanifest', 'manifest.webmanifest'],
  ['icons/icon.svg', 'icon.svg'],
  ['icons/icon-maskable.svg', 'icon-maskable.svg'],
  ['icons/icon-180.png', 'icon-180.png'],
]

rmSync(TO, { recursive: true, force: true })
mkdirSync(TO, { recursive: true })
const sensor = await buildSensor({
  to: TO,
  base: BASE,
  target: TARGET,
  tsconfig: join(FROM, 'tsconfig.json'),
})
const outputs = await bundle()
const script = outputOf('main.tsx')
const style = outputOf('index.css')
const first = staticImports(script)
for (const [from, to] of COPIED) cpSync(join(FROM, from), join(TO, to))
writePage()
await writeWorker()
const sizes = compress()
report()

/** Application code, split at every dynamic import; what the first route needs stays in one piece. */
async function bundle() {
  const { metafile } = await build({ ...settings(), write: false })
  return (await build({ ...settings(), plugins: [keepTogether(metafile.outputs)] })).metafile.outputs
}

/**
 * A module that only some screens share with the first route would become a file of its own, and small files pack badly: so
 * every screen names all of the first route's modules, which are there anyway when a screen is opened.
 */
function keepTogether(split) {
  const main = join(FROM, 'main.tsx')
  const entries = Object.entries(split).filter(([, { entryPoint }]) => entryPoint !== undefined)
  const lazy = new Set(
    entries
      .map(([, { entryPoint }]) => entryPoint)
      .filter((path) => path.endsWith('.tsx') || path.endsWith('.ts')),
  )
  lazy.delete(main)
  const [[start]] = entries.filter(([, { entryPoint }]) => entryPoint === main)
  const inputs = [...staticImports(start, new Set(), split)].flatMap((output) =>
    Object.keys(split[output].inputs),
  )
  // Libraries come along with whoever imports them.
  const shared = inputs
    .filter((path) => path !== main && !path.includes('node_modules/'))
    .map((path) => `import ${JSON.stringify(resolve(path))}`)
  return {
    name: 'keep-together',
    setup(building) {
      building.onResolve({ filter: /^first-route$/ }, () => ({
        path: 'first-route',
        namespace: 'first-route',
      }))
      building.onLoad({ filter: /./, namespace: 'first-route' }, () => ({
        contents: shared.join('\n'),
        resolveDir: FROM,
      }))
      building.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
        const own = relative('.', path).replaceAll('\\', '/')
        if (!lazy.has(own)) return undefined
        const contents = `${readFileSync(path, 'utf8')}\nimport 'first-route'\n`
        return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' }
      })
    },
  }
}

function settings() {
  return {
    entryPoints: [join(FROM, 'main.tsx'), join(FROM, 'styles/index.css')],
    bundle: true,
    splitting: true,
    format: 'esm',
    target: TARGET,
    minify: true,
    metafile: true,
    outdir: TO,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(FROM, 'tsconfig.json'),
    define: { SENSOR: JSON.stringify(JSON.stringify(sensor)) },
    legalComments: 'none',
    logLevel: 'warning',
  }
}

function outputOf(source) {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(`/${source}`))
  if (!found) throw new Error(`the bundle has no ${source}`)
  return found[0]
}

/** The script itself and everything it imports before it can run. */
function staticImports(output, seen = new Set(), among = outputs) {
  if (seen.has(output)) return seen
  seen.add(output)
  for (const { path, kind } of among[output]?.imports ?? []) {
    if (kind === 'import-statement') staticImports(path, seen, among)
  }
  return seen
}

function urlOf(output) {
  return BASE + relative(TO, output).replaceAll('\\', '/')
}

function writePage() {
  const preload = [...first]
    .filter((output) => output !== script)
    .map((output) => `<link rel="modulepreload" href="${urlOf(output)}" />`)
    .join('\n    ')
  const page = readFileSync(join(FROM, 'index.html'), 'utf8')
    .replace('%STYLE%', urlOf(style))
    .replace('%SCRIPT%', urlOf(script))
    .replace('%PRELOAD%', preload)
  writeFileSync(join(TO, 'index.html'), page)
}

/** The version is a hash over every file, so any change makes a new one and nothing else does. */
async function writeWorker() {
  const files = appFiles().sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(readFileSync(file))
  const precache = files.map((file) => (basename(file) === 'index.html' ? BASE : urlOf(file)))
  await build({
    entryPoints: [join(FROM, 'sw.ts')],
    bundle: true,
    format: 'esm',
    target: TARGET,
    minify: true,
    outfile: join(TO, 'sw.js'),
    define: {
      PRECACHE: JSON.stringify(precache),
      VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
    tsconfig: join(FROM, 'tsconfig.json'),
    logLevel: 'warning',
  })
}

/** Packs once with the best quality here, so that the hub never compresses the app's files itself. */
function compress() {
  const found = new Map()
  for (const file of appFiles()) {
    const bytes = readFileSync(file)
    if (file.endsWith('.png')) {
      found.set(file, bytes.length)
      continue
    }
    const packed = gzipSync(bytes, { level: 9 })
    found.set(file, packed.length)
    writeFileSync(`${file}.gz`, packed)
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }
    writeFileSync(`${file}.br`, brotliCompressSync(bytes, quality))
  }
  return found
}

function report() {
  const chart = Object.keys(outputs).filter(
    (output) =>
      output.endsWith('.js') &&
      Object.keys(outputs[output].inputs).some((input) => input.includes('node_modules/uplot/')),
  )
  const used = {
    'first route JS': sum([...first]),
    'chart chunk JS': sum(chart),
    CSS: sum([style]),
    'whole precache': sum([...sizes.keys()].filter((file) => !file.endsWith('sw.js'))),
  }
  if (process.argv.includes('--report'))
    for (const [file, size] of sizes) console.log(`${String(size).padStart(7)}  ${relative(TO, file)}`)
  for (const { what, limit } of BUDGETS) console.log(`${what}: ${used[what]} of ${limit} bytes (gzip)`)
  const over = BUDGETS.filter(({ what, limit }) => used[what] > limit)
  for (const { what } of over) console.error(`over budget: ${what}`)
  if (over.length > 0) process.exit(1)
}

function sum(files) {
  return files.reduce((total, file) => total + (sizes.get(file) ?? 0), 0)
}

/** What a phone needs to look by itself is packed already, and fetched only by whoever uses it. */
function appFiles() {
  return filesUnder(TO).filter((file) => !file.startsWith(join(TO, 'sensor')))
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(folder, entry.name)
    return entry.isDirectory() ? filesUnder(inner) : [inner]
  })
}
