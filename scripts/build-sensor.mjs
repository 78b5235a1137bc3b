// Puts what a phone needs to find joints by itself beside the app: MediaPipe's runtime, the worker that drives it, the bundle of models.
// Nothing of it is precached; a page that looks fetches it from the hub, and the browser keeps it by its hash.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { poseTask } from '../dist/models/convert/pose-task.js'

const RUNTIME = 'node_modules/@mediapipe/tasks-vision'
const WEIGHTS = 'node_modules/@mediapipe/pose'
const FOLDER = 'sensor'
const DETECTOR = 'blazepose-detector'
const POSE = 'blazepose-lite'

/**
 * The addresses of the files and what the models are called; null, with a word about it, where the packages are not installed: then
 * phones send their picture instead.
 */
export async function buildSensor({ to, base, target, tsconfig }) {
  if (!existsSync(RUNTIME) || !existsSync(WEIGHTS)) {
    console.error(`phones cannot look by themselves: ${RUNTIME} or ${WEIGHTS} is not installed`)
    return null
  }
  mkdirSync(join(to, FOLDER), { recursive: true })
  const { models } = JSON.parse(readFileSync('models/manifest.json', 'utf8'))
  const [detector, pose] = [DETECTOR, POSE].map((name) => models.find((model) => model.name === name))
  const write = (name, ending, bytes) => {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
    const file = join(FOLDER, `${name}-${hash}.${ending}`)
    writeFileSync(join(to, file), bytes)
    pack(join(to, file), bytes)
    return base + file.replaceAll('\\', '/')
  }
  const runtime = (ending) => readFileSync(join(RUNTIME, 'wasm', `vision_wasm_module_internal.${ending}`))
  const { outputFiles } = await build({
    entryPoints: ['daemon/ui/areas/training/sensor/worker.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    target,
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    tsconfig,
  })
  return {
    worker: write('worker', 'js', outputFiles[0].contents),
    loader: write('runtime', 'js', runtime('js')),
    wasm: write('runtime', 'wasm', runtime('wasm')),
    task: write('pose', 'task', poseTask(weights(detector), weights(pose))),
    models: { detector: named(detector), pose: named(pose) },
  }
}

function named({ name, version }) {
  return { name, version }
}

/** Only the very weights that the manifest names. */
function weights({ name, converted }) {
  const bytes = readFileSync(join('node_modules', converted.package, converted.file))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== converted.sha256)
    throw new Error(`${name}: ${converted.file} is not the file of the manifest`)
  return bytes
}

/** A middle quality: the best one takes half a minute for the runtime and saves a twentieth. */
function pack(file, bytes) {
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 6 }))
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }))
}
