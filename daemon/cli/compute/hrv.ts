/** `compute hrv`: heart rate variability of beat intervals, whole and in windows of five minutes. */
import { type Beats, type HrvGap, type HrvMetrics, hrv as measureHrv } from '../../../models/series/hrv.ts'
import { completeWindows, knownBeats, withoutArtefacts } from '../../../models/series/hrv-artefacts.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, InputFile } from './computation.ts'
import { numbersOf, readNumber, recordOf } from './reading.ts'

const WINDOW_MS = 300_000

/** A csv `rr_ms` gives `{full,windows_5min}`; a json `{rr_ms:[…]}` the short list of a resting measurement. `filter=on` takes artefacts out. */
export const hrv: Computation = async (file, set) => {
  const filter = set.text('filter', 'off')
  if (filter !== 'on' && filter !== 'off')
    throw new HubError('VALIDATION_ERROR', `filter is on or off, not "${filter}".`)
  const isJson = file.path.endsWith('.json')
  const intervals = knownBeats(isJson ? await jsonBeats(file) : await csvBeats(file))
  const cleaned = filter === 'on' ? withoutArtefacts(intervals) : null
  const beats = cleaned?.beats ?? intervals
  const answer = isJson
    ? rowOf(measureHrv(beats), RESTING_COLUMNS)
    : {
        full: rowOf(measureHrv(beats), COLUMNS),
        windows_5min: completeWindows(intervals, beats, WINDOW_MS).map((window) => ({
          window_5min: window.window,
          start_beat: window.firstBeat,
          ...rowOf(measureHrv(window.beats), COLUMNS),
        })),
      }
  return cleaned ? { ...answer, filter: { dropped: cleaned.dropped, given: cleaned.given } } : answer
}

async function jsonBeats(file: InputFile): Promise<Beats> {
  return Float64Array.from(numbersOf(recordOf(await file.json(), 'hrv')['rr_ms'], 'rr_ms'))
}

/** An empty line between beats is a beat that is missing, so that its neighbours are not compared. */
async function csvBeats(file: InputFile): Promise<Beats> {
  const [header = '', ...lines] = (await file.text()).trimEnd().split(/\r?\n/)
  const column = header.split(',').findIndex((name) => name.trim() === 'rr_ms')
  if (column < 0) throw new HubError('VALIDATION_ERROR', 'hrv reads the column rr_ms.')
  return Float64Array.from(lines, (line, index) => {
    const cell = (line.split(',')[column] ?? '').trim()
    return readNumber(cell, `rr_ms in row ${index + 1}`) ?? Number.NaN
  })
}

type Columns = Readonly<Record<string, (metrics: HrvMetrics) => number | null>>

/** The words of the reference library, which divides pNN50 by the differences; the other habit stands beside it. */
const COLUMNS: Columns = {
  mean_nn: (m) => m.meanNn,
  median_nn: (m) => m.medianNn,
  sdnn_ddof1: (m) => m.sdnn,
  sdnn_ddof0: (m) => m.sdnnPopulation,
  rmssd: (m) => m.rmssd,
  sdsd_ddof0: (m) => m.sdsdPopulation,
  sdsd_ddof1: (m) => m.sdsd,
  nn50: (m) => m.nn50,
  pnn50_over_diffs: (m) => (100 * m.nn50) / m.differences,
  pnn50_over_n: (m) => (100 * m.nn50) / m.n,
  nn20: (m) => m.nn20,
  pnn20_over_diffs: (m) => (100 * m.nn20) / m.differences,
  cvnn: (m) => m.sdnn / m.meanNn,
  cvsd: (m) => m.rmssd / m.meanNn,
  range_nn: (m) => m.maxNn - m.minNn,
  mean_hr: (m) => m.meanHr,
  min_hr: (m) => m.minHr,
  max_hr: (m) => m.maxHr,
  sd_hr_ddof0: (m) => m.sdHrPopulation,
  poincare_sd1: (m) => m.sd1,
  poincare_sd2: (m) => m.sd2,
  ln_rmssd: (m) => logOf(m.rmssd),
}

/** Of a resting measurement: the rate of the mean interval, not the mean of rates. */
const RESTING_COLUMNS: Columns = {
  mean_rr: (m) => m.meanNn,
  mean_hr: (m) => 60_000 / m.meanNn,
  sdnn: (m) => m.sdnn,
  rmssd: (m) => m.rmssd,
  ln_rmssd: (m) => logOf(m.rmssd),
  pnn50: (m) => (100 * m.nn50) / m.differences,
}

/** Every column, null with one `reason` where the beats say nothing. */
function rowOf(metrics: HrvMetrics | HrvGap, columns: Columns): Record<string, number | string | null> {
  const measured = 'reason' in metrics ? null : metrics
  const cells = Object.entries(columns).map(([name, of]) => [name, measured && of(measured)])
  return {
    n: metrics.n,
    ...Object.fromEntries(cells),
    ...('reason' in metrics ? { reason: metrics.reason } : {}),
  }
}

/** Beats that are all equal have no logarithm of their variability. */
function logOf(value: number): number | null {
  return value > 0 ? Math.log(value) : null
}
