/** Understands how followers ask: `find[date][$gte]=…` of API v1 and `date$gte=…` of v3. What is not understood is ignored. */
import { parseInstant } from '../../domain/instant.ts'

export interface Find {
  fromMs: number
  toMs: number
  /** Changed since, for those who mirror. */
  changedSinceMs: number | null
  count: number
  skip: number
  ascending: boolean
  /** Fields that must have exactly this text. */
  equals: ReadonlyMap<string, string>
}

export interface FindDefaults {
  nowMs: number
  /** How far back without a word about time. */
  windowMs: number
  count: number
  countMax: number
}

/** The first and last instant that a date can hold. */
const BEGINNING = -8.64e15
const END = 8.64e15
const TIMES: ReadonlySet<string> = new Set([
  'date',
  'dateString',
  'created_at',
  'createdAt',
  'mills',
  'timestamp',
  'sysTime',
])
const CHANGES: ReadonlySet<string> = new Set(['srvModified', 'srvCreated', 'lastModified'])
const EQUALS: ReadonlySet<string> = new Set(['type', 'eventType', 'uuid', '_id', 'identifier', 'enteredBy'])
const V1 = /^find\[(\w+)\](?:\[\$(\w+)\])?$/
const V3 = /^(\w+)(?:\$(\w+))?$/
const TERMS_MAX = 32

export function findOf(query: Readonly<Record<string, unknown>>, defaults: FindDefaults): Find {
  const { nowMs, windowMs, count, countMax } = defaults
  const window = { fromMs: BEGINNING, toMs: END }
  const equals = new Map<string, string>()
  let changedSinceMs: number | null = null
  for (const [key, value] of Object.entries(query).slice(0, TERMS_MAX)) {
    const [, field = '', operator] = (key.startsWith('find[') ? V1 : V3).exec(key) ?? []
    const text = Array.isArray(value) ? String(value[0]) : String(value)
    if (TIMES.has(field)) narrow(window, operator, text)
    else if (CHANGES.has(field)) changedSinceMs = sinceOf(operator, text) ?? changedSinceMs
    else if (EQUALS.has(field) && (operator === undefined || operator === 'eq')) equals.set(field, text)
  }
  const asked = numberOf(query['count'] ?? query['limit'], 1, countMax)
  // Who says how many means the newest so many, however old they are.
  const isOpen = window.fromMs === BEGINNING && changedSinceMs === null && !names(equals)
  if (isOpen && asked === null) window.fromMs = Math.min(nowMs, window.toMs) - windowMs
  return {
    ...window,
    changedSinceMs,
    equals,
    count: asked ?? count,
    skip: numberOf(query['skip'], 0, 1_000_000) ?? 0,
    ascending: query['sort'] !== undefined,
  }
}

/** Whether one document is asked for by its name. */
function names(equals: ReadonlyMap<string, string>): boolean {
  return ['uuid', '_id', 'identifier'].some((field) => equals.has(field))
}

function narrow(window: { fromMs: number; toMs: number }, operator: string | undefined, text: string): void {
  const atMs = instantOf(text)
  if (atMs === null) return
  if (operator === 'gte' || operator === undefined || operator === 'eq')
    window.fromMs = Math.max(window.fromMs, atMs)
  if (operator === 'gt') window.fromMs = Math.max(window.fromMs, atMs + 1)
  if (operator === 'lt') window.toMs = Math.min(window.toMs, atMs)
  if (operator === 'lte' || operator === undefined || operator === 'eq')
    window.toMs = Math.min(window.toMs, atMs + 1)
}

function sinceOf(operator: string | undefined, text: string): number | null {
  const atMs = instantOf(text)
  return atMs === null ? null : operator === 'gte' ? atMs : atMs + 1
}

/** Followers send a bare day, too. */
function instantOf(text: string): number | null {
  const parsed = parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text, 'UTC')
  return 'wrong' in parsed ? null : parsed.atMs
}

function numberOf(value: unknown, min: number, max: number): number | null {
  const number = Number(value ?? Number.NaN)
  return Number.isFinite(number) ? Math.min(max, Math.max(min, Math.trunc(number))) : null
}
