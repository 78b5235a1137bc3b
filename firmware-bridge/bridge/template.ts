/**
 * The part of Home Assistant's templates that sensors use: `value`, `value_json.a['b'][0]`, and the filters int, float,
 * round(n) and is_defined. A template language in full would be a program from a stranger; whatever else stands there
 * leaves the payload as it is.
 */

const MAX_TEMPLATE = 512
const MAX_STEPS = 16

type Filter = { name: 'int' | 'float' | 'is_defined' } | { name: 'round'; digits: number }

export type Template =
  | { kind: 'raw' }
  | {
      kind: 'path'
      root: 'value' | 'value_json'
      steps: readonly (string | number)[]
      filters: readonly Filter[]
    }

const RAW: Template = { kind: 'raw' }
const WHOLE = /^\s*\{\{(.*)\}\}\s*$/s
const ROOT = /^\s*(value_json|value)\b/
const STEP = /^\s*(?:\.([A-Za-z_]\w*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d{1,4}))\s*\])/
const FILTER = /^\s*\|\s*(int|float|round|is_defined)\s*(?:\(\s*([^()]{0,32})\s*\))?/

/** Reads a template; one that goes beyond the subset, or is too long, becomes `raw`. */
export function parseTemplate(text: string): Template {
  const inner = text.length <= MAX_TEMPLATE ? WHOLE.exec(text)?.[1] : undefined
  const root = inner === undefined ? null : ROOT.exec(inner)
  if (inner === undefined || !root) return RAW
  let rest = inner.slice(root[0].length)
  const steps: (string | number)[] = []
  for (let match = STEP.exec(rest); match; match = STEP.exec(rest)) {
    if (steps.length === MAX_STEPS) return RAW
    const [whole, name, single, double, index] = match
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index))
    rest = rest.slice(whole.length)
  }
  const filters = parseFilters(rest)
  if (!filters || (root[1] === 'value' && steps.length > 0)) return RAW
  return { kind: 'path', root: root[1] === 'value' ? 'value' : 'value_json', steps, filters }
}

function parseFilters(text: string): Filter[] | null {
  const filters: Filter[] = []
  let rest = text
  for (let match = FILTER.exec(rest); match; match = FILTER.exec(rest)) {
    if (filters.length === MAX_STEPS) return null
    const digits = match[1] === 'round' ? Number(match[2] ?? '0') : 0
    if (!Number.isInteger(digits) || digits < 0 || digits > 15) return null
    if (match[1] === 'round') filters.push({ name: 'round', digits })
    else filters.push({ name: match[1] === 'int' ? 'int' : match[1] === 'float' ? 'float' : 'is_defined' })
    rest = rest.slice(match[0].length)
  }
  return rest.trim() === '' ? filters : null
}

/** What the template makes of a payload; undefined where it points at nothing. `json` is called at most once. */
export function render(template: Template, text: string, json: () => unknown): unknown {
  if (template.kind === 'raw') return text
  let value: unknown = template.root === 'value' ? text : json()
  for (const step of template.steps) value = child(value, step)
  for (const filter of template.filters) value = filtered(filter, value)
  return value
}

function child(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined
}

/** A value that is no number stays what it is, so that the caller says why it was not taken. */
function filtered(filter: Filter, value: unknown): unknown {
  if (filter.name === 'is_defined') return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || Number.isNaN(number)) return value
  if (filter.name === 'int') return Math.trunc(number)
  return filter.name === 'round' ? Number(number.toFixed(filter.digits)) : number
}
