/** Takes glucose readings in: each is judged by itself and stored under the source that reports it. */
import { Compile } from 'typebox/compile'
import type { Actor } from '../../domain/access.ts'
import { type IntakeContext, type Rejection, type SampleInput, takeIn } from '../../domain/intake.ts'
import type { Observation, Outcome } from '../../domain/observation.ts'
import { MANUAL } from '../../domain/source.ts'
import { type ErrorCode, HubError } from '../../kernel/errors.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'
import { type ChangeIn, ReadingIn } from './bodies.ts'

/** Who sends, and whose readings these are; null: a device's wearer at the time of each reading. */
export interface Sender {
  actor: Actor
  personId: string | null
}

/** Why one reading was not kept; `index` is its place in what was sent. */
export interface RejectedReading {
  index: number
  code: ErrorCode
  message: string
  path: string
}

export interface Taken {
  /** The readings that are on disk now, with what became of each. */
  landed: { index: number; observation: Observation; outcome: Outcome }[]
  rejected: RejectedReading[]
}

export interface Arrivals {
  /** Resolves once everything that could be kept is on disk. */
  take(readings: readonly unknown[], sender: Sender): Promise<Taken>
  /** A correction in mg/dL, under the natural key of `old`. Throws what is wrong with it. */
  corrected(old: Observation, change: ChangeIn): Observation
}

export interface ArrivalsDeps {
  store: Pick<Store, 'observations'>
  sources: Sources
  now: () => number
  zoneOf: (personId: string) => string
  /** Whom a device's reading of that instant belongs to, null for nobody. */
  wearerAt: (deviceId: string, atMs: number) => string | null
}

/** Where sensors end: Dexcom below 40 and above 400 mg/dL, Libre above 500. */
const LOW = 39
const HIGH = 401
const HIGH_OF_LIBRE = 501
const WORDS: Readonly<Record<string, 'low' | 'high'>> = { low: 'low', lo: 'low', high: 'high', hi: 'high' }
/** More sources in one upload than a household has is a client that counts readings as sources. */
const SOURCES_AT_ONCE = 20

const readingIn = Compile(ReadingIn)

export function createArrivals(deps: ArrivalsDeps): Arrivals {
  const { store, now } = deps

  async function landAll(readings: readonly unknown[], sender: Sender): Promise<Taken> {
    const rejected: RejectedReading[] = []
    const landing: { index: number; observation: Observation }[] = []
    const entries = await entriesFor(readings, sender, deps)
    const zones = { naiveZone: sender.personId === null ? 'UTC' : deps.zoneOf(sender.personId), nowMs: now() }
    readings.forEach((item, index) => {
      const reading = shaped(item)
      const judged = 'code' in reading ? reading : judge(reading, sender, { ...deps, ...zones, entries })
      if ('code' in judged) rejected.push({ index, ...judged })
      else landing.push({ index, observation: judged })
    })
    const outcomes =
      landing.length === 0
        ? []
        : await store.observations.append(landing.map(({ observation }) => observation))
    return { landed: landing.map((one, at) => ({ ...one, outcome: outcomes[at] ?? 'accepted' })), rejected }
  }

  return {
    take: landAll,
    corrected(old, { value: told, unit, censored }) {
      if (told === undefined && unit !== undefined)
        throw refused({ code: 'VALIDATION_ERROR', path: 'unit', message: 'needs a value beside it' })
      const value = told ?? old.value
      const context: IntakeContext = {
        ...plainContext(old.deviceId, old.source, now(), 'UTC'),
        personAt: () => old.personId,
      }
      const { censored: was, ...facts } = old.extra ?? {}
      const end = censored === undefined && value === old.value ? was : (censored ?? undefined)
      const reading: ReadingIn = {
        timestamp: old.atMs,
        value,
        ...(unit === undefined ? {} : { unit }),
        ...(end === undefined ? {} : { censored: end }),
      }
      const taken = oneOf(reading, facts, context)
      if ('code' in taken) throw refused(taken)
      return taken
    },
  }
}

interface Surroundings extends ArrivalsDeps {
  nowMs: number
  naiveZone: string
  /** The hub's entry of each source that the upload names, or why there is none. */
  entries: ReadonlyMap<string, string | Rejection>
}

function judge(reading: ReadingIn, sender: Sender, around: Surroundings): Observation | Rejection {
  const { actor } = sender
  const source = sourceOf(reading, actor)
  const entry = actor.kind === 'device' ? actor.deviceId : around.entries.get(source)
  if (entry === undefined) return tooManySources()
  if (typeof entry !== 'string') return entry
  const context: IntakeContext = {
    ...plainContext(entry, source, around.nowMs, around.naiveZone),
    personAt: (atMs) => sender.personId ?? around.wearerAt(entry, atMs),
  }
  const taken = oneOf(
    reading,
    reading.device_id === undefined ? {} : { device_id: reading.device_id },
    context,
  )
  if ('code' in taken || actor.kind === 'device' || reading.device_id === undefined) return taken
  // A paired device that this person wore then speaks for itself; any other name is kept beside the value.
  const worn = around.wearerAt(reading.device_id, taken.atMs) === taken.personId
  return worn ? { ...taken, deviceId: reading.device_id } : taken
}

