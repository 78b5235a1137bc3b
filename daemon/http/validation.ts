import type { FastifyRouteSchemaDef, FastifySchemaCompiler } from 'fastify/types/schema.js'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { type ErrorDetail, HubError } from '../kernel/errors.ts'

/** Where an error of the schema compiler says the fault is; the part of JSON Schema's report that we use. */
interface Fault {
  keyword: string
  instancePath: string
  message: string
  params: object
}

const SECRET_PATH = /(?:password|token|code|key|secret)/i
const VALUE_CHARACTERS = 100

/**
 * Compiles TypeBox schemas at their first use. Bodies are taken as sent (absent fields get their default, nothing is
 * converted or removed); query and path fields are text on the wire, so they are converted to what the schema says.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = (route) => {
  let compiled: Validator | null = null
  return (value: unknown) => {
    compiled ??= Compile(route.schema)
    const filled = compiled.Default(route.httpPart === 'body' ? (value ?? null) : copyOf(value))
    const typed = route.httpPart === 'body' ? filled : compiled.Convert(filled)
    if (compiled.Check(typed)) return { value: typed }
    return { error: invalid(partOf(route), compiled.Errors(typed), typed) }
  }
}

/** The refusal of a value that its schema does not allow, one detail a fault, unknown fields by name. */
export function invalid(part: string, faults: readonly Fault[], value: unknown): HubError {
  const details = faults.flatMap((fault) => detailsOf(fault, value))
  const first = details[0]
  const reason = first ? `${first.path || part}: ${first.message}` : 'does not fit'
  return new HubError('VALIDATION_ERROR', `The ${part} is not valid. ${reason}.`, { details })
}

function partOf(route: FastifyRouteSchemaDef<TSchema>): string {
  return (
    { querystring: 'query', params: 'path', headers: 'headers', body: 'body' }[route.httpPart ?? 'body'] ??
    'body'
  )
}

function detailsOf(fault: Fault, value: unknown): ErrorDetail[] {
  const path = fault.instancePath.slice(1).replaceAll('/', '.')
  const names = (key: string): string[] => {
    const found: unknown = Reflect.get(fault.params, key)
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : []
  }
  const below = (name: string) => (path ? `${path}.${name}` : name)
  switch (fault.keyword) {
    case 'boolean':
      // The schema `false` of an unknown field; `additionalProperties` says the same with the name.
      return []
    case 'additionalProperties':
      return names('additionalProperties').map((name) => ({
        path: below(name),
        message: 'is not a field of this request',
      }))
    case 'required':
      return names('requiredProperties').map((name) => ({ path: below(name), message: 'is missing' }))
    case 'enum': {
      const words: unknown = Reflect.get(fault.params, 'allowedValues')
      const listed = Array.isArray(words) ? ` (${words.join(', ')})` : ''
      return [{ path, message: `${fault.message}${listed}`, ...seen(fault, value) }]
    }
    default:
      return [{ path, message: fault.message, ...seen(fault, value) }]
  }
}

/** The value that was refused, when it is short and not a secret. */
function seen(fault: Fault, root: unknown): { value?: unknown } {
  if (SECRET_PATH.test(fault.instancePath)) return {}
  let value: unknown = root
  for (const step of fault.instancePath.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return {}
    value = Reflect.get(value, step.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  if (typeof value === 'string') return { value: value.slice(0, VALUE_CHARACTERS) }
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? { value } : {}
}

/** Query and path objects have no prototype and are the framework's own; conversion works on a copy. */
function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? { ...value } : value
}
