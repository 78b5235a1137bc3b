/** Runs models with nothing around them: each message names one and how often. */
import { readFileSync } from 'node:fs'
import { type ModelFile, type OpenModel, openOnnx } from '../../models/session.ts'
import { standBack } from '../../models/stand-back.ts'

const open = new Map<string, Promise<OpenModel>>()

/** Processor milliseconds of the main thread, on which the runtime runs as well. */
function processorMs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
}

async function cost(file: ModelFile, runs: number) {
  const opening = open.get(file.path) ?? openOnnx(file)
  open.set(file.path, opening)
  const model = await opening
  const length = file.input.shape.reduce((all, side) => all * side)
  const input = Float32Array.from({ length }, (_, at) => (at % 255) / 255)
  await model.run(input)
  const from = { cpu: processorMs(), ms: performance.now() }
  for (let run = 0; run < runs; run++) await model.run(input)
  return { wallMs: (performance.now() - from.ms) / runs, processorMs: (processorMs() - from.cpu) / runs }
}

standBack()
process.on('message', (asked) => {
  const { file, runs } = asked as { file: ModelFile; runs: number }
  void cost(file, runs).then((found) => process.send?.(found))
})
process.on('disconnect', () => process.exit(0))
