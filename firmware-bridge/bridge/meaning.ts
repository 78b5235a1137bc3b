import { entry } from '../entry.ts'
import { unitOf } from '../quantity.ts'
import type { DeviceSettings } from './answer.ts'

/** What a device says about one of its values. */
export interface Described {
  /** Unique id, object id, name: the most exact first. */
  names: readonly string[]
  deviceClass: string | null
  unit: string | null
}

/** Temperature in a house is the room's unless its name or the owner says otherwise: a fever must not be invented. */
const CLASS_METRIC: Readonly<Record<string, string>> = {
  temperature: 'ambient_temp',
  humidity: 'humidity',
  battery: 'battery',
  weight: 'weight',
  blood_glucose_concentration: 'glucose',
}
const IGNORE = 'ignore'

interface Word {
  pattern: RegExp
  metric: string
  /** Units that such a value has; a value in another unit is something else. */
  units: RegExp
}

const TEMPERATURE = /^(?:°c|°f|degc|degf|c|f|k)$/
const RATE = /^(?:bpm|1\/min|\/min|beats\/min|)$/
/** The most telling words first. */
const WORDS: readonly Word[] = [
  { pattern: /\b(?:hrv|rmssd)\b/, metric: 'hrv_rmssd', units: /^(?:ms|s)$/ },
  { pattern: /\bsdnn\b/, metric: 'hrv_sdnn', units: /^(?:ms|s)$/ },
  { pattern: /\bresting\b.*\b(?:hr|heart|pulse)\b|\brhr\b/, metric: 'resting_heart_rate', units: RATE },
  { pattern: /\b(?:hr|heart|heartrate|bpm|pulse)\b/, metric: 'heart_rate', units: RATE },
  { pattern: /\b(?:spo2|sp o2|oxygen|oximeter)\b/, metric: 'spo2', units: /^(?:%|)$/ },
  { pattern: /\b(?:steps?|stepcount|pedometer)\b/, metric: 'steps_counter', units: /^(?:steps|count|)$/ },
  {
    pattern: /\b(?:resp|respiration|respiratory|breathing|breath)\b/,
    metric: 'respiratory_rate',
    units: /min|rpm|bpm|^$/,
  },
  { pattern: /\b(?:glucose|cgm|bg|sgv)\b/, metric: 'glucose', units: /^(?:mg\/dl|mmol\/l)$/ },
  { pattern: /\b(?:skin|wrist)\b/, metric: 'skin_temp', units: TEMPERATURE },
  { pattern: /\b(?:body|fever)\b/, metric: 'body_temp', units: TEMPERATURE },
  { pattern: /\b(?:systolic|sys)\b/, metric: 'bp_sys', units: /^(?:mmhg|kpa)$/ },
  { pattern: /\b(?:diastolic|dia)\b/, metric: 'bp_dia', units: /^(?:mmhg|kpa)$/ },
  { pattern: /\bweight\b/, metric: 'weight', units: /^(?:kg|g|lbs?|st)$/ },
  { pattern: /\b(?:battery|batt|bat)\b/, metric: 'battery', units: /^%$/ },
]
const UNIT_METRIC: Readonly<Record<string, string>> = {
  bpm: 'heart_rate',
  steps: 'steps_counter',
  'mg/dl': 'glucose',
}

/** The metric that a value is, or null when nobody can tell. What the owner settled comes first. */
export function metricOf(described: Described, settings: DeviceSettings | undefined): string | null {
  const settled = ownersWord(described, settings)
  if (settled !== undefined) return settled === IGNORE ? null : settled
  const unit = (described.unit ?? '').replace(/\s/g, '').toLowerCase()
  const words = described.names.map(asWords).join(' ')
  const spoken = WORDS.find(({ pattern, units }) => pattern.test(words) && units.test(unit))?.metric
  const byClass = entry(CLASS_METRIC, described.deviceClass ?? '')
  // A class is exact, but the only temperature it knows is any temperature.
  if (byClass !== undefined) return byClass === 'ambient_temp' && spoken?.endsWith('_temp') ? spoken : byClass
  if (described.deviceClass !== null) return null
  return spoken ?? entry(UNIT_METRIC, unit) ?? null
}

function ownersWord(described: Described, settings: DeviceSettings | undefined): string | undefined {
  const metrics = settings?.metrics
  if (!metrics) return undefined
  for (const name of [...described.names, described.deviceClass ?? '']) {
    const metric = entry(metrics, name)
    if (metric === IGNORE || (metric !== undefined && unitOf(metric) !== undefined)) return metric
  }
  return undefined
}

/** `watch42_restingHR` → `watch42 resting hr`. */
function asWords(name: string): string {
  return name
    .slice(0, 128)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .toLowerCase()
}
