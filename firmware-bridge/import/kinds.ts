/** Every kind of file that the hub imports. */
export const IMPORT_KINDS = [
  'apple-health',
  'health-auto-export',
  'clarity',
  'libreview',
  'dexcom',
  'fit',
  'gpx',
  'tcx',
  'health-connect',
  'fitbit',
  'oura',
  'whoop',
  'nightscout',
] as const
export type ImportKind = (typeof IMPORT_KINDS)[number]

export function isImportKind(word: string): word is ImportKind {
  return (IMPORT_KINDS as readonly string[]).includes(word)
}

const XML: readonly (readonly [RegExp, ImportKind])[] = [
  [/<HealthData[\s>]/, 'apple-health'],
  [/<gpx[\s>]/, 'gpx'],
  [/<TrainingCenterDatabase[\s>]/, 'tcx'],
]
/** The most telling keys first; all of them stand near the start of their files. */
const JSON_KEYS: readonly (readonly [RegExp, ImportKind])[] = [
  [/"api_secret_sha1"|"sgv"|"mbg"|"eventType"|"uploaderBattery"/, 'nightscout'],
  [/"systemTime"|"egv"/, 'dexcom'],
  [/"score_state"/, 'whoop'],
  [/"dateOfSleep"|"confidence"/, 'fitbit'],
  [/"bedtime_start"|"spo2_percentage"|"sleep_phase_5_min"|"start_datetime"/, 'oura'],
  [/"metrics"|"workouts"|"stateOfMind"/, 'health-auto-export'],
]
const TABLES: readonly (readonly [RegExp, ImportKind])[] = [
  [/^[^\n]*Glucose[^\n]*(?:mg\/dL|mmol\/L)[^\n]*Transmitter|^Index[,;\t]/i, 'clarity'],
  [/Serial Number|Seriennummer|Historic Glucose|FreeStyle/i, 'libreview'],
]

/** What a file is, by its first bytes; null when it looks like none of them. A zip is told by its entries instead. */
export function kindOfHead(head: Uint8Array): ImportKind | null {
  const bytes = Buffer.from(head)
  if (bytes.toString('latin1', 8, 12) === '.FIT') return 'fit'
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (text.startsWith('<')) return firstOf(XML, text)
  if (text.startsWith('{') || text.startsWith('[')) return firstOf(JSON_KEYS, text)
  return firstOf(TABLES, text.split('\n').slice(0, 5).join('\n'))
}

function firstOf(signs: readonly (readonly [RegExp, ImportKind])[], text: string): ImportKind | null {
  return signs.find(([sign]) => sign.test(text))?.[1] ?? null
}
