import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { HubError, messageOf } from '../../kernel/errors.ts'
import { anomaly } from './anomaly.ts'
import { type Computation, inputFile, type PlainText, settings } from './computation.ts'
import { decode } from './decode.ts'
import { forecast } from './forecast.ts'
import { importRecords } from './import.ts'
import { detect, pose } from './inference.ts'
import { METRICS } from './metrics.ts'
import { associations, clusterDays, laggedCorrelation, matrixProfile } from './patterns.ts'
import { pcmci } from './patterns-causes.ts'
import { trackPictures } from './track-pictures.ts'
import { fitBodyToJoints, motMetricsOfFiles, track, triangulate } from './vision.ts'

/** Every algorithm that runs on a file, by the name on the command line. */
const COMPUTATIONS: Readonly<Record<string, Computation>> = {
  decode,
  detect,
  pose,
  import: importRecords,
  track: async (file, set) => ((await file.isFolder()) ? trackPictures(file, set) : track(file, set)),
  'mot-metrics': motMetricsOfFiles,
  triangulate,
  'fit-body': fitBodyToJoints,
  'lagged-correlation': laggedCorrelation,
  pcmci,
  'matrix-profile': matrixProfile,
  'association-rules': associations,
  'cluster-days': clusterDays,
  anomaly,
  forecast,
  ...METRICS,
}

interface ComputeOptions {
  in: string
  kind?: string
  out?: string
  set: string[]
}

/** Adds `compute WHAT --in FILE [--set key=value …] [--out FILE]`: one document on stdout or in the file, the rest on stderr. */
export function registerCompute(program: Command): void {
  const names = Object.keys(COMPUTATIONS)
  program
    .command('compute')
    .description(`run one of the hub's algorithms on a file, without a hub: ${names.join(', ')}`)
    .argument('<what>', names.join(' | '))
    .requiredOption('--in <file>', 'file or folder to read')
    .option('--set <key=value>', 'a setting of the algorithm; may be repeated', collect, [])
    .option('--kind <kind>', 'what the file of an import is: short for --set kind=')
    .option('--out <file>', 'file to write instead of stdout')
    .action(async (what: string, options: ComputeOptions) => {
      process.exitCode = await runCompute(what, options)
    })
}

function collect(pair: string, before: string[]): string[] {
  return [...before, pair]
}

/** Exit code of the command: 0 done, 1 the file could not be read or written, 2 wrong usage. */
async function runCompute(what: string, options: ComputeOptions): Promise<number> {
  try {
    const text = await compute(what, options)
    if (options.out === undefined) await print(text)
    else await writeFile(options.out, text)
    return 0
  } catch (cause) {
    const code = cause instanceof HubError ? cause.code : 'INTERNAL'
    process.stderr.write(`${JSON.stringify({ error: { code, message: messageOf(cause) } })}\n`)
    return code === 'VALIDATION_ERROR' ? 2 : 1
  }
}

/** Resolves when all of it is out, because the program ends right after and a pipe takes 64 KiB at a time; or when nobody reads on. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (cause?: NodeJS.ErrnoException | null) =>
      cause && cause.code !== 'EPIPE' ? reject(cause) : resolve()
    process.stdout.on('error', over)
    process.stdout.write(text, over)
  })
}

async function compute(what: string, options: ComputeOptions): Promise<string> {
  const computation = Object.hasOwn(COMPUTATIONS, what) ? COMPUTATIONS[what] : undefined
  if (!computation) {
    const known = Object.keys(COMPUTATIONS).join(', ')
    throw new HubError('VALIDATION_ERROR', `There is no "${what}" to compute, only: ${known}.`)
  }
  const given = settings(options.kind === undefined ? options.set : [`kind=${options.kind}`, ...options.set])
  const result = await computation(inputFile(options.in), given)
  const unused = given.unused()
  if (unused.length > 0)
    throw new HubError('VALIDATION_ERROR', `${what} has no setting ${unused.join(', ')}.`)
  return isPlainText(result) ? result.plainText : `${toJson(result)}\n`
}

function isPlainText(result: unknown): result is PlainText {
  return typeof result === 'object' && result !== null && 'plainText' in result
}

/** JSON has no infinities and no NaN: the first are written as words, the second as null. */
function toJson(result: unknown): string {
  const speak = (_key: string, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? 'Infinity' : value === Number.NEGATIVE_INFINITY ? '-Infinity' : value
  return JSON.stringify(result, speak, 1)
}
