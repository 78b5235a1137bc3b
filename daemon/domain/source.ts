/** A source's name as the seeds keep it: an app, an exporter, a make of sensor. */
export const SOURCE_PATTERN = '^[A-Za-z0-9][A-Za-z0-9 ._:()+/-]{0,49}$'

/** What somebody typed in. */
export const MANUAL = 'manual'
