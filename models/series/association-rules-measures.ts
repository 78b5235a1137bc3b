/** Rules "when these items hold, so do those", with the measures by which they are judged. */
import type { Itemset } from './association-rules.ts'

export interface AssociationRule {
  antecedents: string[]
  consequents: string[]
  antecedentSupport: number
  consequentSupport: number
  support: number
  /** Share of the antecedent's rows in which the consequent holds too (Agrawal, Imieliński & Swami 1993, SIGMOD 207). */
  confidence: number
  /** Confidence over what chance would give (Brin et al. 1997, SIGMOD 255). 1 means: says nothing. */
  lift: number
  /** Support beyond chance (Piatetsky-Shapiro 1991). */
  leverage: number
  /** Infinity for a rule without exception (Brin et al. 1997). */
  conviction: number
  /** Association from -1 to 1 (Zhang 2000, IEA/AIE 49). */
  zhangsMetric: number
  /** Rows with both over rows with either (Jaccard 1901). */
  jaccard: number
  /** Confidence gained over the consequent's own frequency, of the most there is to gain (Shortliffe & Buchanan 1975). */
  certainty: number
  /** Mean of the confidences of both directions (Kulczynski 1927). */
  kulczynski: number
}

/** More ways to split sets than this would take minutes and answer with more rules than anybody reads. */
const MAX_SPLITS = 5_000_000

/**
 * All rules of at least `minConfidence` in the given frequent sets, by antecedents and then by consequents. The sets must
 * include every subset of each. Throws RangeError when the sets are too many and too long.
 */
export function associationRules(itemsets: readonly Itemset[], minConfidence: number): AssociationRule[] {
  if (itemsets.reduce((sum, { items }) => sum + 2 ** items.length, 0) > MAX_SPLITS)
    throw new RangeError('too many rules to weigh: ask for a higher support or shorter sets')
  const supports = new Map(itemsets.map(({ items, support }) => [keyOf(items), support]))
  const supportOf = (items: readonly string[]) => supports.get(keyOf(items)) ?? Number.NaN
  const rules: { rule: AssociationRule; key: string }[] = []
  for (const { items, support } of itemsets) {
    for (const { antecedents, consequents } of splits(items)) {
      const antecedentSupport = supportOf(antecedents)
      // The quotient of the two rounded supports, not of the counts: a rule that lies exactly on the threshold must be
      // judged as by the libraries with which results are compared.
      if (!(support / antecedentSupport >= minConfidence)) continue
      const consequentSupport = supportOf(consequents)
      rules.push({
        rule: { antecedents, consequents, ...measures({ antecedentSupport, consequentSupport, support }) },
        key: `${keyOf(antecedents)}\n\n${keyOf(consequents)}`,
      })
    }
  }
  return rules.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ rule }) => rule)
}

type Supports = Pick<AssociationRule, 'antecedentSupport' | 'consequentSupport' | 'support'>
type Measures = Omit<AssociationRule, 'antecedents' | 'consequents'>

function measures(supports: Supports): Measures {
  const { antecedentSupport: when, consequentSupport: so, support } = supports
  const confidence = support / when
  const leverage = support - when * so
  const zhangBase = Math.max(support * (1 - when), when * (so - support))
  return {
    ...supports,
    confidence,
    lift: confidence / so,
    leverage,
    conviction: confidence < 1 ? (1 - so) / (1 - confidence) : Number.POSITIVE_INFINITY,
    zhangsMetric: zhangBase === 0 ? 0 : leverage / zhangBase,
    jaccard: support / (when + so - support),
    certainty: so < 1 ? (confidence - so) / (1 - so) : 0,
    kulczynski: (confidence + support / so) / 2,
  }
}

/** Every way to divide the items in two, neither part empty. */
function* splits(items: readonly string[]): Generator<Pick<AssociationRule, 'antecedents' | 'consequents'>> {
  for (let mask = 1; mask < 2 ** items.length - 1; mask += 1) {
    const isWhen = (index: number) => (mask & (1 << index)) !== 0
    yield {
      antecedents: items.filter((_, index) => isWhen(index)),
      consequents: items.filter((_, index) => !isWhen(index)),
    }
  }
}

function keyOf(items: readonly string[]): string {
  return items.join('\n')
}
