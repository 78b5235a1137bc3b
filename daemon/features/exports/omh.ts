/** Values as Open mHealth data points (openmhealth.org, header 1.2 and the schema of each measure), in one array. */
import { createHash } from 'node:crypto'
import { MANUAL } from '../../domain/source.ts'
import type { ExportedValue, ExportFormat } from './value.ts'

interface Measure {
  schema: string
  version: string
  /** Name of the value in the body. */
  field: string
  unit: string
  /** What else the schema lets us say. */
  more?: Readonly<Record<string, string>>
  /** The schema allows no instants. */
  spans?: true
}

const MEASURES: Readonly<Record<string, Measure>> = {
  heart_rate: { schema: 'heart-rate', version: '2.0', field: 'heart_rate', unit: 'beats/min' },
  resting_heart_rate: {
    schema: 'heart-rate',
    version: '2.0',
    field: 'heart_rate',
    unit: 'beats/min',
    more: { temporal_relationship_to_physical_activity: 'at rest' },
  },
  respiratory_rate: {
    schema: 'respiratory-rate',
    version: '2.0',
    field: 'respiratory_rate',
    unit: 'breaths/min',
  },
  spo2: { schema: 'oxygen-saturation', version: '2.0', field: 'oxygen_saturation', unit: '%' },
  body_temp: { schema: 'body-temperature', version: '3.0', field: 'body_temperature', unit: 'C' },
  weight: { schema: 'body-weight', version: '2.0', field: 'body_weight', unit: 'kg' },
  height: { schema: 'body-height', version: '1.0', field: 'body_height', unit: 'm' },
  bmi: { schema: 'body-mass-index', version: '2.0', field: 'body_mass_index', unit: 'kg/m2' },
  glucose: {
    schema: 'blood-glucose',
    version: '3.0',
    field: 'blood_glucose',
    unit: 'mg/dL',
    more: { specimen_source: 'interstitial fluid' },
  },
  glucose_strip: {
    schema: 'blood-glucose',
    version: '3.0',
    field: 'blood_glucose',
    unit: 'mg/dL',
    more: { specimen_source: 'capillary blood' },
  },
  rr_interval: { schema: 'rr-interval', version: '1.0', field: 'rr_interval', unit: 'ms' },
  steps: { schema: 'step-count', version: '3.0', field: 'step_count', unit: 'steps', spans: true },
  active_energy: {
    schema: 'calories-burned',
    version: '2.0',
    field: 'kcal_burned',
    unit: 'kcal',
    spans: true,
  },
  sleep_duration: {
    schema: 'sleep-duration',
    version: '2.0',
    field: 'sleep_duration',
    unit: 'sec',
    spans: true,
  },
}

/** The data point of one value; null where Open mHealth has no measure for it. */
export function dataPoint(value: ExportedValue, personId: string): object | null {
  const measure = Object.hasOwn(MEASURES, value.metric) ? MEASURES[value.metric] : undefined
  if (!measure || typeof value.reading !== 'number') return null
  const { schema, version, field, unit, more, spans } = measure
  const { start, end, source, stored } = value
  return {
    header: {
      id: idOf(value, personId),
      creation_date_time: end ?? start,
      schema_id: { namespace: 'omh', name: schema, version },
      acquisition_provenance: {
        source_name: source,
        modality: source === MANUAL ? 'self-reported' : 'sensed',
      },
      user_id: personId,
    },
    body: {
      [field]: { value: value.reading, unit },
      ...more,
      effective_time_frame:
        end === null && !spans
          ? { date_time: start }
          : { time_interval: { start_date_time: start, end_date_time: end ?? start } },
      ...(stored.extra?.['agg'] === 'avg' ? { descriptive_statistic: 'average' } : {}),
    },
  }
}

/** The same value has the same id in every export, so that who imports twice can tell. */
function idOf({ metric, stored }: ExportedValue, personId: string): string {
  const { deviceId, atMs } = stored
  const hex = createHash('sha256')
    .update(JSON.stringify([personId, metric, deviceId, atMs]))
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const omh: ExportFormat = {
  mediaType: 'application/json; charset=utf-8',
  extension: 'omh.json',
  head: '[',
  separator: ',\n',
  tail: ']',
  write(value, personId) {
    const point = dataPoint(value, personId)
    return point && JSON.stringify(point)
  },
}
