import { entry } from '../entry.ts'
import { inUnitOf, unitOf } from '../quantity.ts'
import { appleFact, appleMetric, appleStage, appleValue, mayRepeat } from './apple-types.ts'
import { createMemory } from './memory.ts'
import { groupNights, type SleepStretch } from './nights.ts'
import {
  type Emit,
  type ImportedActivity,
  type ImportedSample,
  present,
  type Reading,
  skipped,
  unreadable,
} from './record.ts'
import { createTally } from './tally.ts'
import { numberFrom, parseTold, snake } from './when.ts'
import { createXmlEvents } from './xml-events.ts'

type Attributes = Readonly<Record<string, string>>

interface OpenRecord {
  attributes: Attributes
  facts: Record<string, unknown>
}

interface OpenWorkout {
  attributes: Attributes
  statistics: Attributes[]
}

interface OpenMeal {
  attributes: Attributes
  food: boolean
  name: string | null
  amounts: Map<string, number>
}

const SLEEP = 'HKCategoryTypeIdentifierSleepAnalysis'
const FOOD = 'HKCorrelationTypeIdentifierFood'
const WORKOUT = 'HKWorkoutActivityType'
const MAX_STRETCHES = 500_000
const MAX_STATISTICS = 64
/** Repeats of a meal's records stand close to it or a whole type away; older ones leave first. */
const MAX_REMEMBERED = 200_000

/**
 * Apple Health's export.xml as it streams by. Only sleep is kept until the end, because a night comes in pieces from
 * several sources; a record that repeats one inside a meal or a blood pressure pair is one record.
 */
export function readAppleHealth(emit: Emit): Reading {
  const tally = createTally()
  const stretches: SleepStretch[] = []
  const seen = createMemory(MAX_REMEMBERED)
  let record: OpenRecord | null = null
  let workout: OpenWorkout | null = null
  let meal: OpenMeal | null = null

  const repeats = (sample: ImportedSample, type: string): boolean => {
    if (!mayRepeat(sample.metric)) return false
    const key = `${type} ${sample.atMs} ${sample.endMs ?? ''} ${String(sample.value)} ${sample.sourceName ?? ''}`
    return seen.knows(key)
  }
  const takeSleep = (attributes: Attributes) => {
    const stage = appleStage(attributes['value'] ?? '')
    const [start, end] = [parseTold(attributes['startDate']), parseTold(attributes['endDate'])]
    if (stage === null || !start || !end || end.atMs < start.atMs)
      return tally.add(SLEEP, 'a stage or times that are none')
    if (stretches.length >= MAX_STRETCHES) return tally.add(SLEEP, `more than ${MAX_STRETCHES} stretches`)
    stretches.push({
      stage,
      startMs: start.atMs,
      endMs: end.atMs,
      sourceName: attributes['sourceName'] ?? '',
      endDay: end.day,
    })
  }
  const takeRecord = ({ attributes, facts }: OpenRecord) => {
    const type = attributes['type'] ?? ''
    if (type === SLEEP) return takeSleep(attributes)
    const sample = sampleOf(attributes, facts)
    if (typeof sample === 'string') return tally.add(type, sample)
    if (meal) meal.amounts.set(sample.metric, Number(sample.value))
    if (repeats(sample, type)) tally.add(type, 'repeated outside of its meal or pair')
    else emit(sample)
  }
  const xml = createXmlEvents({
    open(name, attributes) {
      if (name === 'Record') record = { attributes, facts: {} }
      else if (name === 'MetadataEntry') {
        const [key = '', value = ''] = [attributes['key'], attributes['value']]
        if (record) Object.assign(record.facts, appleFact(key, value))
        else if (meal && key === 'HKFoodType') meal.name = value.slice(0, 256)
      } else if (name === 'Correlation')
        meal = { attributes, food: attributes['type'] === FOOD, name: null, amounts: new Map() }
      else if (name === 'Workout') workout = { attributes, statistics: [] }
      else if (name === 'WorkoutStatistics' && workout && workout.statistics.length < MAX_STATISTICS)
        workout.statistics.push(attributes)
      else if (name === 'Me') emit({ kind: 'finding', name: 'profile', value: profileOf(attributes) })
      else if (name === 'ClinicalRecord' || name === 'Audiogram' || name === 'VisionPrescription')
        tally.add(name, 'not kept')
    },
    close(name) {
      if (name === 'Record' && record) {
        takeRecord(record)
        record = null
      } else if (name === 'Correlation' && meal) {
        const event = meal.food ? mealOf(meal) : null
        if (event) emit(event)
        else if (meal.food) tally.add(FOOD, 'startDate is no time')
        meal = null
      } else if (name === 'Workout' && workout) {
        const activity = activityOf(workout)
        if (activity) emit(activity)
        else tally.add('Workout', 'no start and end')
        workout = null
      }
    },
    onBroken: (where, reason) => emit(unreadable(where, reason)),
  })
  return {
    push: xml.push,
    end() {
      xml.end()
      const { nights, dropped } = groupNights(stretches)
      for (const night of nights) emit(night)
      if (dropped > 0)
        emit({ ...skipped(SLEEP, 'another source told the same night in more detail'), count: dropped })
      tally.report(emit)
    },
  }
}

