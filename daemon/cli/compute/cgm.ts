/** `compute cgm`: glucose metrics of a csv of readings or of one day's values, in iglu's names and conventions. */
import { episodeSummaries } from '../../../models/series/cgm-episodes.ts'
import { type GlucoseGrid, glucoseGrid } from '../../../models/series/cgm-grid.ts'
import { mage } from '../../../models/series/cgm-mage.ts'
import { cogi, glucoseRanges, glycemiaRiskIndex, shareOf } from '../../../models/series/cgm-ranges.ts'
import * as risk from '../../../models/series/cgm-risk.ts'
import { type GlucoseTrace, glucoseTrace, type WallClock } from '../../../models/series/cgm-trace.ts'
import * as variability from '../../../models/series/cgm-variability.ts'
import { wear } from '../../../models/series/cgm-wear.ts'
import { mean, median, quantile, sampleSd } from '../../../models/series/moments.ts'
import { wallClockMs } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, InputFile } from './computation.ts'
import { instantOf, numberOf, numbersOf, readNumber, recordOf, zoneOf } from './reading.ts'

type Row = Record<string, number | string | null>

/** Scales the median absolute deviation to the SD of a normal distribution. */
const MAD_SCALE = 1.4826

export const cgm: Computation = async (file, set) => {
  const zone = zoneOf(set)
  if (file.path.endsWith('.json')) return glucoseDay(await file.json())
  const people = await readPeople(file, zone)
  const rows = [...people]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, trace]) => metricRows(id, trace, zone))
  const metrics: Record<string, Row[]> = {}
  for (const person of rows) {
    for (const [name, found] of Object.entries(person)) metrics[name] = [...(metrics[name] ?? []), ...found]
  }
  const reasons = reasonsOf(metrics)
  return reasons.length === 0 ? { metrics } : { metrics, reasons }
}

/** Why a number is missing, by the metric that lacks it. */
const NEEDS: Readonly<Record<string, string>> = {
  conga_n24: 'two readings a day apart',
  modd_lag1: 'two readings a day apart',
  conga_n1: 'two pairs of readings an hour apart',
  sd_measures: 'readings on two days',
  cv_measures: 'readings on two days',
  episodes: '',
}
const EXCURSION_NEEDS = '32 points in a row and an excursion of one SD'

function reasonsOf(
  metrics: Readonly<Record<string, Row[]>>,
): { id: string; metric: string; needs: string }[] {
  return Object.entries(metrics).flatMap(([metric, rows]) => {
    const needs = metric.startsWith('mage_') ? EXCURSION_NEEDS : (NEEDS[metric] ?? 'two readings')
    const lacking = needs === '' ? [] : rows.filter((row) => Object.values(row).includes(null))
    return lacking.map((row) => ({ id: String(row['id']), metric, needs }))
  })
}

/** Rows `id,time,gl`; naive times are wall times of `zone`, an empty or `NA` value is no reading. */
async function readPeople(file: InputFile, zone: string): Promise<Map<string, GlucoseTrace>> {
  const people = new Map<string, { atMs: number; mgPerDl: number }[]>()
  for (const [index, { id, time, gl }] of (await file.csv()).entries()) {
    if (id === undefined || time === undefined || gl === undefined)
      throw new HubError('VALIDATION_ERROR', 'cgm reads the columns id,time,gl.')
    const readings = people.get(id) ?? []
    people.set(id, readings)
    const mgPerDl = readNumber(gl, `gl in row ${index + 1}`)
    if (mgPerDl !== null) readings.push({ atMs: instantOf(time, zone, `time in row ${index + 1}`), mgPerDl })
  }
  return new Map([...people].map(([id, readings]) => [id, glucoseTrace(readings)]))
}

function metricRows(id: string, trace: GlucoseTrace, zone: string): Record<string, Row[]> {
  const wallClock: WallClock = (atMs) => wallClockMs(atMs, zone)
  const grid = glucoseGrid(trace, wallClock)
  const single = {
    ...distribution(trace),
    ...indices(trace, wallClock),
    ...overTime(grid),
    ...period(trace, wallClock),
  }
  const rows = Object.entries(single).map(([name, row]): [string, Row[]] => [name, [{ id, ...row }]])
  return { ...Object.fromEntries(rows), episodes: episodeRows(id, grid) }
}

