/** Values as FHIR R4 Observations with LOINC codes and UCUM units (hl7.org/fhir/R4/observation.html), in one Bundle. */
import type { ExportedValue, ExportFormat } from './value.ts'

type Category = 'vital-signs' | 'laboratory' | 'activity'

interface Coded {
  category: Category
  /** LOINC code and display; the first is the one that says what it is. */
  codes: readonly (readonly [code: string, display: string])[]
  /** UCUM unit, and how many of it the hub's own unit is. */
  unit: string
  factor: number
}

function coded(category: Category, code: string, display: string, unit: string, factor = 1): Coded {
  return { category, codes: [[code, display]], unit, factor }
}

const PULSE_OX = ['59408-5', 'Oxygen saturation in Arterial blood by Pulse oximetry'] as const
/** The vital signs profile asks for this code beside the one that names the method. */
const SATURATION = ['2708-6', 'Oxygen saturation in Arterial blood'] as const

const CODED: Readonly<Record<string, Coded>> = {
  heart_rate: coded('vital-signs', '8867-4', 'Heart rate', '/min'),
  resting_heart_rate: coded('vital-signs', '40443-4', 'Heart rate --resting', '/min'),
  respiratory_rate: coded('vital-signs', '9279-1', 'Respiratory rate', '/min'),
  spo2: { category: 'vital-signs', codes: [PULSE_OX, SATURATION], unit: '%', factor: 1 },
  body_temp: coded('vital-signs', '8310-5', 'Body temperature', 'Cel'),
  weight: coded('vital-signs', '29463-7', 'Body weight', 'kg'),
  height: coded('vital-signs', '8302-2', 'Body height', 'cm', 100),
  bmi: coded('vital-signs', '39156-5', 'Body mass index (BMI) [Ratio]', 'kg/m2'),
  bp_sys: coded('vital-signs', '8480-6', 'Systolic blood pressure', 'mm[Hg]'),
  bp_dia: coded('vital-signs', '8462-4', 'Diastolic blood pressure', 'mm[Hg]'),
  hrv_sdnn: coded('vital-signs', '80404-7', 'R-R interval.standard deviation (Heart rate variability)', 'ms'),
  glucose: coded('laboratory', '99504-3', 'Glucose [Mass/volume] in Interstitial fluid', 'mg/dL'),
  glucose_strip: coded('laboratory', '2339-0', 'Glucose [Mass/volume] in Blood', 'mg/dL'),
  steps: coded('activity', '55423-8', 'Number of steps in unspecified time Pedometer', '{steps}'),
  sleep_duration: coded('activity', '93832-4', 'Sleep duration', 'h', 1 / 3600),
}

const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const CATEGORIES = 'http://terminology.hl7.org/CodeSystem/observation-category'

/** The resource of one value; what has no LOINC code here is named in words, with its unit as text. */
export function fhirObservation(value: ExportedValue, personId: string): object | null {
  const known = Object.hasOwn(CODED, value.metric) ? CODED[value.metric] : undefined
  const read = quantityOf(value, known)
  if (!read) return null
  const { start, end, source } = value
  return {
    resourceType: 'Observation',
    status: value.stored.revision > 0 ? 'corrected' : 'final',
    ...(known ? { category: [{ coding: [{ system: CATEGORIES, code: known.category }] }] } : {}),
    code: known
      ? { coding: known.codes.map(([code, display]) => ({ system: LOINC, code, display })) }
      : { text: value.metric },
    subject: { reference: `Patient/${personId}` },
    ...read,
    ...(end === null ? { effectiveDateTime: start } : { effectivePeriod: { start, end } }),
    ...(source === '' ? {} : { device: { display: source } }),
  }
}

/** A value beyond the end of a sensor's scale is below or above the number that stands for it. */
const COMPARATORS = { low: '<', high: '>' } as const

function quantityOf({ reading, unit, stored }: ExportedValue, known: Coded | undefined): object | null {
  if (typeof reading === 'string') return { valueString: reading }
  if (typeof reading !== 'number') return null
  const end = stored.extra?.censored
  const comparator = end === undefined ? {} : { comparator: COMPARATORS[end] }
  if (!known) return { valueQuantity: { value: reading, ...comparator, unit } }
  const value = known.factor === 1 ? reading : Math.round(reading * known.factor * 1e4) / 1e4
  return { valueQuantity: { value, ...comparator, unit: known.unit, system: UCUM, code: known.unit } }
}

export const fhir: ExportFormat = {
  mediaType: 'application/fhir+json; charset=utf-8',
  extension: 'fhir.json',
  head: '{"resourceType":"Bundle","type":"collection","entry":[',
  separator: ',\n',
  tail: ']}',
  write(value, personId) {
    const resource = fhirObservation(value, personId)
    return resource && JSON.stringify({ resource })
  },
}