function sampleOf(attributes: Attributes, facts: Record<string, unknown>): ImportedSample | string {
  const metric = appleMetric(attributes['type'] ?? '')
  if (metric === null) return 'type not kept'
  const start = parseTold(attributes['startDate'])
  const end = attributes['endDate'] === attributes['startDate'] ? start : parseTold(attributes['endDate'])
  if (!start) return 'startDate is no time'
  const number = numberFrom(attributes['value'])
  if (number === null) return 'value is no number'
  const value = appleValue(metric, number, attributes['unit'])
  if (value === null) return `the unit ${(attributes['unit'] ?? '').slice(0, 40)} is not one for ${metric}`
  return {
    kind: 'sample',
    metric,
    value,
    unit: unitOf(metric) ?? '',
    atMs: start.atMs,
    ...(end && end.atMs > start.atMs ? { endMs: end.atMs } : {}),
    ...(attributes['sourceName'] ? { sourceName: attributes['sourceName'] } : {}),
    ...(hasAny(facts) ? { facts } : {}),
  }
}

function hasAny(facts: Readonly<Record<string, unknown>>): boolean {
  for (const _ in facts) return true
  return false
}

function mealOf({ attributes, name, amounts }: OpenMeal) {
  const start = parseTold(attributes['startDate'])
  if (!start) return null
  const facts = present({ name, carbs_g: amounts.get('carbs'), energy_kcal: amounts.get('energy_intake') })
  return { kind: 'event', event: 'meal', atMs: start.atMs, facts } as const
}

/** New exports have statistics per workout, old ones totals as attributes. */
function activityOf({ attributes, statistics }: OpenWorkout): ImportedActivity | null {
  const [start, end] = [parseTold(attributes['startDate']), parseTold(attributes['endDate'])]
  if (!start || !end || end.atMs < start.atMs) return null
  const of = (metric: string) => statistics.find(({ type }) => appleMetric(type ?? '') === metric)
  const sum = (metric: string, total: string) => {
    const found = of(metric)
    return found
      ? amountOf(metric, found['sum'], found['unit'])
      : amountOf(metric, attributes[total], attributes[`${total}Unit`])
  }
  const rate = of('heart_rate')
  return {
    kind: 'activity',
    type: snake((attributes['workoutActivityType'] ?? 'other').replace(WORKOUT, '')),
    startMs: start.atMs,
    endMs: end.atMs,
    durationS: durationOf(attributes) ?? (end.atMs - start.atMs) / 1000,
    ...present({
      distanceM: sum('distance', 'totalDistance'),
      energyKcal: sum('active_energy', 'totalEnergyBurned'),
      hrAvg: amountOf('heart_rate', rate?.['average'], rate?.['unit']),
      hrMax: amountOf('heart_rate', rate?.['maximum'], rate?.['unit']),
      sourceName: attributes['sourceName'] || null,
    }),
  }
}

/** Time in motion, without pauses. */
function durationOf(attributes: Attributes): number | null {
  const number = numberFrom(attributes['duration'])
  const factor = entry({ min: 60, s: 1, hr: 3600 }, attributes['durationUnit'] ?? 'min')
  return number === null || factor === undefined ? null : Number((number * factor).toFixed(3))
}

function amountOf(metric: string, value: string | undefined, unit: string | undefined): number | null {
  const number = numberFrom(value)
  return number === null ? null : inUnitOf(metric, number, unit)
}

function profileOf(attributes: Attributes): object {
  const born = attributes['HKCharacteristicTypeIdentifierDateOfBirth'] ?? ''
  const sex = (attributes['HKCharacteristicTypeIdentifierBiologicalSex'] ?? '').replace('HKBiologicalSex', '')
  return present({
    birth_date: /^\d{4}-\d{2}-\d{2}$/.test(born) ? born : null,
    sex: sex === '' || sex === 'NotSet' ? null : sex.toLowerCase(),
  })
}
