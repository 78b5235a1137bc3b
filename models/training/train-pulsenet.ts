/**
 * Trains PulseNet and prints the tables of its card: node dist/models/training/train-pulsenet.js [FOLDER] [--unseen-kinds | --checks]
 * With --checks the net stays as it is, and only the odds and figures of the plain checks beside it are made anew.
 * About four minutes on one core. The same seeds give the same file; FOLDER (default: models) gets pulsenet.onnx and pulsenet.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scoreMinutes } from '../series/anomaly.ts'
import type { CheckPopulations } from '../series/anomaly-checks.ts'
import { contextRows, learnExpectations } from '../series/anomaly-expected.ts'
import type { VitalMinute } from '../series/anomaly-minute.ts'
import { hourlyHighest, type Population, populationOf } from '../series/anomaly-odds.ts'
import { type DenseNet, readDenseNet } from '../series/dense-net.ts'
import { discord, ewma, residual, rollingZ } from './anomaly-baselines.ts'
import { checkPopulations, loose, ringsOf, type Shipped, shippedLines } from './check-figures.ts'
import { exportDense } from './export-dense.ts'
import { type Figures, figuresOf } from './method-figures.ts'
import { fitPulseNet } from './pulsenet-fit.ts'
import { CALIBRATION_MINUTES, rowsOf } from './pulsenet-rows.ts'
import { createDraw } from './random.ts'
import { drawPerson, KINDS, type Kind, type MadePerson } from './vitals-events.ts'

export const PULSENET_VERSION = '1'
const SEED = 20_260
/** Seeds of the people of each set begin here; sets do not meet. */
const FIRST = { train: 1000, population: 500_000, checks: 600_000, calm: 700_000, test: 900_000 }
const PEOPLE = { train: 110, population: 200, checks: 400, calm: 300, test: 60 }
const FIT = { hidden: [32, 16], epochs: 8, batch: 256, rate: 3e-3 }
const LIMITS = [0.1, 0.25, 0.5]

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function people(set: keyof typeof PEOPLE, count: number, kinds?: readonly Kind[]): MadePerson[] {
  const { quietDays, days, eventsPerDay } = SETS[set]
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
const SETS = { train: TRAIN, population: CALM, checks: CALM, calm: CALM, test: TEST }

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

function inWords(figures: Figures | null | undefined): string {
  if (!figures) return '–'
  return `${figures.recall.toFixed(3)} (F1 ${figures.f1.toFixed(3)})`
}

function compare(title: string, shipped: Shipped, tested: readonly MadePerson[]): void {
  const methods = {
    PulseNet: (minutes: readonly VitalMinute[]) => scoresOf(shipped.net, minutes),
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
  say('\nAs shipped (the net at p ≤ 1/240, each check at p ≤ 1/1440):')
  for (const line of shippedLines(shipped, tested)) say(line)
}

/** Each check alone: what it finds of its kind, and how often it rings for nothing. */
function compareChecks(shipped: Shipped): void {
  for (const kind of ['sensor_frozen', 'desaturation'] as const) {
    say(`\n${kind} only, 60 people of the test:`)
    for (const line of shippedLines(shipped, people('test', PEOPLE.test, [kind]))) say(line)
  }
  const calm = people('calm', PEOPLE.calm)
  say(`\n${calm.length} ordinary people, ${calm.length * 5} days:`)
  for (const line of shippedLines(shipped, calm)) say(line)
  say('\nThe same with a loose watch: eight times a day oxygen is far too low for a minute or two:')
  for (const line of shippedLines(
    shipped,
    calm.map((person, at) => loose(person, at)),
  ))
    say(line)
}

function* ordinary(set: 'checks', count: number) {
  for (let at = 0; at < count; at += 1)
    yield drawPerson({ ...SETS[set], isPlain: at % 3 === 0 }, createDraw(FIRST[set] + at)).minutes
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

/** The net alone, and with the checks as shipped: whatever they ring for counts, rightly or wrongly. */
function unseenKinds(shipped: Shipped): void {
  say(
    '\nKinds that the training left out:\n\n| kind | with it | without it | without it, with checks | residual |\n| --- | --- | --- | --- | --- |',
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
    const cells = [
      (minutes: readonly VitalMinute[]) => scoresOf(whole, minutes),
      (minutes: readonly VitalMinute[]) => scoresOf(net, minutes),
      (minutes: readonly VitalMinute[]) => {
        const { repeats, low_oxygen: oxygen } = ringsOf(shipped, minutes)
        return scoresOf(net, minutes).map((score, t) => (repeats[t] || oxygen[t] ? SURE : score))
      },
      residual,
    ].map((method) => figuresOf(kind, tested, method, [0.25]).atMost.get(0.25)?.recall.toFixed(2) ?? '–')
    say(`| ${kind} | ${cells.join(' | ')} |`)
  }
}
/** Above every score of a net. */
const SURE = 99

function write(folder: string, population: Population, checks: CheckPopulations): void {
  const text = JSON.stringify({ version: PULSENET_VERSION, population, checks })
  writeFileSync(join(folder, 'pulsenet.json'), `${text}\n`)
}

function main(): void {
  const [folder = 'models', ...flags] = process.argv.slice(2)
  const isKept = flags.length > 0
  const read = (name: string) => readFileSync(join(folder, name))
  const file = isKept ? read('pulsenet.onnx') : train(KINDS, PEOPLE.train, FIT.epochs)
  const net = readDenseNet(file)
  const population = isKept
    ? (JSON.parse(read('pulsenet.json').toString()) as { population: Population }).population
    : calm(net)
  const checks = checkPopulations(ordinary('checks', PEOPLE.checks))
  const shipped = { net, population, checks }
  if (flags.includes('--unseen-kinds')) {
    unseenKinds(shipped)
    return
  }
  if (!isKept) writeFileSync(join(folder, 'pulsenet.onnx'), file)
  write(folder, population, checks)
  compareChecks(shipped)
  compare('People of the generator', shipped, people('test', PEOPLE.test))
  const samples = process.env['HOMEFIELD_SAMPLES']
  if (samples)
    compare('Sample people', shipped, samplePeople(join(samples, 'timeseries/committable/vitals_anomaly')))
}

main()
