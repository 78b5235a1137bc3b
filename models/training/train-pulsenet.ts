/**
 * Trains PulseNet and prints the tables of its card: node dist/models/training/train-pulsenet.js [FOLDER] [--unseen-kinds]
 * About four minutes on one core. The same seeds give the same file; FOLDER (default: models) gets pulsenet.onnx and pulsenet.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALARM_P, calibrateAnomaly, createAnomaly, scoreMinutes } from '../series/anomaly.ts'
import { contextRows, learnExpectations } from '../series/anomaly-expected.ts'
import type { VitalMinute } from '../series/anomaly-minute.ts'
import { hourlyHighest, type Population, populationOf } from '../series/anomaly-odds.ts'
import { type DenseNet, readDenseNet } from '../series/dense-net.ts'
import { discord, ewma, residual, rollingZ } from './anomaly-baselines.ts'
import { exportDense } from './export-dense.ts'
import { type Figures, figuresAt, figuresOf } from './method-figures.ts'
import { fitPulseNet } from './pulsenet-fit.ts'
import { CALIBRATION_MINUTES, rowsOf } from './pulsenet-rows.ts'
import { createDraw } from './random.ts'
import { drawPerson, KINDS, type Kind, type MadePerson } from './vitals-events.ts'

export const PULSENET_VERSION = '1'
const SEED = 20_260
/** Seeds of the people of each set begin here; sets do not meet. */
const FIRST = { train: 1000, population: 500_000, test: 900_000 }
const PEOPLE = { train: 110, population: 200, test: 60 }
const FIT = { hidden: [32, 16], epochs: 8, batch: 256, rate: 3e-3 }
const LIMITS = [0.1, 0.25, 0.5]

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function people(set: keyof typeof PEOPLE, count: number, kinds?: readonly Kind[]): MadePerson[] {
  const { quietDays, days, eventsPerDay } = { train: TRAIN, population: CALM, test: TEST }[set]
  return Array.from({ length: count }, (_, at) =>
    drawPerson(
      { quietDays, days, eventsPerDay, isPlain: at % 3 === 0, ...(kinds && { kinds }) },
      createDraw(FIRST[set] + at),
    ),
  )
}
const TRAIN = { days: 9, quietDays: 3, eventsPerDay: 2.6 }
const CALM = { days: 8, quietDays: 8, eventsPerDay: 0 }
const TEST = { days: 8, quietDays: 3, eventsPerDay: 1.4 }

function train(kinds: readonly Kind[], count: number, epochs: number): Uint8Array {
  const rows = people('train', count, kinds).map(rowsOf)
  const told = (epoch: number, loss: number) => say(`epoch ${epoch + 1}: loss ${loss.toFixed(5)}`)
  const layers = fitPulseNet(rows, { ...FIT, epochs, told }, createDraw(SEED))
  return exportDense(layers, { name: 'pulsenet', rows: 1 })
}

/** Scores by what the first three days of the person taught. */
function scoresOf(net: DenseNet, minutes: readonly VitalMinute[]): Float64Array {
  const early = minutes.slice(0, CALIBRATION_MINUTES)
  const expectations = learnExpectations(early, contextRows(early))
  return scoreMinutes(net, expectations, minutes).map((score) => (Number.isNaN(score) ? -99 : score))
}

function calm(net: DenseNet): Population {
  return populationOf(
    people('population', PEOPLE.population).flatMap(({ minutes }) =>
      hourlyHighest(scoresOf(net, minutes).subarray(CALIBRATION_MINUTES)),
    ),
  )
}

/** 1 in a minute that the hub would ring for, 0 otherwise. */
function rings(net: DenseNet, population: Population, minutes: readonly VitalMinute[]): Float64Array {
  const profile = calibrateAnomaly(net, minutes.slice(0, CALIBRATION_MINUTES))
  const anomaly = createAnomaly({ net, population, profile })
  return Float64Array.from(minutes, (minute) => (anomaly.step(minute).p <= ALARM_P ? 1 : 0))
}

function inWords(figures: Figures | null | undefined): string {
  if (!figures) return '–'
  return `${figures.recall.toFixed(3)} (F1 ${figures.f1.toFixed(3)})`
}

