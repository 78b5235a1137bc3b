import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryData } from './hub-process.ts'
import { Skipped } from './row.ts'

/** The C programs of the bench, compiled once a run into a temporary folder. */
export interface Native {
  /** Path of the executable of `native/<name>.c`. Throws Skipped where it cannot be built. */
  program(name: string): string
  /** Path of the LD_PRELOAD library of `native/<name>.c`. */
  preloadable(name: string): string
}

/** tsc copies no C, so the sources are read from the source tree beside `dist`, or where this file lies unbuilt. */
const SOURCES = ['../../../scripts/bench/native', './native'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)
const WARNINGS = ['-O2', '-Wall', '-Wextra']

export function createNative(): Native {
  const built = new Map<string, string>()
  let folder: string | null = null

  function build(name: string, file: string, flags: readonly string[]): string {
    const known = built.get(file)
    if (known) return known
    const source = SOURCES.map((path) => join(path, `${name}.c`)).find((path) => existsSync(path))
    if (!source) throw new Skipped(`${name}.c is not here: run the bench from a source tree`)
    if (spawnSync('gcc', ['--version']).error)
      throw new Skipped('gcc is missing (Debian: apt-get install gcc libc6-dev)')
    folder ??= temporaryData()
    const path = join(folder, file)
    execFileSync('gcc', [...WARNINGS, '-o', path, source, ...flags], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    built.set(file, path)
    return path
  }

  return {
    program: (name) => build(name, name, []),
    preloadable: (name) => build(name, `${name}.so`, ['-shared', '-fPIC', '-ldl', '-lpthread']),
  }
}