function distribution(trace: GlucoseTrace): Record<string, Row> {
  const { mgPerDl } = trace
  const centre = mean(mgPerDl)
  const sd = sampleSd(mgPerDl)
  const at = (share: number) => quantile(mgPerDl, share)
  const middle = median(mgPerDl)
  const away = middle === null ? null : median(mgPerDl.map((value) => Math.abs(value - middle)))
  const [low, high] = [at(0), at(1)]
  return {
    mean: { mean: centre },
    sd: { SD: sd },
    cv: { CV: sd === null || centre === null ? null : (100 * sd) / centre },
    gmi: { GMI: centre === null ? null : risk.gmi(centre) },
    ea1c: { eA1C: centre === null ? null : risk.estimatedA1c(centre) },
    median: { median: middle },
    iqr: { IQR: difference(at(0.75), at(0.25)) },
    mad: { MAD: away === null ? null : MAD_SCALE * away },
    range: { range: difference(high, low) },
    quantile: { '0': low, '25': at(0.25), '50': middle, '75': at(0.75), '100': high },
    in_range: {
      in_range_63_140: shareOf(trace, (v) => v >= 63 && v <= 140),
      in_range_70_140: shareOf(trace, (v) => v >= 70 && v <= 140),
      in_range_70_180: shareOf(trace, (v) => v >= 70 && v <= 180),
    },
    above: {
      above_140: shareOf(trace, (v) => v > 140),
      above_180: shareOf(trace, (v) => v > 180),
      above_250: shareOf(trace, (v) => v > 250),
    },
    below: { below_54: shareOf(trace, (v) => v < 54), below_70: shareOf(trace, (v) => v < 70) },
  }
}

function indices(trace: GlucoseTrace, wallClock: WallClock): Record<string, Row> {
  const { atMs, mgPerDl } = trace
  const centre = mean(mgPerDl)
  const sd = sampleSd(mgPerDl)
  const ranges = glucoseRanges(trace)
  const graded = risk.grade(mgPerDl)
  const [hyper, hypo] = [risk.hyperglycemiaIndex(mgPerDl), risk.hypoglycemiaIndex(mgPerDl)]
  return {
    lbgi: { LBGI: risk.lowIndex(mgPerDl) },
    hbgi: { HBGI: risk.highIndex(mgPerDl) },
    adrr: { ADRR: risk.averageDailyRiskRange(atMs, mgPerDl, wallClock) },
    j_index: { J_index: centre === null || sd === null ? null : risk.jIndex(centre, sd) },
    grade: { GRADE: graded?.score ?? null },
    grade_eugly: { GRADE_eugly: graded?.euglycemia ?? null },
    grade_hyper: { GRADE_hyper: graded?.hyperglycemia ?? null },
    grade_hypo: { GRADE_hypo: graded?.hypoglycemia ?? null },
    m_value: { M_value: risk.mValue(mgPerDl) },
    hyper_index: { hyper_index: hyper },
    hypo_index: { hypo_index: hypo },
    igc: { IGC: hyper === null || hypo === null ? null : hyper + hypo },
    gri: { GRI: ranges && glycemiaRiskIndex(ranges) },
    cogi: { COGI: ranges === null || sd === null ? null : cogi(ranges, sd) },
    mage_naive_sd1: { MAGE: risk.naiveExcursion(mgPerDl) },
  }
}

