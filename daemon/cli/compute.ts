import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { decodeGatt } from '../../firmware-bridge/gatt/decode.ts'
import { HubError, messageOf } from '../kernel/errors.ts'

/** One of the hub's own algorithms, run on a file without a hub. */
type Computation = (input: unknown) => unknown

const COMPUTATIONS: Readonly<Record<string, Computation>> = { decode: computeDecode }

const MAX_INPUT_BYTES = 64 * 1024 * 1024

interface ComputeOptions {
  in: string
  out?: string
}

/** Adds `compute WHAT --in FILE [--out FILE]`: one JSON document on stdout or in the file, everything else on stderr. */
export function registerCompute(program: Command): void {
  program
    .command('compute')
    .description(
      `run one of the hub's algorithms on a file, without a hub: ${Object.keys(COMPUTATIONS).join(', ')}`,
    )
    .argument('<what>', Object.keys(COMPUTATIONS).join(' | '))
    .requiredOption('--in <file>', 'file to read')
    .option('--out <file>', 'file to write instead of stdout')
    .action(async (what: string, options: ComputeOptions) => {
      process.exitCode = await runCompute(what, options)
    })
}

/** Exit code of the command: 0 done, 1 the file could not be read or written, 2 wrong usage. */
async function runCompute(what: string, options: ComputeOptions): Promise<number> {
  const computation = Object.hasOwn(COMPUTATIONS, what) ? COMPUTATIONS[what] : undefined
  if (!computation)
    return complain(
      2,
      'VALIDATION_ERROR',
      `there is no "${what}" to compute, only: ${Object.keys(COMPUTATIONS).join(', ')}`,
    )
  let result: unknown
  try {
    result = computation(await readJson(options.in))
  } catch (cause) {
    const usage = cause instanceof HubError && cause.code === 'VALIDATION_ERROR'
    return complain(usage ? 2 : 1, cause instanceof HubError ? cause.code : 'INTERNAL', messageOf(cause))
  }
  const text = `${JSON.stringify(result, null, 1)}\n`
  if (options.out === undefined) process.stdout.write(text)
  else await writeFile(options.out, text)
  return 0
}

function complain(exitCode: number, code: string, message: string): number {
  process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`)
  return exitCode
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readFile(path)
  if (bytes.byteLength > MAX_INPUT_BYTES)
    throw new HubError('TOO_LARGE', `${path} is larger than ${MAX_INPUT_BYTES} bytes.`)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new HubError('VALIDATION_ERROR', `${path} is not JSON: ${messageOf(cause)}`, { cause })
  }
}

interface GattCase {
  id: string
  char: string
  hex: string
}

/**
 * Decodes `{cases:[{id,char,hex}]}` to `{cases:[{id,samples|error,reason?}]}` in the same order.
 * Throws HubError VALIDATION_ERROR for a file of another shape.
 */
export function computeDecode(input: unknown): { cases: object[] } {
  return {
    cases: gattCases(input).map(({ id, char, hex }) => ({
      id,
      ...decodeGatt(char, Buffer.from(hex, 'hex')),
    })),
  }
}

function gattCases(input: unknown): GattCase[] {
  const cases = isObject(input) ? input['cases'] : undefined
  if (!Array.isArray(cases)) {
    throw new HubError(
      'VALIDATION_ERROR',
      'decode reads {"cases":[{"id","char","hex"}]}; this file has no list of cases.',
    )
  }
  return cases.map((entry: unknown, index) => {
    if (!isGattCase(entry)) {
      throw new HubError(
        'VALIDATION_ERROR',
        `cases[${index}] needs id and char as text and hex as pairs of hex digits.`,
      )
    }
    return entry
  })
}

function isGattCase(entry: unknown): entry is GattCase {
  if (!isObject(entry)) return false
  const { id, char, hex } = entry
  return (
    typeof id === 'string' &&
    typeof char === 'string' &&
    typeof hex === 'string' &&
    /^(?:[0-9a-f]{2})*$/i.test(hex)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
