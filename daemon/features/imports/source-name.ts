/** The hub's name for whoever recorded something in a file. */
import { createHash } from 'node:crypto'

const LENGTH = 50
const STRANGE = /[^A-Za-z0-9 ._:()+/-]+/g

/** An app's or device's own name in the letters that sources have; names of other scripts keep apart by a short hash. */
export function sourceName(told: string | undefined, kind: string): string {
  if (told === undefined || told.trim() === '') return kind
  const plain = told.normalize('NFKD').replace(/\p{M}/gu, '')
  const kept = plain
    .replace(STRANGE, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[^A-Za-z0-9]+/, '')
    .trim()
  const letters = plain.replace(/[^\p{L}\p{N}]/gu, '').length
  const survived = kept.replace(/[^A-Za-z0-9]/g, '').length
  if (survived > 0 && survived * 2 >= letters) return kept.slice(0, LENGTH).trim()
  return `${kind}-${createHash('sha256').update(told).digest('hex').slice(0, 8)}`
}