function overTime(grid: GlucoseGrid | null): Record<string, Row> {
  const of = (measure: (known: GlucoseGrid) => number | null) => grid && measure(grid)
  const spreads = grid && variability.sdMeasures(grid)
  const cv = grid && variability.cvMeasures(grid)
  const excursions = grid && mage(grid)
  return {
    conga_n24: { CONGA: of((g) => variability.conga(g, 24)) },
    conga_n1: { CONGA: of((g) => variability.conga(g, 1)) },
    modd_lag1: { MODD: of((g) => variability.modd(g)) },
    mag_default: { MAG: of((g) => variability.mag(g)) },
    mag_n60: { MAG: of((g) => variability.mag(g, 60)) },
    auc: { hourly_auc: of(variability.igluHourlyAuc) },
    gvp: { GVP: of(variability.glycemicVariabilityPercent) },
    sd_roc: { sd_roc: of(variability.sdOfRate) },
    sd_measures: {
      SDw: spreads?.withinDays ?? null,
      SDhhmm: spreads?.betweenTimesOfDay ?? null,
      SDwsh: spreads?.withinHours ?? null,
      SDdm: spreads?.betweenDailyMeans ?? null,
      SDb: spreads?.betweenDaysSameTime ?? null,
      SDbdm: spreads?.betweenDaysCorrected ?? null,
    },
    cv_measures: { CVmean: cv?.mean ?? null, CVsd: cv?.sd ?? null },
    mage_avg: { MAGE: excursions?.average ?? null },
    mage_plus: { MAGE: excursions?.plus ?? null },
    mage_minus: { MAGE: excursions?.minus ?? null },
    mage_service: { MAGE: excursions?.service ?? null },
    mage_max: { MAGE: excursions?.largest ?? null },
  }
}

function period(trace: GlucoseTrace, wallClock: WallClock): Record<string, Row> {
  const worn = wear(trace)
  if (worn === null)
    return { active_percent: { active_percent: null, ndays: null, start_date: null, end_date: null } }
  const wall = (atMs: number) => new Date(wallClock(atMs)).toISOString().slice(0, 19).replace('T', ' ')
  return {
    active_percent: {
      active_percent: worn.percent,
      ndays: Math.round(worn.days * 10) / 10,
      start_date: wall(worn.firstMs),
      end_date: wall(worn.lastMs),
    },
  }
}

/** iglu prints a mean duration of 0 where there was no episode. */
function episodeRows(id: string, grid: GlucoseGrid | null): Row[] {
  return (grid ? episodeSummaries(grid) : []).map((summary) => ({
    id,
    type: summary.kind,
    level: summary.level,
    avg_ep_per_day: summary.perDay,
    avg_ep_duration: summary.meanMinutes ?? 0,
    avg_ep_gl: summary.meanMgPerDl,
    total_episodes: summary.total,
  }))
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

/** `{interval_min, mgdl:[…]}`, evenly spaced, null for a missing reading: the consensus numbers of that day. */
function glucoseDay(file: unknown): Row {
  const input = recordOf(file, 'cgm')
  const intervalMin = numberOf(input['interval_min'], 'interval_min')
  const slots = numbersOf(input['mgdl'], 'mgdl')
  if (!(intervalMin > 0)) throw new HubError('VALIDATION_ERROR', 'interval_min must be more than 0.')
  const trace = glucoseTrace(slots.map((mgPerDl, index) => ({ atMs: index * intervalMin * 60_000, mgPerDl })))
  const { mgPerDl } = trace
  const centre = mean(mgPerDl)
  const sd = sampleSd(mgPerDl)
  const ranges = glucoseRanges(trace)
  return {
    n: mgPerDl.length,
    coverage_pct: (100 * mgPerDl.length) / Math.max(slots.length, 1440 / intervalMin),
    mean: centre,
    sd,
    cv_pct: sd === null || centre === null ? null : (100 * sd) / centre,
    gmi_pct: centre === null ? null : risk.gmi(centre),
    tbr54: ranges?.veryLow ?? null,
    tbr70: ranges?.low ?? null,
    tir: ranges?.inRange ?? null,
    titr: ranges?.tight ?? null,
    tar180: ranges?.high ?? null,
    tar250: ranges?.veryHigh ?? null,
    gri: ranges && glycemiaRiskIndex(ranges),
    lbgi: risk.lowIndex(mgPerDl),
    hbgi: risk.highIndex(mgPerDl),
  }
}
