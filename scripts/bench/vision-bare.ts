/** Models run bare: ONNX Runtime alone, and OpenCV's dnn module from Debian on the same file. */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ModelFile } from '../../models/session.ts'
import { Skipped } from './row.ts'

/** What one run costs. */
export interface RunCost {
  wallMs: number
  processorMs: number
}

/** Means over `runs` calls of the runtime on one input, after one that is not counted. */
export type Bare = (file: ModelFile, runs: number) => Promise<RunCost>

/** In a process of the same priority as the hub's inference has, so that a busy machine meets both alike. */
export function createBare(): Bare & { close(): Promise<void> } {
  const child = fork(fileURLToPath(new URL('./vision-bare-process.js', import.meta.url)))
  const bare: Bare = async (file, runs) => {
    child.send({ file, runs })
    const [cost] = (await once(child, 'message')) as [RunCost]
    return cost
  }
  return Object.assign(bare, { close: async () => void child.kill('SIGKILL') })
}

/** One thread, as ours has; a line with a number asks for so many runs. */
const PROGRAM = `
import sys, time, numpy, cv2
cv2.setNumThreads(1)
net = cv2.dnn.readNetFromONNX(sys.argv[1])
shape = [int(side) for side in sys.argv[2].split('x')]
image = (numpy.arange(numpy.prod(shape)) % 255).reshape(shape).astype(numpy.float32)
def run():
    net.setInput(image)
    return net.forward(net.getUnconnectedOutLayersNames())
run()
print(cv2.__version__, flush=True)
for line in sys.stdin:
    runs = int(line)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(runs): run()
    print((time.perf_counter() - wall) * 1000 / runs, (time.process_time() - cpu) * 1000 / runs, flush=True)
`

export interface OpenCv {
  version: string
  cost(runs: number): Promise<RunCost>
  close(): void
}

/** Throws Skipped where Debian's python3-opencv is not installed or cannot read the file. */
export async function startOpenCv({ path, input }: ModelFile): Promise<OpenCv> {
  const python = ['/usr/bin/python3', 'python3'].find(
    (program) => spawnSync(program, ['-c', 'import cv2']).status === 0,
  )
  if (python === undefined) throw new Skipped('OpenCV is missing (Debian: apt-get install python3-opencv)')
  const child = spawn(python, ['-c', PROGRAM, path, input.shape.join('x')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const version = await answer(lines, child)
  return {
    version,
    async cost(runs) {
      child.stdin.write(`${runs}\n`)
      const [wallMs = Number.NaN, processorMs = Number.NaN] = (await answer(lines, child))
        .split(' ')
        .map(Number)
      return { wallMs, processorMs }
    },
    close: () => void child.kill('SIGKILL'),
  }
}

async function answer(lines: AsyncIterator<string>, child: ChildProcess): Promise<string> {
  const { value, done } = await lines.next()
  if (done !== true) return value
  if (child.exitCode === null) await once(child, 'exit')
  throw new Skipped(`OpenCV ended with ${child.exitCode}: it cannot read this model`)
}
