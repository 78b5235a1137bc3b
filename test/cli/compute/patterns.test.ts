import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import {
  associations,
  clusterDays,
  laggedCorrelation,
  matrixProfile,
} from '../../../daemon/cli/compute/patterns.ts'
import { pcmci } from '../../../daemon/cli/compute/patterns-causes.ts'
import { agreement } from '../../models/series/agreement.ts'
import { assertClose, computed, patternFixture, readExpected, sample } from './expected.ts'

interface LagRow {
  x: string
  y: string
  lag: number
  n: number
  pearson_r: number
  pearson_p: number
  spearman_rho: number
  spearman_p: number
}

test('lagged correlations and their p equal those of the reference, gaps and a constant column included', async () => {
  const { results } = await computed<{ results: LagRow[] }>(laggedCorrelation, patternFixture('days_90.csv'))
  const expected = readExpected<{ results: LagRow[] }>(patternFixture('days_90.expected.json')).results
  assert.equal(results.length, expected.length)
  for (const [index, row] of expected.entries()) {
    const actual = results[index]!
    const where = `${row.x} -> ${row.y} at ${row.lag}`
    assert.deepEqual([actual.x, actual.y, actual.lag, actual.n], [row.x, row.y, row.lag, row.n])
    for (const key of ['pearson_r', 'spearman_rho'] as const)
      assertClose(actual[key], row[key], { absolute: 1e-9 }, where)
    for (const key of ['pearson_p', 'spearman_p'] as const)
      assertClose(actual[key], row[key], { relative: 1e-6 }, where)
  }
})

interface CausalResult {
  tau_min: number
  pc_alpha: number | null
  alpha_level: number
  parents_pc_stage: Record<string, [string, number][]>
  graph: string[][][]
  val_matrix: number[][][]
  p_matrix: number[][][]
  q_matrix_fdr_bh_lagged_only: number[][][]
  links: { from: string; to: string; lag: number }[]
}
interface Causal {
  var_names: string[]
  T: number
  results: CausalResult[]
}

const PCMCI_SETTINGS = ['tau_min=0,1', 'tau_max=3', 'pc_alpha=0.2,0.05,none', 'alpha=0.05']

async function assertSameLinks(path: string, expectedPath: string) {
  const found = await computed<Causal>(pcmci, path, ...PCMCI_SETTINGS)
  const expected = readExpected<Causal>(expectedPath)
  assert.deepEqual([found.var_names, found.T], [expected.var_names, expected.T])
  for (const wanted of expected.results) {
    const same = (row: CausalResult) => row.tau_min === wanted.tau_min && row.pc_alpha === wanted.pc_alpha
    const actual = found.results.find(same)!
    const where = `tau_min ${wanted.tau_min}, pc_alpha ${wanted.pc_alpha}`
    assert.deepEqual(actual.parents_pc_stage, wanted.parents_pc_stage, where)
    assert.deepEqual(actual.graph, wanted.graph, where)
    const place = ({ from, to, lag }: { from: string; to: string; lag: number }) => `${from} ${to} ${lag}`
    assert.deepEqual(actual.links.map(place), wanted.links.map(place), where)
    assertAllClose(actual.val_matrix, wanted.val_matrix, { absolute: 1e-6 }, where)
    assertAllClose(actual.p_matrix, wanted.p_matrix, { absolute: 1e-9, relative: 1e-4 }, where)
    const { q_matrix_fdr_bh_lagged_only: q } = wanted
    assertAllClose(actual.q_matrix_fdr_bh_lagged_only, q, { absolute: 1e-9, relative: 1e-4 }, where)
  }
}

function assertAllClose(actual: number[][][], expected: number[][][], tolerance: object, where: string) {
  const flat = expected.flat(2)
  assert.equal(actual.flat(2).length, flat.length)
  for (const [index, value] of actual.flat(2).entries()) assertClose(value, flat[index], tolerance, where)
}

test('pcmci finds the links of the reference with every kind of condition selection', () =>
  assertSameLinks(patternFixture('var4x220.csv'), patternFixture('var4x220.expected.json')))

test('pcmci leaves out just the samples that a test misses', () =>
  assertSameLinks(patternFixture('var4x220_gaps.csv'), patternFixture('var4x220_gaps.expected.json')))

test('pcmci agrees with the reference on real hourly counts', async (t) => {
  const path = sample('timeseries/local-only/pcmci/fitbit_hourly_one_user.csv')
  if (!path) return t.skip('the hourly sample is not on this machine')
  await assertSameLinks(path, path.replace('.csv', '.expected.json'))
})

interface Profile {
  n: number
  m: number
  P: (number | string)[]
  I: number[]
  left_I: number[]
  right_I: number[]
  top_motif: { i: number; j: number; dist: number }
  top_discords_excl_m: { i: number; nn: number; dist: number }[]
}

