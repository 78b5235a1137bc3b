import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { vision } from '../../daemon/cli/doctor.ts'
import { createInference, type RuntimeState } from '../../models/inference.ts'
import { installModel } from '../../models/install.ts'
import { loadRuntime } from '../../models/runtime.ts'
import { openOnnx } from '../../models/session.ts'
import { tinyYolox } from './tiny-yolox.ts'

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-runtime-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return {
    folder,
    /** A folder that Node takes for a build of onnxruntime-node. */
    build(source: string) {
      const at = join(folder, 'js', 'node')
      mkdirSync(at, { recursive: true })
      writeFileSync(join(at, 'package.json'), '{"name":"onnxruntime-node","main":"index.cjs"}')
      writeFileSync(join(at, 'index.cjs'), source)
      return at
    },
    async tiny() {
      const write = (path: string, content: string | Uint8Array) =>
        Promise.resolve(writeFileSync(path, content))
      const at = join(folder, 'models')
      mkdirSync(at)
      const offer = { bytes: tinyYolox(), name: 'tiny', origin: 'imported' as const }
      const { input, outputs, bytes } = await installModel(offer, {
        folder: at,
        installed: [],
        write,
        nowMs: 0,
      })
      return { name: 'tiny', path: join(at, 'tiny.onnx'), bytes, input, outputs }
    },
  }
}

/** A build that opens models with the packaged runtime but says it has CUDA. */
const packaged = JSON.stringify(import.meta.resolve('onnxruntime-node').replace('file://', ''))
const WITH_CUDA = `const real = require(${packaged})
const asked = []
module.exports = { Tensor: real.Tensor, asked, listSupportedBackends: () => [{ name: 'cpu' }, { name: 'cuda' }],
  InferenceSession: { create(bytes, options) {
    asked.push(options.executionProviders.join())
    return real.InferenceSession.create(bytes, { ...options, executionProviders: ['cpu'] })
  } } }`
const CUDA_FAILS = WITH_CUDA.replace(
  'asked.push(',
  "if (options.executionProviders[0] === 'cuda') return Promise.reject(new Error('no kernel image'))\n    asked.push(",
)

test('a path that holds no runtime says what to do, and models go on with the processor', async (t) => {
  const { folder, tiny } = setup(t)
  const told: RuntimeState[] = []
  const path = join(folder, 'nowhere')
  const inference = createInference({ runtime: path, onRuntime: (state) => void told.push(state) })
  t.after(() => inference.close())
  const picture = { format: 'rgb24' as const, width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) }
  const detector = { family: 'yolox' as const, file: await tiny() }
  const { detections } = await inference.run({ kind: 'detect', picture, detector })
  assert.deepEqual(detections, [])
  assert.equal(told.length, 1)
  assert.deepEqual(inference.state().runtime, told[0])
  assert.deepEqual(told[0]!.providers, ['cpu'])
  assert.match(
    told[0]!.problem!,
    /nowhere cannot be used: Cannot find module.*run on the processor.*scripts\/jetson-ort/s,
  )
})

test('a build without CUDA, and one that is no runtime, are said to be so', async (t) => {
  const { build } = setup(t)
  const plain = await loadRuntime(build(WITH_CUDA.replace(", { name: 'cuda' }", '')))
  assert.match(plain.problem!, /built without CUDA \(it has: cpu\)/)
})

test('something else than a runtime is refused', async (t) => {
  const { build } = setup(t)
  assert.match((await loadRuntime(build('module.exports = 3'))).problem!, /no onnxruntime-node/)
})

test('a build with CUDA is used, and doctor says which model runs on what', async (t) => {
  const { build, folder, tiny } = setup(t)
  const at = build(WITH_CUDA)
  const loaded = await loadRuntime(at)
  assert.deepEqual([loaded.problem, loaded.providers], [null, ['cuda', 'cpu']])
  await tiny()
  const [, runs] = await vision(folder, at)
  assert.equal(runs!.state, 'ok')
  assert.match(runs!.says, /tiny on cuda/)
  const [, fake] = await vision(folder, join(folder, 'nowhere'))
  assert.equal(fake!.state, 'warn')
  assert.match(fake!.says, /scripts\/jetson-ort/)
})

test('a model that the graphics processor cannot open is opened on the processor', async (t) => {
  const { build, tiny } = setup(t)
  const model = await openOnnx(await tiny(), undefined, await loadRuntime(build(CUDA_FAILS)))
  t.after(() => model.close())
  assert.deepEqual(model.providers, ['cpu'])
})
