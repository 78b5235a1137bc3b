/** Writes ages, times, days and measured values the way a person reads them, in the person's own time zone. */
import { type GlucoseUnit, MG_PER_DL_PER_MMOL_PER_L } from '../../domain/glucose-unit.ts'
import { metricNamed } from '../../domain/metric.ts'
import type { Key, Translate } from './translate.ts'

export interface Format {
  /** `12 s ago`; under three seconds it is `now`, and a clock slightly ahead never shows a negative age. */
  age(ageMs: number): string
  /** Wall-clock time, `14:32`. */
  time(atMs: number, zone: string | undefined): string
  /** Wall-clock time, with its day unless that is the day of `nowMs`. */
  moment(atMs: number, zone: string | undefined, nowMs?: number): string
  /** A calendar day `YYYY-MM-DD`: `Thu 20 Nov`; `long` spells it out. */
  day(day: string, style?: 'short' | 'long'): string
  date(atMs: number, zone: string | undefined): string
  /** A measured value without its unit, `36.8`; a state is its word. */
  value(metric: string, value: number | string): string
  /** How the unit is written after a value, empty for a bare share or score. */
  unit(metric: string): string
  metric(name: string): string
  /** `Heart rate (bpm)` */
  measured(name: string): string
  /** `1 h 20 min` */
  span(ms: number): string
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Registry units that are written otherwise; a unit that is not here is written as it is. */
const UNITS: Readonly<Record<string, string>> = {
  '1': '',
  '1/min': '/min',
  degC: '°C',
  state: '',
  count: '',
  'kg/m2': 'kg/m²',
  deg: '°',
}
/** Shares of one that people read in percent. */
const SHARES: ReadonlySet<string> = new Set(['stress', 'activity'])

/** `glucoseUnit` is asked anew for each value, so that whoever draws follows a choice at once. */
export function createFormat(
  locale: string,
  t: Translate,
  glucoseUnit: () => GlucoseUnit = () => 'mg/dL',
): Format {
  const dates = new Map<string, Intl.DateTimeFormat>()
  const decimals = [0, 1, 2].map(
    (digits) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )

  const format: Format = {
    age(ageMs) {
      if (ageMs < 3 * SECOND) return t('age.now')
      if (ageMs < MINUTE) return t('age.seconds', { count: Math.floor(ageMs / SECOND) })
      if (ageMs < HOUR) return t('age.minutes', { count: Math.floor(ageMs / MINUTE) })
      if (ageMs < 2 * DAY) return t('age.hours', { count: Math.floor(ageMs / HOUR) })
      return t('age.days', { count: Math.floor(ageMs / DAY) })
    },
    time: (atMs, zone) => written(atMs, zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    moment(atMs, zone, nowMs) {
      const time = format.time(atMs, zone)
      if (nowMs !== undefined && format.date(atMs, zone) === format.date(nowMs, zone)) return time
      return `${written(atMs, zone, { weekday: 'short', day: 'numeric', month: 'short' })}, ${time}`
    },
    date: (atMs, zone) => written(atMs, zone, { day: 'numeric', month: 'short', year: 'numeric' }),
    day: (day, style = 'short') =>
      written(
        Date.parse(`${day}T12:00:00Z`),
        'UTC',
        style === 'long'
          ? { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
          : { weekday: 'short', day: 'numeric', month: 'short' },
      ),
    value(metric, value) {
      if (typeof value === 'string') return value.replaceAll('_', ' ')
      if (SHARES.has(metric)) return (decimals[0] as Intl.NumberFormat).format(value * 100)
      if (metric === 'glucose' && glucoseUnit() === 'mmol/L')
        return (decimals[1] as Intl.NumberFormat).format(value / MG_PER_DL_PER_MMOL_PER_L)
      return (decimals[digitsOf(metric)] as Intl.NumberFormat).format(value)
    },
    unit(metric) {
      if (SHARES.has(metric)) return '%'
      if (metric === 'glucose') return glucoseUnit()
      const unit = metricNamed(metric)?.unit ?? ''
      return UNITS[unit] ?? unit
    },
    metric(name) {
      const key = `metric.${name}`
      const known = hasName(key) ? t(key) : ''
      return known === '' ? sentenceCase(name) : known
    },
    measured(name) {
      const unit = format.unit(name)
      return unit === '' ? format.metric(name) : `${format.metric(name)} (${unit})`
    },
    span(ms) {
      const minutes = Math.round(ms / MINUTE)
      if (minutes < 60) return t('span.minutes', { minutes })
      if (minutes % 60 === 0) return t('span.wholeHours', { hours: minutes / 60 })
      return t('span.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
    },
  }
  return format

  function written(atMs: number, zone: string | undefined, options: Intl.DateTimeFormatOptions): string {
    const key = `${zone}${JSON.stringify(options)}`
    let format = dates.get(key)
    if (!format) {
      format = new Intl.DateTimeFormat(locale, zone === undefined ? options : { ...options, timeZone: zone })
      dates.set(key, format)
    }
    return format.format(atMs)
  }
}

/** Decimals worth reading: the registry's scale is what the store keeps, which is finer than what sensors mean. */
function digitsOf(metric: string): 0 | 1 | 2 {
  const found = metricNamed(metric)
  if (!found) return 1
  if (['degC', 'kg', 'km', 'mmol/L', 'm/s'].includes(found.unit) || metric === 'strain') return 1
  if (found.unit === 'm' && found.max < 10) return 2
  return 0
}

const METRIC_NAMES = [
  'heart_rate',
  'resting_heart_rate',
  'rr_interval',
  'hrv_rmssd',
  'hrv_sdnn',
  'spo2',
  'respiratory_rate',
  'skin_temp',
  'body_temp',
  'stress',
  'activity',
  'steps',
  'glucose',
  'ketone',
  'sleep_duration',
  'bp_sys',
  'bp_dia',
  'bmi',
] as const
type MetricKey = `metric.${(typeof METRIC_NAMES)[number]}` & Key

function hasName(key: string): key is MetricKey {
  return METRIC_NAMES.some((name) => `metric.${name}` === key)
}

function sentenceCase(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