function compare(title: string, net: DenseNet, population: Population, tested: readonly MadePerson[]): void {
  const methods = {
    PulseNet: (minutes: readonly VitalMinute[]) => scoresOf(net, minutes),
    'residual on steps and time of day, unsteadiness, freeze': residual,
    'matrix-profile discord, 30 min': discord,
    'EWMA of heart rate and HRV': ewma,
    'rolling 24-h z-score of heart rate': rollingZ,
  }
  const events = tested.reduce((sum, one) => sum + one.events.length, 0)
  say(`\n${title}: ${tested.length} people, ${events} events\n`)
  say(`| method | best F1 (false alarms a day) | ${LIMITS.map((one) => `recall at ≤ ${one}`).join(' | ')} |`)
  say(`| --- | --- | ${LIMITS.map(() => '---').join(' | ')} |`)
  for (const [name, method] of Object.entries(methods)) {
    const { best, atMost } = figuresOf(name, tested, method, LIMITS)
    const cells = LIMITS.map((limit) => inWords(atMost.get(limit))).join(' | ')
    say(`| ${name} | ${best.f1.toFixed(3)} (${best.falseAlarms.toFixed(2)}) | ${cells} |`)
  }
  const ringing = tested.map(({ minutes }) => rings(net, population, minutes))
  const asShipped = figuresAt(tested, ringing, 1)
  const kinds = Object.entries(asShipped.byKind).map(
    ([kind, { hit, events: all }]) => `${kind} ${hit}/${all}`,
  )
  say(
    `\nAs shipped (p ≤ 1/240): recall ${asShipped.recall.toFixed(3)}, F1 ${asShipped.f1.toFixed(3)}, ` +
      `${asShipped.falseAlarms.toFixed(3)} false alarms per person and day. ${kinds.join(', ')}`,
  )
}

/** The sample people, when their folder is given: minutes and labels that no part of the training has seen. */
function samplePeople(folder: string): MadePerson[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as {
    persons: { file: string; events: MadePerson['events'] }[]
  }
  return labels.persons.map(({ file, events }) => {
    const [, ...lines] = readFileSync(join(folder, file), 'utf8').trim().split('\n')
    const minutes = lines.map((line) => {
      const [minute, hr, hrv, steps] = line.split(',').map((cell) => (cell === '' ? null : Number(cell)))
      return {
        minuteOfDay: (minute ?? 0) % 1440,
        hr: hr ?? null,
        hrv: hrv ?? null,
        steps: steps ?? null,
        spo2: null,
        temp: null,
      }
    })
    return { minutes, events }
  })
}

function unseenKinds(): void {
  say(
    '\nKinds that the training left out:\n\n| kind | recall at ≤ 0.25 with it | without it | residual |\n| --- | --- | --- | --- |',
  )
  const whole = readDenseNet(train(KINDS, 40, 4))
  for (const kind of KINDS.filter((one) => one !== 'other')) {
    const tested = people('test', 30, [kind]).filter(({ events }) => events.length > 0)
    const net = readDenseNet(
      train(
        KINDS.filter((other) => other !== kind),
        40,
        4,
      ),
    )
    const [withIt, without, plain] = [
      (minutes: readonly VitalMinute[]) => scoresOf(whole, minutes),
      (minutes: readonly VitalMinute[]) => scoresOf(net, minutes),
      residual,
    ].map((method) => figuresOf(kind, tested, method, [0.25]).atMost.get(0.25)?.recall.toFixed(2) ?? '–')
    say(`| ${kind} | ${withIt} | ${without} | ${plain} |`)
  }
}

function main(): void {
  const [folder = 'models', ...flags] = process.argv.slice(2)
  if (flags.includes('--unseen-kinds')) {
    unseenKinds()
    return
  }
  const file = train(KINDS, PEOPLE.train, FIT.epochs)
  const net = readDenseNet(file)
  const population = calm(net)
  writeFileSync(join(folder, 'pulsenet.onnx'), file)
  writeFileSync(
    join(folder, 'pulsenet.json'),
    `${JSON.stringify({ version: PULSENET_VERSION, population })}\n`,
  )
  compare('People of the generator', net, population, people('test', PEOPLE.test))
  const samples = process.env['HOMEFIELD_SAMPLES']
  if (samples)
    compare(
      'Sample people',
      net,
      population,
      samplePeople(join(samples, 'timeseries/committable/vitals_anomaly')),
    )
}

main()
