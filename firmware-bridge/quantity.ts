import { entry } from './entry.ts'
import { KCAL_PER_KJ, KG_PER_LB, MG_PER_DL_PER_MMOL_PER_L, tidy } from './gatt/number.ts'

/** What a decoder hands over per metric: one unit each, whatever the source wrote. */
const UNIT_OF: Readonly<Record<string, string>> = {
  heart_rate: 'bpm',
  pulse_rate: 'bpm',
  resting_heart_rate: 'bpm',
  hrv_rmssd: 'ms',
  hrv_sdnn: 'ms',
  rr_intervals: 'ms',
  rr_interval: 'ms',
  spo2: '%',
  respiratory_rate: '1/min',
  skin_temp: 'degC',
  body_temp: 'degC',
  ambient_temp: 'degC',
  humidity: '%',
  battery: '%',
  steps: 'count',
  steps_counter: 'count',
  active_energy: 'kcal',
  energy_total: 'kcal',
  energy_intake: 'kcal',
  distance: 'm',
  speed: 'm/s',
  cadence: '1/min',
  glucose: 'mg/dL',
  glucose_strip: 'mg/dL',
  glucose_calibration: 'mg/dL',
  ketone: 'mmol/L',
  carbs: 'g',
  weight: 'kg',
  height: 'm',
  bmi: 'kg/m2',
  bp_sys: 'mmHg',
  bp_dia: 'mmHg',
  mood: '1',
  stress: '1',
  sleep_state: 'state',
  activity_state: 'state',
}

type Convert = (value: number) => number
const times =
  (factor: number): Convert =>
  (value) =>
    value * factor
const same: Convert = (value) => value
const fromFahrenheit: Convert = (value) => (value - 32) / 1.8

/** Per canonical unit the other spellings met in files and on topics. Keys are lower case without spaces. */
const SPELLINGS: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  bpm: { 'count/min': same, '1/min': same, '/min': same, 'beats/min': same },
  ms: { s: times(1000) },
  '%': { percent: same },
  '1/min': {
    'count/min': same,
    'breaths/min': same,
    brpm: same,
    rpm: same,
    bpm: same,
    spm: same,
    '/min': same,
  },
  degC: {
    degc: same,
    c: same,
    '°c': same,
    degf: fromFahrenheit,
    f: fromFahrenheit,
    '°f': fromFahrenheit,
    k: (value) => value - 273.15,
  },
  count: { steps: same, step: same, '': same },
  kcal: { cal: same, kj: times(KCAL_PER_KJ), j: times(KCAL_PER_KJ / 1000) },
  m: {
    km: times(1000),
    cm: times(0.01),
    mm: times(0.001),
    mi: times(1609.344),
    ft: times(0.3048),
    in: times(0.0254),
    yd: times(0.9144),
  },
  'm/s': { 'km/h': times(1 / 3.6), 'km/hr': times(1 / 3.6), mph: times(0.44704), 'mi/hr': times(0.44704) },
  'mg/dL': { 'mg/dl': same, 'mmol/l': times(MG_PER_DL_PER_MMOL_PER_L) },
  'mmol/L': { 'mmol/l': same },
  g: { mg: times(0.001), kg: times(1000), oz: times(28.349523125) },
  kg: {
    g: times(0.001),
    lb: times(KG_PER_LB),
    lbs: times(KG_PER_LB),
    st: times(14 * KG_PER_LB),
    oz: times(0.028349523125),
  },
  'kg/m2': { 'kg/m²': same, count: same },
  mmHg: { mmhg: same, kpa: times(7.500617) },
}
/** Apple writes the molar mass of glucose into its unit: `mmol<180.1558800000541>/L`. */
const MOLAR_MASS = /<[\d.]+>/

/** The unit in which every decoder here gives a metric; undefined for a metric that none gives. */
export function unitOf(metric: string): string | undefined {
  return entry(UNIT_OF, metric)
}

/** The value in the metric's own unit; null when the source's unit is not one for this metric. No unit means the own one. */
export function inUnitOf(metric: string, value: number, unit: string | undefined): number | null {
  const own = unitOf(metric)
  if (own === undefined || !Number.isFinite(value)) return null
  if (unit === undefined || unit === own) return value
  const word = unit.replace(MOLAR_MASS, '').replace(/\s/g, '').toLowerCase()
  if (word === own.toLowerCase()) return value
  const spellings = SPELLINGS[own]
  const convert = spellings && entry(spellings, word)
  return convert ? tidy(convert(value)) : null
}
