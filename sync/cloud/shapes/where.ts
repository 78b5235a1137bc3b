/**
 * Reads the conditions of shapes: a small, closed part of SQL. What is not known here never reaches Postgres, so a condition can
 * name columns, compare and combine, and nothing else.
 */

export type Expression =
  | { kind: 'column'; name: string }
  | { kind: 'literal'; value: string | null; type: 'text' | 'number' | 'bool' | 'null' }
  | { kind: 'parameter'; index: number }
  | { kind: 'unary'; operator: string; inner: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'call'; name: string; items: Expression[] }
  | { kind: 'cast'; inner: Expression; type: string }
  | { kind: 'is'; inner: Expression; what: string }
  | { kind: 'any'; name: 'ANY' | 'ALL'; inner: Expression }

/** Says where in the text something is not understood, as Electric says it. */
export class ConditionFault extends Error {
  constructor(location: number, message: string) {
    super(`At location ${location}: ${message}`)
  }
}

interface Token {
  kind: 'name' | 'quoted' | 'string' | 'number' | 'operator' | 'parameter' | 'mark' | 'end'
  text: string
  at: number
}

/** Conditions longer or deeper than this are refused before anything is built from them. */
const MAX_LENGTH = 10_000
const MAX_DEPTH = 100

/** How strongly operators bind, after Postgres' own table. */
const BINDING: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  '=': 4,
  '<>': 4,
  '!=': 4,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  LIKE: 5,
  ILIKE: 5,
  IN: 5,
  BETWEEN: 5,
  '||': 6,
  '@>': 6,
  '<@': 6,
  '&&': 6,
  '~': 6,
  '~*': 6,
  '!~': 6,
  '!~*': 6,
  '~~': 6,
  '~~*': 6,
  '!~~': 6,
  '!~~*': 6,
  '->': 6,
  '->>': 6,
  '&': 6,
  '|': 6,
  '#': 6,
  '<<': 6,
  '>>': 6,
  '+': 7,
  '-': 7,
  '*': 8,
  '/': 8,
  '%': 8,
  '^': 9,
}
const NOT_BINDING = 3
const CAST_BINDING = 11
const FUNCTIONS = new Set([
  'lower',
  'upper',
  'like',
  'ilike',
  'array_ndims',
  'coalesce',
  'length',
  'abs',
  'date_trunc',
  'array',
])
const TYPES =
  /^(?:bool|boolean|int2|int4|int8|smallint|integer|int|bigint|float4|float8|real|numeric|text|varchar|uuid|date|time|timetz|timestamp|timestamptz|interval|json|jsonb|bytea)(?:\[\])?$/

function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw new ConditionFault(MAX_LENGTH, 'the condition is too long')
  const tokens: Token[] = []
  const pattern =
    /\s+|(?<string>'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")+")|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\$(?<parameter>\d{1,4})|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<cast>::)|(?<mark>[(),.[\]])|(?<operator>[=<>!~+\-*/%|&@#^]+)/gy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const { groups } = pattern.exec(text) ?? {}
    if (pattern.lastIndex === 0) throw new ConditionFault(at, `unexpected "${text.slice(at, at + 10)}"`)
    if (!groups) continue
    const found = Object.entries(groups).find(([, value]) => value !== undefined)
    if (!found) continue
    const [kind, value = ''] = found
    if (kind === 'string') tokens.push({ kind, text: value.slice(1, -1).replaceAll("''", "'"), at })
    else if (kind === 'quoted') tokens.push({ kind, text: value.slice(1, -1).replaceAll('""', '"'), at })
    else if (kind === 'cast') tokens.push({ kind: 'operator', text: value, at })
    else tokens.push({ kind: kind as Token['kind'], text: value, at })
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }]
}

/** Throws ConditionFault. `columns`: the names that may stand in it. */
export function parseCondition(text: string, columns: ReadonlySet<string>): Expression {
  const parser = createParser(tokensOf(text), columns)
  const expression = parser.expression(0, 0)
  parser.end()
  return expression
}