/** Indices differ from the reference only where two windows are equally near, which `ties` counts. */
async function assertSameProfile(path: string, m: number, ties = 0) {
  const found = await computed<Profile>(matrixProfile, path, `m=${m}`)
  const expected = readExpected<Profile>(path.replace('.csv', `.m${m}.expected.json`))
  assert.deepEqual([found.n, found.m], [expected.n, expected.m])
  for (const [index, distance] of expected.P.entries()) {
    const absolute = Number(distance) < 0.01 ? 1e-4 : 1e-6
    assertClose(found.P[index], distance, { absolute, relative: 1e-6 }, `window ${index}`)
  }
  const differing = (['I', 'left_I', 'right_I'] as const).flatMap((key) =>
    expected[key].filter((nearest, index) => nearest !== found[key][index]),
  )
  assert.ok(differing.length <= ties, `${differing.length} nearest windows differ`)
  assert.deepEqual([found.top_motif.i, found.top_motif.j], [expected.top_motif.i, expected.top_motif.j])
  const places = ({ top_discords_excl_m: discords }: Profile) => discords.map(({ i, nn }) => [i, nn])
  assert.deepEqual(places(found), places(expected))
}

test('the matrix profile finds the planted motif where the reference does', () =>
  assertSameProfile(patternFixture('planted_motif.csv'), 40))

test('the matrix profile finds the planted discord where the reference does', () =>
  assertSameProfile(patternFixture('planted_discord.csv'), 60))

test('a frozen sensor matches itself and is sqrt(m) from everything else', () =>
  assertSameProfile(patternFixture('constant_stretches.csv'), 32, 1))

test('windows with an empty line or an infinity match nothing', () =>
  assertSameProfile(patternFixture('gaps_nan_inf.csv'), 24, 1))

test('the matrix profile agrees with the reference on a real glucose series', async (t) => {
  const path = sample('timeseries/local-only/matrixprofile/cgm_cgmquantify.csv')
  if (!path) return t.skip('the glucose sample is not on this machine')
  await assertSameProfile(path, 48)
})

type Rule = Record<string, unknown> & { antecedents: string[]; consequents: string[] }
interface Rules {
  itemsets: { items: string[]; support: number }[]
  rules: Rule[]
}

async function assertSameRules(path: string, ...pairs: string[]) {
  const found = await computed<Rules>(associations, path, ...pairs)
  const expected = readExpected<Rules>(path.replace('.csv', '.expected.json'))
  const names = ({ itemsets }: Rules) => itemsets.map(({ items }) => items.join())
  assert.deepEqual(names(found).sort(), names(expected).sort())
  const key = (rule: Rule) => `${rule.antecedents} => ${rule.consequents}`
  assert.deepEqual(found.rules.map(key).sort(), expected.rules.map(key).sort())
  const byKey = new Map(found.rules.map((rule) => [key(rule), rule]))
  for (const rule of expected.rules) {
    for (const [measure, value] of Object.entries(rule)) {
      if (Array.isArray(value)) continue
      const tolerance = { absolute: 1e-9, relative: 1e-9 }
      assertClose(byKey.get(key(rule))?.[measure], value, tolerance, `${key(rule)}, ${measure}`)
    }
  }
}

test('association rules and all their measures equal the reference, one without exception included', () =>
  assertSameRules(patternFixture('days_150x10.csv'), 'min_support=0.2', 'min_confidence=0.6'))

test('association rules agree with the reference on real days', async (t) => {
  const path = sample('timeseries/local-only/rules/fitbit_days.csv')
  if (!path) return t.skip('the sample of days is not on this machine')
  await assertSameRules(path, 'min_support=0.1', 'min_confidence=0.6')
})

test('days fall into the kinds that made them better than with k-means or Ward', async () => {
  const { labels } = await computed<{ labels: number[] }>(
    clusterDays,
    patternFixture('days_x_288.csv'),
    'k=5',
  )
  const truth = readExpected<{ labels: number[]; results: Record<string, { ARI?: number }> }>(
    patternFixture('days_x_288.truth.json'),
  )
  const baseline = Math.max(...Object.values(truth.results).map(({ ARI }) => ARI ?? 0))
  assert.equal(labels.length, truth.labels.length)
  assert.ok(agreement(labels, truth.labels) > baseline)
})

test('files and settings that make no sense are refused with what to say instead', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-patterns-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const words = file('words.csv', 'a,b\n1,2\nx,3\n')
  await assert.rejects(computed(laggedCorrelation, words), /"x" is not a number \(row 2, a\)/)
  await assert.rejects(computed(associations, words), /"x" is neither 0 nor 1 \(row 2, a\)/)
  const short = file('short.csv', 'a,b\n1,2\n2,3\n3,1\n')
  await assert.rejects(computed(pcmci, short), /need at least 9 rows/)
  await assert.rejects(computed(pcmci, short, 'tau_min=2', 'tau_max=1'), /tau_min must not be larger/)
  await assert.rejects(computed(pcmci, short, 'pc_alpha=2'), /pc_alpha must be from 0 to 1/)
  await assert.rejects(computed(matrixProfile, short, 'm=3'), /--set column=NAME, one of a, b/)
  await assert.rejects(computed(matrixProfile, short, 'm=4', 'column=a'), /a window takes from 3 to 3 values/)
  await assert.rejects(computed(matrixProfile, short), /Say m/)
  await assert.rejects(computed(clusterDays, short, 'k=5'), /3 days with data cannot make 5 groups/)
  await assert.rejects(computed(clusterDays, file('empty.csv', '')), /holds no rows/)
})
