/**
 * Trains the forecaster and prints the tables of its card: node dist/models/training/train-forecaster.js [FOLDER] [--blind]
 * A few minutes on one core; the same seeds give the same file. FOLDER (default: models) gets forecaster.onnx and forecaster.json.
 * With --figures only the tables are printed, of the file that is there. With --blind the net may not look at what calendars know of the days to come, which shows what that is worth; nothing is written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DenseNet, readDenseNet } from '../series/dense-net.ts'
import { DAY_HOURS, type DayFacts, type HourlySeries, type Subject } from '../series/forecast-days.ts'
import { HORIZON } from '../series/forecast-evidence.ts'
import { exportDense } from './export-dense.ts'
import { drawChild } from './forecast-child.ts'
import { type Case, forecastFigures } from './forecast-figures.ts'
import { fitForecaster, forecastRows } from './forecast-fit.ts'
import { createDraw } from './random.ts'

export const FORECASTER_VERSION = '1'
const SEED = 20_261
const FIRST = { train: 3_000_000, test: 4_000_000 }
const CHILDREN = { train: 150, test: 40 }
const FIT = { hidden: [48, 32], epochs: 8, batch: 128, rate: 2e-3 }
const ORIGIN_HOUR = 18
const ORIGINS = 13
/** Places of what calendars say: school and events of the day, of the one before and of the one after. */
const CALENDAR_PLACES = 13

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function train(isBlind: boolean): Uint8Array {
  const hide = (evidence: Float64Array) => void (isBlind && evidence.fill(0, 1, CALENDAR_PLACES))
  const rows = Array.from({ length: CHILDREN.train }, (_, at) => {
    const draw = createDraw(FIRST.train + at)
    return forecastRows(drawChild(draw), draw, hide)
  })
  const told = (epoch: number, loss: number) => say(`epoch ${epoch + 1}: loss ${loss.toFixed(5)}`)
  return exportDense(fitForecaster(rows, { ...FIT, told }, createDraw(SEED)), {
    name: 'forecaster',
    rows: HORIZON,
  })
}

/** Children of the generator: forecasts at 18:00 of the last 14 days. */
function madeCases(): Case[] {
  return Array.from({ length: CHILDREN.test }, (_, at) => drawChild(createDraw(FIRST.test + at))).flatMap(
    (child) =>
      (['level', 'sleep'] as const).map((kind) => {
        const series = kind === 'level' ? child.stress : child.sleep
        return {
          target: kind === 'level' ? 'stress' : 'sleep',
          series,
          subject: child.subjectOf(kind),
          origins: lastOrigins(series),
        }
      }),
  )
}

function lastOrigins({ firstHour, values }: HourlySeries): number[] {
  const end = firstHour + values.length
  return Array.from({ length: ORIGINS }, (_, k) => end - (ORIGINS + 1 - k) * DAY_HOURS + ORIGIN_HOUR)
}

/** The sample children, when their folder is given: hours that no part of the training has seen. */
function sampleCases(folder: string): Case[] {
  const [head = '', ...lines] = readFileSync(join(folder, 'hourly.csv'), 'utf8').trim().split('\n')
  const place = Object.fromEntries(head.split(',').map((name, at) => [name, at]))
  const cell = (row: readonly string[], name: string) => row[place[name] ?? -1] ?? ''
  const children = new Map<string, string[][]>()
  for (const line of lines) {
    const row = line.split(',')
    const name = cell(row, 'child_id')
    const rows = children.get(name) ?? []
    children.set(name, rows)
    rows.push(row)
  }
  return [...children.values()].flatMap((rows) => {
    const firstHour = Date.parse(`${cell(rows[0] ?? [], 'ts_local')}Z`) / 3_600_000
    const calendar = new Map<number, DayFacts>()
    rows.forEach((row, at) => {
      const facts = { isSchoolDay: cell(row, 'school_day') === '1', event: Number(cell(row, 'school_event')) }
      calendar.set(Math.floor((firstHour + at) / DAY_HOURS), facts)
    })
    const days = (day: number) => calendar.get(day) ?? { isSchoolDay: true, event: 0 }
    return (['stress', 'sleep_min'] as const).map((target) => {
      const series = { firstHour, values: Float64Array.from(rows, (row) => Number(cell(row, target))) }
      const subject: Subject = { kind: target === 'stress' ? 'level' : 'sleep', days, ageYears: null }
      return {
        target: target === 'stress' ? 'stress' : 'sleep',
        series,
        subject,
        origins: lastOrigins(series),
      }
    })
  })
}

function report(title: string, net: DenseNet, cases: readonly Case[]): void {
  say(`\n${title}\n`)
  say(
    '| target | method | MASE | WQL | inside 80 % | pinball loss against seasonal naive |\n| --- | --- | --- | --- | --- | --- |',
  )
  for (const target of ['stress', 'sleep']) {
    const figures = forecastFigures(
      net,
      cases.filter((one) => one.target === target),
    )
    const naive = figures.find(({ name }) => name === 'seasonal naive, 24 h')?.wql ?? 1
    for (const { name, mase, wql, inside } of figures)
      say(
        `| ${target} | ${name} | ${mase.toFixed(3)} | ${wql.toFixed(4)} | ${inside.toFixed(2)} | ${(wql / naive).toFixed(2)} |`,
      )
  }
}

function main(): void {
  const [folder = 'models', ...flags] = process.argv.slice(2)
  const isBlind = flags.includes('--blind')
  const file = flags.includes('--figures') ? readFileSync(join(folder, 'forecaster.onnx')) : train(isBlind)
  const net = readDenseNet(file)
  if (!isBlind) {
    writeFileSync(join(folder, 'forecaster.onnx'), file)
    writeFileSync(join(folder, 'forecaster.json'), `${JSON.stringify({ version: FORECASTER_VERSION })}\n`)
  }
  // A blind net was taught with zeros there; it has to be asked with zeros as well.
  const asked: DenseNet = isBlind
    ? {
        ...net,
        run: (row) =>
          net.run(Float64Array.from(row, (value, at) => (at > 0 && at < CALENDAR_PLACES ? 0 : value))),
      }
    : net
  report(`Children of the generator: ${CHILDREN.test}, ${ORIGINS} forecasts each`, asked, madeCases())
  const samples = process.env['HOMEFIELD_SAMPLES']
  if (samples) report('Sample children', asked, sampleCases(join(samples, 'timeseries/committable/forecast')))
}

main()
