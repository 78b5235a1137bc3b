import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { Config } from './schema.ts'

const MAX_FILE_BYTES = 262_144
const FILE_VARIABLE = 'HOMEFIELD_CONFIG'

/** One thing wrong with the settings: where, why, and the value seen there. */
export interface ConfigProblem {
  path: string
  message: string
  value: unknown
}

/** Thrown with every problem at once, so that one look at the terminal is enough. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(`The settings cannot be used:\n${problems.map(line).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads `homefield.yaml` (or what `HOMEFIELD_CONFIG` names), lays `HOMEFIELD_*` variables over it and checks the result.
 * Unknown keys and unknown `HOMEFIELD_*` variables are refused. Throws ConfigError.
 */
export function loadConfig(env: Env): Config {
  const { settings, problems } = overlay(readSettingsFile(env), env)
  const config = Value.Default(Config, settings)
  problems.push(...schemaProblems(config))
  if (problems.length > 0 || !Value.Check(Config, config)) throw new ConfigError(problems)
  return deepFreeze(config)
}

/** Most hubs have no settings file, and YAML's reader stays in memory. */
function loadYaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml')
}

function readSettingsFile(env: Env): Record<string, unknown> {
  const named = env[FILE_VARIABLE]
  const path = named ?? 'homefield.yaml'
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`)
    const { parse } = loadYaml()
    const parsed: unknown = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 })
    if (parsed === null || parsed === undefined) return {}
    if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new Error('must be a mapping of settings')
    return parsed as Record<string, unknown>
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (named === undefined && absent) return {}
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([{ path, message, value: undefined }])
  }
}

function overlay(file: Record<string, unknown>, env: Env) {
  const settings = structuredClone(file)
  const problems: ConfigProblem[] = []
  const known = variables()
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('HOMEFIELD_') || name === FILE_VARIABLE || text === undefined) continue
    const variable = known.get(name)
    if (!variable) problems.push({ path: name, message: 'no setting has this name', value: text })
    else put(settings, variable.path, fromText(variable.schema, text))
  }
  return { settings, problems }
}

interface Variable {
  path: readonly string[]
  schema: TSchema
}

/** `http.rateLimitPerMinute` is `HOMEFIELD_HTTP_RATE_LIMIT_PER_MINUTE`. */
function variables(): Map<string, Variable> {
  const found = new Map<string, Variable>()
  for (const [key, schema] of Object.entries<TSchema>(Config.properties)) {
    if ('properties' in schema) {
      for (const [name, leaf] of Object.entries(schema.properties as Record<string, TSchema>)) {
        found.set(variableName(key, name), { path: [key, name], schema: leaf })
      }
    } else found.set(variableName(key), { path: [key], schema })
  }
  return found
}

function variableName(...path: string[]): string {
  return ['HOMEFIELD', ...path.map((part) => part.replace(/[A-Z]/g, '_$&').toUpperCase())].join('_')
}

/** Numbers, booleans and lists are written plainly; what does not fit stays text for the schema to refuse. */
function fromText(schema: TSchema, text: string): unknown {
  const type = 'type' in schema ? schema.type : 'string'
  if (type === 'integer') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'array') return text === '' ? [] : text.split(',').map((item) => item.trim())
  return text
}

function put(settings: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path
  if (head === undefined) return
  if (rest.length === 0) {
    settings[head] = value
    return
  }
  const inner = settings[head]
  if (inner !== undefined && !isMapping(inner)) return // the schema says what is wrong with it
  const next = isMapping(inner) ? inner : {}
  settings[head] = next
  put(next, rest, value)
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function schemaProblems(config: unknown): ConfigProblem[] {
  const seen = new Map<string, ConfigProblem>()
  for (const { keyword, instancePath, message } of Value.Errors(Config, config)) {
    if (keyword === 'additionalProperties' || seen.has(instancePath)) continue
    const said = keyword === 'boolean' ? 'no setting has this name' : message
    const path = instancePath.slice(1).replaceAll('/', '.')
    seen.set(instancePath, { path, message: said, value: at(config, instancePath) })
  }
  return [...seen.values()]
}

function at(value: unknown, pointer: string): unknown {
  const step = (inner: unknown, key: string) =>
    isMapping(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined
  return pointer.split('/').slice(1).reduce(step, value)
}

function line({ path, message, value }: ConfigProblem): string {
  const seen = value === undefined ? '' : ` (seen: ${JSON.stringify(value)})`
  return `  ${path}: ${message}${seen}`
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
