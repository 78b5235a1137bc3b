/** `compute pcmci`: lagged links between the columns of a file. */

import { pcmci as findLinks, linkIndex, type PcmciResult } from '../../../models/series/pcmci.ts'
import type { Table } from '../../../models/series/statistics.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Computation } from './computation.ts'
import { readTable, shareIn, wholeNumbers } from './patterns-input.ts'

/**
 * Columns of values, one row per step: `{var_names,T,results}`, one result for each combination of the lists
 * `tau_min=0 tau_max=3 pc_alpha=0.2|none alpha=0.05`.
 */
export const pcmci: Computation = async (file, set) => {
  const tauMins = wholeNumbers(set, 'tau_min', 0, 0)
  const tauMaxes = wholeNumbers(set, 'tau_max', 1, 3)
  const pcAlphas = set
    .list('pc_alpha', ['0.2'])
    .map((text) => (isNone(text) ? null : shareIn(text, 'pc_alpha')))
  const alphas = set.list('alpha', ['0.05']).map((text) => shareIn(text, 'alpha'))
  const table = await readTable(file)
  const results = tauMins.flatMap((tauMin) =>
    tauMaxes.flatMap((tauMax) =>
      pcAlphas.flatMap((pcAlpha) => {
        const found = links(table, { tauMin, tauMax, pcAlpha })
        return alphas.map((alpha) => ({
          tau_min: tauMin,
          tau_max: tauMax,
          pc_alpha: pcAlpha,
          alpha_level: alpha,
          fdr_method: 'none',
          ...shown(table.names, found, alpha),
        }))
      }),
    ),
  )
  return {
    index_order: '[i][j][tau] = link i(t-tau) -> j(t)',
    var_names: table.names,
    T: table.columns[0]?.length ?? 0,
    results,
  }
}

function links(table: Table, options: Parameters<typeof findLinks>[1]): PcmciResult {
  if (options.tauMin > options.tauMax)
    throw new HubError('VALIDATION_ERROR', 'tau_min must not be larger than tau_max.')
  try {
    return findLinks(table, options)
  } catch (cause) {
    if (cause instanceof RangeError) throw new HubError('VALIDATION_ERROR', `${messageOf(cause)}.`, { cause })
    throw cause
  }
}

function isNone(text: string): boolean {
  return ['none', 'null'].includes(text.trim().toLowerCase())
}

function shown(names: readonly string[], found: PcmciResult, alpha: number): object {
  const cube = <T>(cell: (i: number, j: number, lag: number) => T) =>
    names.map((_, i) =>
      names.map((__, j) => Array.from({ length: found.tauMax + 1 }, (___, lag) => cell(i, j, lag))),
    )
  const index = (i: number, j: number, lag: number) => linkIndex(names.length, found.tauMax, i, j, lag)
  const mark = (i: number, j: number, lag: number) =>
    (found.p[index(i, j, lag)] ?? 1) <= alpha && lag >= found.tauMin ? (lag === 0 ? 'o-o' : '-->') : ''
  return {
    parents_pc_stage: Object.fromEntries(
      found.parents.map((parents, j) => [
        names[j],
        parents.map(({ variable, lag }) => [names[variable], lag === 0 ? 0 : -lag]),
      ]),
    ),
    graph: cube(mark),
    val_matrix: cube((i, j, lag) => found.value[index(i, j, lag)]),
    p_matrix: cube((i, j, lag) => found.p[index(i, j, lag)]),
    q_matrix_fdr_bh_lagged_only: cube((i, j, lag) => found.q[index(i, j, lag)]),
    links: linkRows(names, found, mark),
  }
}

/** The links that the graph shows; one without direction stands once. */
function linkRows(
  names: readonly string[],
  found: PcmciResult,
  mark: (i: number, j: number, lag: number) => string,
): object[] {
  const rows: object[] = []
  for (const [i, from] of names.entries()) {
    for (const [j, to] of names.entries()) {
      for (let lag = 0; lag <= found.tauMax; lag += 1) {
        const type = mark(i, j, lag)
        if (type === '' || (lag === 0 && j < i)) continue
        const at = linkIndex(names.length, found.tauMax, i, j, lag)
        rows.push({ from, to, lag, type, val: found.value[at], p: found.p[at], q_bh: found.q[at] })
      }
    }
  }
  return rows
}
