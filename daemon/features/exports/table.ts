/** Values as a table (RFC 4180). */
import { type GlucoseUnit, glucoseText } from '../../domain/glucose-unit.ts'
import type { ExportFormat } from './value.ts'

const COLUMNS = 'timestamp,end,metric,value,unit,source,device,quality,revision,censored'

/** Glucose is written in the unit that its reader reads it in, with the unit beside each value. */
export function tableIn(glucoseUnit: GlucoseUnit): ExportFormat {
  return {
    mediaType: 'text/csv; charset=utf-8',
    extension: 'csv',
    head: `${COLUMNS}\r\n`,
    separator: '',
    tail: '',
    write({ metric, unit, reading, start, end, source, stored }) {
      const { deviceId, quality, revision, extra } = stored
      const told = typeof reading === 'object' ? `${reading.lat} ${reading.lon ?? ''}` : reading
      const inMmol = metric === 'glucose' && glucoseUnit === 'mmol/L' && typeof told === 'number'
      const value = inMmol ? glucoseText(told, glucoseUnit) : told
      const shown = inMmol ? glucoseUnit : unit
      const cells = [start, end, metric, value, shown, source, deviceId, quality, revision, extra?.censored]
      return `${cells.map(cell).join(',')}\r\n`
    },
  }
}

/** A text that a spreadsheet would take for a formula is set behind an apostrophe. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
