/** Open models: loaded on first use, shared, and unloaded when idle or when the memory budget asks for it. */
import { readFile } from 'node:fs/promises'
import type { Tensor as OnnxTensor } from 'onnxruntime-node'
import type { Tensor } from './manifest.ts'
import { type LoadedRuntime, loadRuntime } from './runtime.ts'

/** A model file and the shapes that were checked when it was installed. */
export interface ModelFile {
  name: string
  path: string
  bytes: number
  input: Tensor
  outputs: readonly Tensor[]
}

/** Values by the name of the output. */
export type Outputs = Readonly<Record<string, Float32Array>>

export interface OpenModel {
  /** What runs it, first choice first. */
  providers: readonly string[]
  run(input: Float32Array): Promise<Outputs>
  close(): Promise<void>
}

/** The two hands of a clock that this needs. */
export interface SessionClock {
  monotonic(): number
  every(ms: number, fn: () => void): () => void
}

export interface SessionsDeps {
  clock: SessionClock
  open?: (file: ModelFile) => Promise<OpenModel>
  budgetBytes?: number
  idleMs?: number
}

export interface Sessions {
  /** Runs a model on one input of its shape, loading it before when needed. Calls are served one after the other. */
  run(file: ModelFile, input: Float32Array): Promise<Outputs>
  /** What is loaded now, and how much memory that is counted as. */
  loaded(): { name: string; countedBytes: number }[]
  counters(): { loads: number; idleUnloads: number; budgetUnloads: number }
  close(): Promise<void>
}

/** All models of a worker together count as at most this. */
export const SESSION_BUDGET_BYTES = 512 * 1024 * 1024
/** A model that nobody used for this long is unloaded. */
export const SESSION_IDLE_MS = 120_000
const LOOK_MS = 10_000

/**
 * What a loaded model counts as: weights stored as float16 double, and are held once more packed for the processor; the rest is room
 * for what is computed in between (measured: 68 MB for the first model of a process, 5 to 36 MB for each further one).
 */
export function countedBytes(file: Pick<ModelFile, 'bytes'>): number {
  return 4 * file.bytes + 24 * 1024 * 1024
}

export function createSessions({
  clock,
  open = (file) => openOnnx(file),
  budgetBytes = SESSION_BUDGET_BYTES,
  idleMs = SESSION_IDLE_MS,
}: SessionsDeps): Sessions {
  /** In order of their last use. */
  const sessions = new Map<string, { file: ModelFile; model: OpenModel; usedMs: number }>()
  const counters = { loads: 0, idleUnloads: 0, budgetUnloads: 0 }
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }
  const unload = async (path: string): Promise<void> => {
    const session = sessions.get(path)
    sessions.delete(path)
    await session?.model.close()
  }
  const makeRoom = async (needed: number): Promise<void> => {
    const used = () => [...sessions.values()].reduce((sum, { file }) => sum + countedBytes(file), 0)
    for (const path of [...sessions.keys()]) {
      if (used() + needed <= budgetBytes) return
      counters.budgetUnloads++
      await unload(path)
    }
  }
  const opened = async (file: ModelFile): Promise<OpenModel> => {
    const known = sessions.get(file.path)
    sessions.delete(file.path)
    if (known === undefined) {
      const needed = countedBytes(file)
      if (needed > budgetBytes)
        throw new Error(
          `${file.name} counts as ${needed} bytes; all models together may have ${budgetBytes}.`,
        )
      await makeRoom(needed)
      counters.loads++
    }
    const model = known?.model ?? (await open(file))
    sessions.set(file.path, { file, model, usedMs: clock.monotonic() })
    return model
  }
  const unloadIdle = async (): Promise<void> => {
    const before = clock.monotonic() - idleMs
    for (const [path, { usedMs }] of [...sessions]) {
      if (usedMs > before) continue
      counters.idleUnloads++
      await unload(path)
    }
  }
  const stopLooking = clock.every(LOOK_MS, () => void inTurn(unloadIdle))
  return {
    run: (file, input) => inTurn(async () => (await opened(file)).run(input)),
    loaded: () =>
      [...sessions.values()].map(({ file }) => ({ name: file.name, countedBytes: countedBytes(file) })),
    counters: () => ({ ...counters }),
    async close() {
      stopLooking()
      await inTurn(async () => {
        for (const path of [...sessions.keys()]) await unload(path)
      })
    },
  }
}

/**
 * Opens a model in ONNX Runtime with one thread that does not spin: more of them burn twice the processor time for no more
 * frames on a small box. The file is read here, so a model cannot name further files. What a graphics provider cannot open goes to
 * the processor.
 */
export async function openOnnx(
  file: ModelFile,
  bytes?: Uint8Array,
  loaded?: LoadedRuntime,
): Promise<OpenModel> {
  const { runtime, providers } = loaded ?? (await loadRuntime())
  const { InferenceSession, Tensor: InputTensor } = runtime
  const content = bytes ?? (await readFile(file.path))
  const opened = (executionProviders: readonly string[]) =>
    InferenceSession.create(content, {
      executionProviders: [...executionProviders],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
  let used = providers
  const session = await opened(providers).catch((cause: unknown) => {
    if (providers.length === 1) throw cause
    used = ['cpu']
    return opened(used)
  })
  const wanted = file.outputs.map(({ name }) => name)
  return {
    providers: used,
    async run(input) {
      const feeds = { [file.input.name]: new InputTensor('float32', input, [...file.input.shape]) }
      const results = await session.run(feeds, wanted)
      return Object.fromEntries(wanted.map((name) => [name, floats(results[name], name)]))
    },
    close: () => session.release(),
  }
}

function floats(tensor: OnnxTensor | undefined, name: string): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new Error(`The model's output ${name} is no float32 tensor.`)
}
