import { entry } from '../entry.ts'
import { inUnitOf } from '../quantity.ts'
import type { SleepStage } from './record.ts'

/** Record types of Apple Health that are a metric of the hub, without their common prefix. */
const METRICS: Readonly<Record<string, string>> = {
  HeartRate: 'heart_rate',
  RestingHeartRate: 'resting_heart_rate',
  HeartRateVariabilitySDNN: 'hrv_sdnn',
  OxygenSaturation: 'spo2',
  RespiratoryRate: 'respiratory_rate',
  BodyTemperature: 'body_temp',
  BasalBodyTemperature: 'body_temp',
  AppleSleepingWristTemperature: 'skin_temp',
  BodyMass: 'weight',
  BodyMassIndex: 'bmi',
  Height: 'height',
  BloodGlucose: 'glucose',
  BloodPressureSystolic: 'bp_sys',
  BloodPressureDiastolic: 'bp_dia',
  StepCount: 'steps',
  DistanceWalkingRunning: 'distance',
  ActiveEnergyBurned: 'active_energy',
  WalkingSpeed: 'speed',
  RunningSpeed: 'speed',
  DietaryCarbohydrates: 'carbs',
  DietaryEnergyConsumed: 'energy_intake',
}
const QUANTITY = 'HKQuantityTypeIdentifier'

export function appleMetric(type: string): string | null {
  const name = type.startsWith(QUANTITY) ? type.slice(QUANTITY.length) : ''
  return entry(METRICS, name) ?? null
}

/** Records that also stand inside a meal or a blood pressure pair, and would count twice. */
export function mayRepeat(metric: string): boolean {
  return metric === 'carbs' || metric === 'energy_intake' || metric === 'bp_sys' || metric === 'bp_dia'
}

/** Saturation says `%` and means a share of one. */
export function appleValue(metric: string, number: number, unit: string | undefined): number | null {
  if (metric === 'spo2') return number <= 1 ? Number((number * 100).toFixed(6)) : number
  return inUnitOf(metric, number, unit)
}

const STAGES: Readonly<Record<string, SleepStage | 'in_bed'>> = {
  InBed: 'in_bed',
  Awake: 'awake',
  AsleepCore: 'light',
  AsleepDeep: 'deep',
  AsleepREM: 'rem',
  AsleepUnspecified: 'asleep',
  Asleep: 'asleep',
}
const SLEEP_VALUE = 'HKCategoryValueSleepAnalysis'

export function appleStage(value: string): SleepStage | 'in_bed' | null {
  const name = value.startsWith(SLEEP_VALUE) ? value.slice(SLEEP_VALUE.length) : ''
  return entry(STAGES, name) ?? null
}

/** What a record's metadata adds to its value. */
export function appleFact(key: string, value: string): Readonly<Record<string, string>> | null {
  if (key === 'HKMetadataKeyHeartRateMotionContext') {
    const context = value === '1' ? 'sedentary' : value === '2' ? 'active' : null
    return context === null ? null : { context }
  }
  if (key !== 'HKBloodGlucoseMealTime') return null
  const meal = value === '1' ? 'before' : value === '2' ? 'after' : null
  return meal === null ? null : { meal }
}