function sourceOf(reading: ReadingIn, actor: Actor): string {
  return reading.source ?? (actor.kind === 'device' ? 'glucose' : MANUAL)
}

/** Shape by schema, because a bad item must not spoil its neighbours. */
function shaped(item: unknown): ReadingIn | Rejection {
  if (readingIn.Check(item)) return item
  // The schema `false` of an unknown field comes before the fault that names it.
  const fault = readingIn.Errors(item).find(({ keyword }) => keyword !== 'boolean')
  const names: unknown = fault && Reflect.get(fault.params, 'additionalProperties')
  const [stranger]: unknown[] = Array.isArray(names) ? names : []
  const missing: unknown = fault && Reflect.get(fault.params, 'requiredProperties')
  const [needed]: unknown[] = Array.isArray(missing) ? missing : []
  if (typeof stranger === 'string')
    return { code: 'VALIDATION_ERROR', path: stranger.slice(0, 64), message: 'is not a field of a reading' }
  if (typeof needed === 'string')
    return { code: 'VALIDATION_ERROR', path: needed, message: `${needed} is missing` }
  const path = fault?.instancePath.slice(1).replaceAll('/', '.') ?? ''
  return {
    code: 'VALIDATION_ERROR',
    path,
    message: `${path || 'the reading'} ${fault?.message ?? 'does not fit'}`,
  }
}

function oneOf(
  reading: ReadingIn,
  facts: Readonly<Record<string, unknown>>,
  context: IntakeContext,
): Observation | Rejection {
  const told = toldBy(reading, context.source)
  if ('code' in told) return told
  const [intake] = takeIn({ metric: 'glucose', ts: reading.timestamp, facts, ...told }, context)
  if (!intake) return { code: 'VALIDATION_ERROR', path: 'value', message: 'there is no value' }
  if ('observation' in intake) return intake.observation
  const { path, code, message } = intake.rejected
  if (code === 'OUT_OF_RANGE' && reading.unit === undefined && isNumber(told.value, 1, 33.3))
    return { code, path, message: `${message}: send "unit":"mmol/L" if that is what it is` }
  return { code, message, path: path === 'ts' ? 'timestamp' : path }
}

/** A word of the sensor's scale end stands for the value just beyond it. */
function toldBy(
  reading: ReadingIn,
  source: string,
): Pick<SampleInput, 'value' | 'unit' | 'censored'> | Rejection {
  const { value, unit, censored } = reading
  if (typeof value === 'number')
    return { value, ...(unit === undefined ? {} : { unit }), ...(censored === undefined ? {} : { censored }) }
  const word = value.toLowerCase()
  const end = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
  if (end === undefined || (censored !== undefined && censored !== end)) {
    const message = 'a value is a number, or one of the words Low, High, LO, HI'
    return { code: 'VALIDATION_ERROR', path: 'value', message }
  }
  if (end === 'low') return { value: LOW, censored: end }
  return { value: /libre/i.test(source) ? HIGH_OF_LIBRE : HIGH, censored: end }
}

function isNumber(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max
}

async function entriesFor(
  readings: readonly unknown[],
  { actor }: Sender,
  { sources }: ArrivalsDeps,
): Promise<Map<string, string | Rejection>> {
  const entries = new Map<string, string | Rejection>()
  if (actor.kind === 'device') return entries
  for (const item of readings) {
    if (!readingIn.Check(item)) continue
    const source = sourceOf(item, actor)
    if (entries.has(source) || entries.size >= SOURCES_AT_ONCE) continue
    entries.set(source, await entryOr(sources, source))
  }
  return entries
}

async function entryOr(sources: Sources, source: string): Promise<string | Rejection> {
  try {
    return await sources.entryFor(source)
  } catch (cause) {
    if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
    return { code: cause.code, path: 'source', message: cause.message }
  }
}

function tooManySources(): Rejection {
  const message = `an upload names at most ${SOURCES_AT_ONCE} sources: send the others in a further one`
  return { code: 'VALIDATION_ERROR', path: 'source', message }
}

function plainContext(deviceId: string, source: string, nowMs: number, zone: string) {
  return { deviceId, source, nowMs, arrivedMs: null, deviceZone: zone, naiveZone: zone }
}

/** The refusal of a request that is about one reading. */
export function refused({ code, path, message }: Rejection, value?: unknown): HubError {
  return new HubError(code, `The reading was not kept. ${path}: ${message}.`, {
    details: [{ path, message, ...(value === undefined ? {} : { value }) }],
  })
}