function createParser(tokens: readonly Token[], columns: ReadonlySet<string>) {
  let place = 0
  const END: Token = { kind: 'end', text: '', at: 0 }
  const peek = () => tokens[place] ?? tokens.at(-1) ?? END
  const next = () => {
    const token = peek()
    place += 1
    return token
  }
  const word = (token = peek()) => (token.kind === 'name' ? token.text.toUpperCase() : '')
  const isMark = (text: string) => peek().kind === 'mark' && peek().text === text
  const fault = (token: Token, message = `unexpected "${token.text}"`) =>
    new ConditionFault(token.at, message)
  const expect = (text: string) => {
    const token = next()
    if (token.text.toUpperCase() !== text || token.kind === 'string') throw fault(token)
  }
  /** One expression or more, up to the closing mark. */
  const listOf = (depth: number, close: string) => {
    const items = [expression(0, depth + 1)]
    while (isMark(',')) {
      next()
      items.push(expression(0, depth + 1))
    }
    expect(close)
    return items
  }
  const isQuantified = () => (word() === 'ANY' || word() === 'ALL') && tokens[place + 1]?.text === '('
  const quantified = (depth: number): Expression => {
    const token = next()
    next()
    const [inner, more] = listOf(depth, ')')
    if (!inner || more) throw fault(token)
    return { kind: 'any', name: word(token) === 'ANY' ? 'ANY' : 'ALL', inner }
  }

  const named = (token: Token): Expression => {
    if (!columns.has(token.text)) throw fault(token, `unknown reference ${token.text}`)
    return { kind: 'column', name: token.text }
  }
  const call = (token: Token, depth: number): Expression => {
    const name = token.text.toLowerCase()
    next()
    if (!FUNCTIONS.has(name)) {
      const count = isMark(')') ? 0 : listOf(depth, ')').length
      throw fault(token, `unknown or unsupported function ${name}/${count}`)
    }
    return { kind: 'call', name, items: listOf(depth, ')') }
  }
  const ofName = (token: Token, depth: number): Expression => {
    const upper = word(token)
    if (upper === 'NOT') return { kind: 'unary', operator: 'NOT', inner: expression(NOT_BINDING, depth + 1) }
    if (upper === 'TRUE' || upper === 'FALSE')
      return { kind: 'literal', value: upper.toLowerCase(), type: 'bool' }
    if (upper === 'NULL') return { kind: 'literal', value: null, type: 'null' }
    if (upper === 'ARRAY' && isMark('[')) {
      next()
      if (!isMark(']')) return { kind: 'call', name: 'array', items: listOf(depth, ']') }
      next()
      return { kind: 'call', name: 'array', items: [] }
    }
    if (isMark('(')) return call(token, depth)
    if (peek().kind === 'string' && TYPES.test(token.text.toLowerCase()))
      return {
        kind: 'cast',
        inner: { kind: 'literal', value: next().text, type: 'text' },
        type: token.text.toLowerCase(),
      }
    return named({ ...token, text: token.text.toLowerCase() })
  }
  const first = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw fault(peek(), 'the condition is nested too deeply')
    const token = next()
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: token.text, type: 'text' }
      case 'number':
        return { kind: 'literal', value: token.text, type: 'number' }
      case 'parameter':
        return { kind: 'parameter', index: Number(token.text) }
      case 'quoted':
        return named(token)
      case 'name':
        return ofName(token, depth)
      case 'operator':
        if (token.text !== '-' && token.text !== '+') throw fault(token)
        return { kind: 'unary', operator: token.text, inner: expression(10, depth + 1) }
      case 'mark': {
        if (token.text !== '(') throw fault(token)
        const inner = expression(0, depth + 1)
        expect(')')
        return inner
      }
      default:
        throw fault(token, 'the condition ends too early')
    }
  }

  const is = (left: Expression): Expression => {
    const not = word() === 'NOT' && next() ? 'NOT ' : ''
    const token = next()
    const what = word(token)
    if (what === 'DISTINCT') {
      expect('FROM')
      const operator = `IS ${not}DISTINCT FROM`
      return { kind: 'binary', operator, left, right: expression(5, 1) }
    }
    if (!['NULL', 'TRUE', 'FALSE', 'UNKNOWN'].includes(what)) throw fault(token)
    return { kind: 'is', inner: left, what: `${not}${what}` }
  }
  const between = (left: Expression, depth: number): Expression => {
    const low = expression(5, depth + 1)
    expect('AND')
    const high = expression(5, depth + 1)
    const above: Expression = { kind: 'binary', operator: '>=', left, right: low }
    return {
      kind: 'binary',
      operator: 'AND',
      left: above,
      right: { kind: 'binary', operator: '<=', left, right: high },
    }
  }
  const combined = (left: Expression, operator: string, binding: number, depth: number): Expression => {
    if (operator === 'BETWEEN') return between(left, depth)
    if (operator !== 'IN') {
      const isLogical = operator === 'AND' || operator === 'OR'
      const right = !isLogical && isQuantified() ? quantified(depth) : expression(binding + 1, depth + 1)
      return { kind: 'binary', operator, left, right }
    }
    expect('(')
    return { kind: 'binary', operator, left, right: { kind: 'list', items: listOf(depth, ')') } }
  }

  function expression(minimum: number, depth: number): Expression {
    let left = first(depth)
    for (;;) {
      const token = peek()
      if (token.kind === 'operator' && token.text === '::') {
        if (CAST_BINDING < minimum) return left
        next()
        left = cast(left)
        continue
      }
      const isNegated = word() === 'NOT' && /^(?:LIKE|ILIKE|IN|BETWEEN)$/.test(word(tokens[place + 1]))
      const operator = isNegated ? word(tokens[place + 1]) : token.kind === 'operator' ? token.text : word()
      if (operator === 'IS') {
        if (minimum > 4) return left
        next()
        left = is(left)
        continue
      }
      const binding = BINDING[operator]
      if (binding === undefined) {
        if (token.kind === 'operator') throw fault(token, `unknown binary operator "${token.text}"`)
        return left
      }
      if (binding < minimum) return left
      place += isNegated ? 2 : 1
      left = combined(left, operator, binding, depth)
      if (isNegated) left = { kind: 'unary', operator: 'NOT', inner: left }
    }
  }
  function cast(inner: Expression): Expression {
    const token = next()
    let type = token.text.toLowerCase()
    if (isMark('[')) {
      next()
      expect(']')
      type += '[]'
    }
    if (!TYPES.test(type)) throw fault(token, `unknown type ${type}`)
    return { kind: 'cast', inner, type }
  }
  return {
    expression,
    end() {
      if (peek().kind !== 'end') throw fault(peek())
    },
  }
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The condition as SQL of our own making, every name and text quoted; parameters are put in as texts. Throws RangeError. */
export function conditionSql(expression: Expression, params: Readonly<Record<string, string>>): string {
  const sql = (inner: Expression): string => {
    switch (inner.kind) {
      case 'column':
        return quoteName(inner.name)
      case 'literal':
        return literalSql(inner)
      case 'parameter': {
        const value = params[String(inner.index)]
        if (value === undefined) throw new RangeError(`parameter $${inner.index} was not provided`)
        return quoteText(value)
      }
      case 'unary':
        return `(${inner.operator} ${sql(inner.inner)})`
      case 'binary':
        return `(${sql(inner.left)} ${inner.operator} ${sql(inner.right)})`
      case 'list':
        return `(${inner.items.map(sql).join(', ')})`
      case 'call':
        return inner.name === 'array'
          ? `ARRAY[${inner.items.map(sql).join(', ')}]`
          : `${inner.name}(${inner.items.map(sql).join(', ')})`
      case 'cast':
        return `(${sql(inner.inner)})::${inner.type}`
      case 'is':
        return `(${sql(inner.inner)} IS ${inner.what})`
      case 'any':
        return `${inner.name}(${sql(inner.inner)})`
    }
  }
  return sql(expression)
}

