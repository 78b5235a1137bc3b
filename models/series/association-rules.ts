/** What tends to happen on the same day: sets of items that occur together often, and the rules that follow from them. */

/** One column per item, one row per day: 1 when the item held that day. */
export interface ItemTable {
  names: readonly string[]
  rows: number
  columns: readonly Uint8Array[]
}

export interface Itemset {
  /** In alphabetical order. */
  items: string[]
  /** Share of rows that hold all items. */
  support: number
}

export interface ItemsetOptions {
  minSupport: number
  /** Most items in a set; null for no limit. */
  maxLength: number | null
  /** More sets than this is an error, because the next lower support could mean millions. */
  maxItemsets?: number
}

const MAX_ITEMSETS = 200_000

/**
 * All sets with at least `minSupport`, by length and then by name: depth-first intersection of row bitsets (Eclat: Zaki 2000,
 * IEEE TKDE 12:372), the result of apriori (Agrawal & Srikant 1994, VLDB 487) without its candidate tables.
 * Throws RangeError when there are too many.
 */
export function frequentItemsets(table: ItemTable, options: ItemsetOptions): Itemset[] {
  const limit = options.maxItemsets ?? MAX_ITEMSETS
  const longest = options.maxLength ?? Number.POSITIVE_INFINITY
  const found: Itemset[] = []
  const extend = (prefix: readonly string[], tails: readonly Rows[]) => {
    for (const [k, { name, bits, support }] of tails.entries()) {
      const items = [...prefix, name]
      found.push({ items, support })
      if (found.length > limit)
        throw new RangeError(`more than ${limit} item sets: ask for a higher support or shorter sets`)
      if (items.length >= longest) continue
      extend(
        items,
        tails.slice(k + 1).flatMap((tail) => {
          const both = intersection(bits, tail.bits)
          const share = countBits(both) / table.rows
          return share >= options.minSupport ? [{ name: tail.name, bits: both, support: share }] : []
        }),
      )
    }
  }
  extend(
    [],
    itemRows(table).filter(({ support }) => support >= options.minSupport),
  )
  return found.sort(byLengthThenName)
}

/** The rows that hold an item, as bits. */
interface Rows {
  name: string
  bits: Uint32Array
  support: number
}

function itemRows({ names, rows, columns }: ItemTable): Rows[] {
  return columns
    .map((column, index) => {
      const bits = new Uint32Array(Math.ceil(rows / 32))
      for (const [row, held] of column.entries()) {
        if (held !== 0) bits[row >>> 5] = (bits[row >>> 5] ?? 0) | (1 << (row & 31))
      }
      return { name: names[index] ?? '', bits, support: countBits(bits) / rows }
    })
    .sort((a, b) => compare(a.name, b.name))
}

function intersection(a: Uint32Array, b: Uint32Array): Uint32Array {
  const both = new Uint32Array(a.length)
  for (let k = 0; k < a.length; k += 1) both[k] = (a[k] ?? 0) & (b[k] ?? 0)
  return both
}

/** Population count, 32 bits at a time (Warren, Hacker's Delight, 5-1). */
function countBits(bits: Uint32Array): number {
  let count = 0
  for (let k = 0; k < bits.length; k += 1) {
    let v = bits[k] ?? 0
    v -= (v >>> 1) & 0x55555555
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
    count += Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}

function byLengthThenName(a: Itemset, b: Itemset): number {
  return a.items.length - b.items.length || compare(a.items.join('\n'), b.items.join('\n'))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
