/** Which ONNX Runtime runs the models, and on what: the packaged one on the processor, or one built for this box's graphics processor. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** What of onnxruntime-node is used. */
export type Runtime = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor'>

export interface LoadedRuntime {
  runtime: Runtime
  /** In the order in which they are tried for each part of a model. */
  providers: readonly string[]
  /** Why the one that was asked for is not used, and what to do; null when all is as asked. */
  problem: string | null
}

/** Providers that are worth having before the processor. */
const FAST = ['cuda']
const HOW_TO =
  'scripts/jetson-ort says how one is built; models.runtime names its folder js/node, or is empty for the processor.'

/**
 * Loads the ONNX Runtime in a folder (a build of onnxruntime-node), or the packaged one when the path is empty. A folder that cannot
 * be loaded or has no graphics provider costs the graphics processor and nothing else: models go on with the packaged runtime.
 */
export async function loadRuntime(folder = ''): Promise<LoadedRuntime> {
  if (folder === '') return { runtime: await packaged(), providers: ['cpu'], problem: null }
  try {
    const loaded: unknown = createRequire(join(folder, 'package.json'))(folder)
    if (!isRuntime(loaded)) throw new Error('it is no onnxruntime-node')
    const offered = loaded.listSupportedBackends?.().map(({ name }) => name) ?? []
    const fast = FAST.filter((name) => offered.includes(name))
    if (fast.length === 0)
      throw new Error(`it was built without CUDA (it has: ${offered.join(', ') || 'nothing'})`)
    return { runtime: loaded, providers: [...fast, 'cpu'], problem: null }
  } catch (cause) {
    const [why] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    const problem = `The ONNX Runtime at ${folder} cannot be used: ${why}. Models run on the processor. ${HOW_TO}`
    return { runtime: await packaged(), providers: ['cpu'], problem }
  }
}

/** Loaded here and not above: commands that run no model must not pay for the runtime. */
async function packaged(): Promise<Runtime> {
  return import('onnxruntime-node')
}

interface Built extends Runtime {
  listSupportedBackends?: () => { name: string }[]
}

function isRuntime(loaded: unknown): loaded is Built {
  return typeof loaded === 'object' && loaded !== null && 'InferenceSession' in loaded && 'Tensor' in loaded
}