function literalSql({ value, type }: Extract<Expression, { kind: 'literal' }>): string {
  if (value === null) return 'NULL'
  return type === 'text' ? quoteText(value) : value
}

/** A column has, or has not, that text; what is null is neither. */
export interface Comparison {
  column: string
  value: string
  isEqual: boolean
}

/**
 * The condition as comparisons of columns with texts (equal, not equal), when it is nothing but those joined by AND, so that it can
 * be decided without asking Postgres. Only for columns of types whose equality is that of their text; null for everything else.
 */
export function comparisonsOf(
  expression: Expression,
  params: Readonly<Record<string, string>>,
  isTextual: (column: string) => boolean,
): Comparison[] | null {
  if (expression.kind !== 'binary') return null
  const { operator, left, right } = expression
  if (operator === 'AND') {
    const one = comparisonsOf(left, params, isTextual)
    const other = comparisonsOf(right, params, isTextual)
    return one && other ? [...one, ...other] : null
  }
  const isEqual = operator === '='
  if (!(isEqual || operator === '<>' || operator === '!=') || left.kind !== 'column' || !isTextual(left.name))
    return null
  const value =
    right.kind === 'parameter'
      ? params[String(right.index)]
      : right.kind === 'literal' && right.type === 'text'
        ? right.value
        : undefined
  return value === undefined || value === null ? null : [{ column: left.name, value, isEqual }]
}

/** `name [ASC|DESC] [NULLS FIRST|LAST], …` as SQL of our own making. Throws ConditionFault. */
export function orderSql(text: string, columns: ReadonlySet<string>): string {
  return text
    .split(',')
    .map((part) => {
      const match =
        /^\s*(?:"((?:[^"]|"")+)"|([A-Za-z_][A-Za-z0-9_]*))(\s+(?:ASC|DESC))?(\s+NULLS\s+(?:FIRST|LAST))?\s*$/i.exec(
          part,
        )
      const name = match?.[1]?.replaceAll('""', '"') ?? match?.[2]?.toLowerCase()
      if (!match || name === undefined)
        throw new ConditionFault(text.indexOf(part), `unexpected "${part.trim()}"`)
      if (!columns.has(name)) throw new ConditionFault(text.indexOf(part), `unknown reference ${name}`)
      return `${quoteName(name)}${(match[3] ?? '').toUpperCase()}${(match[4] ?? '').toUpperCase()}`
    })
    .join(', ')
}
