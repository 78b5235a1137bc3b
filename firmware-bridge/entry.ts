/** What a table says about a word from outside, which may also be `constructor` or `__proto__`. */
export function entry<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
