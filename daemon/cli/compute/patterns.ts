/** `compute lagged-correlation | matrix-profile | association-rules | cluster-days`: what a person's days have in common. */
import { frequentItemsets } from '../../../models/series/association-rules.ts'
import { type AssociationRule, associationRules } from '../../../models/series/association-rules-measures.ts'
import { clusterDays as groupDays } from '../../../models/series/cluster-days.ts'
import { seededRandom } from '../../../models/series/cluster-days-random.ts'
import { laggedCorrelations } from '../../../models/series/lagged-correlation.ts'
import { exclusionZone, matrixProfile as profileOf } from '../../../models/series/matrix-profile.ts'
import { topDiscords, topMotif } from '../../../models/series/matrix-profile-findings.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Computation, InputFile, Settings } from './computation.ts'
import { readItems, readTable, share, wholeNumber } from './patterns-input.ts'

/** Columns of values, one row per day: `{results}` for all ordered pairs; `max_lag=3`. */
export const laggedCorrelation: Computation = async (file, set) => {
  const maxLag = wholeNumber(set, 'max_lag', 0, 3)
  const found = laggedCorrelations(await readTable(file), maxLag)
  return {
    lag_rule: 'lag k pairs x[t] with y[t+k]; k > 0: x leads y',
    results: found.map((row) => ({
      x: row.x,
      y: row.y,
      lag: row.lag,
      n: row.n,
      pearson_r: row.pearsonR,
      pearson_p: row.pearsonP,
      pearson_q_bh: row.pearsonQ,
      spearman_rho: row.spearmanRho,
      spearman_p: row.spearmanP,
      spearman_q_bh: row.spearmanQ,
    })),
  }
}

/** One column of values (`column=` names it among several) and `m=` values per window; empty, NaN and inf are missing. */
export const matrixProfile: Computation = async (file, set) => {
  const m = wholeNumber(set, 'm', 3)
  const values = await oneColumn(file, set)
  const profile = asked(() => profileOf(values, m))
  const motif = topMotif(profile)
  return {
    n: values.length,
    m,
    exclusion_zone: exclusionZone(m),
    top_motif: motif && { i: motif.i, j: motif.nearest, dist: motif.distance },
    top_discords_excl_m: topDiscords(profile, 3).map(({ i, nearest, distance }) => ({
      i,
      nn: nearest,
      dist: distance,
    })),
    P: [...profile.distance],
    I: [...profile.nearest],
    left_I: [...profile.left],
    right_I: [...profile.right],
  }
}

/** Columns of 0 and 1, one row per day: `{itemsets,rules}`; `min_support=0.3 min_confidence=0.7 max_len=` (no limit). */
export const associations: Computation = async (file, set) => {
  const minSupport = share(set, 'min_support', 0.3)
  const minConfidence = share(set, 'min_confidence', 0.7)
  const maxLength = set.text('max_len', '') === '' ? null : wholeNumber(set, 'max_len', 1)
  const table = await readItems(file)
  return asked(() => {
    const itemsets = frequentItemsets(table, { minSupport, maxLength })
    return {
      rows: table.rows,
      min_support: minSupport,
      min_confidence: minConfidence,
      max_len: maxLength,
      itemsets,
      rules: associationRules(itemsets, minConfidence).map(shownRule),
    }
  })
}

/**
 * One row of equally spaced values per day (columns `day` and `date` are left out): `{labels}`; `k=` groups, else as many as
 * the days bear; `seed=1`.
 */
export const clusterDays: Computation = async (file, set) => {
  const k = set.text('k', '') === '' ? null : wholeNumber(set, 'k', 1)
  const random = seededRandom(wholeNumber(set, 'seed', 0, 1))
  const { columns } = await readTable(file, ['day', 'date'])
  const rows = columns[0]?.length ?? 0
  const days = Array.from({ length: rows }, (_, row) =>
    Float64Array.from(columns, (column) => column[row] ?? Number.NaN),
  )
  const { labels, groups } = asked(() => groupDays(days, { k, random }))
  return {
    k: groups.length,
    labels,
    groups: groups.map(({ size, typicalDay }) => ({ size, typical_day: typicalDay })),
  }
}

async function oneColumn(file: InputFile, set: Settings): Promise<Float64Array> {
  const { names, columns } = await readTable(file)
  const wanted = set.text('column', names.length === 1 ? (names[0] ?? '') : 'value')
  const found = columns[names.indexOf(wanted)]
  if (found) return found
  throw new HubError(
    'VALIDATION_ERROR',
    `Say which column: --set column=NAME, one of ${names.join(', ')}; there is no "${wanted}".`,
  )
}

/** What an algorithm cannot do with these settings is the asker's to change. */
function asked<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof RangeError) throw new HubError('VALIDATION_ERROR', `${messageOf(cause)}.`, { cause })
    throw cause
  }
}

function shownRule(rule: AssociationRule): object {
  return {
    antecedents: rule.antecedents,
    consequents: rule.consequents,
    antecedent_support: rule.antecedentSupport,
    consequent_support: rule.consequentSupport,
    support: rule.support,
    confidence: rule.confidence,
    lift: rule.lift,
    leverage: rule.leverage,
    conviction: rule.conviction,
    zhangs_metric: rule.zhangsMetric,
    jaccard: rule.jaccard,
    certainty: rule.certainty,
    kulczynski: rule.kulczynski,
  }
}
